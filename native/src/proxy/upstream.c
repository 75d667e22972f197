/* Upstreams; see upstream.h.
 *
 * An upstream goes down after `fall` failures in a row. Where upstreams are checked, `rise` good checks bring it back;
 * where they are not, one connection at a time tries it again after a pause. When none of a group is up and nobody
 * checks, all are tried: a guess may serve a client, and refusing never does.
 */
#include "upstream.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a (Fowler, Noll, Vo), mixed: the key of an upstream is the same in every process and every order of them. */
static uint64_t key_of(const struct coreio_proxy_address *address)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (uint32_t i = 0; i < address->length; i++)
        hash = (hash ^ address->bytes[i]) * UINT64_C(0x100000001b3);
    return coreio__mix(hash);
}

int32_t coreio__upstreams_add(struct coreio__upstreams *upstreams, const struct coreio_proxy_upstream *upstream)
{
    if (upstreams->count == upstreams->capacity) {
        const int32_t capacity = upstreams->capacity == 0 ? 4 : 2 * upstreams->capacity;
        void *memory = NULL;
        if (posix_memalign(
                &memory, _Alignof(struct coreio__upstream), (size_t)capacity * sizeof(struct coreio__upstream)) != 0)
            return -ENOMEM;
        if (upstreams->count > 0)
            memcpy(memory, upstreams->all, (size_t)upstreams->count * sizeof(struct coreio__upstream));
        free(upstreams->all);
        upstreams->all = memory;
        upstreams->capacity = capacity;
    }
    struct coreio__upstream *added = &upstreams->all[upstreams->count];
    memset(added, 0, sizeof *added);
    added->address = upstream->address;
    added->key = key_of(&upstream->address);
    added->flags = upstream->flags;
    added->group = upstream->group;
    added->weight = upstream->weight == 0 ? 1 : upstream->weight;
    atomic_init(&added->up, 1);
    return upstreams->count++;
}

void coreio__upstreams_end(struct coreio__upstreams *upstreams)
{
    free(upstreams->all);
    upstreams->all = NULL;
    upstreams->count = 0;
    upstreams->capacity = 0;
}

int32_t coreio__upstreams_has(const struct coreio__upstreams *upstreams, int32_t group)
{
    for (int32_t i = 0; i < upstreams->count; i++) {
        if (upstreams->all[i].group == group)
            return 1;
    }
    return 0;
}

int32_t coreio__turns_start(struct coreio__turns *turns, const struct coreio__upstreams *upstreams, int32_t worker)
{
    const int32_t count = upstreams->count;
    turns->credit = calloc((size_t)count + 1, sizeof *turns->credit);
    if (turns->credit == NULL)
        return -ENOMEM;
    for (int32_t i = 0; i < count; i++)
        turns->credit[(worker + i) % count] = -i;
    return 0;
}

void coreio__turns_end(struct coreio__turns *turns)
{
    free(turns->credit);
    turns->credit = NULL;
}

/* Whether an upstream may be chosen. With `any` it need not be up. */
static int32_t eligible(struct coreio__upstreams *upstreams, int32_t index, int32_t group, uint64_t tried,
    int32_t backup, int32_t any, int64_t now)
{
    struct coreio__upstream *upstream = &upstreams->all[index];
    if (upstream->group != group || ((tried >> (index % 64)) & 1) != 0 ||
        ((upstream->flags & COREIO_PROXY_BACKUP) != 0) != backup)
        return 0;
    if (any || atomic_load_explicit(&upstream->up, memory_order_relaxed) != 0)
        return 1;
    return !upstreams->checked && now >= atomic_load_explicit(&upstream->retry_at, memory_order_relaxed);
}

/* When one that is found down now is tried again; INT64_MAX is never. */
static int64_t retry_at(const struct coreio__upstreams *upstreams, int64_t now)
{
    return upstreams->retry_ns > INT64_MAX - now ? INT64_MAX : now + upstreams->retry_ns;
}

/* Whether a connection may go to the upstream that was chosen for it. One that is down is tried by one connection at a
 * time: whoever moves the time of the next try on. */
static int32_t claim(const struct coreio__upstreams *upstreams, struct coreio__upstream *upstream, int64_t now)
{
    if (atomic_load_explicit(&upstream->up, memory_order_relaxed) != 0)
        return 1;
    int64_t at = atomic_load_explicit(&upstream->retry_at, memory_order_relaxed);
    return now >= at && atomic_compare_exchange_strong(&upstream->retry_at, &at, retry_at(upstreams, now));
}

/* Weighted rendezvous hashing (Thaler and Ravishankar 1998; weights as in Schindelhauer and Schomaker 2005): the
 * upstream with the highest score, where a score is the weight over an exponential variable of source and upstream. */
static double score_of(const struct coreio__upstream *upstream, uint64_t source)
{
    const uint64_t hash = coreio__mix(source ^ upstream->key);
    /* In (0, 1]. */
    const double uniform = ((double)(hash >> 11) + 1.0) / 9007199254740992.0;
    return uniform >= 1.0 ? INFINITY : (double)upstream->weight / -log(uniform);
}

static int32_t choose(struct coreio__upstreams *upstreams, struct coreio__turns *turns, int32_t group, uint64_t source,
    uint64_t tried, int32_t backup, int32_t any, int64_t now)
{
    int32_t best = -1;
    double best_score = 0;
    int64_t weights = 0;
    const int32_t balance =
        upstreams->balance == COREIO_PROXY_SOURCE && source == 0 ? COREIO_PROXY_ROUND_ROBIN : upstreams->balance;
    for (int32_t i = 0; i < upstreams->count; i++) {
        if (!eligible(upstreams, i, group, tried, backup, any, now))
            continue;
        struct coreio__upstream *upstream = &upstreams->all[i];
        double score;
        weights += upstream->weight;
        /* Smooth weighted round robin, as nginx has it: each gains its weight, the richest is taken and pays for all.
         */
        turns->credit[i] += upstream->weight;
        if (balance == COREIO_PROXY_LEAST)
            score = -(double)atomic_load_explicit(&upstream->live, memory_order_relaxed) / upstream->weight;
        else if (balance == COREIO_PROXY_SOURCE)
            score = score_of(upstream, source);
        else
            score = (double)turns->credit[i];
        if (best < 0 || score > best_score || (score == best_score && turns->credit[i] > turns->credit[best])) {
            best = i;
            best_score = score;
        }
    }
    if (best >= 0)
        turns->credit[best] -= weights;
    return best;
}

int32_t coreio__upstreams_choose(struct coreio__upstreams *upstreams, struct coreio__turns *turns, int32_t group,
    uint64_t source, uint64_t tried, int64_t now)
{
    for (int32_t any = 0; any <= !upstreams->checked; any++) {
        for (int32_t backup = 0; backup < 2; backup++) {
            int32_t index = choose(upstreams, turns, group, source, tried, backup, any, now);
            /* Another worker tries it this moment, so it is down for this one. */
            while (index >= 0 && !any && !claim(upstreams, &upstreams->all[index], now))
                index = choose(upstreams, turns, group, source, tried, backup, any, now);
            if (index >= 0)
                return index;
        }
    }
    return -1;
}

void coreio__upstream_succeeded(struct coreio__upstreams *upstreams, int32_t index, int32_t check)
{
    struct coreio__upstream *upstream = &upstreams->all[index];
    atomic_fetch_add_explicit(check ? &upstream->checks : &upstream->connects, 1, memory_order_relaxed);
    if (atomic_load_explicit(&upstream->bad, memory_order_relaxed) != 0)
        atomic_store_explicit(&upstream->bad, 0, memory_order_relaxed);
    if (atomic_load_explicit(&upstream->up, memory_order_relaxed) != 0)
        return;
    if (!check || atomic_fetch_add(&upstream->good, 1) + 1 >= upstreams->rise) {
        atomic_store(&upstream->good, 0);
        atomic_store(&upstream->up, 1);
    }
}

void coreio__upstream_failed(
    struct coreio__upstreams *upstreams, int32_t index, int32_t check, int32_t error, int64_t now)
{
    struct coreio__upstream *upstream = &upstreams->all[index];
    if (check)
        atomic_fetch_add_explicit(&upstream->checks, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&upstream->failures, 1, memory_order_relaxed);
    atomic_store_explicit(&upstream->last_error, error, memory_order_relaxed);
    atomic_store_explicit(&upstream->good, 0, memory_order_relaxed);
    if (atomic_fetch_add(&upstream->bad, 1) + 1 >= upstreams->fall) {
        atomic_store(&upstream->retry_at, retry_at(upstreams, now));
        atomic_store(&upstream->up, 0);
    }
}
