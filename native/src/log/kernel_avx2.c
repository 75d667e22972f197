/* 64 bytes a step as two vectors of 32: two shuffles look each byte's halves up in the class (Langdale and Lemire,
 * Parsing Gigabytes of JSON per Second, 2019, section 3.2), or one where lower halves tell its bytes apart, and
 * comparisons find single bytes. What is inside quotes is a product without carries (PCLMUL). kernel_blocks.h has the
 * loops, kernel_table.h makes positions of the masks, and cut_avx2.c has the cuts.
 */
#include "kernel_blocks.h"

#if defined(__x86_64__)

#if !defined(__AVX2__) || !defined(__PCLMUL__)
#error "kernel_avx2.c needs -mavx2 -mpclmul"
#endif

#include <coreio/cpu.h>
#include <immintrin.h>

#include "kernel_table.h"

/* The bits of two vectors, whose bytes are all ones or none. */
static inline uint64_t bits(__m256i first, __m256i second)
{
    return (uint32_t)_mm256_movemask_epi8(first) | (uint64_t)(uint32_t)_mm256_movemask_epi8(second) << 32;
}

/* A block in registers. */
struct block {
    __m256i first;
    __m256i second;
};

static inline struct block load(const uint8_t *text)
{
    return (struct block){_mm256_loadu_si256((const __m256i *)(const void *)text),
        _mm256_loadu_si256((const __m256i *)(const void *)(text + 32))};
}

static inline uint32_t match(__m256i bytes, __m256i low_table, __m256i high_table)
{
    const __m256i half = _mm256_set1_epi8(15);
    const __m256i low = _mm256_shuffle_epi8(low_table, _mm256_and_si256(bytes, half));
    const __m256i high = _mm256_shuffle_epi8(high_table, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half));
    const __m256i miss = _mm256_cmpeq_epi8(_mm256_and_si256(low, high), _mm256_setzero_si256());
    return ~(uint32_t)_mm256_movemask_epi8(miss);
}

static inline uint64_t match64(const uint8_t *text, const struct coreio__class *class)
{
    const __m256i low = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)class->low));
    const __m256i high = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)class->high));
    const struct block block = load(text);
    return match(block.first, low, high) | (uint64_t)match(block.second, low, high) << 32;
}

static inline struct block compare(const struct block *block, char byte)
{
    const __m256i wanted = _mm256_set1_epi8(byte);
    return (struct block){_mm256_cmpeq_epi8(block->first, wanted), _mm256_cmpeq_epi8(block->second, wanted)};
}

static inline uint64_t equal64(const uint8_t *text, char byte)
{
    const struct block block = load(text);
    const struct block found = compare(&block, byte);
    return bits(found.first, found.second);
}

/* All ones where a byte is the one of a class with its lower half. */
static inline __m256i is_only(__m256i bytes, __m256i only)
{
    return _mm256_cmpeq_epi8(_mm256_shuffle_epi8(only, bytes), bytes);
}

/* Of a class that shares no lower half. Where it has no byte, 0x80 is what no byte with that half is: for one over 127
 * a shuffle gives 0. */
static inline uint64_t match_only(const uint8_t *text, const struct coreio__class *class)
{
    const __m128i table = _mm_loadu_si128((const __m128i *)(const void *)class->only);
    const __m256i only = _mm256_xor_si256(_mm256_broadcastsi128_si256(table), _mm256_set1_epi8((char)0x80));
    const struct block block = load(text);
    return bits(is_only(block.first, only), is_only(block.second, only));
}

/* A product without carries by all ones is the prefix XOR. */
static inline uint64_t prefix(uint64_t mask)
{
    const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)mask), _mm_set1_epi8(-1), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

static inline uint64_t quotes_with(struct coreio__quotes *state, const uint8_t *text, uint64_t plain)
{
    const struct block block = load(text);
    const struct block backslashes = compare(&block, '\\');
    const struct block quoting = compare(&block, '"');
    const struct block newlines = compare(&block, '\n');
    uint64_t quotes = bits(quoting.first, quoting.second);
    const __m256i any = _mm256_or_si256(backslashes.first, backslashes.second);
    if (__builtin_expect(((uint32_t)_mm256_movemask_epi8(any) | state->escaped) != 0, 0))
        quotes &= ~coreio__marks_escaped(state, bits(backslashes.first, backslashes.second));
    return coreio__marks_quoted(state, quotes, prefix(quotes), bits(newlines.first, newlines.second), plain);
}

static inline uint64_t quoted(struct coreio__quotes *state, const uint8_t *text, const struct coreio__class *class)
{
    return quotes_with(state, text, match64(text, class));
}

static inline uint64_t quoted_only(struct coreio__quotes *state, const uint8_t *text, const struct coreio__class *class)
{
    return quotes_with(state, text, match_only(text, class));
}

static inline uint64_t bracketed(struct coreio__brackets *state, const uint8_t *text)
{
    return coreio__blocks_brackets(state, text, equal64);
}

static inline uint32_t emit(uint32_t *positions, uint32_t at, uint64_t mask)
{
    __m256i base = _mm256_set1_epi32((int)at);
    __m256i eight = _mm256_set1_epi32(8);
    COREIO__OPAQUE(eight);
#pragma GCC unroll 8
    for (int32_t i = 0; i < 8; i++) {
        const uint32_t byte = mask >> 8 * i & 0xFF;
        const __m256i numbers = _mm256_cvtepu8_epi32(coreio__table_numbers(byte));
        _mm256_storeu_si256((__m256i *)(void *)positions, _mm256_add_epi32(numbers, base));
        base = _mm256_add_epi32(base, eight);
        positions += __builtin_popcount(byte);
    }
    return (uint32_t)__builtin_popcountll(mask);
}

static size_t index_avx2(const uint8_t *text, size_t length, const struct coreio__class *class, uint32_t *positions)
{
    return coreio__blocks_index(text, length, class, positions, match64, emit);
}

static size_t mark_quoted(
    const uint8_t *text, size_t length, const struct coreio__class *class, uint16_t *positions, uint8_t *bytes)
{
    if (class->shared)
        return coreio__blocks_quoted(text, length, class, positions, bytes, quoted, coreio__table_write);
    return coreio__blocks_quoted(text, length, class, positions, bytes, quoted_only, coreio__table_write);
}

static size_t mark_bracketed(
    const uint8_t *text, size_t length, const struct coreio__class *class, uint16_t *positions, uint8_t *bytes)
{
    (void)class;
    return coreio__blocks_bracketed(text, length, positions, bytes, bracketed, coreio__table_write);
}

const struct coreio__kernel coreio__kernel_avx2 = {
    .id = COREIO_LOG_KERNEL_AVX2,
    .features = COREIO_CPU_SSE42 | COREIO_CPU_AVX2 | COREIO_CPU_BMI2 | COREIO_CPU_PCLMUL,
    .name = "avx2",
    .index = index_avx2,
    .mark_quoted = mark_quoted,
    .mark_bracketed = mark_bracketed,
    .cut_quoted = coreio__cut_quoted_avx2,
    .cut_bracketed = coreio__cut_bracketed_avx2,
};

#endif
