/* Instruction sets of this machine, as the CPU tells and the operating system permits.
 *
 * A set whose registers the kernel does not save is not reported: XGETBV says which are saved. The answer is a
 * function of the machine, so it is computed without a lock; threads that race compute the same value.
 */
#include "cpu/cpu.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define ALL_FEATURES                                                                                                   \
    (COREIO_CPU_SSE2 | COREIO_CPU_SSE42 | COREIO_CPU_PCLMUL | COREIO_CPU_AVX2 | COREIO_CPU_BMI2 |                      \
        COREIO_CPU_AVX512BW | COREIO_CPU_AVX512VBMI2 | COREIO_CPU_NEON)

/* Eight bits that differ from each other make the eight lowest. */
_Static_assert(ALL_FEATURES == 0xffu, "every feature has a bit of its own");

/* Marks a cached value as known; no feature uses the bit. */
#define KNOWN (UINT64_C(1) << 63)

#if defined(__x86_64__)

/* Register states in XCR0: SSE and AVX halves, and the three that AVX-512 adds. */
#define XCR0_AVX 0x06u
#define XCR0_AVX512 0xe6u

static uint32_t saved_registers(void)
{
    uint32_t low;
    uint32_t high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    (void)high;
    return low;
}

static uint64_t detect(void)
{
    uint64_t features = 0;
    uint32_t eax;
    uint32_t ebx;
    uint32_t ecx;
    uint32_t edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) {
        return 0;
    }
    if (edx & (1u << 26)) {
        features |= COREIO_CPU_SSE2;
    }
    /* Kernels of this set count bits, too; a hypervisor may hide the one without the other. */
    if ((ecx & (1u << 20)) && (ecx & (1u << 23))) {
        features |= COREIO_CPU_SSE42;
    }
    if (ecx & (1u << 1)) {
        features |= COREIO_CPU_PCLMUL;
    }

    /* XGETBV itself is there only when the operating system says that it saves extended registers. */
    const uint32_t saved = (ecx & (1u << 27)) ? saved_registers() : 0;
    const int avx = (ecx & (1u << 28)) && (saved & XCR0_AVX) == XCR0_AVX;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) {
        return features;
    }
    if (avx && (ebx & (1u << 5))) {
        features |= COREIO_CPU_AVX2;
    }
    /* BMI1 and BMI2 work on general registers, which are always saved. The kernels use both under one bit; no
     * CPU has the second without the first. */
    const uint32_t bmi = (1u << 3) | (1u << 8);
    if ((ebx & bmi) == bmi) {
        features |= COREIO_CPU_BMI2;
    }
    /* F, BW and VL come as one feature: the kernels use byte masks on any width. */
    const uint32_t avx512 = (1u << 16) | (1u << 30) | (1u << 31);
    if (avx && (saved & XCR0_AVX512) == XCR0_AVX512 && (ebx & avx512) == avx512) {
        features |= COREIO_CPU_AVX512BW;
        /* VBMI and VBMI2: no CPU has the second without the first, but a hypervisor may hide one. */
        const uint32_t vbmi = (1u << 1) | (1u << 6);
        if ((ecx & vbmi) == vbmi) {
            features |= COREIO_CPU_AVX512VBMI2;
        }
    }
    return features;
}

#elif defined(__aarch64__)

static uint64_t detect(void)
{
    /* Advanced SIMD is part of the base instruction set of Linux on aarch64. */
    return COREIO_CPU_NEON;
}

#else

static uint64_t detect(void)
{
    return 0;
}

#endif

uint64_t coreio__cpu_features(void)
{
    static _Atomic uint64_t cache;
    uint64_t features = atomic_load_explicit(&cache, memory_order_relaxed);
    if (features == 0) {
        features = detect() | KNOWN;
        atomic_store_explicit(&cache, features, memory_order_relaxed);
    }
    return features & ~KNOWN;
}

int32_t coreio_cpu_features(uint64_t *features)
{
    if (features == NULL) {
        return -EINVAL;
    }
    *features = coreio__cpu_features();
    return COREIO_OK;
}
