/* The hash table of groups; see table.h. */
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

#define FIRST_PLACES 64
#define FIRST_GROUPS 16
#define ARENA_FIRST 4096
#define ARENA_MOST 1048576
#define NULL_LENGTH UINT32_MAX

/* Keys are kept in pieces that never move; the newest is the head of a list. */
struct coreio__arena {
    struct coreio__arena *before;
    size_t used;
    size_t capacity;
    uint8_t bytes[];
};

static uint8_t *arena_take(struct coreio__arena **arena, size_t size)
{
    struct coreio__arena *head = *arena;
    if (head == NULL || head->capacity - head->used < size) {
        size_t capacity = head == NULL ? ARENA_FIRST : head->capacity * 2;
        if (capacity > ARENA_MOST)
            capacity = ARENA_MOST;
        if (capacity < size)
            capacity = size;
        head = malloc(sizeof *head + capacity);
        if (head == NULL)
            return NULL;
        head->before = *arena;
        head->used = 0;
        head->capacity = capacity;
        *arena = head;
    }
    uint8_t *taken = head->bytes + head->used;
    head->used += size;
    return taken;
}

static void arena_clear(struct coreio__arena **arena)
{
    while (*arena != NULL) {
        struct coreio__arena *before = (*arena)->before;
        free(*arena);
        *arena = before;
    }
}

static void *state_of(struct coreio__group *group, const struct coreio__measure *measure)
{
    return (uint8_t *)group + measure->offset;
}

static void clear_group(const struct coreio__shape *shape, struct coreio__group *group)
{
    for (int32_t i = 0; i < shape->measure_count; i++)
        coreio__measure_clear(&shape->measures[i], state_of(group, &shape->measures[i]));
}

static int32_t merge_group(const struct coreio__shape *shape, struct coreio__group *group, struct coreio__group *other)
{
    group->count += other->count;
    for (int32_t i = 0; i < shape->measure_count; i++) {
        const int32_t status = coreio__measure_merge(
            &shape->measures[i], state_of(group, &shape->measures[i]), state_of(other, &shape->measures[i]));
        if (status < 0)
            return status;
    }
    return 0;
}

static inline int32_t add_line(const struct coreio__shape *shape, struct coreio__group *group,
    const struct coreio__number *numbers, const struct coreio__text *texts)
{
    group->count++;
    for (int32_t i = 0; i < shape->measure_count; i++) {
        const struct coreio__measure *measure = &shape->measures[i];
        const int32_t status = coreio__measure_add(measure, state_of(group, measure), numbers, texts);
        if (status < 0)
            return status;
    }
    return 0;
}

static uint64_t hash_keys(const struct coreio__text *keys, int32_t count)
{
    uint64_t hash = 0;
    for (int32_t i = 0; i < count; i++)
        hash = keys[i].text == NULL ? coreio__hash_null(hash) : coreio__hash(keys[i].text, keys[i].length, hash);
    return hash;
}

static inline int32_t same_keys(const struct coreio__group *group, const struct coreio__text *keys, int32_t count)
{
    const uint8_t *at = group->key;
    for (int32_t i = 0; i < count; i++) {
        const uint32_t wanted = keys[i].text == NULL ? NULL_LENGTH : keys[i].length;
        uint32_t length;
        memcpy(&length, at, sizeof length);
        at += sizeof length;
        if (length != wanted)
            return 0;
        if (length != NULL_LENGTH) {
            if (!coreio__equal(at, keys[i].text, length))
                return 0;
            at += length;
        }
    }
    return 1;
}

/* Copies keys into the arena. Returns 0 or -ENOMEM. */
static int32_t keep_keys(
    struct coreio__table *table, struct coreio__group *group, const struct coreio__text *keys, int32_t count)
{
    size_t size = 0;
    for (int32_t i = 0; i < count; i++)
        size += sizeof(uint32_t) + keys[i].length;
    uint8_t *at = arena_take(&table->arena, size);
    if (at == NULL)
        return -ENOMEM;
    group->key = at;
    group->key_length = (uint32_t)size;
    for (int32_t i = 0; i < count; i++) {
        const uint32_t length = keys[i].text == NULL ? NULL_LENGTH : keys[i].length;
        memcpy(at, &length, sizeof length);
        at += sizeof length;
        if (keys[i].length > 0) {
            memcpy(at, keys[i].text, keys[i].length);
            at += keys[i].length;
        }
    }
    return 0;
}

static void place_group(struct coreio__table *table, uint64_t hash, size_t index)
{
    const size_t mask = table->place_count - 1;
    size_t at = (size_t)hash & mask;
    while (table->places[at] != 0)
        at = (at + 1) & mask;
    table->places[at] = (hash & ~(uint64_t)UINT32_MAX) | (index + 1);
}

/* Places all groups anew in the places there are. */
static void place_again(struct coreio__table *table)
{
    memset(table->places, 0, table->place_count * sizeof *table->places);
    for (size_t i = 0; i < table->group_count; i++)
        place_group(table, coreio__table_group(table, i)->hash, i);
}

/* Makes the table of places anew, with room for twice the groups. */
static int32_t place_all(struct coreio__table *table)
{
    size_t count = FIRST_PLACES;
    while (count < table->group_capacity * 2)
        count *= 2;
    uint64_t *places = malloc(count * sizeof *places);
    if (places == NULL)
        return -ENOMEM;
    free(table->places);
    table->places = places;
    table->place_count = count;
    place_again(table);
    return 0;
}

/* A new group, with no key yet; NULL without memory. */
static struct coreio__group *new_group(struct coreio__table *table, uint64_t hash)
{
    const size_t size = (size_t)table->shape->group_size;
    if (table->group_count == table->group_capacity) {
        const size_t capacity = table->group_capacity == 0 ? FIRST_GROUPS : table->group_capacity * 2;
        uint8_t *groups = realloc(table->groups, capacity * size);
        if (groups == NULL)
            return NULL;
        table->groups = groups;
        const size_t before = table->group_capacity;
        table->group_capacity = capacity;
        if (place_all(table) < 0) {
            /* Full places would let a search go round for ever, so the room is not used. */
            table->group_capacity = before;
            return NULL;
        }
    }
    struct coreio__group *group = coreio__table_group(table, table->group_count);
    memset(group, 0, size);
    group->hash = hash;
    place_group(table, hash, table->group_count++);
    return group;
}

/* Undoes new_group for a group whose key could not be kept; it is the last one placed. */
static void drop_last(struct coreio__table *table, uint64_t hash)
{
    const size_t mask = table->place_count - 1;
    size_t at = (size_t)hash & mask;
    while ((table->places[at] & UINT32_MAX) != table->group_count)
        at = (at + 1) & mask;
    table->places[at] = 0;
    table->group_count--;
}

struct rank {
    struct coreio__group *group;
};

static int compare_ranks(const void *left, const void *right)
{
    const struct coreio__group *a = ((const struct rank *)left)->group;
    const struct coreio__group *b = ((const struct rank *)right)->group;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    const uint32_t common = a->key_length < b->key_length ? a->key_length : b->key_length;
    const int order = common > 0 ? memcmp(a->key, b->key, common) : 0;
    return order != 0 ? order : (a->key_length > b->key_length) - (a->key_length < b->key_length);
}

static struct coreio__group *other_group(struct coreio__table *table)
{
    if (table->other == NULL)
        table->other = calloc(1, (size_t)table->shape->group_size);
    return table->other;
}

/* Keeps the first `keep` of the ranked groups in a new array, with their keys in a new arena. */
static int32_t keep_ranked(struct coreio__table *table, const struct rank *ranks, size_t keep)
{
    const size_t size = (size_t)table->shape->group_size;
    struct coreio__arena *arena = NULL;
    uint8_t *groups = malloc(table->group_capacity * size);
    if (groups == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < keep; i++) {
        struct coreio__group *group = (struct coreio__group *)(void *)(groups + i * size);
        memcpy(group, ranks[i].group, size);
        uint8_t *key = arena_take(&arena, group->key_length);
        if (key == NULL) {
            arena_clear(&arena);
            free(groups);
            return -ENOMEM;
        }
        memcpy(key, ranks[i].group->key, group->key_length);
        group->key = key;
    }
    for (size_t i = keep; i < table->group_count; i++)
        clear_group(table->shape, ranks[i].group);
    arena_clear(&table->arena);
    free(table->groups);
    table->arena = arena;
    table->groups = groups;
    table->group_count = keep;
    place_again(table);
    return 0;
}

int32_t coreio__table_limit(struct coreio__table *table)
{
    const size_t keep = (size_t)table->shape->max_groups;
    if (table->group_count <= keep)
        return 0;
    int32_t status = -ENOMEM;
    struct coreio__group *other = other_group(table);
    struct rank *ranks = malloc(table->group_count * sizeof *ranks);
    if (ranks == NULL || other == NULL)
        goto done;
    for (size_t i = 0; i < table->group_count; i++)
        ranks[i].group = coreio__table_group(table, i);
    qsort(ranks, table->group_count, sizeof *ranks, compare_ranks);
    for (size_t i = keep; i < table->group_count; i++) {
        status = merge_group(table->shape, other, ranks[i].group);
        if (status < 0)
            goto done;
    }
    table->bound = ranks[keep - 1].group->hash;
    status = keep_ranked(table, ranks, keep);
done:
    free(ranks);
    return status;
}

int32_t coreio__table_init(struct coreio__table *table, const struct coreio__shape *shape)
{
    memset(table, 0, sizeof *table);
    table->shape = shape;
    table->bound = UINT64_MAX;
    /* One group without a key is there from the beginning, so that no input is one row of zeros. */
    if (shape->key_count == 0)
        return new_group(table, 0) == NULL ? -ENOMEM : 0;
    return place_all(table);
}

int32_t coreio__table_add(struct coreio__table *table, const struct coreio__text *keys,
    const struct coreio__number *numbers, const struct coreio__text *texts)
{
    const struct coreio__shape *shape = table->shape;
    if (shape->key_count == 0)
        return add_line(shape, coreio__table_group(table, 0), numbers, texts);
    /* Lines of one key often follow each other: a status, a host, a minute. */
    if (table->last < table->group_count) {
        struct coreio__group *group = coreio__table_group(table, table->last);
        if (same_keys(group, keys, shape->key_count))
            return add_line(shape, group, numbers, texts);
    }
    const uint64_t hash = hash_keys(keys, shape->key_count);
    const size_t mask = table->place_count - 1;
    for (size_t at = (size_t)hash & mask; table->places[at] != 0; at = (at + 1) & mask) {
        if ((table->places[at] ^ hash) >> 32 != 0)
            continue;
        table->last = (table->places[at] & UINT32_MAX) - 1;
        struct coreio__group *group = coreio__table_group(table, table->last);
        if (same_keys(group, keys, shape->key_count))
            return add_line(shape, group, numbers, texts);
    }
    if (hash > table->bound)
        return add_line(shape, table->other, numbers, texts);
    if (table->group_count >= 2 * (size_t)shape->max_groups) {
        const int32_t status = coreio__table_limit(table);
        if (status < 0)
            return status;
        if (hash > table->bound)
            return add_line(shape, table->other, numbers, texts);
    }
    struct coreio__group *group = new_group(table, hash);
    if (group == NULL)
        return -ENOMEM;
    if (keep_keys(table, group, keys, shape->key_count) < 0) {
        drop_last(table, hash);
        return -ENOMEM;
    }
    return add_line(shape, group, numbers, texts);
}

/* The group with the key of `like`, a group of another table; made if there is none. NULL without memory. */
static struct coreio__group *find_like(struct coreio__table *table, const struct coreio__group *like)
{
    const size_t mask = table->place_count - 1;
    for (size_t at = (size_t)like->hash & mask; table->places[at] != 0; at = (at + 1) & mask) {
        if ((table->places[at] ^ like->hash) >> 32 != 0)
            continue;
        struct coreio__group *group = coreio__table_group(table, (table->places[at] & UINT32_MAX) - 1);
        if (group->key_length == like->key_length &&
            (like->key_length == 0 || memcmp(group->key, like->key, like->key_length) == 0))
            return group;
    }
    struct coreio__group *group = new_group(table, like->hash);
    if (group == NULL)
        return NULL;
    uint8_t *key = arena_take(&table->arena, like->key_length);
    if (key == NULL) {
        drop_last(table, like->hash);
        return NULL;
    }
    memcpy(key, like->key, like->key_length);
    group->key = key;
    group->key_length = like->key_length;
    return group;
}

int32_t coreio__table_merge(struct coreio__table *table, struct coreio__table *other)
{
    int32_t status = 0;
    if (other->other != NULL) {
        struct coreio__group *folded = other_group(table);
        status = folded == NULL ? -ENOMEM : merge_group(table->shape, folded, other->other);
        if (other->bound < table->bound)
            table->bound = other->bound;
    }
    for (size_t i = 0; i < other->group_count && status == 0; i++) {
        struct coreio__group *from = coreio__table_group(other, i);
        if (table->group_count >= 2 * (size_t)table->shape->max_groups && table->shape->key_count > 0)
            status = coreio__table_limit(table);
        if (status == 0) {
            struct coreio__group *group = find_like(table, from);
            status = group == NULL ? -ENOMEM : merge_group(table->shape, group, from);
        }
    }
    coreio__table_clear(other);
    return status;
}

void coreio__table_clear(struct coreio__table *table)
{
    for (size_t i = 0; i < table->group_count; i++)
        clear_group(table->shape, coreio__table_group(table, i));
    if (table->other != NULL)
        clear_group(table->shape, table->other);
    free(table->other);
    free(table->groups);
    free(table->places);
    arena_clear(&table->arena);
    table->other = NULL;
    table->groups = NULL;
    table->places = NULL;
    table->group_count = 0;
    table->group_capacity = 0;
    table->place_count = 0;
}
