/* 64 bytes a step: one lookup of each byte's halves tests the whole vector into a mask register, and the positions of
 * its set bits are compressed in one instruction (VBMI2) and widened to 32 bits sixteen at a time.
 *
 * The compressed bytes are stored from a register: compressing straight to memory is slow on several CPUs.
 */
#include "kernel.h"

#if defined(__x86_64__)

#if !defined(__AVX512BW__) || !defined(__AVX512VBMI__) || !defined(__AVX512VBMI2__) || !defined(__PCLMUL__)
#error "kernel_avx512.c needs -mavx512bw -mavx512vl -mavx512vbmi -mavx512vbmi2 -mpclmul"
#endif

#include <coreio/cpu.h>
#include <immintrin.h>

#include "hash.h"
#include "kernel_marks.h"
#include "lexer_quick.h"

#define STEP 64

/* 0, 1, 2, ... */
static inline __m512i byte_numbers(void)
{
    return _mm512_set_epi8(63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41,
        40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13,
        12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

/* Widens sixteen of the compressed byte numbers to positions. */
static inline void widen(uint32_t *to, __m128i numbers, __m512i base)
{
    _mm512_storeu_si512(to, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(numbers)));
}

static inline uint32_t *emit(uint32_t *positions, uint32_t at, uint64_t mask, __m512i numbers)
{
    const int count = __builtin_popcountll(mask);
    const __m512i hits = _mm512_maskz_compress_epi8(mask, numbers);
    const __m512i base = _mm512_set1_epi32((int)at);
    widen(positions, _mm512_castsi512_si128(hits), base);
    if (count > 16) {
        widen(positions + 16, _mm512_extracti32x4_epi32(hits, 1), base);
        if (count > 32) {
            widen(positions + 32, _mm512_extracti32x4_epi32(hits, 2), base);
            widen(positions + 48, _mm512_extracti32x4_epi32(hits, 3), base);
        }
    }
    return positions + count;
}

static inline uint64_t match(__m512i bytes, __m512i low_table, __m512i high_table)
{
    const __m512i half = _mm512_set1_epi8(15);
    const __m512i low = _mm512_shuffle_epi8(low_table, _mm512_and_si512(bytes, half));
    const __m512i high = _mm512_shuffle_epi8(high_table, _mm512_and_si512(_mm512_srli_epi16(bytes, 4), half));
    return _mm512_test_epi8_mask(low, high);
}

static size_t index_avx512(const uint8_t *text, size_t length, const struct coreio__class *class, uint32_t *positions)
{
    const __m512i low = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)class->low));
    const __m512i high = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)class->high));
    const __m512i numbers = byte_numbers();
    uint32_t *end = positions;
    size_t at = 0;
    for (; at + STEP <= length; at += STEP)
        end = emit(end, (uint32_t)at, match(_mm512_loadu_si512(text + at), low, high), numbers);
    if (at < length) {
        const __mmask64 inside = ((uint64_t)1 << (length - at)) - 1;
        /* A masked load does not touch the bytes it leaves out. */
        const __m512i tail = _mm512_maskz_loadu_epi8(inside, text + at);
        end = emit(end, (uint32_t)at, match(tail, low, high) & inside, numbers);
    }
    return (size_t)(end - positions);
}

/* A product without carries by all ones is the prefix XOR. */
static inline uint64_t prefix(uint64_t mask)
{
    const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((int64_t)mask), _mm_set1_epi8(-1), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

static inline void write_half(uint16_t *positions, __m256i numbers, __m512i base)
{
    _mm512_storeu_si512(positions, _mm512_add_epi16(_mm512_cvtepu8_epi16(numbers), base));
}

/* Writes position and byte of each bit, and more behind them; returns how many bits there are. */
static inline size_t write_marks(
    __m512i block, size_t at, uint64_t marks, __m512i numbers, uint16_t *positions, uint8_t *bytes)
{
    const __m512i hits = _mm512_maskz_compress_epi8(marks, numbers);
    const __m512i base = _mm512_set1_epi16((short)at);
    const int count = __builtin_popcountll(marks);
    /* A compression takes several times as long as a lookup on current CPUs, so there is one. */
    _mm512_storeu_si512(bytes, _mm512_permutexvar_epi8(hits, block));
    write_half(positions, _mm512_castsi512_si256(hits), base);
    if (count > 32)
        write_half(positions + 32, _mm512_extracti64x4_epi64(hits, 1), base);
    return (size_t)count;
}

static inline __m512i load_tail(const uint8_t *text, size_t length)
{
    /* A masked load does not touch the bytes it leaves out; they are zero. */
    return _mm512_maskz_loadu_epi8(((uint64_t)1 << length) - 1, text);
}

/* The marks of one block outside of quotes; `lower` and `upper` are the class, looked up by whole bytes. */
static inline __attribute__((always_inline)) uint64_t quoted(
    struct coreio__quotes *state, __m512i block, __m512i lower, __m512i upper)
{
    uint64_t quotes = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('"'));
    const uint64_t backslashes = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('\\'));
    if (__builtin_expect((backslashes | state->escaped) != 0, 0))
        quotes &= ~coreio__marks_escaped(state, backslashes);
    const uint64_t newlines = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('\n'));
    const uint64_t plain = _mm512_movepi8_mask(_mm512_permutex2var_epi8(lower, block, upper));
    return coreio__marks_quoted(state, quotes, prefix(quotes), newlines, plain);
}

static size_t mark_quoted(
    const uint8_t *text, size_t length, const struct coreio__class *class, uint16_t *positions, uint8_t *bytes)
{
    const __m512i numbers = byte_numbers();
    const __m512i lower = _mm512_loadu_si512(class->halves);
    const __m512i upper = _mm512_loadu_si512(class->halves + STEP);
    const size_t whole = length / STEP * STEP;
    struct coreio__quotes state = {0, 0};
    size_t count = 0;
    for (size_t at = 0; at < whole; at += STEP) {
        const __m512i block = _mm512_loadu_si512(text + at);
        const uint64_t marks = quoted(&state, block, lower, upper);
        count += write_marks(block, at, marks, numbers, positions + count, bytes + count);
    }
    if (whole < length) {
        const __m512i block = load_tail(text + whole, length - whole);
        /* A class may hold the zeros behind the text. */
        const uint64_t marks = quoted(&state, block, lower, upper) & (((uint64_t)1 << (length - whole)) - 1);
        count += write_marks(block, whole, marks, numbers, positions + count, bytes + count);
    }
    return count;
}

static inline uint64_t bracketed(struct coreio__brackets *state, __m512i block)
{
    return coreio__marks_bracketed(state, _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('[')),
        _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8(']')), _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8(' ')),
        _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('\n')), _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('\\')));
}

static size_t mark_bracketed(
    const uint8_t *text, size_t length, const struct coreio__class *class, uint16_t *positions, uint8_t *bytes)
{
    (void)class;
    const __m512i numbers = byte_numbers();
    const size_t whole = length / STEP * STEP;
    struct coreio__brackets state = {0, 0, 0, 1};
    size_t count = 0;
    for (size_t at = 0; at < whole; at += STEP) {
        const __m512i block = _mm512_loadu_si512(text + at);
        count += write_marks(block, at, bracketed(&state, block), numbers, positions + count, bytes + count);
    }
    if (whole < length) {
        const __m512i block = load_tail(text + whole, length - whole);
        count += write_marks(block, whole, bracketed(&state, block), numbers, positions + count, bytes + count);
    }
    return count;
}

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

static uint32_t cut_quoted(struct coreio__lexer *lexer, const struct coreio__rows *rows)
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

static uint32_t cut_bracketed(struct coreio__lexer *lexer, const struct coreio__rows *rows)
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
            count += STEP;
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

const struct coreio__kernel coreio__kernel_avx512 = {
    .id = COREIO_LOG_KERNEL_AVX512,
    .features = COREIO_CPU_AVX512BW | COREIO_CPU_AVX512VBMI2 | COREIO_CPU_BMI2 | COREIO_CPU_PCLMUL,
    .name = "avx512",
    .index = index_avx512,
    .mark_quoted = mark_quoted,
    .mark_bracketed = mark_bracketed,
    .cut_quoted = cut_quoted,
    .cut_bracketed = cut_bracketed,
};

#endif
