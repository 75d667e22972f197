/* Quantiles: a DDSketch over int64 values.
 *
 * Masson, Rim, Lee: DDSketch, VLDB 2019, with the linearly interpolated mapping: 64 buckets for each power
 * of two, so a value is off by at most 1/128 of itself. Values below 128 have a bucket each. Negative values
 * mirror positive ones. Sketches of parts merge to exactly the sketch of the whole.
 *
 * A sketch of all zero bytes is empty. Its memory grows with the spread of the values, not their number: up to 32
 * values are kept as bucket numbers, more as counters of the range of buckets seen, which take 32 bits each until one
 * of them needs more.
 */
#ifndef COREIO_LOG_SKETCH_H
#define COREIO_LOG_SKETCH_H

#include <stddef.h>
#include <stdint.h>

#include "prefetch.h"

#define COREIO__SKETCH_FEW 32

struct coreio__sketch {
    uint64_t count;
    int64_t min;
    int64_t max;
    union {
        int16_t *few;       /* bucket numbers of the first values, while `length` is 0; NULL before the first */
        uint32_t *counters; /* of buckets first .. first + length - 1, their lower 32 bits */
    };
    uint32_t *carries; /* their upper bits; NULL until a counter needs them */
    int32_t first;
    int32_t length;
};

#define COREIO__SKETCH_SUB_BITS 6
#define COREIO__SKETCH_SUB_COUNT (1 << COREIO__SKETCH_SUB_BITS)

/* The bucket of a value: 0 for 0, ascending with the value, negative for negative values. */
static inline int32_t coreio__sketch_bucket(int64_t value)
{
    const uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    int32_t bucket = (int32_t)magnitude;
    if (magnitude >= COREIO__SKETCH_SUB_COUNT) {
        const int32_t exponent = 63 - __builtin_clzll(magnitude);
        const int32_t sub =
            (int32_t)(magnitude >> (exponent - COREIO__SKETCH_SUB_BITS)) & (COREIO__SKETCH_SUB_COUNT - 1);
        bucket = COREIO__SKETCH_SUB_COUNT + (exponent - COREIO__SKETCH_SUB_BITS) * COREIO__SKETCH_SUB_COUNT + sub;
    }
    return value < 0 ? -bucket : bucket;
}

/* Brings the counter of a value into the cache. */
static inline void coreio__sketch_prefetch(const struct coreio__sketch *sketch, int64_t value)
{
    const int64_t place = (int64_t)coreio__sketch_bucket(value) - sketch->first;
    if (place >= 0 && place < sketch->length)
        coreio__prefetch(sketch->counters + place);
}

/* The value a bucket answers with: its middle, rounded down in magnitude. */
int64_t coreio__sketch_value(int32_t bucket);

/* Adds a value. Returns 0 or -ENOMEM. */
int32_t coreio__sketch_add(struct coreio__sketch *sketch, int64_t value);

/* Adds all values of `other`, which is left with the narrower of both ranges. Returns 0 or -ENOMEM. */
int32_t coreio__sketch_merge(struct coreio__sketch *sketch, struct coreio__sketch *other);

/* The element of rank floor(ppm / 1e6 * (count - 1)); 0 when empty. */
int64_t coreio__sketch_quantile(const struct coreio__sketch *sketch, int32_t ppm);

/* Frees what the sketch holds and makes it empty. */
void coreio__sketch_clear(struct coreio__sketch *sketch);

#endif
