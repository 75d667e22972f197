/* DDSketch; see sketch.h for what it promises.
 *
 * Everything is whole numbers: the bucket of a value is its highest bit and the six bits below it, which is
 * the mapping's logarithm interpolated between powers of two.
 */
#include "sketch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

#define SUB_COUNT COREIO__SKETCH_SUB_COUNT

/* Spare counters on both sides of a new bucket, so that growth is rare: half a power of two. */
#define SLACK 32

int64_t coreio__sketch_value(int32_t bucket)
{
    const int32_t number = bucket < 0 ? -bucket : bucket;
    uint64_t magnitude = (uint64_t)number;
    if (number >= 2 * SUB_COUNT) {
        const int32_t shift = (number - SUB_COUNT) / SUB_COUNT;
        const uint64_t low = (uint64_t)(SUB_COUNT + (number - SUB_COUNT) % SUB_COUNT) << shift;
        magnitude = low + (((uint64_t)1 << shift) - 1) / 2;
    }
    if (magnitude > INT64_MAX)
        return bucket < 0 ? INT64_MIN : INT64_MAX;
    return bucket < 0 ? -(int64_t)magnitude : (int64_t)magnitude;
}

/* Makes counters for buckets low .. high. */
static int32_t cover(struct coreio__sketch *sketch, int32_t low, int32_t high)
{
    if (sketch->counters != NULL && low >= sketch->first && high < sketch->first + sketch->length)
        return 0;
    int32_t first = low - SLACK;
    int32_t end = high + SLACK + 1;
    if (sketch->counters != NULL) {
        first = low < sketch->first ? first : sketch->first;
        end = high >= sketch->first + sketch->length ? end : sketch->first + sketch->length;
    }
    uint64_t *counters = calloc((size_t)(end - first), sizeof *counters);
    if (counters == NULL)
        return -ENOMEM;
    if (sketch->counters != NULL)
        memcpy(counters + (sketch->first - first), sketch->counters, (size_t)sketch->length * sizeof *counters);
    free(sketch->counters);
    sketch->counters = counters;
    sketch->first = first;
    sketch->length = end - first;
    return 0;
}

/* Changes from bucket numbers to counters. */
static int32_t spread(struct coreio__sketch *sketch)
{
    const int32_t status = cover(sketch, coreio__sketch_bucket(sketch->min), coreio__sketch_bucket(sketch->max));
    if (status < 0)
        return status;
    for (uint64_t i = 0; i < sketch->count; i++)
        sketch->counters[sketch->few[i] - sketch->first]++;
    free(sketch->few);
    sketch->few = NULL;
    return 0;
}

int32_t coreio__sketch_add(struct coreio__sketch *sketch, int64_t value)
{
    const int32_t bucket = coreio__sketch_bucket(value);
    const int64_t place = (int64_t)bucket - sketch->first;
    if (sketch->counters != NULL && place >= 0 && place < sketch->length) {
        sketch->counters[place]++;
        sketch->count++;
        sketch->min = value < sketch->min ? value : sketch->min;
        sketch->max = value > sketch->max ? value : sketch->max;
        return 0;
    }
    if (sketch->counters == NULL) {
        if (sketch->few == NULL) {
            sketch->few = malloc(COREIO__SKETCH_FEW * sizeof *sketch->few);
            if (sketch->few == NULL)
                return -ENOMEM;
            sketch->min = value;
            sketch->max = value;
        }
        if (sketch->count == COREIO__SKETCH_FEW) {
            const int32_t status = spread(sketch);
            if (status < 0)
                return status;
        } else {
            sketch->few[sketch->count] = (int16_t)bucket;
        }
    }
    if (sketch->counters != NULL) {
        const int32_t status = cover(sketch, bucket, bucket);
        if (status < 0)
            return status;
        sketch->counters[bucket - sketch->first]++;
    }
    sketch->count++;
    if (value < sketch->min)
        sketch->min = value;
    if (value > sketch->max)
        sketch->max = value;
    return 0;
}

int32_t coreio__sketch_merge(struct coreio__sketch *sketch, const struct coreio__sketch *other)
{
    if (other->count == 0)
        return 0;
    if (other->counters == NULL) {
        const int64_t min = sketch->count > 0 && sketch->min < other->min ? sketch->min : other->min;
        const int64_t max = sketch->count > 0 && sketch->max > other->max ? sketch->max : other->max;
        for (uint64_t i = 0; i < other->count; i++) {
            const int32_t status = coreio__sketch_add(sketch, coreio__sketch_value(other->few[i]));
            if (status < 0)
                return status;
        }
        sketch->min = min;
        sketch->max = max;
        return 0;
    }
    if (sketch->few != NULL) {
        const int32_t status = spread(sketch);
        if (status < 0)
            return status;
    }
    const int32_t status = cover(sketch, coreio__sketch_bucket(other->min), coreio__sketch_bucket(other->max));
    if (status < 0)
        return status;
    for (int32_t i = 0; i < other->length; i++) {
        if (other->counters[i] != 0)
            sketch->counters[other->first + i - sketch->first] += other->counters[i];
    }
    if (sketch->count == 0 || other->min < sketch->min)
        sketch->min = other->min;
    if (sketch->count == 0 || other->max > sketch->max)
        sketch->max = other->max;
    sketch->count += other->count;
    return 0;
}

static int32_t bucket_of_rank(const struct coreio__sketch *sketch, uint64_t rank)
{
    if (sketch->counters == NULL) {
        /* Few values: the one that exactly `rank` others come before, equal ones in any order. */
        for (uint64_t i = 0; i < sketch->count; i++) {
            uint64_t below = 0;
            uint64_t equal = 0;
            for (uint64_t j = 0; j < sketch->count; j++) {
                below += sketch->few[j] < sketch->few[i];
                equal += sketch->few[j] == sketch->few[i];
            }
            if (rank >= below && rank < below + equal)
                return sketch->few[i];
        }
    }
    int32_t last = 0;
    for (int32_t i = 0; i < sketch->length; i++) {
        if (sketch->counters[i] == 0)
            continue;
        last = sketch->first + i;
        if (rank < sketch->counters[i])
            break;
        rank -= sketch->counters[i];
    }
    return last;
}

int64_t coreio__sketch_quantile(const struct coreio__sketch *sketch, int32_t ppm)
{
    if (sketch->count == 0)
        return 0;
    const uint64_t rank = (uint64_t)((coreio__u128)(uint32_t)ppm * (sketch->count - 1) / 1000000u);
    /* The ends are known exactly. */
    if (rank == 0)
        return sketch->min;
    if (rank == sketch->count - 1)
        return sketch->max;
    const int64_t value = coreio__sketch_value(bucket_of_rank(sketch, rank));
    if (value < sketch->min)
        return sketch->min;
    return value > sketch->max ? sketch->max : value;
}

void coreio__sketch_clear(struct coreio__sketch *sketch)
{
    free(sketch->counters);
    free(sketch->few);
    memset(sketch, 0, sizeof *sketch);
}
