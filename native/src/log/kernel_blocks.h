/* The loops of kernels that test 64 bytes at a time into a mask, but have no instruction to write what its bits say.
 *
 * A kernel gives what it tests a block for, and how it writes a mask; each loop is compiled into it anew, so these are
 * no calls.
 */
#ifndef COREIO_LOG_KERNEL_BLOCKS_H
#define COREIO_LOG_KERNEL_BLOCKS_H

#include <string.h>

#include "kernel.h"
#include "kernel_marks.h"

#define COREIO__BLOCK 64
#define COREIO__BLOCK_LOOP static inline __attribute__((always_inline)) size_t

/* Which of 64 bytes are of a class. */
typedef uint64_t coreio__block_match(const uint8_t *block, const struct coreio__class *class);

/* Which of 64 bytes are this one. */
typedef uint64_t coreio__block_equal(const uint8_t *block, char byte);

/* Which of 64 bytes are marks; what follows the text is zero. */
typedef uint64_t coreio__block_quoted(
    struct coreio__quotes *state, const uint8_t *block, const struct coreio__class *class);
typedef uint64_t coreio__block_bracketed(struct coreio__brackets *state, const uint8_t *block);

/* Writes `at` plus the number of each bit, in order, and may write more behind them; returns how many bits there are.
 */
typedef uint32_t coreio__block_emit(uint32_t *positions, uint32_t at, uint64_t mask);
typedef uint32_t coreio__block_write(uint16_t *positions, uint32_t at, uint64_t mask);

/* The 64 bytes of a block: those of the text, or a copy in `tail` where the text ends in it. `within` are the bits of
 * the text. */
static inline const uint8_t *coreio__block(
    const uint8_t *text, size_t length, size_t at, uint8_t *tail, uint64_t *within)
{
    *within = UINT64_MAX;
    if (length - at >= COREIO__BLOCK)
        return text + at;
    memset(tail, 0, COREIO__BLOCK);
    memcpy(tail, text + at, length - at);
    *within = ((uint64_t)1 << (length - at)) - 1;
    return tail;
}

/* Writes the byte of each mark: four at a time, for they are stored at once. */
static inline void coreio__blocks_bytes(const uint8_t *text, const uint16_t *positions, size_t count, uint8_t *bytes)
{
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const uint32_t lower = text[positions[i]] | (uint32_t)text[positions[i + 1]] << 8;
        const uint32_t four = lower | (uint32_t)text[positions[i + 2]] << 16 | (uint32_t)text[positions[i + 3]] << 24;
        memcpy(bytes + i, &four, sizeof four);
    }
    for (; i < count; i++)
        bytes[i] = text[positions[i]];
}

/* What is written cannot change a copy of the class, so its tables stay in registers. */
COREIO__BLOCK_LOOP coreio__blocks_index(const uint8_t *text, size_t length, const struct coreio__class *class,
    uint32_t *positions, coreio__block_match *match, coreio__block_emit *emit)
{
    const struct coreio__class own = *class;
    size_t count = 0;
    for (size_t at = 0; at < length; at += COREIO__BLOCK) {
        uint8_t tail[COREIO__BLOCK];
        uint64_t within;
        const uint8_t *block = coreio__block(text, length, at, tail, &within);
        count += emit(positions + count, (uint32_t)at, match(block, &own) & within);
    }
    return count;
}

COREIO__BLOCK_LOOP coreio__blocks_quoted(const uint8_t *text, size_t length, const struct coreio__class *class,
    uint16_t *positions, uint8_t *bytes, coreio__block_quoted *quoted, coreio__block_write *write)
{
    const struct coreio__class own = *class;
    struct coreio__quotes state = {0, 0};
    size_t count = 0;
    for (size_t at = 0; at < length; at += COREIO__BLOCK) {
        uint8_t tail[COREIO__BLOCK];
        uint64_t within;
        const uint8_t *block = coreio__block(text, length, at, tail, &within);
        count += write(positions + count, (uint32_t)at, quoted(&state, block, &own) & within);
    }
    coreio__blocks_bytes(text, positions, count, bytes);
    return count;
}

COREIO__BLOCK_LOOP coreio__blocks_bracketed(const uint8_t *text, size_t length, uint16_t *positions, uint8_t *bytes,
    coreio__block_bracketed *bracketed, coreio__block_write *write)
{
    struct coreio__brackets state = {0, 0, 0, 1};
    size_t count = 0;
    for (size_t at = 0; at < length; at += COREIO__BLOCK) {
        uint8_t tail[COREIO__BLOCK];
        uint64_t within;
        const uint8_t *block = coreio__block(text, length, at, tail, &within);
        count += write(positions + count, (uint32_t)at, bracketed(&state, block));
    }
    coreio__blocks_bytes(text, positions, count, bytes);
    return count;
}

/* The marks of a block outside of quotes, for kernels that have nothing better. */
static inline __attribute__((always_inline)) uint64_t coreio__blocks_quotes(struct coreio__quotes *state,
    const uint8_t *block, const struct coreio__class *class, coreio__block_match *match, coreio__block_equal *equal)
{
    const uint64_t backslashes = equal(block, '\\');
    uint64_t quotes = equal(block, '"');
    if ((backslashes | state->escaped) != 0)
        quotes &= ~coreio__marks_escaped(state, backslashes);
    return coreio__marks_quoted(state, quotes, coreio__marks_prefix(quotes), equal(block, '\n'), match(block, class));
}

static inline __attribute__((always_inline)) uint64_t coreio__blocks_brackets(
    struct coreio__brackets *state, const uint8_t *block, coreio__block_equal *equal)
{
    return coreio__marks_bracketed(
        state, equal(block, '['), equal(block, ']'), equal(block, ' '), equal(block, '\n'), equal(block, '\\'));
}

#endif
