/* Sums of 128 bits, extremes, and what null does to them. */
#include "check.h"

#include "allocations.h"
#include "batches.h"
#include "log/measure.h"
#include "logs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 wide;

/* Adds one line to the state of a group that holds nothing else. */
static int32_t add_one(const struct coreio__measure *measure, void *state, const struct coreio__number *number,
    const struct coreio__text *text)
{
    struct batches_line room;
    const struct coreio__batch batch = batches_line(&room, number, text);
    uint8_t *groups[] = {state};
    return coreio__measure_add(measure, groups, &batch);
}

TEST(sums_are_those_of_128_bits)
{
    struct logs_random random = {70};
    const struct coreio__measure measure = {COREIO__SUM, 0, 0};
    struct coreio__sum whole = {0, 0, 0};
    struct coreio__sum parts[2] = {{0, 0, 0}, {0, 0, 0}};
    wide expected = 0;
    int64_t count = 0;
    for (int i = 0; i < 3000; i++) {
        int64_t value = (int64_t)logs_next(&random);
        if (i < 1000)
            value = i % 2 == 0 ? INT64_MIN : INT64_MIN + 1;
        else if (i < 2500)
            value = INT64_MAX;
        const struct coreio__number number = {value, i % 7 == 0};
        CHECK_EQ(add_one(&measure, &whole, &number, NULL), 0);
        CHECK_EQ(add_one(&measure, &parts[i % 2], &number, NULL), 0);
        expected += number.is_null ? 0 : value;
        count += !number.is_null;
        CHECK(whole.low == (uint64_t)expected && whole.high == (int64_t)(expected >> 64));
    }
    CHECK_EQ(whole.count, count);
    CHECK_EQ(coreio__measure_merge(&measure, &parts[0], &parts[1]), 0);
    CHECK_BYTES(&parts[0], sizeof whole, &whole, sizeof whole);
}

TEST(extremes_begin_with_the_first_value)
{
    const struct coreio__measure measure = {COREIO__EXTREMES, 0, 0};
    struct coreio__extremes extremes = {0, 0, 0};
    struct coreio__extremes empty = {0, 0, 0};
    const struct coreio__number null = {0, 1};
    CHECK_EQ(add_one(&measure, &extremes, &null, NULL), 0);
    CHECK_EQ(extremes.count, 0);
    static const int64_t values[] = {5, INT64_MAX, -3, INT64_MIN};
    static const int64_t least[] = {5, 5, -3, INT64_MIN};
    static const int64_t most[] = {5, INT64_MAX, INT64_MAX, INT64_MAX};
    for (int i = 0; i < 4; i++) {
        const struct coreio__number number = {values[i], 0};
        CHECK_EQ(add_one(&measure, &extremes, &number, NULL), 0);
        CHECK_EQ(extremes.min, least[i]);
        CHECK_EQ(extremes.max, most[i]);
    }
    CHECK_EQ(coreio__measure_merge(&measure, &extremes, &empty), 0);
    CHECK_EQ(extremes.count, 4);
    /* Merging into nothing takes over both ends, also when 0 lies outside. */
    struct coreio__extremes other = {0, 0, 0};
    struct coreio__extremes above = {7, 9, 2};
    CHECK_EQ(coreio__measure_merge(&measure, &other, &above), 0);
    CHECK(other.min == 7 && other.max == 9 && other.count == 2);
}

TEST(distinct_leaves_out_null_and_empty_texts)
{
    const struct coreio__measure measure = {COREIO__DISTINCT, 0, 0};
    struct coreio__hll hll = {0};
    static const uint8_t text[] = "abab";
    const struct coreio__text texts[] = {{NULL, 0}, {text, 0}, {text, 1}, {text, 2}, {text + 2, 2}};
    static const int64_t counts[] = {0, 0, 1, 2, 2};
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(add_one(&measure, &hll, NULL, &texts[i]), 0);
        CHECK_EQ(coreio__hll_estimate(&hll), counts[i]);
    }
    coreio__measure_clear(&measure, &hll);
    CHECK(hll.set == 0 && hll.last == 0);
}

TEST(a_text_whose_hash_is_zero_counts_whenever_it_comes)
{
    const struct coreio__measure measure = {COREIO__DISTINCT, 0, 0};
    static const uint8_t zero[] = {0x6D, 0x47, 0x58, 0xBF, 0xB9, 0xE5, 0xE4, 0x1C};
    const struct coreio__text texts[] = {{zero, 8}, {(const uint8_t *)"x", 1}};
    for (int first = 0; first < 2; first++) {
        struct coreio__hll hll = {0};
        CHECK_EQ(add_one(&measure, &hll, NULL, &texts[first]), 0);
        CHECK_EQ(coreio__hll_estimate(&hll), 1);
        CHECK_EQ(add_one(&measure, &hll, NULL, &texts[1 - first]), 0);
        CHECK_EQ(coreio__hll_estimate(&hll), 2);
        coreio__measure_clear(&measure, &hll);
    }
}

TEST(one_counter_of_all_lines_is_that_of_groups)
{
    const struct coreio__measure measure = {COREIO__DISTINCT, 0, 0};
    static const uint8_t zero[] = {0x6D, 0x47, 0x58, 0xBF, 0xB9, 0xE5, 0xE4, 0x1C};
    for (int late = 0; late < 2; late++) {
        struct coreio__hll all = {0};
        struct coreio__hll grouped = {0};
        for (int i = 0; i < 3000; i++) {
            char room[16];
            const int length = snprintf(room, sizeof room, "%d", i);
            const struct coreio__text own = {(const uint8_t *)room, (uint32_t)length};
            const struct coreio__text texts[] = {
                i == (late ? 2900 : 10) ? (struct coreio__text){zero, sizeof zero} : own, {NULL, 0}};
            for (int null = 0; null < 2; null++) {
                struct batches_line line;
                const struct coreio__batch batch = batches_line(&line, NULL, &texts[null]);
                CHECK_EQ(coreio__measure_add_all(&measure, (uint8_t *)&all, &batch), 0);
                CHECK_EQ(add_one(&measure, &grouped, NULL, &texts[null]), 0);
            }
        }
        REQUIRE(coreio__hll_registers(&all) != NULL && coreio__hll_registers(&grouped) != NULL);
        CHECK_BYTES(
            coreio__hll_registers(&all), COREIO__HLL_REGISTERS, coreio__hll_registers(&grouped), COREIO__HLL_REGISTERS);
        CHECK(coreio__hll_estimate(&all) > 2900);
        coreio__measure_clear(&measure, &all);
        coreio__measure_clear(&measure, &grouped);
    }
}

TEST(the_state_of_nothing_is_zero_bytes)
{
    for (int32_t kind = COREIO__SUM; kind <= COREIO__DISTINCT; kind++) {
        const struct coreio__measure measure = {kind, 0, 0};
        const int32_t size = coreio__measure_size(kind);
        CHECK(size > 0 && size % 8 == 0);
        uint64_t *state = calloc(1, (size_t)size);
        uint64_t *other = calloc(1, (size_t)size);
        CHECK_EQ(coreio__measure_merge(&measure, state, other), 0);
        CHECK_BYTES(state, size, other, size);
        const struct coreio__number number = {5, 0};
        const struct coreio__text text = {(const uint8_t *)"x", 1};
        if (kind == COREIO__SKETCH || kind == COREIO__DISTINCT) {
            /* The first distinct text needs no memory, the second does. */
            const struct coreio__text other_text = {(const uint8_t *)"y", 1};
            CHECK_EQ(kind == COREIO__SKETCH ? 0 : add_one(&measure, state, &number, &other_text), 0);
            allocations_refuse_after(0);
            CHECK_EQ(add_one(&measure, state, &number, &text), -ENOMEM);
            allocations_refuse_after(-1);
        }
        CHECK_EQ(add_one(&measure, other, &number, &text), 0);
        CHECK_EQ(coreio__measure_merge(&measure, state, other), 0);
        coreio__measure_clear(&measure, state);
        coreio__measure_clear(&measure, other);
        free(state);
        free(other);
    }
}
