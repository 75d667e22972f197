/* Timers in a hierarchy of wheels: starting, moving and ending one takes the same time however many there are.
 *
 * Time is counted in ticks of 2^20 ns. A wheel of level n has 64 buckets of 64^n ticks each; a timer lies in the wheel
 * of the highest digit, base 64, in which its tick differs from now, and moves down a wheel when time comes to its
 * bucket, at most five times. (Varghese and Lauck, Hashed and Hierarchical Timing Wheels, 1987, scheme 7.)
 */
#ifndef COREIO_SRC_LOOP_WHEEL_H
#define COREIO_SRC_LOOP_WHEEL_H

#include "base/slab.h"

#define COREIO__WHEEL_TICK_SHIFT 20
#define COREIO__WHEEL_LEVELS 6
#define COREIO__WHEEL_BUCKETS 64
/* The bucket of timers that are due, in the order they became so. */
#define COREIO__WHEEL_DUE (COREIO__WHEEL_LEVELS * COREIO__WHEEL_BUCKETS)

struct coreio__timer {
    struct coreio__slab_head head;
    int32_t previous; /* in its bucket; of the first one the last */
    int32_t next;     /* -1 for the last */
    int64_t deadline; /* ns, on the loop's clock */
    int64_t period;   /* ns, 0 for once */
    uint64_t data;
    int32_t bucket;
    int32_t padding;
};

struct coreio__wheel {
    struct coreio__slab timers;
    int64_t time; /* ns, as of the last advance */
    int64_t now;  /* tick up to which everything is due */
    uint64_t occupied[COREIO__WHEEL_LEVELS];
    int32_t first[COREIO__WHEEL_DUE + 1]; /* of each bucket, -1 for none */
};

/* A wheel without timers at `now` ns. */
void coreio__wheel_start(struct coreio__wheel *wheel, int64_t now);
void coreio__wheel_end(struct coreio__wheel *wheel);

/* Adds a timer and returns its index, or -ENOMEM. */
int32_t coreio__wheel_add(struct coreio__wheel *wheel, int64_t deadline, int64_t period, uint64_t data);

/* Moves a timer to another deadline. */
void coreio__wheel_move(struct coreio__wheel *wheel, int32_t index, int64_t deadline);

/* Takes a timer out and gives its index back. */
void coreio__wheel_remove(struct coreio__wheel *wheel, int32_t index);

/* Makes due what is due at `now` ns. */
void coreio__wheel_advance(struct coreio__wheel *wheel, int64_t now);

/* The first timer that is due, or -1. */
static inline int32_t coreio__wheel_due(const struct coreio__wheel *wheel)
{
    return wheel->first[COREIO__WHEEL_DUE];
}

/* When there is something to do next, in ns: no later than the first deadline, and earlier when timers have to move
 * down before it. INT64_MAX without timers. */
int64_t coreio__wheel_next(const struct coreio__wheel *wheel);

static inline struct coreio__timer *coreio__wheel_timer(const struct coreio__wheel *wheel, int32_t index)
{
    return coreio__slab_item(&wheel->timers, index);
}

#endif
