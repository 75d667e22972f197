/* The loops of kernels that test 64 bytes at a time into a mask, but have no instruction to write what its bits say.
 *
 * A kernel gives two tests of a block; each loop is compiled into it anew, so the tests are no calls.
 */
#ifndef COREIO_LOG_KERNEL_BLOCKS_H
#define COREIO_LOG_KERNEL_BLOCKS_H

#include <string.h>

#include "kernel.h"
#include "kernel_emit.h"
#include "kernel_marks.h"

#define COREIO__BLOCK 64
#define COREIO__BLOCK_LOOP static inline __attribute__((always_inline)) size_t

/* Which of 64 bytes are of a class. */
typedef uint64_t coreio__block_match(const uint8_t *block, const struct coreio__class *class);

/* Which of 64 bytes are this one. */
typedef uint64_t coreio__block_equal(const uint8_t *block, char byte);

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

/* In all three, what is written cannot change a copy of the class, so its tables stay in registers. */
COREIO__BLOCK_LOOP coreio__blocks_index(const uint8_t *text, size_t length, const struct coreio__class *class,
    uint32_t *positions, coreio__block_match *match)
{
    const struct coreio__class own = *class;
    uint32_t *end = positions;
    for (size_t at = 0; at < length; at += COREIO__BLOCK) {
        uint8_t tail[COREIO__BLOCK];
        uint64_t within;
        const uint8_t *block = coreio__block(text, length, at, tail, &within);
        end = coreio__emit(end, (uint32_t)at, match(block, &own) & within);
    }
    return (size_t)(end - positions);
}

COREIO__BLOCK_LOOP coreio__blocks_quoted(const uint8_t *text, size_t length, const struct coreio__class *class,
    uint16_t *positions, uint8_t *bytes, coreio__block_match *match, coreio__block_equal *equal)
{
    const struct coreio__class own = *class;
    struct coreio__quotes state = {0, 0};
    size_t count = 0;
    for (size_t at = 0; at < length; at += COREIO__BLOCK) {
        uint8_t tail[COREIO__BLOCK];
        uint64_t within;
        const uint8_t *block = coreio__block(text, length, at, tail, &within);
        const uint64_t backslashes = equal(block, '\\') & within;
        uint64_t quotes = equal(block, '"') & within;
        if ((backslashes | state.escaped) != 0)
            quotes &= ~coreio__marks_escaped(&state, backslashes);
        const uint64_t marks = coreio__marks_quoted(
            &state, quotes, coreio__marks_prefix(quotes), equal(block, '\n') & within, match(block, &own) & within);
        count += coreio__marks_write(block, (uint32_t)at, marks, positions + count, bytes + count);
    }
    return count;
}

COREIO__BLOCK_LOOP coreio__blocks_bracketed(
    const uint8_t *text, size_t length, uint16_t *positions, uint8_t *bytes, coreio__block_equal *equal)
{
    struct coreio__brackets state = {0, 0, 0, 1};
    size_t count = 0;
    for (size_t at = 0; at < length; at += COREIO__BLOCK) {
        uint8_t tail[COREIO__BLOCK];
        uint64_t within;
        const uint8_t *block = coreio__block(text, length, at, tail, &within);
        const uint64_t marks = coreio__marks_bracketed(&state, equal(block, '[') & within, equal(block, ']') & within,
            equal(block, ' ') & within, equal(block, '\n') & within, equal(block, '\\') & within);
        count += coreio__marks_write(block, (uint32_t)at, marks, positions + count, bytes + count);
    }
    return count;
}

#endif
