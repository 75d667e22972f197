/* What a group keeps of a field: sums, extremes, a sketch, a distinct counter.
 *
 * Several statistics of one field share a measure (p50 and p99 one sketch, sum and avg one sum). The state of a
 * measure depends only on the multiset of values added, and merging adds multisets.
 */
#ifndef COREIO_LOG_MEASURE_H
#define COREIO_LOG_MEASURE_H

#include "hll.h"
#include "sketch.h"
#include "value.h"

enum coreio__measure_kind { COREIO__SUM, COREIO__EXTREMES, COREIO__SKETCH, COREIO__DISTINCT };

struct coreio__measure {
    int32_t kind;
    int32_t column; /* slot of the plan; text of the plan for COREIO__DISTINCT */
    int32_t offset; /* of its state in a group */
};

struct coreio__sum {
    uint64_t low; /* of a two's complement number of 128 bits */
    int64_t high;
    int64_t count;
};

struct coreio__extremes {
    int64_t min;
    int64_t max;
    int64_t count;
};

int32_t coreio__measure_size(int32_t kind);

/* Adds a line's value to the state at `state`. Returns 0 or -ENOMEM. */
int32_t coreio__measure_add(const struct coreio__measure *measure, void *state, const struct coreio__number *numbers,
    const struct coreio__text *texts);

/* Adds what `other` holds, which stays as it is. Returns 0 or -ENOMEM. */
int32_t coreio__measure_merge(const struct coreio__measure *measure, void *state, const void *other);

/* Frees what the state holds. */
void coreio__measure_clear(const struct coreio__measure *measure, void *state);

#endif
