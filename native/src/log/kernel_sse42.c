/* 64 bytes a step as four vectors of 16: two shuffles look each byte's halves up in the class, comparisons find single
 * bytes, kernel_blocks.h has the loops, and kernel_table.h makes positions of the masks.
 *
 * POPCNT belongs to the set: no CPU has SSE4.2 without it.
 */
#include "kernel_blocks.h"

#if defined(__x86_64__)

#if !defined(__SSE4_2__) || !defined(__POPCNT__)
#error "kernel_sse42.c needs -msse4.2 -mpopcnt"
#endif

#include <coreio/cpu.h>
#include <nmmintrin.h>

#include "kernel_table.h"

static inline uint64_t match(const uint8_t *text, __m128i low_table, __m128i high_table)
{
    const __m128i half = _mm_set1_epi8(15);
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
    const __m128i low = _mm_shuffle_epi8(low_table, _mm_and_si128(bytes, half));
    const __m128i high = _mm_shuffle_epi8(high_table, _mm_and_si128(_mm_srli_epi16(bytes, 4), half));
    const __m128i miss = _mm_cmpeq_epi8(_mm_and_si128(low, high), _mm_setzero_si128());
    return (uint64_t)(uint32_t)_mm_movemask_epi8(miss);
}

static inline uint64_t match64(const uint8_t *text, const struct coreio__class *class)
{
    const __m128i low = _mm_loadu_si128((const __m128i *)(const void *)class->low);
    const __m128i high = _mm_loadu_si128((const __m128i *)(const void *)class->high);
    const uint64_t lower = match(text, low, high) | match(text + 16, low, high) << 16;
    const uint64_t upper = match(text + 32, low, high) | match(text + 48, low, high) << 16;
    return ~(lower | upper << 32);
}

static inline uint64_t equal(const uint8_t *text, __m128i byte)
{
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
    return (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, byte));
}

static inline uint64_t equal64(const uint8_t *text, char byte)
{
    const __m128i wanted = _mm_set1_epi8(byte);
    const uint64_t lower = equal(text, wanted) | equal(text + 16, wanted) << 16;
    const uint64_t upper = equal(text + 32, wanted) | equal(text + 48, wanted) << 16;
    return lower | upper << 32;
}

/* Writes the positions of a mask; eight at a time are two vectors. */
static inline uint32_t emit(uint32_t *positions, uint32_t at, uint64_t mask)
{
    __m128i base = _mm_set1_epi32((int)at);
    __m128i eight = _mm_set1_epi32(8);
    COREIO__OPAQUE(eight);
#pragma GCC unroll 8
    for (int32_t i = 0; i < 8; i++) {
        const uint32_t byte = mask >> 8 * i & 0xFF;
        const __m128i numbers = coreio__table_numbers(byte);
        const __m128i upper = _mm_cvtepu8_epi32(_mm_srli_si128(numbers, 4));
        __m128i *to = (__m128i *)(void *)positions;
        _mm_storeu_si128(to, _mm_add_epi32(_mm_cvtepu8_epi32(numbers), base));
        _mm_storeu_si128(to + 1, _mm_add_epi32(upper, base));
        base = _mm_add_epi32(base, eight);
        positions += __builtin_popcount(byte);
    }
    return (uint32_t)__builtin_popcountll(mask);
}

static inline uint64_t quoted(struct coreio__quotes *state, const uint8_t *block, const struct coreio__class *class)
{
    return coreio__blocks_quotes(state, block, class, match64, equal64);
}

static inline uint64_t bracketed(struct coreio__brackets *state, const uint8_t *block)
{
    return coreio__blocks_brackets(state, block, equal64);
}

static size_t index_sse42(const uint8_t *text, size_t length, const struct coreio__class *class, uint32_t *positions)
{
    return coreio__blocks_index(text, length, class, positions, match64, emit);
}

static size_t mark_quoted(
    const uint8_t *text, size_t length, const struct coreio__class *class, uint16_t *positions, uint8_t *bytes)
{
    return coreio__blocks_quoted(text, length, class, positions, bytes, quoted, coreio__table_write);
}

static size_t mark_bracketed(
    const uint8_t *text, size_t length, const struct coreio__class *class, uint16_t *positions, uint8_t *bytes)
{
    (void)class;
    return coreio__blocks_bracketed(text, length, positions, bytes, bracketed, coreio__table_write);
}

const struct coreio__kernel coreio__kernel_sse42 = {
    .id = COREIO_LOG_KERNEL_SSE42,
    .features = COREIO_CPU_SSE42,
    .name = "sse42",
    .index = index_sse42,
    .mark_quoted = mark_quoted,
    .mark_bracketed = mark_bracketed,
    .cut_quoted = coreio__cut_quoted,
    .cut_bracketed = coreio__cut_bracketed,
};

#endif
