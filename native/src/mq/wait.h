/* How a call of either family waits: what it does after each try that found the queue full or empty.
 *
 *     int32_t step = coreio__mq_wait_begin(wait);
 *     while (step == COREIO__MQ_TRY) {
 *         ... try without waiting, and return unless that was refused ...
 *         step = coreio__mq_wait_next(wait, refused, queue, POLLIN);
 *     }
 *     ... COREIO__MQ_BLOCK: the plain call; else step is what the call returns ...
 *
 * A caller that gives no wait goes to the plain call at once, and nothing here runs.
 */
#ifndef COREIO_SRC_MQ_WAIT_H
#define COREIO_SRC_MQ_WAIT_H

#include <coreio/mq.h>
#include <stddef.h>

/* What comes next; below zero it is over, with this status. */
#define COREIO__MQ_TRY 0
#define COREIO__MQ_BLOCK 1

struct coreio__mq_wait {
    uint32_t flags;
    int32_t cancel_fd;
    int32_t once;     /* does not wait at all */
    int32_t pauses;   /* of this message, where the queue is no descriptor */
    int64_t spin_ns;  /* before it blocks */
    int64_t deadline; /* on CLOCK_MONOTONIC, INT64_MAX for none; it stays for all messages of a batch */
    int64_t spin_end; /* of this message; 0 until a first try was refused */
    int64_t look;     /* when a spin next looks at the cancel descriptor */
};

/* Reads what the caller asks for; the time to wait begins. Returns 0, -EINVAL, -EBADF or COREIO_EABI. */
int32_t coreio__mq_wait_start(struct coreio__mq_wait *wait, const struct coreio_mq_wait *theirs);

/* Begins the wait for one message and returns its first step. */
int32_t coreio__mq_wait_begin(struct coreio__mq_wait *wait);

/* Waits until another try makes sense, and returns the next step; `refused` is what the try returned. `queue` becomes
 * ready with `events` of poll(2); -1 is a queue without a descriptor. */
int32_t coreio__mq_wait_next(struct coreio__mq_wait *wait, int32_t refused, int32_t queue, int16_t events);

/* Whether a signal is to end the call. */
static inline int32_t coreio__mq_interruptible(const struct coreio__mq_wait *wait)
{
    return wait != NULL && (wait->flags & COREIO_MQ_INTERRUPTIBLE) != 0;
}

#endif
