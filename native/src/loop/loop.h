/* What a loop is made of; the contract is in coreio/loop.h.
 *
 * A descriptor that is watched has a slot. The data of its epoll registration is the slot's identifier, whose
 * generation moves on when the slot is given back: what the kernel still tells of an earlier owner finds no slot.
 */
#ifndef COREIO_SRC_LOOP_LOOP_H
#define COREIO_SRC_LOOP_LOOP_H

#include "wheel.h"

#include <coreio/loop.h>
#include <stdatomic.h>
#include <sys/epoll.h>

/* Events taken from the kernel in one call at most. */
#define COREIO__LOOP_BATCH 256

/* The lists a watch may be in. */
enum coreio__loop_list {
    COREIO__LOOP_AGAIN = 0, /* to be given out once more */
    COREIO__LOOP_DIRTY = 1, /* whose interest the kernel may have to hear of */
    COREIO__LOOP_LISTS = 2
};

/* The place of a watch in a list: indices, -1 at its ends. */
struct coreio__link {
    int32_t previous;
    int32_t next;
};

struct coreio__watch {
    struct coreio__slab_head head;
    uint64_t data;
    int32_t fd;      /* -1 once the number belongs to a later watch */
    uint32_t wanted; /* interest the owner asked for last */
    uint32_t known;  /* interest the kernel has; 0 after an event of EPOLLONESHOT */
    uint32_t again;  /* events to give out once more */
    int32_t lost;    /* status with which the kernel refused a change, 0 for none */
    uint32_t listed; /* bit for each list it is in */
    struct coreio__link links[COREIO__LOOP_LISTS];
};

/* First in, first out; indices, -1 for none. */
struct coreio__watch_list {
    int32_t first;
    int32_t last;
};

struct coreio_loop {
    int32_t epoll;
    int32_t wake;  /* eventfd; its value is never read, each write is a new edge */
    int32_t timer; /* timerfd of a loop that is watched itself, else -1 */
    uint32_t flags;
    int64_t now;         /* ns, CLOCK_MONOTONIC */
    int64_t timer_armed; /* deadline of `timer`, INT64_MAX for none */
    struct coreio__slab watches;
    int32_t *by_fd; /* slot of each descriptor, -1 for none */
    int32_t by_fd_capacity;
    struct coreio__watch_list lists[COREIO__LOOP_LISTS];
    struct coreio__wheel wheel;
    int32_t turn;   /* whose turn it is to be first in a batch */
    int32_t coarse; /* there is no epoll_pwait2(2) here */
    struct coreio_loop_counters counters;
    struct epoll_event batch[COREIO__LOOP_BATCH];
    /* Set by the first waker of a wait; alone in its cache line, for other threads write it. */
    _Alignas(64) atomic_int woken;
};

/* The mark of a timer in an identifier; indices of slabs leave it clear. */
#define COREIO__LOOP_TIMER_MARK (INT64_C(1) << 31)

static inline struct coreio__watch *coreio__loop_watch(const struct coreio_loop *loop, int32_t index)
{
    return coreio__slab_item(&loop->watches, index);
}

/* Puts a watch at the end of a list, unless it is in it. */
void coreio__loop_list(struct coreio_loop *loop, enum coreio__loop_list list, int32_t index);

/* Takes a watch out of a list, if it is in it. */
void coreio__loop_unlist(struct coreio_loop *loop, enum coreio__loop_list list, int32_t index);

/* Tells the kernel of the interests that changed. What it refuses is listed to be given out, as COREIO_LOOP_LOST. */
void coreio__loop_flush(struct coreio_loop *loop);

/* Keeps the timerfd of a loop that is watched itself at what a wait would do next. */
void coreio__loop_arm(struct coreio_loop *loop);

int64_t coreio__loop_clock(void);

#endif
