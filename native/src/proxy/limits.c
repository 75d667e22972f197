/* Limits; see limits.h. */
#include "limits.h"

#include "address.h"

#include <errno.h>
#include <stdlib.h>

#define SECOND_NS 1000000000

void coreio__sources_start(struct coreio__sources *sources)
{
    *sources = (struct coreio__sources){.capacity = 0};
    (void)pthread_mutex_init(&sources->lock, NULL);
}

void coreio__sources_end(struct coreio__sources *sources)
{
    free(sources->places);
    (void)pthread_mutex_destroy(&sources->lock);
}

static int64_t home_of(const struct coreio__sources *sources, uint64_t source)
{
    return (int64_t)(coreio__mix(source) & (uint64_t)(sources->capacity - 1));
}

/* The place of a source, or the free one where it would go. */
static int64_t place_of(const struct coreio__sources *sources, uint64_t source)
{
    int64_t at = home_of(sources, source);
    while (sources->places[at].source != 0 && sources->places[at].source != source)
        at = (at + 1) & (sources->capacity - 1);
    return at;
}

/* Keeps at least half of the places free. */
static int32_t reserve(struct coreio__sources *sources)
{
    if (2 * (sources->used + 1) <= sources->capacity)
        return 0;
    struct coreio__sources larger = {.capacity = sources->capacity == 0 ? 64 : 2 * sources->capacity};
    larger.places = calloc((size_t)larger.capacity, sizeof *larger.places);
    if (larger.places == NULL)
        return -ENOMEM;
    for (int64_t i = 0; i < sources->capacity; i++) {
        if (sources->places[i].source != 0)
            larger.places[place_of(&larger, sources->places[i].source)] = sources->places[i];
    }
    free(sources->places);
    sources->places = larger.places;
    sources->capacity = larger.capacity;
    return 0;
}

int32_t coreio__sources_enter(struct coreio__sources *sources, uint64_t source, int32_t most)
{
    if (source == 0)
        return 1;
    (void)pthread_mutex_lock(&sources->lock);
    int32_t status = reserve(sources);
    if (status == 0) {
        struct coreio__source *place = &sources->places[place_of(sources, source)];
        if (place->count < most) {
            if (place->source == 0) {
                place->source = source;
                sources->used++;
            }
            place->count++;
            status = 1;
        }
    }
    (void)pthread_mutex_unlock(&sources->lock);
    return status;
}

void coreio__sources_leave(struct coreio__sources *sources, uint64_t source)
{
    if (source == 0)
        return;
    (void)pthread_mutex_lock(&sources->lock);
    int64_t at = place_of(sources, source);
    if (--sources->places[at].count == 0) {
        /* Those behind it move up, so that a free place ends every search (Knuth 6.4, algorithm R). */
        const int64_t mask = sources->capacity - 1;
        int64_t next = (at + 1) & mask;
        for (; sources->places[next].source != 0; next = (next + 1) & mask) {
            const int64_t home = home_of(sources, sources->places[next].source);
            if (((next - home) & mask) >= ((next - at) & mask)) {
                sources->places[at] = sources->places[next];
                at = next;
            }
        }
        sources->places[at] = (struct coreio__source){0};
        sources->used--;
    }
    (void)pthread_mutex_unlock(&sources->lock);
}

int64_t coreio__rate_take(coreio__rate *rate, int32_t per_second, int64_t now)
{
    const int64_t each = SECOND_NS / per_second;
    const int64_t burst = SECOND_NS / 10 > each ? SECOND_NS / 10 : each;
    int64_t used = atomic_load_explicit(rate, memory_order_relaxed);
    int64_t next;
    do {
        next = (used > now ? used : now) + each;
        if (next - now > burst)
            return next - now - burst;
    } while (!atomic_compare_exchange_weak_explicit(rate, &used, next, memory_order_relaxed, memory_order_relaxed));
    return 0;
}

void coreio__rate_give(coreio__rate *rate, int32_t per_second)
{
    atomic_fetch_sub_explicit(rate, SECOND_NS / per_second, memory_order_relaxed);
}
