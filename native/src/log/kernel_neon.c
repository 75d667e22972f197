/* 64 bytes a step as four vectors of 16: two table lookups take each byte's halves through the class, and comparisons
 * find single bytes; pairwise additions fold the four results, one bit kept of each byte, into a mask of 64 bits, and
 * kernel_blocks.h has the loops.
 *
 * A narrowing shift makes a mask of one vector in fewer instructions, with four bits a byte; for four vectors the
 * additions take fewer, and one bit a byte lets one loop write the positions of all 64.
 */
#include "kernel_blocks.h"

#if defined(__aarch64__)

#ifndef __ARM_NEON
#error "kernel_neon.c needs Advanced SIMD"
#endif

#include <arm_neon.h>
#include <coreio/cpu.h>

#include "kernel_emit.h"

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

static inline uint64_t match64(const uint8_t *text, const struct coreio__class *class)
{
    const uint8x16_t low = vld1q_u8(class->low);
    const uint8x16_t high = vld1q_u8(class->high);
    return fold(
        match(text, low, high), match(text + 16, low, high), match(text + 32, low, high), match(text + 48, low, high));
}

static inline uint64_t equal64(const uint8_t *text, char byte)
{
    const uint8x16_t wanted = vdupq_n_u8((uint8_t)byte);
    return fold(vceqq_u8(vld1q_u8(text), wanted), vceqq_u8(vld1q_u8(text + 16), wanted),
        vceqq_u8(vld1q_u8(text + 32), wanted), vceqq_u8(vld1q_u8(text + 48), wanted));
}

static inline uint64_t quoted(struct coreio__quotes *state, const uint8_t *block, const struct coreio__class *class)
{
    return coreio__blocks_quotes(state, block, class, match64, equal64);
}

static inline uint64_t bracketed(struct coreio__brackets *state, const uint8_t *block)
{
    return coreio__blocks_brackets(state, block, equal64);
}

static size_t index_neon(const uint8_t *text, size_t length, const struct coreio__class *class, uint32_t *positions)
{
    return coreio__blocks_index(text, length, class, positions, match64, coreio__emit);
}

static size_t mark_quoted(
    const uint8_t *text, size_t length, const struct coreio__class *class, uint16_t *positions, uint8_t *bytes)
{
    return coreio__blocks_quoted(text, length, class, positions, bytes, quoted, coreio__emit_marks);
}

static size_t mark_bracketed(
    const uint8_t *text, size_t length, const struct coreio__class *class, uint16_t *positions, uint8_t *bytes)
{
    (void)class;
    return coreio__blocks_bracketed(text, length, positions, bytes, bracketed, coreio__emit_marks);
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
