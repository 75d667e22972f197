/* Upstreams: which one a connection goes to, and whether they are up. Shared by the workers: all that changes is
 * atomic. */
#ifndef COREIO_SRC_PROXY_UPSTREAM_H
#define COREIO_SRC_PROXY_UPSTREAM_H

#include "address.h"

#include <stdatomic.h>

struct coreio__upstream {
    struct coreio_proxy_address address;
    uint64_t key; /* of its address, for hashing by source */
    uint32_t flags;
    int32_t group;
    int32_t weight;
    int32_t padding;
    /* Written by every worker; in a cache line of their own. */
    _Alignas(64) atomic_int up;
    atomic_int bad;  /* failures in a row */
    atomic_int good; /* checks in a row that succeeded */
    atomic_int last_error;
    _Atomic int64_t retry_at; /* when one that is down and not checked is tried again */
    _Atomic int64_t live;
    _Atomic int64_t connects;
    _Atomic int64_t failures;
    _Atomic int64_t checks;
    _Atomic int64_t bytes_in;
    _Atomic int64_t bytes_out;
};

struct coreio__upstreams {
    struct coreio__upstream *all;
    int32_t count;
    int32_t capacity;
    int32_t balance;
    int32_t fall;
    int32_t rise;
    int32_t checked;  /* by connecting, at intervals */
    int64_t retry_ns; /* INT64_MAX is never */
};

/* What a worker remembers of its turns: one number an upstream. */
struct coreio__turns {
    int64_t *credit;
};

/* Adds an upstream; returns its index or -ENOMEM. */
int32_t coreio__upstreams_add(struct coreio__upstreams *upstreams, const struct coreio_proxy_upstream *upstream);
void coreio__upstreams_end(struct coreio__upstreams *upstreams);

/* Whether a group has any upstream at all. */
int32_t coreio__upstreams_has(const struct coreio__upstreams *upstreams, int32_t group);

/* Makes the memory of worker `worker`, whose turns begin elsewhere than those of others. Returns 0 or -ENOMEM. */
int32_t coreio__turns_start(struct coreio__turns *turns, const struct coreio__upstreams *upstreams, int32_t worker);
void coreio__turns_end(struct coreio__turns *turns);

/* Chooses an upstream of the group that is not among `tried`, a bit for each index modulo 64; -1 for none. */
int32_t coreio__upstreams_choose(struct coreio__upstreams *upstreams, struct coreio__turns *turns, int32_t group,
    uint64_t source, uint64_t tried, int64_t now);

/* Notes that a connect, or a check, of an upstream succeeded or failed with an errno. */
void coreio__upstream_succeeded(struct coreio__upstreams *upstreams, int32_t index, int32_t check);
void coreio__upstream_failed(
    struct coreio__upstreams *upstreams, int32_t index, int32_t check, int32_t error, int64_t now);

#endif
