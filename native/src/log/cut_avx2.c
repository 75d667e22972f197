/* Cuts lines that fit their frame: 32 marks are compared with the frame at once, and two shuffles of eight marks are
 * the begins and ends of four fields (frame.h); lexer_quick.c is the definition.
 */
#include "kernel.h"

#if defined(__x86_64__)

#ifndef __AVX2__
#error "cut_avx2.c needs -mavx2"
#endif

#include <immintrin.h>

#include "lexer_quick.h"

/* Marks of brackets that are looked at in one step. */
#define BRACKETS 32

static inline __m256i load(const void *from)
{
    return _mm256_loadu_si256(from);
}

/* Sixteen distances of a frame. */
struct distances {
    __m256i gaps;
    __m256i any; /* all ones where no literal says */
};

/* Up to 32 marks of a frame in registers. */
struct part {
    __m256i bytes;
    struct distances lower;
    struct distances upper;
    uint32_t all;
};

/* What a cut knows. */
struct plan {
    const struct coreio__frame *frame;
    const struct coreio__picks *picks;
    struct part part;
    __m256i base;
};

static inline struct distances load_distances(const uint16_t *from)
{
    const __m256i gaps = load(from);
    return (struct distances){gaps, _mm256_cmpeq_epi16(gaps, _mm256_setzero_si256())};
}

static inline struct part load_part(const struct coreio__frame *frame, int32_t from)
{
    const int32_t count = frame->marks - from;
    return (struct part){load(frame->bytes + from), load_distances(frame->gaps + from),
        load_distances(frame->gaps + from + COREIO__FRAME_LANES / 2),
        count < COREIO__FRAME_LANES ? ((uint32_t)1 << count) - 1 : UINT32_MAX};
}

static inline struct plan make_plan(const struct coreio__lexer *lexer, const struct coreio__rows *rows)
{
    return (struct plan){&lexer->format->frame, lexer->picks, load_part(&lexer->format->frame, 0),
        _mm256_set1_epi64x((int64_t)rows->base)};
}

/* Which of sixteen marks are where the frame wants them, all ones for each. */
static inline __m256i distances_fit(const struct distances *distances, const uint16_t *marks)
{
    const __m256i found = _mm256_sub_epi16(load(marks + 1), load(marks));
    return _mm256_or_si256(_mm256_cmpeq_epi16(found, distances->gaps), distances->any);
}

static inline int32_t part_fits(const struct part *part, const uint16_t *marks, const uint8_t *bytes)
{
    const uint32_t same = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(bytes), part->bytes));
    const __m256i placed = _mm256_and_si256(
        distances_fit(&part->lower, marks), distances_fit(&part->upper, marks + COREIO__FRAME_LANES / 2));
    return (~same & part->all) == 0 && _mm256_movemask_epi8(placed) == -1;
}

static inline int32_t fits_one(const void *plan, const uint16_t *marks, const uint8_t *bytes)
{
    const struct plan *own = plan;
    return part_fits(&own->part, marks, bytes);
}

static inline int32_t fits(const void *plan, const uint16_t *marks, const uint8_t *bytes)
{
    const struct plan *own = plan;
    for (int32_t from = 0; from < own->frame->marks; from += COREIO__FRAME_LANES) {
        const struct part part = load_part(own->frame, from);
        if (!part_fits(&part, marks + from, bytes + from))
            return 0;
    }
    return 1;
}

static inline void cut(const void *plan, const uint16_t *marks, struct coreio_log_field *row)
{
    const struct plan *own = plan;
    const struct coreio__pick_four *four = own->picks->fours;
    for (const struct coreio__pick_four *end = four + own->picks->four_count; four < end; four++) {
        const __m128i eight = _mm_loadu_si128((const __m128i *)(const void *)(marks + four->first));
        const __m128i plus = _mm_shuffle_epi8(eight, _mm_loadu_si128((const __m128i *)(const void *)four->plus));
        const __m128i minus = _mm_shuffle_epi8(eight, _mm_loadu_si128((const __m128i *)(const void *)four->minus));
        const __m128i add = _mm_loadu_si128((const __m128i *)(const void *)four->add);
        const __m256i lanes = _mm256_cvtepu16_epi32(_mm_add_epi16(_mm_sub_epi16(plus, minus), add));
        _mm256_storeu_si256((__m256i *)(void *)(row + four->place), _mm256_add_epi32(lanes, own->base));
    }
}

uint32_t coreio__cut_quoted_avx2(struct coreio__lexer *lexer, const struct coreio__rows *rows)
{
    const struct plan plan = make_plan(lexer, rows);
    if (plan.frame->marks <= COREIO__FRAME_LANES)
        return coreio__quick_quoted(lexer, rows, &plan, fits_one, cut);
    return coreio__quick_quoted(lexer, rows, &plan, fits, cut);
}

static inline uint32_t count_brackets(const uint8_t *bytes)
{
    const __m256i brackets = _mm256_set1_epi16(']' << 8 | '[');
    uint32_t count = 0;
    uint32_t same;
    while ((same = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(bytes + count), brackets))) == UINT32_MAX)
        count += BRACKETS;
    return count + (uint32_t)__builtin_ctz(~same);
}

static inline uint32_t spaces(const uint8_t *text)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(text), _mm256_set1_epi8(' ')));
}

static inline int32_t find_words(const struct coreio__lexer *lexer, uint32_t open, struct coreio__prefix *prefix)
{
    const uint32_t host = lexer->begin + 16;
    const uint8_t *text = lexer->window + host;
    return coreio__quick_spaces(lexer, host, spaces(text) | (uint64_t)spaces(text + 32) << 32, open, prefix);
}

/* Eight fields at a time, and up to seven more behind them. */
static inline void cut_all(const void *plan, const uint16_t *marks, uint32_t count, struct coreio_log_field *fields)
{
    const struct plan *own = plan;
    /* A pair of marks is a field: one behind the first is its offset; the difference less one its length. */
    const __m256i add = _mm256_set1_epi32((int)0xFFFF0001);
    for (uint32_t i = 0; i < count; i += 16) {
        const __m256i pairs = load(marks + i);
        const __m256i lanes = _mm256_add_epi16(_mm256_sub_epi16(pairs, _mm256_slli_epi32(pairs, 16)), add);
        const __m256i first = _mm256_cvtepu16_epi32(_mm256_castsi256_si128(lanes));
        const __m256i second = _mm256_cvtepu16_epi32(_mm256_extracti128_si256(lanes, 1));
        _mm256_storeu_si256((__m256i *)(void *)(fields + i / 2), _mm256_add_epi32(first, own->base));
        _mm256_storeu_si256((__m256i *)(void *)(fields + i / 2 + 4), _mm256_add_epi32(second, own->base));
    }
}

uint32_t coreio__cut_bracketed_avx2(struct coreio__lexer *lexer, const struct coreio__rows *rows)
{
    const struct plan plan = make_plan(lexer, rows);
    return coreio__quick_bracketed(lexer, rows, &plan, count_brackets, find_words, cut_all, cut);
}

#endif
