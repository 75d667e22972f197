/* Which bytes of a few equal one: a mask with a bit for each byte, the lowest for the first. What is looked for in
 * short texts is found without a guess where it is.
 */
#ifndef COREIO_LOG_EQUAL_H
#define COREIO_LOG_EQUAL_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)

#include <emmintrin.h>

static inline uint64_t coreio__equal16(const uint8_t *bytes, uint8_t byte)
{
    const __m128i loaded = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(loaded, _mm_set1_epi8((char)byte)));
}

#else

/* Eight of them by arithmetic: adding sets the highest bit of each byte that has another one set. */
static inline uint64_t coreio__equal8(const uint8_t *bytes, uint8_t byte)
{
    const uint64_t low = 0x7F7F7F7F7F7F7F7F;
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    word ^= 0x0101010101010101 * (uint64_t)byte;
    const uint64_t zeros = ~(((word & low) + low) | word | low);
    return (zeros >> 7) * 0x0102040810204080 >> 56;
}

static inline uint64_t coreio__equal16(const uint8_t *bytes, uint8_t byte)
{
    return coreio__equal8(bytes, byte) | coreio__equal8(bytes + 8, byte) << 8;
}

#endif

static inline uint64_t coreio__equal64(const uint8_t *bytes, uint8_t byte)
{
    return coreio__equal16(bytes, byte) | coreio__equal16(bytes + 16, byte) << 16 |
           coreio__equal16(bytes + 32, byte) << 32 | coreio__equal16(bytes + 48, byte) << 48;
}

#endif
