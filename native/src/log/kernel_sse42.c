/* 64 bytes a step as four vectors of 16: two shuffles look each byte's halves up in the class, a mask of 64 bits says
 * which are structural, and kernel_emit.h writes their positions.
 *
 * POPCNT belongs to the set: no CPU has SSE4.2 without it.
 */
#include "kernel.h"

#if defined(__x86_64__)

#if !defined(__SSE4_2__) || !defined(__POPCNT__)
#error "kernel_sse42.c needs -msse4.2 -mpopcnt"
#endif

#include <coreio/cpu.h>
#include <nmmintrin.h>
#include <string.h>

#include "kernel_emit.h"
#include "kernel_marks.h"

#define STEP 64

static inline uint64_t match(const uint8_t *text, __m128i low_table, __m128i high_table)
{
    const __m128i half = _mm_set1_epi8(15);
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
    const __m128i low = _mm_shuffle_epi8(low_table, _mm_and_si128(bytes, half));
    const __m128i high = _mm_shuffle_epi8(high_table, _mm_and_si128(_mm_srli_epi16(bytes, 4), half));
    const __m128i miss = _mm_cmpeq_epi8(_mm_and_si128(low, high), _mm_setzero_si128());
    return (uint64_t)(uint32_t)_mm_movemask_epi8(miss);
}

static inline uint64_t match64(const uint8_t *text, __m128i low, __m128i high)
{
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

static size_t index_sse42(const uint8_t *text, size_t length, const struct coreio__class *class, uint32_t *positions)
{
    const __m128i low = _mm_loadu_si128((const __m128i *)(const void *)class->low);
    const __m128i high = _mm_loadu_si128((const __m128i *)(const void *)class->high);
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
    const __m128i low = _mm_loadu_si128((const __m128i *)(const void *)class->low);
    const __m128i high = _mm_loadu_si128((const __m128i *)(const void *)class->high);
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
