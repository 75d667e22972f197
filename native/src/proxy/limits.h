/* Limits that all workers share: connections of one source, and new connections a second. */
#ifndef COREIO_SRC_PROXY_LIMITS_H
#define COREIO_SRC_PROXY_LIMITS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/* How many connections each source has: a table with open addresses, as large as its sources need. */
struct coreio__sources {
    pthread_mutex_t lock;
    struct coreio__source {
        uint64_t source; /* 0 for a free place */
        int64_t count;
    } * places;
    int64_t capacity; /* a power of two, or 0 */
    int64_t used;
};

void coreio__sources_start(struct coreio__sources *sources);
void coreio__sources_end(struct coreio__sources *sources);

/* Counts a connection of a source, unless it has `most` already; returns 1, 0 for too many, or -ENOMEM. Source 0 is
 * nobody, and never too many. */
int32_t coreio__sources_enter(struct coreio__sources *sources, uint64_t source, int32_t most);

/* Counts a connection of a source out. */
void coreio__sources_leave(struct coreio__sources *sources, uint64_t source);

/* A rate, as the time up to which it is used up: the generic cell rate algorithm (ITU-T I.371). Zero is a fresh one. */
typedef _Atomic int64_t coreio__rate;

/* Takes one of `rate` a second, where a tenth of a second's may come at once; returns 0, or the ns to wait first. */
int64_t coreio__rate_take(coreio__rate *rate, int32_t per_second, int64_t now);

/* Gives one back that was not used. */
void coreio__rate_give(coreio__rate *rate, int32_t per_second);

#endif
