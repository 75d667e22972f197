/* Cuts lines that fit their frame: 32 marks are compared with the frame at once, and two permutations of them are the
 * begins and ends of eight fields (frame.h); lexer_quick.c is the definition.
 */
#include "kernel.h"

#if defined(__x86_64__)

#if !defined(__AVX512BW__) || !defined(__AVX512VL__)
#error "cut_avx512.c needs -mavx512bw -mavx512vl"
#endif

#include <immintrin.h>

#include "lexer_quick.h"

/* Marks of brackets that are looked at in one step. */
#define BRACKETS 64

/* A group of picks in registers. */
struct pick {
    __m512i plus;
    __m512i minus;
    __m256i add;
};

static inline struct pick load_pick(const struct coreio__pick_group *group)
{
    const __m256i plus = _mm256_loadu_si256((const __m256i *)(const void *)group->plus);
    const __m256i minus = _mm256_loadu_si256((const __m256i *)(const void *)group->minus);
    return (struct pick){_mm512_castsi256_si512(plus), _mm512_castsi256_si512(minus),
        _mm256_loadu_si256((const __m256i *)(const void *)group->add)};
}

/* Up to eight fields of 32 positions. What is behind them up to eight is overwritten, or up to two or four where they
 * are as few: a store that goes over the end of a cache line takes twice the time, and a wide one seldom does not. */
static inline void cut_pick(
    const struct pick *pick, uint32_t count, __m512i positions, __m512i base, struct coreio_log_field *fields)
{
    const __m512i ends = _mm512_permutexvar_epi16(pick->plus, positions);
    const __m512i begins = _mm512_maskz_permutexvar_epi16(0xAAAA, pick->minus, positions);
    const __m256i lanes =
        _mm256_add_epi16(_mm256_sub_epi16(_mm512_castsi512_si256(ends), _mm512_castsi512_si256(begins)), pick->add);
    const __m512i wide = _mm512_add_epi32(_mm512_cvtepu16_epi32(lanes), base);
    if (count <= 2)
        _mm_storeu_si128((__m128i *)(void *)fields, _mm512_castsi512_si128(wide));
    else if (count <= 4)
        _mm256_storeu_si256((__m256i *)(void *)fields, _mm512_castsi512_si256(wide));
    else
        _mm512_storeu_si512(fields, wide);
}

/* The base, in the lanes of offsets. */
static inline __m512i offsets(uint32_t base)
{
    return _mm512_maskz_set1_epi32(0x5555, (int)base);
}

static inline void cut_groups(
    const uint16_t *marks, const struct coreio__picks *picks, __m512i base, struct coreio_log_field *row)
{
    for (int32_t i = 0; i < picks->group_count; i++) {
        const struct pick pick = load_pick(&picks->groups[i]);
        cut_pick(&pick, picks->groups[i].count, _mm512_loadu_si512(marks + picks->groups[i].first), base,
            row + picks->groups[i].place);
    }
}

/* Up to 32 marks of a frame in registers. */
struct part {
    __m256i bytes;
    __m512i gaps;
    __mmask32 all;
    __mmask32 fixed;
};

static inline struct part load_part(const struct coreio__frame *frame, int32_t from)
{
    const int32_t count = frame->marks - from;
    const __m512i gaps = _mm512_loadu_si512(frame->gaps + from);
    return (struct part){_mm256_loadu_si256((const __m256i *)(const void *)(frame->bytes + from)), gaps,
        count < COREIO__FRAME_LANES ? ((__mmask32)1 << count) - 1 : UINT32_MAX, _mm512_test_epi16_mask(gaps, gaps)};
}

/* Whether the marks from one on are those of this part of the frame. */
static inline int32_t part_fits(const struct part *part, __m512i marks, const uint16_t *next, const uint8_t *bytes)
{
    const __m256i found = _mm256_loadu_si256((const __m256i *)(const void *)bytes);
    const __m512i distances = _mm512_sub_epi16(_mm512_loadu_si512(next), marks);
    return _kortestz_mask32_u8(_mm256_mask_cmpneq_epu8_mask(part->all, part->bytes, found),
        _mm512_mask_cmpneq_epu16_mask(part->fixed, part->gaps, distances));
}

static int32_t later_parts_fit(const struct coreio__frame *frame, const uint16_t *marks, const uint8_t *bytes)
{
    for (int32_t from = COREIO__FRAME_LANES; from < frame->marks; from += COREIO__FRAME_LANES) {
        const struct part part = load_part(frame, from);
        if (!part_fits(&part, _mm512_loadu_si512(marks + from), marks + from + 1, bytes + from))
            return 0;
    }
    return 1;
}

/* What a cut knows; of a frame of one part and fields of one group all that it needs. */
struct plan {
    const struct coreio__frame *frame;
    const struct coreio__picks *picks;
    struct part part;
    struct pick pick;
    uint32_t count;
    __m512i base;
};

static inline struct plan make_plan(const struct coreio__lexer *lexer, const struct coreio__rows *rows)
{
    const struct coreio__frame *frame = &lexer->format->frame;
    const struct coreio__picks *picks = lexer->picks;
    return (struct plan){
        frame, picks, load_part(frame, 0), load_pick(&picks->groups[0]), picks->groups[0].count, offsets(rows->base)};
}

static inline int32_t fits_one(const void *plan, const uint16_t *marks, const uint8_t *bytes)
{
    const struct plan *own = plan;
    return part_fits(&own->part, _mm512_loadu_si512(marks), marks + 1, bytes);
}

static inline int32_t fits(const void *plan, const uint16_t *marks, const uint8_t *bytes)
{
    const struct plan *own = plan;
    return fits_one(plan, marks, bytes) && later_parts_fit(own->frame, marks, bytes);
}

/* The marks are those that were compared, and need not be loaded again. */
static inline void cut_one(const void *plan, const uint16_t *marks, struct coreio_log_field *row)
{
    const struct plan *own = plan;
    cut_pick(&own->pick, own->count, _mm512_loadu_si512(marks), own->base, row);
}

static inline void cut(const void *plan, const uint16_t *marks, struct coreio_log_field *row)
{
    const struct plan *own = plan;
    cut_groups(marks, own->picks, own->base, row);
}

uint32_t coreio__cut_quoted_avx512(struct coreio__lexer *lexer, const struct coreio__rows *rows)
{
    const struct plan plan = make_plan(lexer, rows);
    if (coreio__frame_is_one_vector(plan.frame) && plan.picks->group_count == 1)
        return coreio__quick_quoted(lexer, rows, &plan, fits_one, cut_one);
    return coreio__quick_quoted(lexer, rows, &plan, fits, cut);
}

static inline uint32_t count_brackets(const uint8_t *bytes)
{
    const __m512i brackets = _mm512_set1_epi16(']' << 8 | '[');
    uint32_t count = 0;
    uint64_t others;
    while ((others = _mm512_cmpneq_epi8_mask(_mm512_loadu_si512(bytes + count), brackets)) == 0)
        count += BRACKETS;
    return count + (uint32_t)__builtin_ctzll(others);
}

static inline int32_t find_words(const struct coreio__lexer *lexer, uint32_t open, struct coreio__prefix *prefix)
{
    const uint32_t host = lexer->begin + 16;
    const __m512i text = _mm512_loadu_si512(lexer->window + host);
    const uint64_t spaces = _mm512_cmpeq_epi8_mask(text, _mm512_set1_epi8(' '));
    return coreio__quick_spaces(lexer, host, spaces, open, prefix);
}

/* Sixteen fields at a time, and up to fifteen more behind them. */
static inline void cut_all(const void *plan, const uint16_t *marks, uint32_t count, struct coreio_log_field *fields)
{
    const struct plan *own = plan;
    /* A pair of marks is a field: one behind the first is its offset; the difference less one its length. */
    const __m512i add = _mm512_set1_epi32((int)0xFFFF0001);
    for (uint32_t i = 0; i < count; i += 32) {
        const __m512i pairs = _mm512_loadu_si512(marks + i);
        const __m512i lanes = _mm512_add_epi16(_mm512_sub_epi16(pairs, _mm512_slli_epi32(pairs, 16)), add);
        const __m512i first = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(lanes));
        const __m512i second = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(lanes, 1));
        _mm512_storeu_si512(fields + i / 2, _mm512_add_epi32(first, own->base));
        _mm512_storeu_si512(fields + i / 2 + 8, _mm512_add_epi32(second, own->base));
    }
}

uint32_t coreio__cut_bracketed_avx512(struct coreio__lexer *lexer, const struct coreio__rows *rows)
{
    const struct plan plan = make_plan(lexer, rows);
    return coreio__quick_bracketed(lexer, rows, &plan, count_brackets, find_words, cut_all, cut);
}

#endif
