/* Which structural bytes of 64 count where they stand, as arithmetic on masks that vector kernels share;
 * kernel_avx512.c tells the brackets of eight blocks apart at once.
 *
 * Bit i of a mask stands for byte i of a block. State is carried from block to block; a text begins at a line. The idea
 * to find what is inside quotes by a prefix XOR of their mask is Langdale's and Lemire's (Parsing Gigabytes of JSON per
 * Second, 2019, section 3.1.1); here a newline ends what is inside, for no value of a log goes over one.
 */
#ifndef COREIO_LOG_KERNEL_MARKS_H
#define COREIO_LOG_KERNEL_MARKS_H

#include <stddef.h>
#include <stdint.h>

struct coreio__quotes {
    uint64_t escaped; /* 1 when the first byte of the next block is */
    uint64_t inside;  /* all bits when the next block begins inside quotes */
};

struct coreio__brackets {
    uint64_t closed;    /* 1 when the block before ended in a closing bracket */
    uint64_t spaced;    /* 1 when it ended in one and a space */
    uint64_t searching; /* 1 when the first opening bracket of its last line is still to come */
    uint64_t newline;   /* 1 when it ended in a newline, as what is before a text does */
};

/* What backslashes escape; blocks with one are rare, so it goes from one to the next. */
static inline uint64_t coreio__marks_escaped(struct coreio__quotes *state, uint64_t backslashes)
{
    uint64_t escaped = state->escaped;
    uint64_t rest = backslashes & ~escaped;
    state->escaped = 0;
    while (rest != 0) {
        const uint64_t lowest = rest & (0 - rest);
        escaped |= lowest << 1;
        state->escaped = lowest >> 63;
        rest &= ~(lowest | lowest << 1);
    }
    return escaped;
}

/* Each bit the XOR of itself and all below it. */
static inline uint64_t coreio__marks_prefix(uint64_t mask)
{
    mask ^= mask << 1;
    mask ^= mask << 2;
    mask ^= mask << 4;
    mask ^= mask << 8;
    mask ^= mask << 16;
    return mask ^ mask << 32;
}

/* `quotes` without the escaped ones, `prefix` their prefix XOR, `plain` the class. */
static inline uint64_t coreio__marks_quoted(
    struct coreio__quotes *state, uint64_t quotes, uint64_t prefix, uint64_t newlines, uint64_t plain)
{
    uint64_t inside = prefix ^ state->inside;
    uint64_t open = inside & newlines;
    /* What carries over from block to block is one XOR. */
    state->inside ^= 0 - (prefix >> 63);
    if (__builtin_expect(open != 0, 0)) {
        /* Rare: a line ends inside quotes, and the next one begins outside. */
        do {
            const uint64_t above = 0 - ((open & (0 - open)) << 1);
            inside ^= above;
            open = inside & newlines & above;
        } while (open != 0);
        state->inside = 0 - ((inside & ~newlines) >> 63);
    }
    return (plain & ~inside) | quotes | newlines;
}

static inline uint64_t coreio__marks_bracketed(struct coreio__brackets *state, uint64_t opens, uint64_t closes,
    uint64_t spaces, uint64_t newlines, uint64_t backslashes)
{
    const uint64_t after_close = closes << 1 | state->closed;
    const uint64_t spaced = after_close & spaces;
    const uint64_t after_space = spaced << 1 | state->spaced;
    /* A bit added at the beginning of a line ripples through all that is no opening bracket to the first that is; but
     * not where that is the beginning, for two bits would go past it. */
    const uint64_t starts = newlines << 1 | state->newline;
    uint64_t rippled;
    const uint64_t over = (uint64_t)__builtin_add_overflow(~opens, starts & ~opens, &rippled);
    state->searching = over | (uint64_t)__builtin_add_overflow(rippled, state->searching, &rippled);
    state->closed = closes >> 63;
    state->spaced = spaced >> 63;
    state->newline = newlines >> 63;
    return (opens & (rippled | starts | after_close | after_space)) | closes | newlines | backslashes;
}

#endif
