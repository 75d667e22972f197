/* The hash table of groups; see table.h. */
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "equal.h"
#include "hash.h"
#include "prefetch.h"

/* Places whose tags are looked at together. */
#define BUCKET 16
#define FIRST_PLACES 64
#define FIRST_GROUPS 16
#define ARENA_FIRST 4096
#define ARENA_MOST (8 * 1048576)
#define HUGE_PAGE (2 * 1048576)
#define NULL_LENGTH UINT32_MAX
/* The number of the group of lines whose own one is folded; so many groups are more than there is memory for. */
#define OTHER UINT32_MAX

/* Keys are kept in pieces that never move; the newest is the head of a list. */
struct coreio__arena {
    struct coreio__arena *before;
    size_t used;
    size_t capacity;
    uint8_t bytes[];
};

/* Memory that begins at a cache line, which a group of 64 bytes then fills. What is large is asked for in huge pages: a
 * million groups are 50,000 small ones, each of which stops the worker for a microsecond or two. NULL without memory.
 */
static void *take(size_t bytes)
{
    const int32_t is_large = bytes >= 2 * (size_t)HUGE_PAGE;
    void *taken;
    if (posix_memalign(&taken, is_large ? HUGE_PAGE : 64, bytes) != 0)
        return NULL;
    /* A kernel without huge pages refuses, and gives small ones. */
    if (is_large)
        (void)madvise(taken, bytes, MADV_HUGEPAGE);
    return taken;
}

static uint8_t *arena_take(struct coreio__arena **arena, size_t size)
{
    struct coreio__arena *head = *arena;
    if (head == NULL || head->capacity - head->used < size) {
        size_t capacity = head == NULL ? ARENA_FIRST : head->capacity * 2;
        if (capacity > ARENA_MOST)
            capacity = ARENA_MOST;
        if (capacity < size)
            capacity = size;
        head = take(sizeof *head + capacity);
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

/* Room for a key of `size` bytes, its length before it. NULL without memory. */
static uint8_t *take_key(struct coreio__arena **arena, uint32_t size)
{
    uint8_t *taken = arena_take(arena, sizeof size + size);
    if (taken == NULL)
        return NULL;
    memcpy(taken, &size, sizeof size);
    return taken + sizeof size;
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

/* Adds `other`, which is to be cleared. */
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

/* The keys of a line: one text of each column. */
struct keys {
    const struct coreio__text *texts;
    const struct coreio__text *first; /* of the first column */
    const int32_t *columns;
    size_t stride;
    int32_t count;
};

static inline struct coreio__text key_of(const struct keys *keys, int32_t i, uint32_t line)
{
    return i == 0 ? keys->first[line] : keys->texts[(size_t)keys->columns[i] * keys->stride + line];
}

static inline __attribute__((always_inline)) int32_t same_keys(
    const struct coreio__group *group, const struct keys *keys, uint32_t line)
{
    const uint8_t *at = group->key;
    for (int32_t i = 0; i < keys->count; i++) {
        const struct coreio__text key = key_of(keys, i, line);
        const uint32_t wanted = key.text == NULL ? NULL_LENGTH : key.length;
        uint32_t length;
        memcpy(&length, at, sizeof length);
        at += sizeof length;
        if (length != wanted)
            return 0;
        /* The line's own length is near, so what it decides is decided early. */
        if (key.text != NULL) {
            if (!coreio__equal(at, key.text, key.length))
                return 0;
            at += key.length;
        }
    }
    return 1;
}

/* Copies keys into the arena. Returns 0 or -ENOMEM. */
static int32_t keep_keys(
    struct coreio__table *table, struct coreio__group *group, const struct keys *keys, uint32_t line)
{
    size_t size = 0;
    for (int32_t i = 0; i < keys->count; i++)
        size += sizeof(uint32_t) + key_of(keys, i, line).length;
    uint8_t *at = take_key(&table->arena, (uint32_t)size);
    if (at == NULL)
        return -ENOMEM;
    group->key = at;
    for (int32_t i = 0; i < keys->count; i++) {
        const struct coreio__text key = key_of(keys, i, line);
        const uint32_t length = key.text == NULL ? NULL_LENGTH : key.length;
        memcpy(at, &length, sizeof length);
        at += sizeof length;
        if (key.length > 0) {
            memcpy(at, key.text, key.length);
            at += key.length;
        }
    }
    return 0;
}

/* The first place of the bucket where the search for a hash begins. */
static inline size_t bucket_of(const struct coreio__table *table, uint64_t hash)
{
    return (size_t)hash * BUCKET & (table->place_count - 1);
}

static inline size_t next_bucket(const struct coreio__table *table, size_t bucket)
{
    return (bucket + BUCKET) & (table->place_count - 1);
}

/* Bits of a hash that its bucket does not tell; 0 is an empty place's. */
static inline uint8_t tag_of(uint64_t hash)
{
    const uint8_t tag = (uint8_t)(hash >> 32);
    return (uint8_t)(tag + (tag == 0));
}

static void place_group(struct coreio__table *table, uint64_t hash, size_t index)
{
    size_t bucket = bucket_of(table, hash);
    uint64_t empty;
    while ((empty = coreio__equal16(table->tags + bucket, 0)) == 0)
        bucket = next_bucket(table, bucket);
    const size_t at = bucket + (size_t)__builtin_ctzll(empty);
    table->tags[at] = tag_of(hash);
    table->places[at] = (uint32_t)index;
}

/* Bytes of a place. */
#define PLACE_SIZE (sizeof(uint32_t) + sizeof(uint8_t))

/* Places all groups anew in the places there are; their numbers may be others than before. An empty place names the
 * first group, for a look-up reads a place before it knows that there is a group. */
static void place_again(struct coreio__table *table)
{
    memset(table->recent, 0, sizeof table->recent);
    memset(table->places, 0, table->place_count * PLACE_SIZE);
    for (size_t i = 0; i < table->group_count; i++)
        place_group(table, coreio__table_group(table, i)->hash, i);
}

/* Makes the table of places anew, with room for twice the groups. */
static int32_t place_all(struct coreio__table *table)
{
    size_t count = FIRST_PLACES;
    while (count < table->group_capacity * 2)
        count *= 2;
    uint32_t *places = take(count * PLACE_SIZE);
    if (places == NULL)
        return -ENOMEM;
    free(table->places);
    table->places = places;
    table->tags = (uint8_t *)(places + count);
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
        uint8_t *groups = take(capacity * size);
        if (groups == NULL)
            return NULL;
        if (table->group_count > 0)
            memcpy(groups, table->groups, table->group_count * size);
        free(table->groups);
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
    table->group_count--;
    for (size_t bucket = bucket_of(table, hash);; bucket = next_bucket(table, bucket)) {
        for (size_t at = bucket; at < bucket + BUCKET; at++) {
            if (table->tags[at] != 0 && table->places[at] == table->group_count) {
                table->tags[at] = 0;
                table->places[at] = 0;
                return;
            }
        }
    }
}

static int compare_groups(const void *left, const void *right)
{
    const struct coreio__group *a = *(struct coreio__group *const *)left;
    const struct coreio__group *b = *(struct coreio__group *const *)right;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    const uint32_t length = coreio__group_key_length(a);
    const uint32_t other = coreio__group_key_length(b);
    const uint32_t common = length < other ? length : other;
    const int order = common > 0 ? memcmp(a->key, b->key, common) : 0;
    return order != 0 ? order : (length > other) - (length < other);
}

static struct coreio__group *other_group(struct coreio__table *table)
{
    if (table->other == NULL)
        table->other = calloc(1, (size_t)table->shape->group_size);
    return table->other;
}

/* The upper bits of a hash, which groups are dealt by before they are compared: hashes are spread evenly. */
#define RANK_BITS 16

/* Ranks all groups so that the first `keep` are those with the smallest (hash, key), the last of them the largest. Only
 * the groups around that one are sorted, so this takes a time that grows with the groups. Returns 0 or -ENOMEM. */
static int32_t rank_groups(const struct coreio__table *table, struct coreio__group **ranks, size_t keep)
{
    size_t *counts = calloc((size_t)1 << RANK_BITS, sizeof *counts);
    if (counts == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < table->group_count; i++)
        counts[coreio__table_group(table, i)->hash >> (64 - RANK_BITS)]++;
    size_t last = 0;
    size_t lower = 0;
    while (lower + counts[last] < keep)
        lower += counts[last++];
    const size_t same = counts[last];
    free(counts);
    size_t next[] = {0, lower, lower + same};
    for (size_t i = 0; i < table->group_count; i++) {
        struct coreio__group *group = coreio__table_group(table, i);
        const size_t upper = (size_t)(group->hash >> (64 - RANK_BITS));
        ranks[next[(upper >= last) + (upper > last)]++] = group;
    }
    qsort(ranks + lower, same, sizeof *ranks, compare_groups);
    return 0;
}

/* Keeps the first `keep` of the ranked groups in a new array, with their keys in a new arena. */
static int32_t keep_ranked(struct coreio__table *table, struct coreio__group *const *ranks, size_t keep)
{
    const size_t size = (size_t)table->shape->group_size;
    struct coreio__arena *arena = NULL;
    uint8_t *groups = take(table->group_capacity * size);
    if (groups == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < keep; i++) {
        struct coreio__group *group = (struct coreio__group *)(void *)(groups + i * size);
        memcpy(group, ranks[i], size);
        const uint32_t length = coreio__group_key_length(group);
        uint8_t *key = take_key(&arena, length);
        if (key == NULL) {
            arena_clear(&arena);
            free(groups);
            return -ENOMEM;
        }
        memcpy(key, ranks[i]->key, length);
        group->key = key;
    }
    for (size_t i = keep; i < table->group_count; i++)
        clear_group(table->shape, ranks[i]);
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
    struct coreio__group **ranks = malloc(table->group_count * sizeof *ranks);
    if (ranks == NULL || other == NULL)
        goto done;
    status = rank_groups(table, ranks, keep);
    if (status < 0)
        goto done;
    for (size_t i = keep; i < table->group_count; i++) {
        status = merge_group(table->shape, other, ranks[i]);
        if (status < 0)
            goto done;
    }
    table->bound = ranks[keep - 1]->hash;
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

/* Makes the group of a line that has none yet. *index is OTHER when the line belongs to the folded ones. */
static int32_t add_group(
    struct coreio__table *table, const struct keys *keys, uint32_t line, uint64_t hash, uint32_t *index)
{
    *index = OTHER;
    if (hash > table->bound)
        return 0;
    struct coreio__group *group = new_group(table, hash);
    if (group == NULL)
        return -ENOMEM;
    if (keep_keys(table, group, keys, line) < 0) {
        drop_last(table, hash);
        return -ENOMEM;
    }
    *index = (uint32_t)table->group_count - 1;
    return 0;
}

/* Whether a group has the key of a line. */
static inline __attribute__((always_inline)) int32_t is_group(
    const struct coreio__group *group, const struct keys *keys, uint32_t line, uint64_t hash)
{
    return group->hash == hash && same_keys(group, keys, line);
}

/* Finds the group of a line's key. Returns 0 when there is none. */
static inline __attribute__((always_inline)) int32_t find_group(
    const struct coreio__table *table, const struct keys *keys, uint32_t line, uint64_t hash, uint32_t *index)
{
    for (size_t bucket = bucket_of(table, hash);; bucket = next_bucket(table, bucket)) {
        uint64_t hits = coreio__equal16(table->tags + bucket, tag_of(hash));
        for (; hits != 0; hits &= hits - 1) {
            *index = table->places[bucket + (size_t)__builtin_ctzll(hits)];
            if (is_group(coreio__table_group(table, *index), keys, line, hash))
                return 1;
        }
        if (coreio__equal16(table->tags + bucket, 0) != 0)
            return 0;
    }
}

/* The hash of a key up to this part; `before` is that of the parts before it, or 0. */
static inline uint64_t hash_part(struct coreio__text part, uint64_t before)
{
    return part.text == NULL ? coreio__hash_null(before) : coreio__hash(part.text, part.length, before);
}

/* Hashes of the keys of a batch; `room` is for those that are made here. */
static const uint64_t *hash_keys(const struct keys *keys, const struct coreio__batch *batch, uint64_t *room)
{
    const uint64_t *first = coreio__batch_hashes(batch, keys->columns[0]);
    if (keys->count == 1)
        return first;
    for (int32_t k = 1; k < keys->count; k++) {
        const struct coreio__text *texts = batch->texts + (size_t)keys->columns[k] * batch->stride;
        for (uint32_t i = 0; i < batch->count; i++)
            room[i] = hash_part(texts[i], k == 1 ? first[i] : room[i]);
    }
    return room;
}

/* Places beyond which a look-up is not likely to find its group in a near cache: then what the lines of a batch will
 * look at is asked for first, so that the waits overlap. */
#define FAR_PLACES 1024

/* Writes which group each line of a batch most likely has, and asks for all that telling so looks at. There is a group.
 */
static void expect_groups(const struct coreio__table *table, const uint64_t *hashes, uint32_t count, uint32_t *index)
{
    const size_t size = (size_t)table->shape->group_size;
    for (uint32_t i = 0; i < count; i++) {
        const size_t bucket = bucket_of(table, hashes[i]);
        coreio__prefetch(table->tags + bucket);
        coreio__prefetch(table->places + bucket);
    }
    for (uint32_t i = 0; i < count; i++) {
        const size_t bucket = bucket_of(table, hashes[i]);
        const uint64_t hits = coreio__equal16(table->tags + bucket, tag_of(hashes[i])) | (uint64_t)1 << (BUCKET - 1);
        index[i] = table->places[bucket + (size_t)__builtin_ctzll(hits)];
        const uint8_t *group = table->groups + index[i] * size;
        for (size_t at = 0; at < size; at += 64)
            coreio__prefetch(group + at);
    }
    for (uint32_t i = 0; i < count; i++)
        coreio__prefetch(coreio__table_group(table, index[i])->key);
}

/* Groups that are few enough to be counted beside them, and how many lines in a row are counted apart: in most logs
 * one status is that of most lines, and a count that is raised waits until it was raised before. */
#define FEW_GROUPS 32
#define COUNT_LANES 4

/* Counts the lines of a batch in few groups. */
static void count_few(struct coreio__table *table, const uint32_t *index, uint32_t count)
{
    uint32_t counts[FEW_GROUPS][COUNT_LANES] = {{0}};
    for (uint32_t i = 0; i < count; i++)
        counts[index[i]][i % COUNT_LANES]++;
    for (size_t g = 0; g < table->group_count; g++)
        coreio__table_group(table, g)->count += (int64_t)counts[g][0] + counts[g][1] + counts[g][2] + counts[g][3];
}

/* Adds the lines of a batch to the groups that were found for them. */
static int32_t add_lines(struct coreio__table *table, const uint32_t *index, const struct coreio__batch *batch)
{
    const struct coreio__shape *shape = table->shape;
    const size_t size = (size_t)shape->group_size;
    /* Without a bound no line belongs to the folded ones. */
    if (shape->measure_count == 0 && table->group_count <= FEW_GROUPS && table->bound == UINT64_MAX) {
        count_few(table, index, batch->count);
        return 0;
    }
    uint8_t *groups[COREIO__BATCH];
    for (uint32_t i = 0; i < batch->count; i++) {
        groups[i] = index[i] == OTHER ? (uint8_t *)table->other : table->groups + index[i] * size;
        ((struct coreio__group *)(void *)groups[i])->count++;
    }
    for (int32_t i = 0; i < shape->measure_count; i++) {
        const int32_t status = coreio__measure_add(&shape->measures[i], groups, batch);
        if (status < 0)
            return status;
    }
    return 0;
}

/* Adds a batch to the group of a table without keys. */
static int32_t add_to_one(struct coreio__table *table, const struct coreio__batch *batch)
{
    const struct coreio__shape *shape = table->shape;
    struct coreio__group *group = coreio__table_group(table, 0);
    group->count += batch->count;
    for (int32_t i = 0; i < shape->measure_count; i++) {
        const int32_t status = coreio__measure_add_all(&shape->measures[i], (uint8_t *)group, batch);
        if (status < 0)
            return status;
    }
    return 0;
}

/* Finds or makes the group of a line. Returns 0 or -ENOMEM. */
static inline __attribute__((always_inline)) int32_t take_group(
    struct coreio__table *table, const struct keys *keys, uint32_t line, uint64_t hash, uint32_t *index)
{
    if (__builtin_expect(find_group(table, keys, line, hash, index), 1))
        return 0;
    return add_group(table, keys, line, hash, index);
}

/* Finds or makes the groups of a batch whose keys have `count` parts. */
static inline __attribute__((always_inline)) int32_t take_groups(struct coreio__table *table, const struct keys *all,
    const struct coreio__batch *batch, const uint64_t *hashes, uint32_t *index, int32_t count)
{
    struct keys keys = *all;
    keys.count = count;
    int32_t status = 0;
    const int32_t is_far = table->place_count > FAR_PLACES;
    if (is_far)
        expect_groups(table, hashes, batch->count, index);
    for (uint32_t i = 0; i < batch->count && status == 0; i++) {
        if (!is_far || !is_group(coreio__table_group(table, index[i]), &keys, i, hashes[i]))
            status = take_group(table, &keys, i, hashes[i], &index[i]);
    }
    return status;
}

/* The bytes of a text of one to eight, which with its length say which it is. */
static inline uint64_t short_word(struct coreio__text text)
{
    if (text.length >= 4)
        return coreio__load32(text.text) << 32 | coreio__load32(text.text + text.length - 4);
    return (uint64_t)text.text[0] << 16 | (uint64_t)text.text[text.length >> 1] << 8 | text.text[text.length - 1];
}

static inline int32_t is_short(struct coreio__text text)
{
    return text.length - 1 < sizeof(uint64_t);
}

/* The same for few different keys of one or two parts: most are short and came lately, and need neither hash nor
 * look-up. */
static inline __attribute__((always_inline)) int32_t take_recent(struct coreio__table *table, const struct keys *all,
    const struct coreio__batch *batch, uint32_t *index, int32_t parts)
{
    struct keys keys = *all;
    keys.count = parts;
    const struct coreio__text *second = parts > 1 ? keys.texts + (size_t)keys.columns[1] * keys.stride : NULL;
    const uint32_t count = batch->count;
    for (uint32_t i = 0; i < count; i++) {
        const struct coreio__text key = keys.first[i];
        const struct coreio__text other = parts > 1 ? second[i] : (struct coreio__text){NULL, 0};
        const uint64_t lengths = key.length | (uint64_t)other.length << 32;
        struct coreio__recent *recent = NULL;
        uint64_t word = 0;
        uint64_t second_word = 0;
        if (is_short(key) && (parts == 1 || is_short(other))) {
            word = short_word(key);
            second_word = parts > 1 ? short_word(other) : 0;
            const uint64_t mixed = word * COREIO__HASH_K0 + second_word * COREIO__HASH_K1;
            recent = &table->recent[mixed >> (64 - COREIO__RECENT_BITS)];
            const uint64_t different = (recent->words[0] ^ word) | (parts > 1 ? recent->words[1] ^ second_word : 0) |
                                       (recent->lengths ^ lengths);
            if (__builtin_expect(different == 0, 1)) {
                index[i] = recent->index;
                continue;
            }
        }
        uint64_t hash = hash_part(key, 0);
        if (parts > 1)
            hash = hash_part(other, hash);
        const int32_t status = take_group(table, &keys, i, hash, &index[i]);
        if (status < 0)
            return status;
        if (recent != NULL && index[i] != OTHER)
            *recent = (struct coreio__recent){{word, second_word}, lengths, index[i]};
    }
    return 0;
}

int32_t coreio__table_add(struct coreio__table *table, const int32_t *key_columns, const struct coreio__batch *batch)
{
    if (batch->count == 0)
        return 0;
    if (table->shape->key_count == 0)
        return add_to_one(table, batch);
    if (table->group_count >= 2 * (size_t)table->shape->max_groups) {
        const int32_t status = coreio__table_limit(table);
        if (status < 0)
            return status;
    }
    const struct coreio__text *first = batch->texts + (size_t)key_columns[0] * batch->stride;
    const struct keys keys = {batch->texts, first, key_columns, batch->stride, table->shape->key_count};
    uint32_t index[COREIO__BATCH];
    uint64_t room[COREIO__BATCH];
    int32_t status;
    if (keys.count <= 2 && table->place_count <= FAR_PLACES)
        status =
            keys.count == 1 ? take_recent(table, &keys, batch, index, 1) : take_recent(table, &keys, batch, index, 2);
    else if (keys.count == 1)
        status = take_groups(table, &keys, batch, hash_keys(&keys, batch, room), index, 1);
    else
        status = take_groups(table, &keys, batch, hash_keys(&keys, batch, room), index, keys.count);
    return status < 0 ? status : add_lines(table, index, batch);
}

/* The group with the key of `like`, a group of another table; made if there is none. NULL without memory. */
static struct coreio__group *find_like(struct coreio__table *table, const struct coreio__group *like)
{
    const uint32_t length = coreio__group_key_length(like);
    for (size_t bucket = bucket_of(table, like->hash);; bucket = next_bucket(table, bucket)) {
        uint64_t hits = coreio__equal16(table->tags + bucket, tag_of(like->hash));
        for (; hits != 0; hits &= hits - 1) {
            struct coreio__group *group =
                coreio__table_group(table, table->places[bucket + (size_t)__builtin_ctzll(hits)]);
            if (group->hash == like->hash && coreio__group_key_length(group) == length &&
                (length == 0 || memcmp(group->key, like->key, length) == 0))
                return group;
        }
        if (coreio__equal16(table->tags + bucket, 0) != 0)
            break;
    }
    struct coreio__group *group = new_group(table, like->hash);
    if (group == NULL)
        return NULL;
    uint8_t *key = take_key(&table->arena, length);
    if (key == NULL) {
        drop_last(table, like->hash);
        return NULL;
    }
    if (length > 0)
        memcpy(key, like->key, length);
    group->key = key;
    return group;
}

/* Groups that are merged at a time: what they look at is asked for first. */
#define MERGED 64

static void expect_states(const struct coreio__table *table, struct coreio__group *group)
{
    for (int32_t i = 0; i < table->shape->measure_count; i++)
        coreio__measure_expect(&table->shape->measures[i], state_of(group, &table->shape->measures[i]));
}

/* Asks for what merging the groups from .. to - 1 of another table looks at. */
static void expect_merge(const struct coreio__table *table, const struct coreio__table *other, size_t from, size_t to)
{
    uint64_t hashes[MERGED] = {0};
    uint32_t index[MERGED];
    for (size_t i = from; i < to; i++) {
        hashes[i - from] = coreio__table_group(other, i)->hash;
        expect_states(other, coreio__table_group(other, i));
    }
    if (table->group_count == 0)
        return;
    expect_groups(table, hashes, (uint32_t)(to - from), index);
    for (size_t i = from; i < to; i++)
        expect_states(table, coreio__table_group(table, index[i - from]));
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
        if (i % MERGED == 0)
            expect_merge(table, other, i, i + MERGED < other->group_count ? i + MERGED : other->group_count);
        if (table->group_count >= 2 * (size_t)table->shape->max_groups && table->shape->key_count > 0)
            status = coreio__table_limit(table);
        if (status == 0) {
            struct coreio__group *group = find_like(table, coreio__table_group(other, i));
            status = group == NULL ? -ENOMEM : merge_group(table->shape, group, coreio__table_group(other, i));
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
    table->tags = NULL;
    table->group_count = 0;
    table->group_capacity = 0;
    table->place_count = 0;
}
