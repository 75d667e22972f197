/* The wait: descriptors, timers and what was asked for again, in one batch.
 *
 * The three kinds take turns in being first. Each but the last may fill half of what is left of the batch, so that with
 * a capacity of one every kind is served within three waits, and with more within one.
 */
#include "loop.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define SECOND_NS 1000000000
#define MILLISECOND_NS 1000000

enum kind { TIMERS = 0, AGAIN = 1, KERNEL = 2, KINDS = 3 };

int64_t coreio__loop_clock(void)
{
    return coreio__clock_ns(CLOCK_MONOTONIC);
}

/* Asks the kernel for at most `capacity` events, and waits `timeout_ns` for the first; INT64_MAX is for ever. */
static int32_t poll_kernel(struct coreio_loop *loop, int32_t capacity, int64_t timeout_ns)
{
    loop->counters.polls++;
    if (timeout_ns == 0 || timeout_ns == INT64_MAX) {
        const int count = epoll_wait(loop->epoll, loop->batch, capacity, timeout_ns == 0 ? 0 : -1);
        return count < 0 ? -errno : count;
    }
#ifdef SYS_epoll_pwait2
    /* Since Linux 5.11; before it, and under an emulator that lacks it, milliseconds have to do. */
    if (!loop->coarse) {
        const struct timespec time = {.tv_sec = timeout_ns / SECOND_NS, .tv_nsec = timeout_ns % SECOND_NS};
        const long fine = syscall(SYS_epoll_pwait2, loop->epoll, loop->batch, capacity, &time, NULL, 0);
        if (fine >= 0)
            return (int32_t)fine;
        /* Filters of system calls that are older than it say EPERM. */
        if (errno != ENOSYS && errno != EPERM)
            return -errno;
        loop->coarse = 1;
    }
#endif
    const int64_t rounded = timeout_ns / MILLISECOND_NS + (timeout_ns % MILLISECOND_NS != 0);
    const int count =
        epoll_wait(loop->epoll, loop->batch, capacity, rounded > INT32_MAX ? INT32_MAX : (int32_t)rounded);
    return count < 0 ? -errno : count;
}

/* Turns what the kernel told into events; returns how many. */
static int32_t translate(struct coreio_loop *loop, int32_t count, struct coreio_loop_event *events)
{
    int32_t written = 0;
    for (int32_t i = 0; i < count; i++) {
        const struct epoll_event *told = &loop->batch[i];
        const int64_t id = (int64_t)told->data.u64;
        if (id <= 0) {
            /* The timerfd of a loop that is watched itself needs no event: timers are served from the wheel. */
            if (id < 0)
                continue;
            /* Cleared before the owner looks at what the wakers wrote, which the exchange lets it see: who comes later
             * wakes the next wait. */
            (void)atomic_exchange(&loop->woken, 0);
            loop->counters.wakes++;
            events[written++] = (struct coreio_loop_event){.kind = COREIO_LOOP_WOKEN};
            continue;
        }
        struct coreio__watch *watch = coreio__slab_find(&loop->watches, id);
        /* Removed, or its number belongs to a later watch: a duplicate of a closed descriptor keeps the kernel telling.
         */
        if (watch == NULL || watch->fd < 0) {
            loop->counters.stale++;
            continue;
        }
        if ((watch->known & (uint32_t)EPOLLONESHOT) != 0) {
            /* The kernel watches for nothing until it hears of an interest again; wanting the same is a change then. */
            watch->known = 0;
            watch->wanted = 0;
        }
        uint32_t ready = told->events;
        if (watch->again != 0) {
            /* One event for both, and the turn that was asked for is over. */
            ready |= watch->again;
            watch->again = 0;
            loop->counters.again++;
            if (watch->lost == 0)
                coreio__loop_unlist(loop, COREIO__LOOP_AGAIN, (int32_t)(uint32_t)id);
        }
        events[written++] =
            (struct coreio_loop_event){.id = id, .data = watch->data, .events = ready, .kind = COREIO_LOOP_DESCRIPTOR};
    }
    return written;
}

/* Whether the kernel told of this registration just now. */
static int32_t told_of(const struct coreio_loop *loop, int32_t count, uint64_t data)
{
    for (int32_t i = 0; i < count; i++) {
        if (loop->batch[i].data.u64 == data)
            return 1;
    }
    return 0;
}

/* What reaches nobody may have taken the place of what does: the kernel tells of all that is ready in turn, so it is
 * asked again until it comes back to the first. That never happens where the first was told once for an edge; then
 * COREIO__LOOP_BATCH times are the end. */
static int32_t serve_kernel(
    struct coreio_loop *loop, struct coreio_loop_event *events, int32_t capacity, int64_t timeout_ns)
{
    const int32_t most = capacity < COREIO__LOOP_BATCH ? capacity : COREIO__LOOP_BATCH;
    int32_t count = poll_kernel(loop, most, timeout_ns);
    int32_t written = count < 0 ? count : translate(loop, count, events);
    const uint64_t first = loop->batch[0].data.u64;
    for (int32_t again = 0; written == 0 && count == most && again < COREIO__LOOP_BATCH; again++) {
        count = poll_kernel(loop, most, 0);
        written = count < 0 ? count : translate(loop, count, events);
        if (written == 0 && told_of(loop, count, first))
            break;
    }
    return written;
}

static int32_t serve_again(struct coreio_loop *loop, struct coreio_loop_event *events, int32_t capacity)
{
    int32_t written = 0;
    while (written < capacity && loop->lists[COREIO__LOOP_AGAIN].first >= 0) {
        const int32_t index = loop->lists[COREIO__LOOP_AGAIN].first;
        struct coreio__watch *watch = coreio__loop_watch(loop, index);
        struct coreio_loop_event *event = &events[written++];
        *event = (struct coreio_loop_event){
            .id = coreio__slab_id(&loop->watches, index), .data = watch->data, .kind = COREIO_LOOP_DESCRIPTOR};
        if (watch->lost != 0) {
            event->kind = COREIO_LOOP_LOST;
            event->status = watch->lost;
            watch->lost = 0;
            if (watch->again != 0)
                continue;
        } else {
            event->events = watch->again;
            watch->again = 0;
            loop->counters.again++;
        }
        coreio__loop_unlist(loop, COREIO__LOOP_AGAIN, index);
    }
    return written;
}

static int32_t serve_timers(struct coreio_loop *loop, struct coreio_loop_event *events, int32_t capacity)
{
    int32_t written = 0;
    while (written < capacity && coreio__wheel_due(&loop->wheel) >= 0) {
        const int32_t index = coreio__wheel_due(&loop->wheel);
        struct coreio__timer *timer = coreio__wheel_timer(&loop->wheel, index);
        events[written++] = (struct coreio_loop_event){
            .id = coreio__slab_id(&loop->wheel.timers, index) | COREIO__LOOP_TIMER_MARK,
            .data = timer->data,
            .kind = COREIO_LOOP_TIMER,
        };
        loop->counters.timers_fired++;
        loop->counters.timers_behind = loop->now - timer->deadline;
        if (timer->period == 0) {
            coreio__wheel_remove(&loop->wheel, index);
        } else {
            /* The next of its times that is still to come, or the end of all time. */
            const int64_t missed = (loop->now - timer->deadline) / timer->period;
            const int64_t last = timer->deadline + missed * timer->period;
            coreio__wheel_move(
                &loop->wheel, index, timer->period > INT64_MAX - last ? INT64_MAX : last + timer->period);
        }
    }
    return written;
}

static void tick(struct coreio_loop *loop)
{
    loop->now = coreio__loop_clock();
    coreio__wheel_advance(&loop->wheel, loop->now);
}

/* How long the kernel may wait: until `deadline`, the next timer, or not at all when something is there. */
static int64_t patience(const struct coreio_loop *loop, int64_t deadline)
{
    if (loop->lists[COREIO__LOOP_AGAIN].first >= 0)
        return 0;
    const int64_t timer = coreio__wheel_next(&loop->wheel);
    const int64_t until = timer < deadline ? timer : deadline;
    if (until == INT64_MAX)
        return INT64_MAX;
    return until > loop->now ? until - loop->now : 0;
}

/* One batch, from every kind in turn. */
static int32_t serve(struct coreio_loop *loop, struct coreio_loop_event *events, int32_t capacity, int64_t deadline)
{
    int32_t written = 0;
    const int32_t first = loop->turn;
    loop->turn = (first + 1) % KINDS;
    for (int32_t i = 0; i < KINDS && written < capacity; i++) {
        const int32_t left = capacity - written;
        const int32_t share = i == KINDS - 1 ? left : (left + 1) / 2;
        const enum kind kind = (enum kind)((first + i) % KINDS);
        if (kind == TIMERS) {
            written += serve_timers(loop, events + written, share);
        } else if (kind == AGAIN) {
            written += serve_again(loop, events + written, share);
        } else {
            const int64_t timeout = written > 0 ? 0 : patience(loop, deadline);
            const int32_t count = serve_kernel(loop, events + written, share, timeout);
            if (timeout != 0)
                tick(loop);
            if (count < 0 && written == 0)
                return count;
            if (count > 0)
                written += count;
        }
    }
    return written;
}

int32_t coreio_loop_wait(
    struct coreio_loop *loop, struct coreio_loop_event *events, int32_t capacity, int64_t timeout_ns)
{
    if (capacity < 1)
        return -EINVAL;
    loop->counters.waits++;
    coreio__loop_flush(loop);
    tick(loop);
    const int64_t deadline = timeout_ns < 0 || timeout_ns > INT64_MAX - loop->now ? INT64_MAX : loop->now + timeout_ns;
    int32_t count;
    do {
        /* A timer that moved down a wheel leaves the timerfd of a loop that is watched itself readable. */
        coreio__loop_arm(loop);
        count = serve(loop, events, capacity, deadline);
        if (count == -EINTR) {
            if ((loop->flags & COREIO_LOOP_INTERRUPTIBLE) != 0)
                break;
            count = 0;
        }
        /* Nothing: a stale event, timers that moved down a wheel, a signal, or the end of the wait. */
    } while (count == 0 && (timeout_ns != 0 && loop->now < deadline));
    if (count > 0)
        loop->counters.events += count;
    coreio__loop_arm(loop);
    return count;
}
