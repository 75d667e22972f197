/* 64 bytes a step as two vectors of 32: two shuffles look each byte's halves up in the class (Langdale and Lemire,
 * Parsing Gigabytes of JSON per Second, 2019, section 3.2), and comparisons find single bytes. kernel_blocks.h has the
 * loops that make positions and marks of the masks.
 */
#include "kernel_blocks.h"

#if defined(__x86_64__)

#ifndef __AVX2__
#error "kernel_avx2.c needs -mavx2"
#endif

#include <coreio/cpu.h>
#include <immintrin.h>

static inline uint32_t match(__m256i bytes, __m256i low_table, __m256i high_table)
{
    const __m256i half = _mm256_set1_epi8(15);
    const __m256i low = _mm256_shuffle_epi8(low_table, _mm256_and_si256(bytes, half));
    const __m256i high = _mm256_shuffle_epi8(high_table, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half));
    const __m256i miss = _mm256_cmpeq_epi8(_mm256_and_si256(low, high), _mm256_setzero_si256());
    return ~(uint32_t)_mm256_movemask_epi8(miss);
}

static inline uint64_t match64(const uint8_t *text, const struct coreio__class *class)
{
    const __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)class->low));
    const __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)class->high));
    const __m256i first = _mm256_loadu_si256((const __m256i *)(const void *)text);
    const __m256i second = _mm256_loadu_si256((const __m256i *)(const void *)(text + 32));
    return match(first, low, high) | (uint64_t)match(second, low, high) << 32;
}

static inline uint32_t equal(const uint8_t *text, __m256i byte)
{
    const __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)text);
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, byte));
}

static inline uint64_t equal64(const uint8_t *text, char byte)
{
    const __m256i wanted = _mm256_set1_epi8(byte);
    return equal(text, wanted) | (uint64_t)equal(text + 32, wanted) << 32;
}

static size_t index_avx2(const uint8_t *text, size_t length, const struct coreio__class *class, uint32_t *positions)
{
    return coreio__blocks_index(text, length, class, positions, match64);
}

static size_t mark_quoted(
    const uint8_t *text, size_t length, const struct coreio__class *class, uint16_t *positions, uint8_t *bytes)
{
    return coreio__blocks_quoted(text, length, class, positions, bytes, match64, equal64);
}

static size_t mark_bracketed(
    const uint8_t *text, size_t length, const struct coreio__class *class, uint16_t *positions, uint8_t *bytes)
{
    (void)class;
    return coreio__blocks_bracketed(text, length, positions, bytes, equal64);
}

const struct coreio__kernel coreio__kernel_avx2 = {
    .id = COREIO_LOG_KERNEL_AVX2,
    .features = COREIO_CPU_AVX2 | COREIO_CPU_BMI2,
    .name = "avx2",
    .index = index_avx2,
    .mark_quoted = mark_quoted,
    .mark_bracketed = mark_bracketed,
    .cut_quoted = coreio__cut_quoted,
    .cut_bracketed = coreio__cut_bracketed,
};

#endif
