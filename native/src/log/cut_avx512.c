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

/* Eight fields of 32 positions, and what was behind them. */
static inline void cut_pick(const struct pick *pick, __m512i positions, __m512i base, struct coreio_log_field *fields)
{
    const __m512i ends = _mm512_permutexvar_epi16(pick->plus, positions);
    const __m512i begins = _mm512_maskz_permutexvar_epi16(0xAAAA, pick->minus, positions);
    const __m256i lanes =
        _mm256_add_epi16(_mm256_sub_epi16(_mm512_castsi512_si256(ends), _mm512_castsi512_si256(begins)), pick->add);
    _mm512_storeu_si512(fields, _mm512_add_epi32(_mm512_cvtepu16_epi32(lanes), base));
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
        cut_pick(&pick, _mm512_loadu_si512(marks + picks->groups[i].first), base, row + picks->groups[i].place);
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
    return (_mm256_mask_cmpneq_epu8_mask(part->all, part->bytes, found) |
               _mm512_mask_cmpneq_epu16_mask(part->fixed, part->gaps, distances)) == 0;
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

/* `one` when the frame has one part and its fields are one group, which then stay in registers. */
static inline __attribute__((always_inline)) uint32_t cut_lines(
    struct coreio__lexer *lexer, const struct coreio__rows *rows, int32_t one)
{
    const struct coreio__frame *frame = &lexer->format->frame;
    const struct coreio__picks *picks = lexer->picks;
    const uint32_t count = (uint32_t)frame->marks;
    const uint32_t fields = (uint32_t)lexer->format->count;
    const uint32_t width = rows->width;
    const uint32_t base = rows->base;
    const uint32_t last = lexer->readable - COREIO__QUICK_REACH;
    const uint8_t *window = lexer->window;
    const int32_t plain = !frame->spaceless && !frame->open;
    const uint16_t *marks = lexer->marks + lexer->at - 1;
    const uint8_t *bytes = lexer->mark_bytes + lexer->at;
    const struct part part = load_part(frame, 0);
    const struct pick pick = load_pick(&picks->groups[0]);
    const size_t first_mark = picks->groups[0].first;
    const __m512i bases = offsets(base);
    struct coreio_log_record *record = rows->records;
    const struct coreio_log_record *end = record + rows->capacity;
    struct coreio_log_field *row = rows->fields;
    uint32_t first = rows->first;
    uint32_t begin = lexer->begin;
    for (; record < end; record++) {
        const __m512i positions = _mm512_loadu_si512(marks);
        const uint32_t newline = marks[count];
        if (!part_fits(&part, positions, marks + 1, bytes) || (!one && !later_parts_fit(frame, marks, bytes)) ||
            newline > last || !coreio__quick_texts(frame, window, marks) ||
            (!plain && !coreio__quick_rest(lexer, marks, begin, newline)))
            break;
        if (one)
            cut_pick(&pick, _mm512_loadu_si512(marks + first_mark), bases, row);
        else
            cut_groups(marks, picks, bases, row);
        *record = coreio__quick_record(base, begin, newline, first, fields);
        begin = newline + 1;
        marks += count;
        bytes += count;
        row += width;
        first += width;
    }
    lexer->begin = begin;
    lexer->at = (uint32_t)(bytes - lexer->mark_bytes);
    return (uint32_t)(record - rows->records);
}

uint32_t coreio__cut_quoted_avx512(struct coreio__lexer *lexer, const struct coreio__rows *rows)
{
    const struct coreio__picks *picks = lexer->picks;
    if (lexer->readable < COREIO__QUICK_REACH)
        return 0;
    const int32_t one = lexer->format->frame.marks <= COREIO__FRAME_LANES && picks->group_count == 1;
    return one ? cut_lines(lexer, rows, 1) : cut_lines(lexer, rows, 0);
}

/* Finds the two words behind the time; the first bracket must follow them. */
static inline int32_t find_prefix(const struct coreio__lexer *lexer, uint32_t open, struct coreio__prefix *prefix)
{
    const uint32_t host = lexer->begin + 16;
    const __m512i text = _mm512_loadu_si512(lexer->window + host);
    const uint64_t spaces = _mm512_cmpeq_epi8_mask(text, _mm512_set1_epi8(' '));
    const uint64_t others = spaces & (spaces - 1);
    prefix->host = host;
    prefix->tag = host + (uint32_t)__builtin_ctzll(spaces | (uint64_t)1 << 63) + 1;
    prefix->tag_end = host + (uint32_t)__builtin_ctzll(others | (uint64_t)1 << 63);
    return others != 0 && lexer->window[host - 1] == ' ' && open == prefix->tag_end + 1;
}

/* All bracketed fields of a line, sixteen at a time, and up to fifteen more behind them. */
static inline void cut_all(const uint16_t *marks, uint32_t count, __m512i base, struct coreio_log_field *fields)
{
    /* A pair of marks is a field: one behind the first is its offset; the difference less one its length. */
    const __m512i add = _mm512_set1_epi32((int)0xFFFF0001);
    for (uint32_t i = 0; i < count; i += 32) {
        const __m512i pairs = _mm512_loadu_si512(marks + i);
        const __m512i lanes = _mm512_add_epi16(_mm512_sub_epi16(pairs, _mm512_slli_epi32(pairs, 16)), add);
        const __m512i first = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(lanes));
        const __m512i second = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(lanes, 1));
        _mm512_storeu_si512(fields + i / 2, _mm512_add_epi32(first, base));
        _mm512_storeu_si512(fields + i / 2 + 8, _mm512_add_epi32(second, base));
    }
}

uint32_t coreio__cut_bracketed_avx512(struct coreio__lexer *lexer, const struct coreio__rows *rows)
{
    const struct coreio__picks *picks = lexer->picks;
    const __m512i brackets = _mm512_set1_epi16(']' << 8 | '[');
    const __m512i bases = offsets(rows->base);
    uint32_t room = rows->room;
    struct coreio_log_field *row = rows->fields;
    uint32_t done = 0;
    for (; done < rows->capacity; done++) {
        const uint16_t *marks = lexer->marks + lexer->at;
        const uint8_t *bytes = lexer->mark_bytes + lexer->at;
        uint32_t count = 0;
        uint64_t others;
        while ((others = _mm512_cmpneq_epi8_mask(_mm512_loadu_si512(bytes + count), brackets)) == 0)
            count += BRACKETS;
        count += (uint32_t)__builtin_ctzll(others);
        const uint32_t fields = COREIO__EDGE_PREFIX + count / 2;
        if (count == 0 || count % 2 != 0 || bytes[count] != '\n' || marks[count] != marks[count - 1] + 1u)
            break;
        const uint32_t newline = marks[count];
        struct coreio__prefix prefix;
        if (lexer->readable - newline < COREIO__QUICK_REACH || lexer->readable - lexer->begin < COREIO__PREFIX_REACH ||
            fields < (uint32_t)picks->limit || (rows->all && fields > room) || !find_prefix(lexer, marks[0], &prefix))
            break;
        coreio__quick_prefix(lexer, &prefix, rows->base, row);
        rows->records[done] = coreio__quick_record(
            rows->base, lexer->begin, newline, rows->first + (uint32_t)(row - rows->fields), fields);
        if (rows->all) {
            cut_all(marks, count, bases, row + COREIO__EDGE_PREFIX);
            row += fields;
            room -= fields;
        } else {
            cut_groups(marks, picks, bases, row);
            row += rows->width;
        }
        lexer->begin = newline + 1;
        lexer->at += count + 1;
    }
    return done;
}

#endif
