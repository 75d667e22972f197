/* Turns a mask of 64 bits into positions by a table of all bytes, for x86 without compression.
 *
 * Eight bits are one load, widened and moved, and one store of eight positions, of which as many count as there are
 * bits. Nothing is guessed: how many bits a block has changes from one to the next, and a wrong guess costs as much as
 * all eight steps.
 */
#ifndef COREIO_LOG_KERNEL_TABLE_H
#define COREIO_LOG_KERNEL_TABLE_H

#include <nmmintrin.h>

#include "kernel.h"

/* The numbers of the bits of a byte, in the lower half of a vector. */
static inline __m128i coreio__table_numbers(uint32_t byte)
{
    return _mm_loadl_epi64((const __m128i *)(const void *)&coreio__bit_numbers[byte]);
}

static inline uint32_t coreio__table_write(uint16_t *positions, uint32_t at, uint64_t mask)
{
    __m128i base = _mm_set1_epi16((short)at);
    /* gcc would make of a sum of constants one constant for each step, and take three instructions for each. */
    __m128i eight = _mm_set1_epi16(8);
    COREIO__OPAQUE(eight);
#pragma GCC unroll 8
    for (int32_t i = 0; i < 8; i++) {
        const uint32_t byte = mask >> 8 * i & 0xFF;
        _mm_storeu_si128(
            (__m128i *)(void *)positions, _mm_add_epi16(_mm_cvtepu8_epi16(coreio__table_numbers(byte)), base));
        base = _mm_add_epi16(base, eight);
        positions += __builtin_popcount(byte);
    }
    return (uint32_t)__builtin_popcountll(mask);
}

#endif
