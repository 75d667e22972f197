/* Turns a mask of 64 bits into positions, for kernels that have neither compression nor a table (kernel_table.h).
 *
 * What costs here is guessing wrong how many bits are set. So four positions are written whatever the count is, then
 * eight more, then eight at a time: the text of logs has 2 to 17 structural bytes in 64. Positions past the count are
 * overwritten by what comes next or left in the slack.
 */
#ifndef COREIO_LOG_KERNEL_EMIT_H
#define COREIO_LOG_KERNEL_EMIT_H

#include <stdint.h>

/* Writes the position of the lowest bit and returns the mask without it. The highest bit stands in where no bit is
 * left: it is never wrong, and it defines the positions that do not count. */
static inline uint64_t coreio__emit_one(uint32_t *position, uint32_t base, uint64_t mask)
{
    *position = base + (uint32_t)__builtin_ctzll(mask | (uint64_t)1 << 63);
    return mask & (mask - 1);
}

/* Written out, because gcc at -O2 makes a loop of it. */
static inline uint64_t coreio__emit_four(uint32_t *positions, uint32_t base, uint64_t mask)
{
    mask = coreio__emit_one(positions, base, mask);
    mask = coreio__emit_one(positions + 1, base, mask);
    mask = coreio__emit_one(positions + 2, base, mask);
    return coreio__emit_one(positions + 3, base, mask);
}

/* Writes `at` plus the number of each set bit in ascending order, and up to seven positions more; returns how many bits
 * there are. */
static inline uint32_t coreio__emit(uint32_t *positions, uint32_t at, uint64_t mask)
{
    if (mask == 0)
        return 0;
    const int count = __builtin_popcountll(mask);
    mask = coreio__emit_four(positions, at, mask);
    if (count > 4) {
        mask = coreio__emit_four(positions + 4, at, mask);
        mask = coreio__emit_four(positions + 8, at, mask);
        for (int done = 12; done < count; done += 8) {
            mask = coreio__emit_four(positions + done, at, mask);
            mask = coreio__emit_four(positions + done + 4, at, mask);
        }
    }
    return (uint32_t)count;
}

static inline uint64_t coreio__emit_mark(uint16_t *position, uint32_t at, uint64_t mask)
{
    *position = (uint16_t)(at + (uint32_t)__builtin_ctzll(mask | (uint64_t)1 << 63));
    return mask & (mask - 1);
}

/* coreio__emit for marks, four at a time: there are fewer of them. */
static inline uint32_t coreio__emit_marks(uint16_t *positions, uint32_t at, uint64_t mask)
{
    const uint32_t count = (uint32_t)__builtin_popcountll(mask);
    for (uint32_t i = 0; i < count; i += 4) {
        mask = coreio__emit_mark(positions + i, at, mask);
        mask = coreio__emit_mark(positions + i + 1, at, mask);
        mask = coreio__emit_mark(positions + i + 2, at, mask);
        mask = coreio__emit_mark(positions + i + 3, at, mask);
    }
    return count;
}

#endif
