/* Quantiles against the sorted values, and sketches of parts against the sketch of the whole. */
#include "check.h"

#include "allocations.h"
#include "log/sketch.h"
#include "logs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 wide;

static int compare_values(const void *left, const void *right)
{
    const int64_t a = *(const int64_t *)left;
    const int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static const int32_t quantiles[] = {0, 1, 10000, 250000, 500000, 750000, 900000, 990000, 999000, 999999, 1000000};

#define QUANTILES (sizeof quantiles / sizeof quantiles[0])

/* Whether a value is at most 1/128 of the exact one away from it. */
static int is_near(int64_t value, int64_t exact)
{
    const wide difference = value > exact ? (wide)value - exact : (wide)exact - value;
    const wide magnitude = exact < 0 ? -(wide)exact : (wide)exact;
    return difference * 128 <= magnitude;
}

static void check_quantiles(const struct coreio__sketch *sketch, const int64_t *sorted, int64_t count)
{
    for (size_t i = 0; i < QUANTILES; i++) {
        const int64_t rank = (int64_t)((wide)quantiles[i] * (count - 1) / 1000000);
        const int64_t value = coreio__sketch_quantile(sketch, quantiles[i]);
        check_context("%lld values, quantile %d: %lld for %lld", (long long)count, quantiles[i], (long long)value,
            (long long)sorted[rank]);
        CHECK(is_near(value, sorted[rank]));
        CHECK(value >= sorted[0] && value <= sorted[count - 1]);
    }
    CHECK_EQ(coreio__sketch_quantile(sketch, 0), sorted[0]);
    CHECK_EQ(coreio__sketch_quantile(sketch, 1000000), sorted[count - 1]);
}

TEST(buckets_ascend_and_answer_with_their_middle)
{
    int32_t before = coreio__sketch_bucket(INT64_MIN);
    for (int32_t bit = 62; bit >= 0; bit--) {
        for (int64_t step = 63; step >= 0; step--) {
            const int64_t value = -(((int64_t)1 << bit) + (((int64_t)1 << bit) >> 6) * step);
            const int32_t bucket = coreio__sketch_bucket(value);
            CHECK(bucket >= before);
            CHECK_EQ(coreio__sketch_bucket(-value), -bucket);
            before = bucket;
            const int64_t middle = coreio__sketch_value(bucket);
            CHECK_EQ(coreio__sketch_bucket(middle), bucket);
            CHECK_EQ(coreio__sketch_value(-bucket), -middle);
            CHECK(is_near(middle, value));
        }
    }
    CHECK_EQ(coreio__sketch_bucket(0), 0);
    CHECK_EQ(coreio__sketch_value(0), 0);
    CHECK(coreio__sketch_bucket(INT64_MAX) < -coreio__sketch_bucket(INT64_MIN));
    CHECK_EQ(coreio__sketch_value(coreio__sketch_bucket(INT64_MIN)), INT64_MIN);
    CHECK(is_near(coreio__sketch_value(coreio__sketch_bucket(INT64_MAX)), INT64_MAX));
    CHECK(coreio__sketch_bucket(INT64_MIN) >= INT16_MIN);
}

TEST(values_below_128_are_exact)
{
    for (int64_t value = -127; value <= 127; value++)
        CHECK_EQ(coreio__sketch_value(coreio__sketch_bucket(value)), value);
    /* The first buckets of two: the middle is rounded down in magnitude. */
    CHECK_EQ(coreio__sketch_value(coreio__sketch_bucket(129)), 128);
    CHECK_EQ(coreio__sketch_value(coreio__sketch_bucket(-129)), -128);
    CHECK_EQ(coreio__sketch_value(coreio__sketch_bucket(256)), 257);
}

/* A value of one of several distributions. */
static int64_t draw(struct logs_random *random, uint32_t kind)
{
    const uint64_t number = logs_next(random);
    switch (kind) {
    case 0:
        return (int64_t)(number % 100);
    case 1:
        return (int64_t)(number % 2000001) - 1000000;
    case 2:
        return (int64_t)number;
    case 3:
        return (int64_t)(number >> 1 >> (number & 63));
    case 4:
        return 7;
    default:
        return number % 50 == 0 ? 60000000 : 1000 + (int64_t)(number % 500);
    }
}

TEST(quantiles_are_near_the_sorted_values)
{
    struct logs_random random = {3};
    static const int64_t counts[] = {1, 2, 3, 31, 32, 33, 34, 100, 1000, 20000};
    int64_t *values = malloc(20000 * sizeof *values);
    for (uint32_t kind = 0; kind < 6; kind++) {
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
            struct coreio__sketch sketch = {0};
            for (int64_t j = 0; j < counts[i]; j++) {
                values[j] = draw(&random, kind);
                CHECK_EQ(coreio__sketch_add(&sketch, values[j]), 0);
            }
            qsort(values, (size_t)counts[i], sizeof *values, compare_values);
            CHECK_EQ(sketch.count, counts[i]);
            check_quantiles(&sketch, values, counts[i]);
            coreio__sketch_clear(&sketch);
        }
    }
    free(values);
}

TEST(parts_merge_to_the_whole)
{
    struct logs_random random = {4};
    for (int round = 0; round < 400; round++) {
        struct coreio__sketch whole = {0};
        struct coreio__sketch parts[3] = {{0}, {0}, {0}};
        const uint32_t kind = logs_below(&random, 6);
        const uint32_t count = logs_below(&random, round % 2 == 0 ? 50 : 400);
        for (uint32_t i = 0; i < count; i++) {
            const int64_t value = draw(&random, kind);
            coreio__sketch_add(&whole, value);
            coreio__sketch_add(&parts[logs_below(&random, 1 + logs_below(&random, 3))], value);
        }
        CHECK_EQ(coreio__sketch_merge(&parts[1], &parts[0]), 0);
        CHECK_EQ(coreio__sketch_merge(&parts[1], &parts[2]), 0);
        check_context("round %d: %u values of kind %u", round, count, kind);
        CHECK_EQ(parts[1].count, whole.count);
        CHECK_EQ(parts[1].min, whole.min);
        CHECK_EQ(parts[1].max, whole.max);
        for (size_t i = 0; i < QUANTILES; i++)
            CHECK_EQ(coreio__sketch_quantile(&parts[1], quantiles[i]), coreio__sketch_quantile(&whole, quantiles[i]));
        for (int i = 0; i < 3; i++)
            coreio__sketch_clear(&parts[i]);
        coreio__sketch_clear(&whole);
    }
}

TEST(an_empty_sketch_answers_zero)
{
    struct coreio__sketch empty = {0};
    struct coreio__sketch other = {0};
    CHECK_EQ(coreio__sketch_quantile(&empty, 500000), 0);
    CHECK_EQ(coreio__sketch_merge(&empty, &other), 0);
    CHECK_EQ(empty.count, 0);
    CHECK(empty.length == 0 && empty.few == NULL);
    coreio__sketch_add(&other, -5);
    coreio__sketch_clear(&other);
    CHECK_EQ(other.count, 0);
    CHECK_EQ(coreio__sketch_quantile(&other, 1000000), 0);
    coreio__sketch_clear(&empty);
}

static uint32_t *copy_counters(const uint32_t *counters, int32_t length)
{
    if (counters == NULL)
        return NULL;
    const size_t bytes = (size_t)length * sizeof *counters;
    uint32_t *copy = malloc(bytes);
    memcpy(copy, counters, bytes);
    return copy;
}

/* Adds all values of a sketch with counters once more. */
static void double_counts(struct coreio__sketch *sketch)
{
    struct coreio__sketch copy = *sketch;
    copy.counters = copy_counters(sketch->counters, sketch->length);
    copy.carries = copy_counters(sketch->carries, sketch->length);
    CHECK_EQ(coreio__sketch_merge(sketch, &copy), 0);
    coreio__sketch_clear(&copy);
}

TEST(counters_go_beyond_32_bits)
{
    struct coreio__sketch sketch = {0};
    /* Three of four values are 1000, the others 5000. */
    for (int i = 0; i < 64; i++)
        CHECK_EQ(coreio__sketch_add(&sketch, i % 4 == 0 ? 5000 : 1000), 0);
    while (sketch.count < (uint64_t)1 << 40)
        double_counts(&sketch);
    CHECK(sketch.carries != NULL);
    CHECK_EQ(coreio__sketch_quantile(&sketch, 749000), coreio__sketch_value(coreio__sketch_bucket(1000)));
    /* No value answers with more than the largest. */
    CHECK_EQ(coreio__sketch_quantile(&sketch, 751000), 5000);
    /* New counters keep the carries of the old ones. */
    CHECK_EQ(coreio__sketch_add(&sketch, 1), 0);
    CHECK_EQ(coreio__sketch_add(&sketch, 1 << 30), 0);
    CHECK_EQ(coreio__sketch_quantile(&sketch, 749000), coreio__sketch_value(coreio__sketch_bucket(1000)));
    CHECK_EQ(coreio__sketch_quantile(&sketch, 751000), coreio__sketch_value(coreio__sketch_bucket(5000)));
    coreio__sketch_clear(&sketch);
}

TEST(a_counter_carries_one_by_one)
{
    struct coreio__sketch sketch = {0};
    for (int i = 0; i < 40; i++)
        CHECK_EQ(coreio__sketch_add(&sketch, 100), 0);
    const int32_t place = coreio__sketch_bucket(100) - sketch.first;
    sketch.counters[place] = UINT32_MAX - 1;
    sketch.count = UINT32_MAX - 1;
    for (int i = 0; i < 4; i++)
        CHECK_EQ(coreio__sketch_add(&sketch, 100), 0);
    CHECK_EQ(sketch.count, (uint64_t)UINT32_MAX + 3);
    REQUIRE(sketch.carries != NULL);
    CHECK_EQ(sketch.carries[place], 1);
    CHECK_EQ(sketch.counters[place], 2);
    coreio__sketch_clear(&sketch);
}

TEST(known_values_do_not_allocate)
{
    struct coreio__sketch sketch = {0};
    for (int64_t i = 0; i < 1000; i++)
        coreio__sketch_add(&sketch, 1000 + i);
    const int64_t before = allocations_made();
    for (int64_t i = 0; i < 100000; i++)
        coreio__sketch_add(&sketch, 1000 + i % 1000);
    CHECK_EQ(allocations_made(), before);
    coreio__sketch_clear(&sketch);
}

TEST(a_sketch_without_memory_keeps_what_it_has)
{
    int refusals = 0;
    for (int64_t passed = 0;; passed++) {
        struct coreio__sketch sketch = {0};
        struct coreio__sketch other = {0};
        for (int64_t i = 0; i < 40; i++)
            coreio__sketch_add(&other, -i * 1000);
        int32_t status = 0;
        allocations_refuse_after(passed);
        for (int64_t i = 0; i < 33 && status == 0; i++)
            status = coreio__sketch_add(&sketch, i << i);
        if (status == 0)
            status = coreio__sketch_merge(&sketch, &other);
        const int refused = allocations_refused();
        allocations_refuse_after(-1);
        CHECK_EQ(status, refused ? -ENOMEM : 0);
        refusals += refused;
        const uint64_t count = sketch.count;
        CHECK_EQ(coreio__sketch_add(&sketch, 5), 0);
        CHECK_EQ(sketch.count, count + 1);
        coreio__sketch_clear(&sketch);
        coreio__sketch_clear(&other);
        if (!refused)
            break;
    }
    CHECK(refusals >= 4);
}

TEST(few_values_outside_of_the_counters_need_memory)
{
    struct coreio__sketch sketch = {0};
    struct coreio__sketch few = {0};
    for (int64_t i = 0; i < 40; i++)
        CHECK_EQ(coreio__sketch_add(&sketch, 1000 + i), 0);
    CHECK_EQ(coreio__sketch_add(&few, INT64_MIN), 0);
    allocations_refuse_after(0);
    CHECK_EQ(coreio__sketch_merge(&sketch, &few), -ENOMEM);
    allocations_refuse_after(-1);
    CHECK_EQ(coreio__sketch_merge(&sketch, &few), 0);
    CHECK_EQ(sketch.count, 41);
    CHECK_EQ(sketch.min, INT64_MIN);
    coreio__sketch_clear(&sketch);
    coreio__sketch_clear(&few);
}
