/* 64 bytes a step: two shuffles look each byte's halves up in the class, a mask of 64 bits says which are
 * structural, and kernel_emit.h writes their positions (Langdale and Lemire, Parsing Gigabytes of JSON per Second,
 * 2019, section 3.2).
 */
#include "kernel.h"

#if defined(__x86_64__)

#ifndef __AVX2__
#error "kernel_avx2.c needs -mavx2"
#endif

#include <coreio/cpu.h>
#include <immintrin.h>
#include <string.h>

#include "kernel_emit.h"
#include "kernel_marks.h"

#define STEP 64

static inline uint32_t match(__m256i bytes, __m256i low_table, __m256i high_table)
{
    const __m256i half = _mm256_set1_epi8(15);
    const __m256i low = _mm256_shuffle_epi8(low_table, _mm256_and_si256(bytes, half));
    const __m256i high = _mm256_shuffle_epi8(high_table, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half));
    const __m256i miss = _mm256_cmpeq_epi8(_mm256_and_si256(low, high), _mm256_setzero_si256());
    return ~(uint32_t)_mm256_movemask_epi8(miss);
}

static inline uint64_t match64(const uint8_t *text, __m256i low, __m256i high)
{
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
    const __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)class->low));
    const __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)class->high));
    uint32_t *end = positions;
    size_t at = 0;
    for (; at + STEP <= length; at += STEP)
        end = coreio__emit(end, (uint32_t)at, match64(text + at, low, high));
    if (at < length) {
        uint8_t tail[STEP] = {0};
        memcpy(tail, text + at, length - at);
        const uint64_t inside = ((uint64_t)1 << (length - at)) - 1;
        end = coreio__emit(end, (uint32_t)at, match64(tail, low, high) & inside);
    }
    return (size_t)(end - positions);
}

static size_t mark_quoted(
    const uint8_t *text, size_t length, const struct coreio__class *class, uint16_t *positions, uint8_t *bytes)
{
    const __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)class->low));
    const __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)class->high));
    struct coreio__quotes state = {0, 0};
    size_t count = 0;
    for (size_t at = 0; at < length; at += STEP) {
        uint8_t tail[STEP];
        uint64_t within;
        const uint8_t *block = coreio__marks_block(text, length, at, tail, &within);
        const uint64_t backslashes = equal64(block, '\\') & within;
        uint64_t quotes = equal64(block, '"') & within;
        if ((backslashes | state.escaped) != 0)
            quotes &= ~coreio__marks_escaped(&state, backslashes);
        const uint64_t marks = coreio__marks_quoted(&state, quotes, coreio__marks_prefix(quotes),
            equal64(block, '\n') & within, match64(block, low, high) & within);
        count += coreio__marks_write(block, (uint32_t)at, marks, positions + count, bytes + count);
    }
    return count;
}

static size_t mark_bracketed(
    const uint8_t *text, size_t length, const struct coreio__class *class, uint16_t *positions, uint8_t *bytes)
{
    (void)class;
    struct coreio__brackets state = {0, 0, 0, 1};
    size_t count = 0;
    for (size_t at = 0; at < length; at += STEP) {
        uint8_t tail[STEP];
        uint64_t within;
        const uint8_t *block = coreio__marks_block(text, length, at, tail, &within);
        const uint64_t marks =
            coreio__marks_bracketed(&state, equal64(block, '[') & within, equal64(block, ']') & within,
                equal64(block, ' ') & within, equal64(block, '\n') & within, equal64(block, '\\') & within);
        count += coreio__marks_write(block, (uint32_t)at, marks, positions + count, bytes + count);
    }
    return count;
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
