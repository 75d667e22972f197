/* Groups of lines by key, each with its measures.
 *
 * Places hold groups by their hashes, sixteen to a bucket, and are told apart by a byte each that is compared at once,
 * as in Abseil's Swiss tables (Kulukundis, CppCon 2017): a look-up has next to nothing to guess.
 *
 * A table belongs to one worker; tables of one shape merge. Which groups keep a row when there are more than
 * max_groups does not depend on the order of the lines: those with the smallest hash of their key. A table
 * grows to twice that many and a batch, then folds the rest into `other`; a group that is among the smallest of all
 * input is among the smallest of any part of it, so it is never folded, and its row is exact.
 *
 * A new key allocates; a known one does not.
 */
#ifndef COREIO_LOG_TABLE_H
#define COREIO_LOG_TABLE_H

#include "measure.h"
#include <stddef.h>
#include <string.h>

/* What all tables of one question have in common. */
struct coreio__shape {
    int32_t key_count;
    int32_t measure_count;
    int32_t group_size; /* bytes of a group, its measures included */
    int32_t max_groups;
    struct coreio__measure measures[COREIO_LOG_MAX_FIELDS];
};

/* A group; the states of its measures follow. */
struct coreio__group {
    uint64_t hash;
    int64_t count;
    const uint8_t
        *key; /* each part a uint32_t length, UINT32_MAX for null, and its bytes; before it how many all take */
};

/* A key of one or two parts of one to eight bytes that came lately, and its group; lengths of 0 for none. */
struct coreio__recent {
    uint64_t words[2];
    uint64_t lengths; /* of both parts, the second in the upper half */
    uint32_t index;
};

/* So many places that the few keys there are seldom share one. */
#define COREIO__RECENT_BITS 8

struct coreio__arena;

struct coreio__table {
    const struct coreio__shape *shape;
    uint32_t *places;            /* the group in each place */
    uint8_t *tags;               /* of the hash of the group in each place; 0 where there is none */
    uint8_t *groups;             /* group_size each */
    struct coreio__group *other; /* the folded ones */
    struct coreio__arena *arena; /* the keys */
    size_t place_count;          /* a power of two */
    size_t group_count;
    size_t group_capacity;
    uint64_t bound; /* groups with a larger hash go to `other` */
    struct coreio__recent recent[1 << COREIO__RECENT_BITS];
};

/* Makes an empty table. Returns 0 or -ENOMEM. */
int32_t coreio__table_init(struct coreio__table *table, const struct coreio__shape *shape);

/* Counts the lines of a batch in the groups of their keys, which are texts of the plan. Returns 0 or -ENOMEM. */
int32_t coreio__table_add(struct coreio__table *table, const int32_t *keys, const struct coreio__batch *batch);

/* Adds all groups of `other`, which is left empty. Returns 0 or -ENOMEM. */
int32_t coreio__table_merge(struct coreio__table *table, struct coreio__table *other);

/* Folds the groups beyond max_groups. Returns 0 or -ENOMEM. */
int32_t coreio__table_limit(struct coreio__table *table);

void coreio__table_clear(struct coreio__table *table);

/* The bytes of a key; a group without a key has none. */
static inline uint32_t coreio__group_key_length(const struct coreio__group *group)
{
    uint32_t length = 0;
    if (group->key != NULL)
        memcpy(&length, group->key - sizeof length, sizeof length);
    return length;
}

static inline struct coreio__group *coreio__table_group(const struct coreio__table *table, size_t index)
{
    return (struct coreio__group *)(void *)(table->groups + index * (size_t)table->shape->group_size);
}

#endif
