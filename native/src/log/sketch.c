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

/* Room for `length` numbers, and the old ones from `at` on. NULL without memory. */
static uint32_t *resize(const uint32_t *old, int32_t old_length, int32_t length, int32_t at)
{
    uint32_t *numbers = calloc((size_t)length, sizeof *numbers);
    if (numbers != NULL && old_length > 0)
        memcpy(numbers + at, old, (size_t)old_length * sizeof *numbers);
    return numbers;
}

/* Makes counters for buckets low .. high; of a sketch without counters, what it keeps instead stays the caller's. */
static int32_t cover(struct coreio__sketch *sketch, int32_t low, int32_t high)
{
    const int32_t old_end = sketch->first + sketch->length;
    int32_t first = low - SLACK;
    int32_t end = high + SLACK + 1;
    if (sketch->length > 0) {
        if (low >= sketch->first && high < old_end)
            return 0;
        first = low < sketch->first ? first : sketch->first;
        end = high >= old_end ? end : old_end;
    }
    uint32_t *counters = resize(sketch->counters, sketch->length, end - first, sketch->first - first);
    if (counters == NULL)
        return -ENOMEM;
    if (sketch->carries != NULL) {
        uint32_t *carries = resize(sketch->carries, sketch->length, end - first, sketch->first - first);
        if (carries == NULL) {
            free(counters);
            return -ENOMEM;
        }
        free(sketch->carries);
        sketch->carries = carries;
    }
    if (sketch->length > 0)
        free(sketch->counters);
    sketch->counters = counters;
    sketch->first = first;
    sketch->length = end - first;
    return 0;
}

/* Changes from bucket numbers to counters. */
static int32_t spread(struct coreio__sketch *sketch)
{
    int16_t *few = sketch->few;
    const int32_t status = cover(sketch, coreio__sketch_bucket(sketch->min), coreio__sketch_bucket(sketch->max));
    if (status < 0)
        return status;
    for (uint64_t i = 0; i < sketch->count; i++)
        sketch->counters[few[i] - sketch->first]++;
    free(few);
    return 0;
}

static uint64_t counter(const struct coreio__sketch *sketch, int32_t place)
{
    const uint64_t upper = sketch->carries != NULL ? sketch->carries[place] : 0;
    return upper << 32 | sketch->counters[place];
}

/* Adds to a counter, with a carry where it passes 32 bits. Returns 0 or -ENOMEM. */
static int32_t count(struct coreio__sketch *sketch, int32_t place, uint64_t more)
{
    const uint64_t sum = counter(sketch, place) + more;
    if (sum > UINT32_MAX && sketch->carries == NULL) {
        sketch->carries = calloc((size_t)sketch->length, sizeof *sketch->carries);
        if (sketch->carries == NULL)
            return -ENOMEM;
    }
    sketch->counters[place] = (uint32_t)sum;
    if (sketch->carries != NULL)
        sketch->carries[place] = (uint32_t)(sum >> 32);
    return 0;
}

int32_t coreio__sketch_add(struct coreio__sketch *sketch, int64_t value)
{
    const int32_t bucket = coreio__sketch_bucket(value);
    const int64_t place = (int64_t)bucket - sketch->first;
    if (place >= 0 && place < sketch->length && sketch->counters[place] != UINT32_MAX) {
        sketch->counters[place]++;
        sketch->count++;
        sketch->min = value < sketch->min ? value : sketch->min;
        sketch->max = value > sketch->max ? value : sketch->max;
        return 0;
    }
    if (sketch->length == 0) {
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
    if (sketch->length > 0) {
        int32_t status = cover(sketch, bucket, bucket);
        if (status == 0)
            status = count(sketch, bucket - sketch->first, 1);
        if (status < 0)
            return status;
    }
    sketch->count++;
    if (value < sketch->min)
        sketch->min = value;
    if (value > sketch->max)
        sketch->max = value;
    return 0;
}

int32_t coreio__sketch_merge(struct coreio__sketch *sketch, struct coreio__sketch *other)
{
    /* The wider range stays, so little is added, and seldom grows. */
    if (other->length > sketch->length || sketch->count == 0) {
        const struct coreio__sketch wider = *other;
        *other = *sketch;
        *sketch = wider;
    }
    if (other->count == 0)
        return 0;
    const int64_t min = sketch->min < other->min ? sketch->min : other->min;
    const int64_t max = sketch->max > other->max ? sketch->max : other->max;
    if (other->length == 0) {
        for (uint64_t i = 0; i < other->count; i++) {
            const int32_t status = coreio__sketch_add(sketch, coreio__sketch_value(other->few[i]));
            if (status < 0)
                return status;
        }
        sketch->min = min;
        sketch->max = max;
        return 0;
    }
    int32_t status = cover(sketch, coreio__sketch_bucket(other->min), coreio__sketch_bucket(other->max));
    for (int32_t i = 0; i < other->length && status == 0; i++) {
        const uint64_t more = counter(other, i);
        if (more != 0)
            status = count(sketch, other->first + i - sketch->first, more);
    }
    if (status < 0)
        return status;
    sketch->min = min;
    sketch->max = max;
    sketch->count += other->count;
    return 0;
}

static int32_t bucket_of_rank(const struct coreio__sketch *sketch, uint64_t rank)
{
    if (sketch->length == 0) {
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
        const uint64_t own = counter(sketch, i);
        if (own == 0)
            continue;
        last = sketch->first + i;
        if (rank < own)
            break;
        rank -= own;
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
    if (sketch->length > 0)
        free(sketch->counters);
    else
        free(sketch->few);
    free(sketch->carries);
    memset(sketch, 0, sizeof *sketch);
}
