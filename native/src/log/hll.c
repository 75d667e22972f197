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

static int32_t to_registers(struct coreio__hll *hll)
{
    hll->registers = calloc(COREIO__HLL_REGISTERS, 1);
    if (hll->registers == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < hll->capacity; i++) {
        if (hll->hashes[i] != 0)
            set_register(hll->registers, hll->hashes[i]);
    }
    free(hll->hashes);
    hll->hashes = NULL;
    hll->capacity = 0;
    hll->count = 0;
    return 0;
}

static int32_t grow(struct coreio__hll *hll)
{
    const uint32_t capacity = hll->capacity == 0 ? 8 : hll->capacity * 2;
    uint64_t *hashes = calloc(capacity, sizeof *hashes);
    if (hashes == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < hll->capacity; i++) {
        if (hll->hashes[i] == 0)
            continue;
        uint32_t at = (uint32_t)hll->hashes[i] & (capacity - 1);
        while (hashes[at] != 0)
            at = (at + 1) & (capacity - 1);
        hashes[at] = hll->hashes[i];
    }
    free(hll->hashes);
    hll->hashes = hashes;
    hll->capacity = capacity;
    return 0;
}

int32_t coreio__hll_add(struct coreio__hll *hll, uint64_t hash)
{
    if (hash == 0)
        hash = 1; /* 0 marks an empty place; the state must not depend on when it came, so always */
    if (hll->registers != NULL) {
        set_register(hll->registers, hash);
        return 0;
    }
    if (hll->count * 2 >= hll->capacity) {
        const int32_t status = grow(hll);
        if (status < 0)
            return status;
    }
    uint32_t at = (uint32_t)hash & (hll->capacity - 1);
    while (hll->hashes[at] != 0) {
        if (hll->hashes[at] == hash)
            return 0;
        at = (at + 1) & (hll->capacity - 1);
    }
    hll->hashes[at] = hash;
    hll->count++;
    return hll->count > COREIO__HLL_EXACT ? to_registers(hll) : 0;
}

int32_t coreio__hll_merge(struct coreio__hll *hll, const struct coreio__hll *other)
{
    if (other->registers != NULL) {
        if (hll->registers == NULL) {
            const int32_t status = to_registers(hll);
            if (status < 0)
                return status;
        }
        for (int32_t i = 0; i < COREIO__HLL_REGISTERS; i++) {
            if (hll->registers[i] < other->registers[i])
                hll->registers[i] = other->registers[i];
        }
        return 0;
    }
    for (uint32_t i = 0; i < other->capacity; i++) {
        if (other->hashes[i] == 0)
            continue;
        const int32_t status = coreio__hll_add(hll, other->hashes[i]);
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
    if (hll->registers == NULL)
        return hll->count;
    int32_t histogram[RANKS + 2] = {0};
    for (int32_t i = 0; i < COREIO__HLL_REGISTERS; i++)
        histogram[hll->registers[i]]++;
    const double m = COREIO__HLL_REGISTERS;
    double z = m * tau(1.0 - histogram[RANKS + 1] / m);
    for (int32_t k = RANKS; k >= 1; k--)
        z = 0.5 * (z + histogram[k]);
    z = z + m * sigma(histogram[0] / m);
    return (int64_t)(ALPHA * m * m / z + 0.5);
}

void coreio__hll_clear(struct coreio__hll *hll)
{
    free(hll->hashes);
    free(hll->registers);
    memset(hll, 0, sizeof *hll);
}
