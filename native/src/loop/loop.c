/* Loops: made, ended, woken, watched by another; their timers. See loop.h. */
#include "loop.h"

#include "base/options.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define SECOND_NS 1000000000

/* Data of the registrations of the loop's own descriptors, which no identifier is. */
#define WAKE_DATA UINT64_C(0)
#define TIMER_DATA UINT64_MAX

/* Watches one of the loop's own descriptors. */
static int32_t watch_own(const struct coreio_loop *loop, int32_t fd, uint32_t interest, uint64_t data)
{
    struct epoll_event event = {.events = interest, .data.u64 = data};
    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

int32_t coreio_loop_create(const struct coreio_loop_options *options, struct coreio_loop **out)
{
    *out = NULL;
    struct coreio_loop_options own;
    int32_t status = coreio__options_read(&own, sizeof own, options);
    if (status < 0)
        return status;
    if ((own.flags & ~COREIO_LOOP_INTERRUPTIBLE) != 0)
        return -EINVAL;
    void *memory = NULL;
    if (posix_memalign(&memory, _Alignof(struct coreio_loop), sizeof(struct coreio_loop)) != 0)
        return -ENOMEM;
    struct coreio_loop *loop = memory;
    *loop = (struct coreio_loop){.epoll = -1,
        .wake = -1,
        .timer = -1,
        .flags = own.flags,
        .now = coreio__loop_clock(),
        .timer_armed = INT64_MAX};
    coreio__slab_start(&loop->watches, sizeof(struct coreio__watch));
    coreio__wheel_start(&loop->wheel, loop->now);
    for (int32_t i = 0; i < COREIO__LOOP_LISTS; i++)
        loop->lists[i] = (struct coreio__watch_list){.first = -1, .last = -1};
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0) {
        status = -errno;
        goto fail;
    }
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake < 0) {
        status = -errno;
        goto fail;
    }
    status = watch_own(loop, loop->wake, (uint32_t)EPOLLIN | (uint32_t)EPOLLET, WAKE_DATA);
    if (status < 0)
        goto fail;
    *out = loop;
    return 0;

fail:
    coreio_loop_destroy(loop);
    return status;
}

void coreio_loop_destroy(struct coreio_loop *loop)
{
    if (loop == NULL)
        return;
    if (loop->timer >= 0)
        (void)close(loop->timer);
    if (loop->wake >= 0)
        (void)close(loop->wake);
    if (loop->epoll >= 0)
        (void)close(loop->epoll);
    coreio__slab_end(&loop->watches);
    coreio__wheel_end(&loop->wheel);
    free(loop->by_fd);
    free(loop);
}

int32_t coreio_loop_holds(const struct coreio_loop *loop, int64_t id)
{
    if (id <= 0)
        return 0;
    if ((id & COREIO__LOOP_TIMER_MARK) != 0)
        return coreio__slab_find(&loop->wheel.timers, id & ~COREIO__LOOP_TIMER_MARK) != NULL;
    return coreio__slab_find(&loop->watches, id) != NULL;
}

/* The time `delay_ns` from now, or the end of all time. */
static int64_t deadline_after(const struct coreio_loop *loop, int64_t delay_ns)
{
    return delay_ns > INT64_MAX - loop->now ? INT64_MAX : loop->now + delay_ns;
}

void coreio__loop_arm(struct coreio_loop *loop)
{
    if (loop->timer < 0)
        return;
    const int64_t next = loop->lists[COREIO__LOOP_AGAIN].first >= 0 ? 0 : coreio__wheel_next(&loop->wheel);
    if (next == loop->timer_armed)
        return;
    /* A time that is over fires at once; zero would disarm. */
    struct itimerspec time = {0};
    if (next != INT64_MAX) {
        time.it_value.tv_sec = next / SECOND_NS;
        time.it_value.tv_nsec = next % SECOND_NS + (next == 0);
    }
    (void)timerfd_settime(loop->timer, TFD_TIMER_ABSTIME, &time, NULL);
    loop->timer_armed = next;
}

int32_t coreio_loop_start(struct coreio_loop *loop, int64_t delay_ns, int64_t period_ns, uint64_t data, int64_t *id)
{
    *id = 0;
    if (delay_ns < 0 || period_ns < 0)
        return -EINVAL;
    const int32_t index = coreio__wheel_add(&loop->wheel, deadline_after(loop, delay_ns), period_ns, data);
    if (index < 0)
        return index;
    *id = coreio__slab_id(&loop->wheel.timers, index) | COREIO__LOOP_TIMER_MARK;
    coreio__loop_arm(loop);
    return 0;
}

/* The index of a timer that runs, or -ENOENT. */
static int32_t timer_index(const struct coreio_loop *loop, int64_t id)
{
    const int64_t own = id & ~COREIO__LOOP_TIMER_MARK;
    return own == id || coreio__slab_find(&loop->wheel.timers, own) == NULL ? -ENOENT : (int32_t)(uint32_t)own;
}

int32_t coreio_loop_restart(struct coreio_loop *loop, int64_t id, int64_t delay_ns)
{
    const int32_t index = timer_index(loop, id);
    if (index < 0)
        return index;
    if (delay_ns < 0)
        return -EINVAL;
    coreio__wheel_move(&loop->wheel, index, deadline_after(loop, delay_ns));
    coreio__loop_arm(loop);
    return 0;
}

int32_t coreio_loop_stop(struct coreio_loop *loop, int64_t id)
{
    const int32_t index = timer_index(loop, id);
    if (index < 0)
        return index;
    coreio__wheel_remove(&loop->wheel, index);
    coreio__loop_arm(loop);
    return 0;
}

int64_t coreio_loop_now(const struct coreio_loop *loop)
{
    return loop->now;
}

int32_t coreio_loop_wake(struct coreio_loop *loop)
{
    /* The first waker of a wait writes; the others have nothing to add. The exchange also publishes what was written
     * before it to the wait that clears the flag. */
    if (atomic_exchange(&loop->woken, 1) != 0)
        return 0;
    const uint64_t one = 1;
    /* The value is never read, so 2^64 - 1 wakes would fill it, and EAGAIN is out of reach. */
    ssize_t written;
    do
        written = write(loop->wake, &one, sizeof one);
    while (written < 0 && errno == EINTR);
    return 0;
}

int32_t coreio_loop_descriptor(struct coreio_loop *loop)
{
    if (loop->timer >= 0)
        return loop->epoll;
    const int32_t timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer < 0)
        return -errno;
    const int32_t status = watch_own(loop, timer, (uint32_t)EPOLLIN, TIMER_DATA);
    if (status < 0) {
        (void)close(timer);
        return status;
    }
    loop->timer = timer;
    coreio__loop_flush(loop);
    coreio__loop_arm(loop);
    return loop->epoll;
}

int32_t coreio_loop_counters(const struct coreio_loop *loop, struct coreio_loop_counters *counters)
{
    *counters = loop->counters;
    counters->descriptors = loop->watches.taken;
    counters->timers = loop->wheel.timers.taken;
    return 0;
}
