/* A worker: a thread, its loop, its listening sockets and its connections.
 *
 * A connection lives on one worker from the first event to the last, so nothing of it is locked. What workers share is
 * in struct coreio_proxy (proxy.h) and atomic; other threads reach a worker by its inbox and its orders, and wake it.
 */
#ifndef COREIO_SRC_PROXY_WORKER_H
#define COREIO_SRC_PROXY_WORKER_H

#include "address.h"
#include "base/slab.h"
#include "journal.h"
#include "pipes.h"
#include "upstream.h"

#include <coreio/loop.h>
#include <pthread.h>
#include <stdatomic.h>

struct coreio_proxy;

/* The two sides of a connection; flow CLIENT carries what the client sends. */
enum coreio__side { CLIENT = 0, UPSTREAM = 1, SIDES = 2 };

/* What an event of the loop belongs to: the lowest bits of its data; the rest is an index. */
enum coreio__owner {
    OWNER_CLIENT = 0, /* side of a connection */
    OWNER_UPSTREAM = 1,
    OWNER_CONNECTION = 2, /* its timer */
    OWNER_LISTENER = 3,
    OWNER_REST = 4,  /* the timer that ends a rest of accepting */
    OWNER_CHECK = 5, /* the socket of a check */
    OWNER_CHECK_TIMER = 6,
    OWNER_DRAIN = 7 /* the timer that ends a drain */
};
#define OWNER_BITS 3
#define OWNER_MASK ((UINT64_C(1) << OWNER_BITS) - 1)

/* What a connection is doing. */
enum coreio__state {
    STATE_HEADER, /* waits for a PROXY header or a ClientHello */
    STATE_CONNECT,
    STATE_RELAY
};

/* Bits of a side. */
#define SIDE_READABLE (1u << 0) /* there was no EAGAIN since the kernel said so */
#define SIDE_WRITABLE (1u << 1)
#define SIDE_ENDED (1u << 2) /* EPOLLRDHUP: an end is behind what can be read */
#define SIDE_ASK (1u << 3)   /* a short read proves nothing: unix(7), and TCP with urgent data */
#define SIDE_MUTED                                                                                                     \
    (1u << 4) /* the kernel tells of its end alone: it can be read and written, which nobody wants now                 \
               */

/* Bits of a flow. */
#define FLOW_ENDED (1u << 0)  /* its source has ended or was reset: nothing more to read */
#define FLOW_DONE (1u << 1)   /* the end was passed on, or its target takes nothing any more */
#define FLOW_RESET (1u << 2)  /* its source was reset */
#define FLOW_STREAM (1u << 3) /* through a pipe */
#define FLOW_WAITS (1u << 4)  /* for its bandwidth */
#define FLOW_GONE (1u << 5)   /* its target was reset */
#define FLOW_TOPPED (1u << 6) /* its pipe was filled again before it was empty */

/* Bytes that a target did not take; on the heap, for peers that do not read alone. */
struct coreio__held {
    int32_t offset;
    int32_t length;
    uint8_t bytes[];
};

struct coreio__flow {
    struct coreio__held *held;
    struct coreio__pipe *pipe;
    int64_t bytes;   /* received from its source */
    int64_t used_up; /* time up to which its bandwidth is used, ns; 0 without a limit */
    int32_t in_pipe; /* bytes */
    uint8_t flags;
    uint8_t streak; /* large reads in a row; small ones while it streams */
    uint16_t padding;
};

struct coreio__connection {
    struct coreio__slab_head head;
    struct coreio__flow flows[SIDES];
    int64_t watches[SIDES]; /* identifiers of the loop, 0 for none */
    int32_t fds[SIDES];     /* -1 for none */
    uint8_t sides[SIDES];   /* bits */
    uint8_t state;
    uint8_t retries;
    int32_t upstream; /* index, -1 for none or for the original destination */
    int64_t timer;
    int64_t begin;   /* ns, the loop's clock */
    int64_t connect; /* when the upstream was there; while connecting when this try began; 0 before */
    int64_t last;    /* when a byte last came, or the first end */
    uint64_t tried;  /* upstreams, a bit for each index modulo 64 */
    int32_t error;
    int32_t listener;
    int32_t group;
    int32_t index;  /* in the slab */
    uint8_t header; /* the PROXY header has been read */
    uint8_t left;   /* the client ended, without a byte, before there was an upstream */
    uint16_t padding;
    uint64_t counted; /* the source it is counted among, 0 for none */
    struct coreio__endpoint source;
    struct coreio__endpoint target;
};

/* A listening socket as one worker watches it. */
struct coreio__ear {
    int32_t fd;
    int32_t listener;
    int32_t exclusive;
    int32_t open;
    int64_t watch; /* 0 while it rests */
};

/* An accepted socket on its way to another worker. */
struct coreio__handed {
    int32_t fd;
    int32_t listener;
    struct coreio__endpoint source;
};

struct coreio__inbox {
    pthread_mutex_t lock;
    struct coreio__handed *items;
    int32_t count;
    int32_t capacity;
};

/* A check of an upstream under way. */
struct coreio__check {
    int32_t fd; /* -1 between checks */
    int32_t padding;
    int64_t watch;
    int64_t timer;
    int64_t begin;
};

/* Orders to a worker, bits. */
#define ORDER_STOP (1u << 0)
#define ORDER_DRAIN (1u << 1)
#define ORDER_INBOX (1u << 2)

/* What one worker counts; written by it, read by anyone. */
struct coreio__tally {
    _Atomic int64_t accepted;
    _Atomic int64_t connected;
    _Atomic int64_t ended;
    _Atomic int64_t bytes[SIDES]; /* of each flow */
    _Atomic int64_t spliced;
    _Atomic int64_t retries;
    _Atomic int64_t accept_failures;
    _Atomic int64_t over_limit;
    _Atomic int64_t handed_over;
    _Atomic int64_t pipes;
    _Atomic int64_t buffers;
    _Atomic int64_t journal_lost;
    _Atomic int64_t stale;
    _Atomic int64_t waits;
    _Atomic int64_t ends[16];
};

struct coreio__worker {
    struct coreio_proxy *proxy;
    struct coreio_loop *loop;
    int32_t index;
    int32_t cpu; /* it is pinned to, or -1 */
    int32_t ear_count;
    int32_t resting; /* accepting rests, until its timer fires */
    int32_t draining;
    int32_t stopping;
    int64_t drain_timer;
    int64_t now; /* ns, the loop's clock, as of this batch */
    struct coreio__ear *ears;
    struct coreio__check *checks; /* one an upstream, on the first worker alone; else NULL */
    struct coreio__slab connections;
    struct coreio__pipes pipes;
    struct coreio__turns turns;
    uint8_t *scratch;
    struct coreio__journal journal;
    struct coreio__inbox inbox;
    pthread_t thread;
    atomic_int thread_id;
    atomic_int started; /* 1, or a status below 0 */
    atomic_int deaf;    /* 1 once it accepts nothing more */
    _Alignas(64) struct coreio__tally tally;
    _Alignas(64) _Atomic int64_t live; /* connections, those in the inbox too */
    _Alignas(64) _Atomic uint32_t orders;
};

/* Adds to a number that this worker alone writes: no locked instruction is needed. */
static inline void coreio__add(_Atomic int64_t *number, int64_t amount)
{
    atomic_store_explicit(number, atomic_load_explicit(number, memory_order_relaxed) + amount, memory_order_relaxed);
}

/* The data of an event. */
static inline uint64_t coreio__owned(enum coreio__owner owner, int32_t index)
{
    return (uint64_t)(uint32_t)index << OWNER_BITS | owner;
}

/* Makes what a worker needs before its thread runs, and gives it back after. */
int32_t coreio__worker_start(struct coreio__worker *worker, struct coreio_proxy *proxy, int32_t index, int32_t cpu);
void coreio__worker_end(struct coreio__worker *worker);

/* The thread: a struct coreio__worker. */
void *coreio__worker_run(void *worker);

/* Gives a worker an order; any thread. */
void coreio__worker_order(struct coreio__worker *worker, uint32_t order);

#endif
