/* Waits for queues; see wait.h.
 *
 * Everything is counted on CLOCK_MONOTONIC, so a step of the system's clock moves no deadline. Nothing here allocates,
 * and only the cancel descriptor and the queue are looked at.
 */
#include "wait.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <time.h>

#include "base/clock.h"
#include "base/options.h"

#define FLAGS (COREIO_MQ_TIMED | COREIO_MQ_CANCELLABLE | COREIO_MQ_INTERRUPTIBLE)

/* A spin asks for the cancel descriptor this often: a poll(2) costs about half of a try, and nobody notices 50 us. */
#define LOOK_NS 50000

/* A System V queue is tried so often at once, which is about 20 us; then the pauses begin. */
#define YIELDS 32

/* The first pause is what the kernel rounds a sleep to anyway (its timer slack); the last is what a message may be late
 * by, at about 0.5 % of a CPU. */
#define PAUSE_MIN_NS 50000
#define PAUSE_MAX_NS 1000000

#define SECOND_NS 1000000000

/* A time that never comes where the sum does not fit. */
static int64_t later(int64_t now, int64_t ns)
{
    return ns > INT64_MAX - now ? INT64_MAX : now + ns;
}

int32_t coreio__mq_wait_start(struct coreio__mq_wait *wait, const struct coreio_mq_wait *theirs)
{
    struct coreio_mq_wait own;
    const int32_t status = coreio__options_read(&own, sizeof own, theirs);
    if (status < 0)
        return status;
    if ((own.flags & ~FLAGS) != 0 || own.spin_ns < 0)
        return -EINVAL;
    /* poll(2) passes over a negative descriptor in silence, and the wait would never be cancelled. */
    if ((own.flags & COREIO_MQ_CANCELLABLE) != 0 && own.cancel_fd < 0)
        return -EBADF;
    const int32_t timed = (own.flags & COREIO_MQ_TIMED) != 0;
    *wait = (struct coreio__mq_wait){
        .flags = own.flags,
        .cancel_fd = own.cancel_fd,
        .once = timed && own.timeout_ns <= 0,
        .spin_ns = own.spin_ns,
        .deadline = timed && own.timeout_ns > 0 ? later(coreio__clock_ns(CLOCK_MONOTONIC), own.timeout_ns) : INT64_MAX,
    };
    return 0;
}

int32_t coreio__mq_wait_begin(struct coreio__mq_wait *wait)
{
    wait->pauses = 0;
    wait->spin_end = 0;
    const int32_t plain = (wait->flags & (COREIO_MQ_TIMED | COREIO_MQ_CANCELLABLE)) == 0 && wait->spin_ns == 0;
    return plain ? COREIO__MQ_BLOCK : COREIO__MQ_TRY;
}

/* Polls the queue, unless it is -1, and the cancel descriptor, for `ns` at most; INT64_MAX is for ever. */
static int32_t poll_both(const struct coreio__mq_wait *wait, int32_t queue, int16_t events, int64_t ns)
{
    const int32_t cancel_fd = (wait->flags & COREIO_MQ_CANCELLABLE) != 0 ? wait->cancel_fd : -1;
    struct pollfd fds[2] = {{.fd = cancel_fd, .events = POLLIN}, {.fd = queue, .events = events}};
    const struct timespec time = {.tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS};
    const int ready = ppoll(fds, 2, ns == INT64_MAX ? NULL : &time, NULL);
    if (ready == -1 && errno == EINTR)
        return coreio__mq_interruptible(wait) ? -EINTR : COREIO__MQ_TRY;
    if (ready == -1)
        return -errno;
    if ((fds[0].revents & POLLNVAL) != 0)
        return -EBADF;
    return fds[0].revents != 0 ? -ECANCELED : COREIO__MQ_TRY;
}

/* Gives others time to change a queue that cannot be polled. */
static int32_t pause_once(struct coreio__mq_wait *wait, int64_t remaining)
{
    if (wait->pauses < YIELDS) {
        wait->pauses++;
        (void)sched_yield();
        return poll_both(wait, -1, 0, 0);
    }
    int64_t ns = (int64_t)PAUSE_MIN_NS << (wait->pauses - YIELDS);
    if (ns < PAUSE_MAX_NS)
        wait->pauses++;
    else
        ns = PAUSE_MAX_NS;
    return poll_both(wait, -1, 0, ns < remaining ? ns : remaining);
}

int32_t coreio__mq_wait_next(struct coreio__mq_wait *wait, int32_t refused, int32_t queue, int16_t events)
{
    if (wait->once)
        return refused;
    const int64_t now = coreio__clock_ns(CLOCK_MONOTONIC);
    if (now >= wait->deadline)
        return -ETIMEDOUT;
    if (wait->spin_end == 0) {
        wait->spin_end = later(now, wait->spin_ns);
        wait->look = now;
    }
    if (now < wait->spin_end) {
        if ((wait->flags & COREIO_MQ_CANCELLABLE) == 0 || now < wait->look)
            return COREIO__MQ_TRY;
        wait->look = now + LOOK_NS;
        return poll_both(wait, -1, 0, 0);
    }
    if ((wait->flags & (COREIO_MQ_TIMED | COREIO_MQ_CANCELLABLE)) == 0)
        return COREIO__MQ_BLOCK;
    const int64_t remaining = wait->deadline == INT64_MAX ? INT64_MAX : wait->deadline - now;
    return queue < 0 ? pause_once(wait, remaining) : poll_both(wait, queue, events, remaining);
}
