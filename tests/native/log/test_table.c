/* Groups against a plain list, and the same groups whatever the order and the partition of the lines. */
#include "check.h"

#include "allocations.h"
#include "batches.h"
#include "log/table.h"
#include "logs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int32_t key_columns[] = {0, 1};
#define COUNTED 2

static struct coreio__shape make_shape(int32_t keys, int32_t max_groups)
{
    struct coreio__shape shape = {.key_count = keys, .measure_count = 4, .max_groups = max_groups};
    shape.group_size = sizeof(struct coreio__group);
    for (int32_t kind = COREIO__SUM; kind <= COREIO__DISTINCT; kind++) {
        /* Texts 0 and 1 are the keys, 2 is counted. */
        shape.measures[kind] = (struct coreio__measure){kind, kind == COREIO__DISTINCT ? COUNTED : 0, shape.group_size};
        shape.group_size += coreio__measure_size(kind);
    }
    return shape;
}

/* Adds a line whose key is `group` (and a second part) and whose value is `value`. */
static int32_t add(struct coreio__table *table, uint32_t group, int64_t value)
{
    char text[32];
    char key[32];
    const int length = snprintf(key, sizeof key, "group %u", group);
    const int text_length = snprintf(text, sizeof text, "%lld", (long long)(value % 100));
    const struct coreio__text texts[] = {
        {group % 10 == 3 ? NULL : (uint8_t *)key, group % 10 == 3 ? 0 : (uint32_t)length},
        {(uint8_t *)key + length - 1, group % 7 == 0 ? 0 : 1}, {(uint8_t *)text, (uint32_t)text_length}};
    const struct coreio__number number = {value, value % 5 == 0};
    struct batches_line room;
    const struct coreio__batch batch = batches_line(&room, &number, texts);
    return coreio__table_add(table, key_columns, &batch);
}

static int compare_rows(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static void show_row(const struct coreio__table *table, const struct coreio__group *group, struct logs_text *row)
{
    const struct coreio__shape *shape = table->shape;
    const uint8_t *state = (const uint8_t *)group;
    const struct coreio__sum *sum = (const void *)(state + shape->measures[COREIO__SUM].offset);
    const struct coreio__extremes *extremes = (const void *)(state + shape->measures[COREIO__EXTREMES].offset);
    const struct coreio__sketch *sketch = (const void *)(state + shape->measures[COREIO__SKETCH].offset);
    const struct coreio__hll *hll = (const void *)(state + shape->measures[COREIO__DISTINCT].offset);
    logs_print(row, "%s", group == table->other ? "other " : "key ");
    for (uint32_t i = 0; i < coreio__group_key_length(group); i++)
        logs_print(row, "%02x", (unsigned int)group->key[i]);
    logs_print(row, " %lld sum %lld:%llu/%lld %lld..%lld p50 %lld distinct %lld\n", (long long)group->count,
        (long long)sum->high, (unsigned long long)sum->low, (long long)sum->count, (long long)extremes->min,
        (long long)extremes->max, (long long)coreio__sketch_quantile(sketch, 500000),
        (long long)coreio__hll_estimate(hll));
}

/* All rows of a table, sorted. */
static void show(const struct coreio__table *table, struct logs_text *all)
{
    char **rows = calloc(table->group_count + 1, sizeof *rows);
    size_t count = 0;
    for (; count < table->group_count + (table->other != NULL); count++) {
        struct logs_text row = {0};
        show_row(table, count < table->group_count ? coreio__table_group(table, count) : table->other, &row);
        logs_append(&row, "", 1);
        rows[count] = (char *)row.bytes;
    }
    qsort(rows, count, sizeof *rows, compare_rows);
    for (size_t i = 0; i < count; i++) {
        logs_append(all, rows[i], strlen(rows[i]));
        free(rows[i]);
    }
    free(rows);
}

TEST(groups_are_those_of_a_plain_list)
{
    struct logs_random random = {50};
    const struct coreio__shape shape = make_shape(2, 1 << 20);
    struct coreio__table table;
    int64_t counts[1000] = {0};
    int64_t sums[1000] = {0};
    REQUIRE(coreio__table_init(&table, &shape) == 0);
    for (int i = 0; i < 20000; i++) {
        const uint32_t group = logs_below(&random, 1 + logs_below(&random, 1000));
        const int64_t value = (int64_t)logs_below(&random, 1000000);
        CHECK_EQ(add(&table, group, value), 0);
        /* Groups whose number ends in 3 have no first part; their second is always 3, but empty for the sevens. */
        const uint32_t own = group % 10 != 3 ? group : group % 7 == 0 ? 63 : 3;
        counts[own]++;
        sums[own] += value % 5 == 0 ? 0 : value;
    }
    size_t seen = 0;
    for (uint32_t group = 0; group < 1000; group++) {
        if (counts[group] == 0)
            continue;
        char key[32];
        const int length = snprintf(key, sizeof key, "group %u", group);
        uint8_t wanted[64];
        const uint32_t first = group % 10 == 3 ? UINT32_MAX : (uint32_t)length;
        const uint32_t second = group % 7 == 0 ? 0 : 1;
        size_t at = 0;
        memcpy(wanted, &first, 4);
        at += 4;
        if (group % 10 != 3) {
            memcpy(wanted + at, key, (size_t)length);
            at += (size_t)length;
        }
        memcpy(wanted + at, &second, 4);
        at += 4;
        if (second == 1)
            wanted[at++] = (uint8_t)key[length - 1];
        for (size_t i = 0; i < table.group_count; i++) {
            const struct coreio__group *row = coreio__table_group(&table, i);
            if (coreio__group_key_length(row) != at || memcmp(row->key, wanted, at) != 0)
                continue;
            seen++;
            CHECK_EQ(row->count, counts[group]);
            const struct coreio__sum *sum = (const void *)((const uint8_t *)row + shape.measures[COREIO__SUM].offset);
            CHECK_EQ(sum->low, sums[group]);
        }
    }
    CHECK_EQ(seen, table.group_count);
    CHECK(table.other == NULL);
    coreio__table_clear(&table);
}

TEST(order_and_partition_do_not_matter)
{
    enum { LINES = LOGS_WATCHED ? 4000 : 20000 };
    static uint32_t groups[LINES];
    static int64_t values[LINES];
    static const int32_t limits[] = {1, 2, 7, 100, 999, 1000, 1001, 5000};
    struct logs_random random = {51};
    for (int i = 0; i < LINES; i++) {
        groups[i] = logs_below(&random, 1000);
        values[i] = (int64_t)logs_below(&random, 1u << 30) - (1 << 29);
    }
    for (size_t limit = 0; limit < sizeof limits / sizeof limits[0]; limit++) {
        const struct coreio__shape shape = make_shape(1, limits[limit]);
        struct logs_text first = {0};
        for (int round = 0; round < 6; round++) {
            struct coreio__table parts[4];
            const uint32_t count = 1 + (uint32_t)round % 4;
            for (uint32_t i = 0; i < 4; i++)
                REQUIRE(coreio__table_init(&parts[i], &shape) == 0);
            for (int i = 0; i < LINES; i++) {
                /* Round 0 goes forwards, the others from a random place and in both directions. */
                const int shifted = round == 0 ? i : (i + round * 7919) % LINES;
                const int at = round % 2 == 0 ? shifted : LINES - 1 - shifted;
                /* Some parts see only some of the groups. */
                const uint32_t part = round < 3 ? logs_below(&random, count) : groups[at] % count;
                CHECK_EQ(add(&parts[part], groups[at], values[at]), 0);
            }
            for (uint32_t i = 1; i < count; i++)
                CHECK_EQ(coreio__table_merge(&parts[0], &parts[i]), 0);
            CHECK_EQ(coreio__table_limit(&parts[0]), 0);
            check_context("limit %d, round %d", limits[limit], round);
            CHECK(parts[0].group_count <= (size_t)limits[limit]);
            struct logs_text rows = {0};
            show(&parts[0], &rows);
            if (round == 0)
                first = rows;
            else
                CHECK_BYTES(rows.bytes, rows.length, first.bytes, first.length);
            if (round > 0)
                logs_free(&rows);
            for (uint32_t i = 0; i < 4; i++)
                coreio__table_clear(&parts[i]);
        }
        logs_free(&first);
    }
}

TEST(a_table_without_a_key_has_one_row_from_the_beginning)
{
    const struct coreio__shape shape = make_shape(0, 1);
    struct coreio__table table;
    struct coreio__table other;
    REQUIRE(coreio__table_init(&table, &shape) == 0 && coreio__table_init(&other, &shape) == 0);
    CHECK_EQ(table.group_count, 1);
    for (int i = 0; i < 10; i++)
        CHECK_EQ(add(i % 2 == 0 ? &table : &other, (uint32_t)i, i), 0);
    CHECK_EQ(coreio__table_merge(&table, &other), 0);
    CHECK_EQ(coreio__table_limit(&table), 0);
    CHECK_EQ(table.group_count, 1);
    CHECK_EQ(coreio__table_group(&table, 0)->count, 10);
    CHECK_EQ(coreio__group_key_length(coreio__table_group(&table, 0)), 0);
    CHECK(table.other == NULL);
    coreio__table_clear(&table);
    coreio__table_clear(&other);
}

TEST(null_empty_and_neighbouring_parts_are_different_keys)
{
    const struct coreio__shape shape = make_shape(2, 100);
    struct coreio__table table;
    REQUIRE(coreio__table_init(&table, &shape) == 0);
    static const uint8_t text[] = "ab";
    const struct coreio__text rows[][2] = {{{NULL, 0}, {NULL, 0}}, {{text, 0}, {NULL, 0}}, {{NULL, 0}, {text, 0}},
        {{text, 0}, {text, 0}}, {{text, 2}, {text, 0}}, {{text, 1}, {text + 1, 1}}, {{text, 0}, {text, 2}}};
    const struct coreio__number number = {0, 1};
    for (int twice = 0; twice < 2; twice++) {
        for (size_t i = 0; i < 7; i++) {
            const struct coreio__text texts[] = {rows[i][0], rows[i][1], {NULL, 0}};
            struct batches_line room;
            const struct coreio__batch batch = batches_line(&room, &number, texts);
            CHECK_EQ(coreio__table_add(&table, key_columns, &batch), 0);
        }
    }
    CHECK_EQ(table.group_count, 7);
    for (size_t i = 0; i < table.group_count; i++)
        CHECK_EQ(coreio__table_group(&table, i)->count, 2);
    coreio__table_clear(&table);
}

/* Whole batches find what single lines find, new groups, folded ones and all. */
TEST(a_batch_is_its_lines_one_by_one)
{
    struct logs_random random = {77};
    const struct coreio__shape shape = make_shape(2, 30);
    struct coreio__table whole;
    struct coreio__table single;
    REQUIRE(coreio__table_init(&whole, &shape) == 0 && coreio__table_init(&single, &shape) == 0);
    for (int round = 0; round < 60; round++) {
        static char keys[COREIO__BATCH][32];
        static struct coreio__number numbers[COREIO__BATCH];
        static struct coreio__text texts[3 * COREIO__BATCH];
        static uint64_t hashes[3 * COREIO__BATCH];
        uint8_t hashed[3] = {0};
        const uint32_t count = 1 + logs_below(&random, COREIO__BATCH);
        for (uint32_t i = 0; i < count; i++) {
            const int length = snprintf(keys[i], sizeof keys[i], "a rather long key %u", logs_below(&random, 200));
            numbers[i] = (struct coreio__number){(int64_t)logs_below(&random, 100000), logs_below(&random, 9) == 0};
            texts[i] = (struct coreio__text){(uint8_t *)keys[i], (uint32_t)length - logs_below(&random, 3)};
            texts[COREIO__BATCH + i] = (struct coreio__text){NULL, 0};
            texts[2 * COREIO__BATCH + i] = texts[i];
            const struct coreio__text own[] = {texts[i], {NULL, 0}, texts[i]};
            struct batches_line room;
            const struct coreio__batch batch = batches_line(&room, &numbers[i], own);
            CHECK_EQ(coreio__table_add(&single, key_columns, &batch), 0);
        }
        const struct coreio__batch batch = {numbers, texts, hashes, hashed, count, COREIO__BATCH};
        CHECK_EQ(coreio__table_add(&whole, key_columns, &batch), 0);
    }
    CHECK(whole.other != NULL);
    CHECK_EQ(coreio__table_limit(&whole), 0);
    CHECK_EQ(coreio__table_limit(&single), 0);
    struct logs_text expected = {0};
    struct logs_text found = {0};
    show(&single, &expected);
    show(&whole, &found);
    CHECK_BYTES(found.bytes, found.length, expected.bytes, expected.length);
    logs_free(&expected);
    logs_free(&found);
    coreio__table_clear(&whole);
    coreio__table_clear(&single);
}

/* Few short keys, which a table remembers, and changes its mind about when groups are folded; with measures and
 * without.
 */
TEST(short_keys_have_the_counts_of_a_plain_list)
{
    static const int32_t limits[] = {1, 5, 40, 1 << 20};
    static const char letters[] = "ab0";
    for (size_t turn = 0; turn < 2 * sizeof limits / sizeof limits[0]; turn++) {
        const int32_t limit = limits[turn / 2];
        struct logs_random random = {78};
        struct coreio__shape shape = make_shape(1, limit);
        if (turn % 2 == 1)
            shape.measure_count = 0;
        static char known[4096][10];
        int64_t counts[4096] = {0};
        size_t known_count = 0;
        int64_t total = 0;
        struct coreio__table table;
        REQUIRE(coreio__table_init(&table, &shape) == 0);
        for (int round = 0; round < 200; round++) {
            static struct coreio__number numbers[COREIO__BATCH];
            static struct coreio__text texts[3 * COREIO__BATCH];
            static uint64_t hashes[3 * COREIO__BATCH];
            static char keys[COREIO__BATCH][10];
            uint8_t hashed[3] = {0};
            for (uint32_t i = 0; i < COREIO__BATCH; i++) {
                /* One in ten is of one to nine bytes, the others of up to two. */
                const uint32_t length =
                    logs_below(&random, 10) == 0 ? 1 + logs_below(&random, 9) : logs_below(&random, 3);
                for (uint32_t at = 0; at < length; at++)
                    keys[i][at] = letters[at < 6 ? logs_below(&random, 3) : 0];
                keys[i][length] = '\0';
                texts[i] = (struct coreio__text){(uint8_t *)keys[i], length};
                texts[2 * COREIO__BATCH + i] = texts[i];
                total++;
                size_t place = 0;
                while (place < known_count && strcmp(known[place], keys[i]) != 0)
                    place++;
                REQUIRE(place < 4096);
                memcpy(known[place], keys[i], sizeof keys[i]);
                known_count += place == known_count;
                counts[place]++;
            }
            const struct coreio__batch batch = {numbers, texts, hashes, hashed, COREIO__BATCH, COREIO__BATCH};
            CHECK_EQ(coreio__table_add(&table, key_columns, &batch), 0);
        }
        CHECK_EQ(coreio__table_limit(&table), 0);
        check_context("limit %d, %d measures", limit, shape.measure_count);
        CHECK_EQ(table.group_count, known_count < (size_t)limit ? known_count : (size_t)limit);
        for (size_t i = 0; i < table.group_count; i++) {
            const struct coreio__group *row = coreio__table_group(&table, i);
            const uint32_t length = coreio__group_key_length(row) - (uint32_t)sizeof(uint32_t);
            size_t place = 0;
            while (place < known_count &&
                   (strlen(known[place]) != length || memcmp(known[place], row->key + sizeof(uint32_t), length) != 0))
                place++;
            REQUIRE(place < known_count);
            CHECK_EQ(row->count, counts[place]);
            total -= row->count;
        }
        CHECK_EQ(total, table.other == NULL ? 0 : table.other->count);
        coreio__table_clear(&table);
    }
}

/* Pairs of texts that differ in little but their lengths: one letter one to ten times, and texts whose first and last
 * four bytes are those of another. */
TEST(short_keys_of_two_parts_have_the_counts_of_a_plain_list)
{
    static const char *const alike[] = {"a", "aa", "aaa", "aaaa", "aaaaa", "aaaaaa", "aaaaaaa", "aaaaaaaa", "aaaaaaaaa",
        "aaaaaaaaaa", "abab", "ababab", "abababab", "abca", "abcabca", "abcd", "abcdabcd", "abcdxabcd"};
    enum { ALIKE = sizeof alike / sizeof alike[0] };
    static int64_t counts[ALIKE][ALIKE];
    struct logs_random random = {79};
    const struct coreio__shape shape = make_shape(2, 1 << 20);
    struct coreio__table table;
    REQUIRE(coreio__table_init(&table, &shape) == 0);
    for (int round = 0; round < 200; round++) {
        static struct coreio__number numbers[COREIO__BATCH];
        static struct coreio__text texts[3 * COREIO__BATCH];
        static uint64_t hashes[3 * COREIO__BATCH];
        uint8_t hashed[3] = {0};
        for (uint32_t i = 0; i < COREIO__BATCH; i++) {
            const uint32_t parts[] = {logs_below(&random, ALIKE), logs_below(&random, ALIKE)};
            for (uint32_t part = 0; part < 2; part++)
                texts[part * COREIO__BATCH + i] =
                    (struct coreio__text){(const uint8_t *)alike[parts[part]], (uint32_t)strlen(alike[parts[part]])};
            texts[COUNTED * COREIO__BATCH + i] = texts[i];
            counts[parts[0]][parts[1]]++;
        }
        const struct coreio__batch batch = {numbers, texts, hashes, hashed, COREIO__BATCH, COREIO__BATCH};
        CHECK_EQ(coreio__table_add(&table, key_columns, &batch), 0);
    }
    CHECK_EQ(table.group_count, ALIKE * ALIKE);
    for (uint32_t at = 0; at < ALIKE * ALIKE; at++) {
        struct logs_text wanted = {0};
        for (uint32_t part = 0; part < 2; part++) {
            const char *text = alike[part == 0 ? at / ALIKE : at % ALIKE];
            const uint32_t length = (uint32_t)strlen(text);
            logs_append(&wanted, &length, sizeof length);
            logs_append(&wanted, text, length);
        }
        size_t i = 0;
        while (
            i < table.group_count && (coreio__group_key_length(coreio__table_group(&table, i)) != wanted.length ||
                                         memcmp(coreio__table_group(&table, i)->key, wanted.bytes, wanted.length) != 0))
            i++;
        check_context("%s, %s", alike[at / ALIKE], alike[at % ALIKE]);
        REQUIRE(i < table.group_count);
        CHECK_EQ(coreio__table_group(&table, i)->count, counts[at / ALIKE][at % ALIKE]);
        logs_free(&wanted);
    }
    coreio__table_clear(&table);
}

TEST(known_keys_do_not_allocate)
{
    const struct coreio__shape shape = make_shape(2, 1 << 20);
    struct coreio__table table;
    REQUIRE(coreio__table_init(&table, &shape) == 0);
    for (int64_t i = 0; i < 100000; i++)
        CHECK_EQ(add(&table, (uint32_t)(i % 50), i % 5000), 0);
    const int64_t before = allocations_made();
    for (int64_t i = 0; i < 20000; i++)
        CHECK_EQ(add(&table, (uint32_t)(i % 50), i % 5000), 0);
    CHECK_EQ(allocations_made(), before);
    coreio__table_clear(&table);
}

TEST(a_table_without_memory_says_so_and_stays_whole)
{
    const struct coreio__shape shape = make_shape(2, 40);
    int refusals = 0;
    for (int64_t passed = 0;; passed += 1 + passed / 200) {
        struct coreio__table table;
        struct coreio__table other;
        REQUIRE(coreio__table_init(&other, &shape) == 0);
        for (uint32_t i = 0; i < 200; i++)
            CHECK_EQ(add(&other, i, i), 0);
        allocations_refuse_after(passed);
        int32_t status = coreio__table_init(&table, &shape);
        for (uint32_t i = 0; i < 300 && status == 0; i++)
            status = add(&table, i * 3, i);
        if (status == 0)
            status = coreio__table_merge(&table, &other);
        if (status == 0)
            status = coreio__table_limit(&table);
        const int refused = allocations_refused();
        allocations_refuse_after(-1);
        check_context("%lld passed", (long long)passed);
        CHECK_EQ(status, refused ? -ENOMEM : 0);
        /* With memory again, what is there still works: no search goes round for ever. */
        if (table.place_count > 0) {
            for (uint32_t i = 0; i < 300; i++)
                CHECK_EQ(add(&table, i, i), 0);
        }
        coreio__table_clear(&table);
        coreio__table_clear(&other);
        refusals += refused;
        if (!refused)
            break;
    }
    CHECK(refusals > 30);
}
