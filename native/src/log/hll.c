/* HyperLogLog; see hll.h for what it promises.
 *
 * The estimator is the only floating-point arithmetic of the library. It uses +, -, *, / and sqrt, which
 * IEEE 754 rounds one way only, in a fixed order, and the build forbids contraction to fused operations, so
 * the result is the same in C and C#.
 */
#include "hll.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Places of the first set: two hashes half fill it. */
#define FIRST_CAPACITY 4

#define RANKS (64 - COREIO__HLL_BITS)

/* 1 / (2 ln 2), the limit of the bias correction for many registers. */
#define ALPHA 0.72134752044448170368

static void set_register(uint8_t *registers, uint64_t hash)
{
    const uint64_t index = hash >> RANKS;
    /* The guard bit bounds the rank when the rest of the hash is zero. */
    const uint64_t rest = hash << COREIO__HLL_BITS | (uint64_t)1 << (COREIO__HLL_BITS - 1);
    const uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
    if (registers[index] < rank)
        registers[index] = rank;
}

/* An empty set: of `capacity` hashes, or of registers for 0. NULL without memory. */
static struct coreio__hll_set *make_set(uint32_t capacity)
{
    const size_t bytes = capacity == 0 ? COREIO__HLL_REGISTERS : capacity * sizeof(uint64_t);
    struct coreio__hll_set *set = calloc(1, sizeof *set + bytes);
    if (set != NULL)
        set->capacity = capacity;
    return set;
}

static void place(struct coreio__hll_set *set, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (set->capacity - 1);
    while (set->hashes[at] != 0) {
        if (set->hashes[at] == hash)
            return;
        at = (at + 1) & (set->capacity - 1);
    }
    set->hashes[at] = hash;
    set->count++;
}

/* Puts another set in place of the one there is, with the same hashes. Returns 0 or -ENOMEM. */
static int32_t change_set(struct coreio__hll *hll, uint32_t capacity)
{
    struct coreio__hll_set *before = hll->set;
    struct coreio__hll_set *set = make_set(capacity);
    if (set == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; before != NULL && i < before->capacity; i++) {
        if (before->hashes[i] == 0)
            continue;
        if (capacity == 0)
            set_register((uint8_t *)set->hashes, before->hashes[i]);
        else
            place(set, before->hashes[i]);
    }
    if (before == NULL && hll->last != 0) {
        if (capacity == 0)
            set_register((uint8_t *)set->hashes, hll->last);
        else
            place(set, hll->last);
    }
    free(before);
    hll->set = set;
    return 0;
}

/* Adds a hash that is not the last one. */
static int32_t add(struct coreio__hll *hll, uint64_t hash)
{
    if (hll->set == NULL && hll->last == 0)
        return 0;
    if (hll->set == NULL) {
        const int32_t status = change_set(hll, FIRST_CAPACITY);
        if (status < 0)
            return status;
    }
    if (hll->set->capacity == 0) {
        set_register((uint8_t *)hll->set->hashes, hash);
        return 0;
    }
    if (hll->set->count * 2 >= hll->set->capacity) {
        const int32_t status = change_set(hll, hll->set->capacity * 2);
        if (status < 0)
            return status;
    }
    place(hll->set, hash);
    return hll->set->count > COREIO__HLL_EXACT ? change_set(hll, 0) : 0;
}

int32_t coreio__hll_add(struct coreio__hll *hll, uint64_t hash)
{
    if (hash == 0)
        hash = 1; /* 0 marks an empty place; the state must not depend on when it came, so always */
    if (hll->last == hash)
        return 0;
    const int32_t status = add(hll, hash);
    if (status == 0)
        hll->last = hash;
    return status;
}

int32_t coreio__hll_merge(struct coreio__hll *hll, const struct coreio__hll *other)
{
    const uint8_t *others = coreio__hll_registers(other);
    if (others != NULL) {
        if (coreio__hll_registers(hll) == NULL) {
            const int32_t status = change_set(hll, 0);
            if (status < 0)
                return status;
        }
        uint8_t *registers = coreio__hll_registers(hll);
        for (int32_t i = 0; i < COREIO__HLL_REGISTERS; i++) {
            if (registers[i] < others[i])
                registers[i] = others[i];
        }
        hll->last = other->last;
        return 0;
    }
    if (other->set == NULL)
        return other->last == 0 ? 0 : coreio__hll_add(hll, other->last);
    for (uint32_t i = 0; i < other->set->capacity; i++) {
        if (other->set->hashes[i] == 0)
            continue;
        const int32_t status = coreio__hll_add(hll, other->set->hashes[i]);
        if (status < 0)
            return status;
    }
    return 0;
}

/* Ertl's sigma and tau: what registers at the two ends of the scale would have added. */
static double sigma(double x)
{
    if (x == 1.0)
        return INFINITY;
    double y = 1.0;
    double z = x;
    double before;
    do {
        x = x * x;
        before = z;
        z = z + x * y;
        y = y + y;
    } while (z != before);
    return z;
}

static double tau(double x)
{
    if (x == 0.0 || x == 1.0)
        return 0.0;
    double y = 1.0;
    double z = 1.0 - x;
    double before;
    do {
        x = sqrt(x);
        before = z;
        y = 0.5 * y;
        const double rest = 1.0 - x;
        z = z - rest * rest * y;
    } while (z != before);
    return z / 3.0;
}

int64_t coreio__hll_estimate(const struct coreio__hll *hll)
{
    const uint8_t *registers = coreio__hll_registers(hll);
    if (registers == NULL)
        return hll->set != NULL ? hll->set->count : hll->last != 0;
    int32_t histogram[RANKS + 2] = {0};
    for (int32_t i = 0; i < COREIO__HLL_REGISTERS; i++)
        histogram[registers[i]]++;
    const double m = COREIO__HLL_REGISTERS;
    double z = m * tau(1.0 - histogram[RANKS + 1] / m);
    for (int32_t k = RANKS; k >= 1; k--)
        z = 0.5 * (z + histogram[k]);
    z = z + m * sigma(histogram[0] / m);
    return (int64_t)(ALPHA * m * m / z + 0.5);
}

void coreio__hll_clear(struct coreio__hll *hll)
{
    free(hll->set);
    memset(hll, 0, sizeof *hll);
}
