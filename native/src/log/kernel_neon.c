/* 64 bytes a step as four vectors of 16: two table lookups take each byte's halves through the class, pairwise
 * additions fold the four results, one bit kept of each byte, into a mask of 64 bits, and kernel_emit.h writes the
 * positions.
 *
 * A narrowing shift makes a mask of one vector in fewer instructions, with four bits a byte; for four vectors the
 * additions take fewer, and one bit a byte lets one loop write the positions of all 64.
 */
#include "kernel.h"

#if defined(__aarch64__)

#ifndef __ARM_NEON
#error "kernel_neon.c needs Advanced SIMD"
#endif

#include <arm_neon.h>
#include <coreio/cpu.h>
#include <string.h>

#include "kernel_emit.h"
#include "kernel_marks.h"

#define STEP 64

/* All bits of a byte are set where the text is structural. */
static inline uint8x16_t match(const uint8_t *text, uint8x16_t low_table, uint8x16_t high_table)
{
    const uint8x16_t bytes = vld1q_u8(text);
    const uint8x16_t low = vqtbl1q_u8(low_table, vandq_u8(bytes, vdupq_n_u8(15)));
    const uint8x16_t high = vqtbl1q_u8(high_table, vshrq_n_u8(bytes, 4));
    return vtstq_u8(low, high);
}

/* Keeps one bit of each byte of four vectors. */
static inline uint64_t fold(uint8x16_t first, uint8x16_t second, uint8x16_t third, uint8x16_t fourth)
{
    static const uint8_t bits[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t bit = vld1q_u8(bits);
    /* Each addition joins neighbours: after three, a byte holds the bits of eight. */
    const uint8x16_t quarters = vpaddq_u8(
        vpaddq_u8(vandq_u8(first, bit), vandq_u8(second, bit)), vpaddq_u8(vandq_u8(third, bit), vandq_u8(fourth, bit)));
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(quarters, quarters)), 0);
}

static inline uint64_t match64(const uint8_t *text, uint8x16_t low, uint8x16_t high)
{
    return fold(
        match(text, low, high), match(text + 16, low, high), match(text + 32, low, high), match(text + 48, low, high));
}

static inline uint64_t equal64(const uint8_t *text, char byte)
{
    const uint8x16_t wanted = vdupq_n_u8((uint8_t)byte);
    return fold(vceqq_u8(vld1q_u8(text), wanted), vceqq_u8(vld1q_u8(text + 16), wanted),
        vceqq_u8(vld1q_u8(text + 32), wanted), vceqq_u8(vld1q_u8(text + 48), wanted));
}

static size_t index_neon(const uint8_t *text, size_t length, const struct coreio__class *class, uint32_t *positions)
{
    const uint8x16_t low = vld1q_u8(class->low);
    const uint8x16_t high = vld1q_u8(class->high);
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
    const uint8x16_t low = vld1q_u8(class->low);
    const uint8x16_t high = vld1q_u8(class->high);
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

const struct coreio__kernel coreio__kernel_neon = {
    .id = COREIO_LOG_KERNEL_NEON,
    .features = COREIO_CPU_NEON,
    .name = "neon",
    .index = index_neon,
    .mark_quoted = mark_quoted,
    .mark_bracketed = mark_bracketed,
    .cut_quoted = coreio__cut_quoted,
    .cut_bracketed = coreio__cut_bracketed,
};

#endif
