/* Lists the kernels of this build and picks one. */
#include "kernel.h"

#include <errno.h>
#include <string.h>

#include "cpu/cpu.h"

/* The slowest first. */
static const struct coreio__kernel *const kernels[] = {
    &coreio__kernel_scalar,
#if defined(__x86_64__)
    &coreio__kernel_sse42,
    &coreio__kernel_avx2,
    &coreio__kernel_avx512,
#elif defined(__aarch64__)
    &coreio__kernel_neon,
#endif
};

#define KERNEL_COUNT ((int32_t)(sizeof kernels / sizeof kernels[0]))

#define NUMBER(byte, bit)                                                                                              \
    ((byte) >> (bit)&1 ? (uint64_t)(bit) << 8 * __builtin_popcount((byte) & ((1u << (bit)) - 1)) : 0)
#define NUMBERS(byte)                                                                                                  \
    (NUMBER(byte, 0) | NUMBER(byte, 1) | NUMBER(byte, 2) | NUMBER(byte, 3) | NUMBER(byte, 4) | NUMBER(byte, 5) |       \
        NUMBER(byte, 6) | NUMBER(byte, 7))
#define FOUR(byte) NUMBERS(byte), NUMBERS((byte) + 1), NUMBERS((byte) + 2), NUMBERS((byte) + 3)
#define SIXTEEN(byte) FOUR(byte), FOUR((byte) + 4), FOUR((byte) + 8), FOUR((byte) + 12)
#define QUARTER(byte) SIXTEEN(byte), SIXTEEN((byte) + 16), SIXTEEN((byte) + 32), SIXTEEN((byte) + 48)

const uint64_t coreio__bit_numbers[256] = {QUARTER(0u), QUARTER(64u), QUARTER(128u), QUARTER(192u)};

static int32_t supported(const struct coreio__kernel *kernel)
{
    return (kernel->features & ~coreio__cpu_features()) == 0;
}

void coreio__class_add(struct coreio__class *class, uint8_t byte)
{
    /* Halves 8 to 15 share their bits with 0 to 7: exact for ASCII, a superset where both are used. */
    const uint8_t bit = (uint8_t)(1u << ((byte >> 4) & 7));
    class->low[byte & 15] |= bit;
    class->high[byte >> 4] |= bit;
    uint8_t *only = &class->only[byte & 15];
    if (*only != 0 && *only != (byte ^ 0x80))
        class->shared = 1;
    *only = byte ^ 0x80;
}

const struct coreio__kernel *coreio__kernel_get(int32_t id)
{
    for (int32_t i = KERNEL_COUNT - 1; i >= 0; i--) {
        if (supported(kernels[i]) && (id == COREIO_LOG_KERNEL_AUTO || id == kernels[i]->id))
            return kernels[i];
    }
    return NULL;
}

int32_t coreio_log_kernels(struct coreio_log_kernel_info *infos, int32_t capacity)
{
    if (capacity < 0 || (infos == NULL && capacity > 0))
        return -EINVAL;
    for (int32_t i = 0; i < KERNEL_COUNT && i < capacity; i++) {
        memset(&infos[i], 0, sizeof infos[i]);
        infos[i].id = kernels[i]->id;
        infos[i].supported = supported(kernels[i]);
        memcpy(infos[i].name, kernels[i]->name, strlen(kernels[i]->name));
    }
    return KERNEL_COUNT;
}
