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

/* log2 of the places of the first set: two hashes half fill it. */
#define FIRST_BITS 2

/* A set's address has room for the log2 of its places. */
_Static_assert(_Alignof(max_align_t) >= 16, "malloc aligns to 16 bytes");

#define RANKS (64 - COREIO__HLL_BITS)

/* 1 / (2 ln 2), the limit of the bias correction for many registers. */
#define ALPHA 0.72134752044448170368

/* The place of a hash, or the empty one where it belongs. */
static uint64_t *find(const struct coreio__hll *hll, uint64_t hash)
{
    uint64_t *hashes = coreio__hll_set(hll)->hashes;
    const uint32_t mask = coreio__hll_capacity(hll) - 1;
    uint32_t at = (uint32_t)hash & mask;
    while (hashes[at] != 0 && hashes[at] != hash)
        at = (at + 1) & mask;
    return &hashes[at];
}

/* Adds a hash to registers, or to a set that has room for it and does not have it. */
static void add_new(struct coreio__hll *hll, uint64_t hash)
{
    if (coreio__hll_registers(hll) != NULL) {
        coreio__hll_register(coreio__hll_registers(hll), hash);
        return;
    }
    *find(hll, hash) = hash;
    coreio__hll_set(hll)->count++;
}

/* Puts another set in place of the one there is, with the same hashes: one of 2^bits places, or registers for 0.
 * Returns 0 or -ENOMEM. */
static int32_t change_set(struct coreio__hll *hll, uint32_t bits)
{
    const size_t bytes = bits == 0 ? COREIO__HLL_REGISTERS : sizeof(uint64_t) << bits;
    struct coreio__hll_set *set = calloc(1, sizeof *set + bytes);
    if (set == NULL)
        return -ENOMEM;
    const struct coreio__hll before = *hll;
    hll->set = (uintptr_t)set | bits;
    if (before.set == 0 && before.last != 0)
        add_new(hll, before.last);
    for (uint32_t i = 0; i < coreio__hll_capacity(&before); i++) {
        if (coreio__hll_set(&before)->hashes[i] != 0)
            add_new(hll, coreio__hll_set(&before)->hashes[i]);
    }
    free(coreio__hll_set(&before));
    return 0;
}

/* Adds a hash that is not the last one. */
static int32_t add(struct coreio__hll *hll, uint64_t hash)
{
    if (hll->set == 0 && hll->last == 0)
        return 0;
    if (coreio__hll_registers(hll) != NULL) {
        add_new(hll, hash);
        return 0;
    }
    if (hll->set == 0) {
        const int32_t status = change_set(hll, FIRST_BITS);
        if (status < 0)
            return status;
    }
    uint64_t *place = find(hll, hash);
    if (*place == hash)
        return 0;
    struct coreio__hll_set *set = coreio__hll_set(hll);
    if (set->count == COREIO__HLL_EXACT || set->count * 2 == coreio__hll_capacity(hll)) {
        const int32_t status = change_set(hll, set->count == COREIO__HLL_EXACT ? 0 : (hll->set & 15) + 1);
        if (status == 0)
            add_new(hll, hash);
        return status;
    }
    *place = hash;
    set->count++;
    return 0;
}

int32_t coreio__hll_add(struct coreio__hll *hll, uint64_t hash)
{
    hash = coreio__hll_counted(hash);
    if (hll->last == hash)
        return 0;
    const int32_t status = add(hll, hash);
    if (status == 0)
        hll->last = hash;
    return status;
}

/* How much a counter has room for. */
static uint32_t room_of(const struct coreio__hll *hll)
{
    return coreio__hll_registers(hll) != NULL ? UINT32_MAX : coreio__hll_capacity(hll);
}

int32_t coreio__hll_merge(struct coreio__hll *hll, struct coreio__hll *other)
{
    /* The larger set stays, so little is added, and seldom grows. */
    if (room_of(other) > room_of(hll)) {
        const struct coreio__hll larger = *other;
        *other = *hll;
        *hll = larger;
    }
    const uint8_t *others = coreio__hll_registers(other);
    if (others != NULL) {
        uint8_t *registers = coreio__hll_registers(hll);
        for (int32_t i = 0; i < COREIO__HLL_REGISTERS; i++) {
            if (registers[i] < others[i])
                registers[i] = others[i];
        }
        hll->last = other->last;
        return 0;
    }
    if (other->set == 0)
        return other->last == 0 ? 0 : coreio__hll_add(hll, other->last);
    for (uint32_t i = 0; i < coreio__hll_capacity(other); i++) {
        if (coreio__hll_set(other)->hashes[i] == 0)
            continue;
        const int32_t status = coreio__hll_add(hll, coreio__hll_set(other)->hashes[i]);
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
        return hll->set != 0 ? (int64_t)coreio__hll_set(hll)->count : hll->last != 0;
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
    free(coreio__hll_set(hll));
    memset(hll, 0, sizeof *hll);
}
