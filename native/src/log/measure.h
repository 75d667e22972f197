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

/* Lines that are worked on at a time. */
#define COREIO__BATCH 128

/* The values of a batch of lines that count, column by column: line i of a column c is at c * stride + i. */
struct coreio__batch {
    const struct coreio__number *numbers; /* slots of the plan */
    const struct coreio__text *texts;     /* texts of the plan */
    uint64_t *hashes;                     /* of texts, where `hashed` says so */
    uint8_t *hashed;                      /* of each text: its hashes are there */
    uint32_t count;
    uint32_t stride;
};

int32_t coreio__measure_size(int32_t kind);

/* The hashes of a text column. */
const uint64_t *coreio__batch_hashes(const struct coreio__batch *batch, int32_t text);

/* Adds the values of the lines to their groups. Returns 0 or -ENOMEM. */
int32_t coreio__measure_add(
    const struct coreio__measure *measure, uint8_t *const *groups, const struct coreio__batch *batch);

/* The same for one group. */
int32_t coreio__measure_add_all(
    const struct coreio__measure *measure, uint8_t *group, const struct coreio__batch *batch);

/* Adds what `other` holds, which is left with anything, and still to be cleared. Returns 0 or -ENOMEM. */
int32_t coreio__measure_merge(const struct coreio__measure *measure, void *state, void *other);

/* Brings the beginning of what merging a state looks at into the cache. */
void coreio__measure_expect(const struct coreio__measure *measure, const void *state);

/* Frees what the state holds. */
void coreio__measure_clear(const struct coreio__measure *measure, void *state);

#endif
