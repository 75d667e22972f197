/* 64 bytes a step: one lookup of each byte's halves tests the whole vector into a mask register, and the positions of
 * its set bits are compressed in one instruction (VBMI2) and widened to 32 bits sixteen at a time.
 *
 * The compressed bytes are stored from a register: compressing straight to memory is slow on several CPUs.
 */
#include "kernel.h"

#if defined(__x86_64__)

#if !defined(__AVX512BW__) || !defined(__AVX512VBMI2__)
#error "kernel_avx512.c needs -mavx512bw -mavx512vl -mavx512vbmi2"
#endif

#include <coreio/cpu.h>
#include <immintrin.h>

#define STEP 64

/* Widens sixteen of the compressed byte numbers to positions. */
static inline void widen(uint32_t *to, __m128i numbers, __m512i base)
{
    _mm512_storeu_si512(to, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(numbers)));
}

static inline uint32_t *emit(uint32_t *positions, uint32_t at, uint64_t mask, __m512i numbers)
{
    const int count = __builtin_popcountll(mask);
    const __m512i hits = _mm512_maskz_compress_epi8(mask, numbers);
    const __m512i base = _mm512_set1_epi32((int)at);
    widen(positions, _mm512_castsi512_si128(hits), base);
    if (count > 16) {
        widen(positions + 16, _mm512_extracti32x4_epi32(hits, 1), base);
        if (count > 32) {
            widen(positions + 32, _mm512_extracti32x4_epi32(hits, 2), base);
            widen(positions + 48, _mm512_extracti32x4_epi32(hits, 3), base);
        }
    }
    return positions + count;
}

static inline uint64_t match(__m512i bytes, __m512i low_table, __m512i high_table)
{
    const __m512i half = _mm512_set1_epi8(15);
    const __m512i low = _mm512_shuffle_epi8(low_table, _mm512_and_si512(bytes, half));
    const __m512i high = _mm512_shuffle_epi8(high_table, _mm512_and_si512(_mm512_srli_epi16(bytes, 4), half));
    return _mm512_test_epi8_mask(low, high);
}

static size_t index_avx512(const uint8_t *text, size_t length, const struct coreio__class *class, uint32_t *positions)
{
    const __m512i low = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)class->low));
    const __m512i high = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)class->high));
    const __m512i numbers = _mm512_set_epi8(63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45,
        44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17,
        16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    uint32_t *end = positions;
    size_t at = 0;
    for (; at + STEP <= length; at += STEP)
        end = emit(end, (uint32_t)at, match(_mm512_loadu_si512(text + at), low, high), numbers);
    if (at < length) {
        const __mmask64 inside = ((uint64_t)1 << (length - at)) - 1;
        /* A masked load does not touch the bytes it leaves out. */
        const __m512i tail = _mm512_maskz_loadu_epi8(inside, text + at);
        end = emit(end, (uint32_t)at, match(tail, low, high) & inside, numbers);
    }
    return (size_t)(end - positions);
}

const struct coreio__kernel coreio__kernel_avx512 = {
    .id = COREIO_LOG_KERNEL_AVX512,
    .features = COREIO_CPU_AVX512BW | COREIO_CPU_AVX512VBMI2 | COREIO_CPU_BMI2,
    .name = "avx512",
    .index = index_avx512,
};

#endif
