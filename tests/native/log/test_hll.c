/* Distinct counts against exact ones, and counters of parts against the counter of the whole. */
#include "check.h"

#include "allocations.h"
#include "log/hash.h"
#include "log/hll.h"
#include "logs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(uint64_t number)
{
    uint8_t text[32];
    const int length = snprintf((char *)text, sizeof text, "10.%llu", (unsigned long long)number);
    return coreio__hash(text, (size_t)length, 0);
}

static int compare_hashes(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left;
    const uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* The state as one sequence of bytes: registers, or the hashes in order. */
static size_t state_of(const struct coreio__hll *hll, uint8_t *state)
{
    if (coreio__hll_registers(hll) != NULL) {
        memcpy(state, coreio__hll_registers(hll), COREIO__HLL_REGISTERS);
        return COREIO__HLL_REGISTERS;
    }
    uint64_t hashes[COREIO__HLL_EXACT];
    size_t count = 0;
    if (hll->set == 0 && hll->last != 0)
        hashes[count++] = hll->last;
    for (uint32_t i = 0; i < coreio__hll_capacity(hll); i++) {
        if (coreio__hll_set(hll)->hashes[i] != 0)
            hashes[count++] = coreio__hll_set(hll)->hashes[i];
    }
    CHECK_EQ(count, coreio__hll_estimate(hll));
    qsort(hashes, count, sizeof hashes[0], compare_hashes);
    memcpy(state, hashes, count * sizeof hashes[0]);
    return count * sizeof hashes[0];
}

static void check_same_state(const struct coreio__hll *a, const struct coreio__hll *b)
{
    static uint8_t one[COREIO__HLL_REGISTERS];
    static uint8_t two[COREIO__HLL_REGISTERS];
    const size_t length = state_of(a, one);
    CHECK_BYTES(one, length, two, state_of(b, two));
    CHECK_EQ(coreio__hll_estimate(a), coreio__hll_estimate(b));
}

TEST(counts_are_exact_up_to_1024)
{
    struct coreio__hll hll = {0};
    CHECK_EQ(coreio__hll_estimate(&hll), 0);
    for (uint64_t i = 1; i <= COREIO__HLL_EXACT; i++) {
        for (int twice = 0; twice < 2; twice++)
            CHECK_EQ(coreio__hll_add(&hll, hash_of(i)), 0);
        CHECK_EQ(coreio__hll_estimate(&hll), i);
    }
    CHECK(coreio__hll_registers(&hll) == NULL);
    coreio__hll_add(&hll, hash_of(COREIO__HLL_EXACT + 1));
    CHECK(coreio__hll_registers(&hll) != NULL);
    coreio__hll_clear(&hll);
}

TEST(estimates_are_within_three_percent)
{
    struct coreio__hll hll = {0};
    const int64_t most = LOGS_WATCHED ? 200000 : 2000000;
    int64_t next = 1025;
    for (int64_t i = 1; i <= most; i++) {
        coreio__hll_add(&hll, hash_of((uint64_t)i));
        if (i < next)
            continue;
        next += next / 3;
        const int64_t estimate = coreio__hll_estimate(&hll);
        check_context("%lld distinct, estimated %lld", (long long)i, (long long)estimate);
        CHECK(llabs(estimate - i) * 100 <= i * 3);
    }
    coreio__hll_clear(&hll);
}

TEST(parts_merge_to_the_state_of_the_whole)
{
    struct logs_random random = {5};
    static const uint32_t counts[] = {0, 1, 10, 700, 1023, 1024, 1025, 1500, 5000, 30000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        /* Into each of three parts, the first the largest, and into an empty one. */
        for (uint32_t into = 0; into < 4; into++) {
            struct coreio__hll whole = {0};
            struct coreio__hll parts[4] = {{0}, {0}, {0}, {0}};
            for (uint32_t j = 0; j < counts[i]; j++) {
                const uint64_t hash = hash_of(j % 27000);
                coreio__hll_add(&whole, hash);
                coreio__hll_add(&parts[logs_below(&random, 1 + logs_below(&random, 1 + logs_below(&random, 3)))], hash);
            }
            check_context("%u values into part %u", counts[i], into);
            for (uint32_t j = 0; j < 4; j++) {
                if (j != into)
                    CHECK_EQ(coreio__hll_merge(&parts[into], &parts[j]), 0);
            }
            check_same_state(&parts[into], &whole);
            for (int j = 0; j < 4; j++)
                coreio__hll_clear(&parts[j]);
            coreio__hll_clear(&whole);
        }
    }
}

TEST(hash_zero_counts_the_same_early_and_late)
{
    struct coreio__hll early = {0};
    struct coreio__hll late = {0};
    coreio__hll_add(&early, 0);
    CHECK_EQ(coreio__hll_estimate(&early), 1);
    for (uint64_t i = 0; i < 2000; i++) {
        coreio__hll_add(&early, hash_of(i));
        coreio__hll_add(&late, hash_of(i));
    }
    coreio__hll_add(&late, 0);
    check_same_state(&early, &late);
    coreio__hll_clear(&early);
    coreio__hll_clear(&late);
}

TEST(extreme_registers_are_estimated)
{
    struct coreio__hll hll = {0};
    hll.set = (uintptr_t)calloc(1, sizeof(struct coreio__hll_set) + COREIO__HLL_REGISTERS);
    CHECK_EQ(coreio__hll_estimate(&hll), 0);
    memset(coreio__hll_registers(&hll), 1, COREIO__HLL_REGISTERS);
    CHECK(coreio__hll_estimate(&hll) > COREIO__HLL_REGISTERS / 2);
    memset(coreio__hll_registers(&hll), 40, COREIO__HLL_REGISTERS);
    CHECK(coreio__hll_estimate(&hll) > (int64_t)1 << 50);
    coreio__hll_clear(&hll);
}

TEST(a_counter_without_memory_says_so)
{
    int refusals = 0;
    for (int64_t passed = 0;; passed++) {
        struct coreio__hll hll = {0};
        struct coreio__hll other = {0};
        for (uint64_t i = 0; i < 20; i++)
            coreio__hll_add(&other, hash_of(1000 + i));
        int32_t status = 0;
        allocations_refuse_after(passed);
        for (uint64_t i = 0; i < 20 && status == 0; i++)
            status = coreio__hll_add(&hll, hash_of(i));
        if (status == 0)
            status = coreio__hll_merge(&hll, &other);
        const int refused = allocations_refused();
        allocations_refuse_after(-1);
        CHECK_EQ(status, refused ? -ENOMEM : 0);
        refusals += refused;
        coreio__hll_clear(&hll);
        coreio__hll_clear(&other);
        if (!refused)
            break;
    }
    /* Sets of 4 to 64 places for one, and in merging one of 128. */
    CHECK_EQ(refusals, 6);
}
