/* 64 bytes a step: lookups and comparisons test the whole vector into mask registers, and the positions of their set
 * bits are compressed in one instruction (VBMI2) and widened, to 32 bits for an index, to 16 for marks. What is inside
 * quotes is a difference of scattered bits (BMI2), and found for eight blocks while the marks of the eight before are
 * written; which brackets count is told for eight blocks at once. The cuts are in cut_avx512.c.
 */
#include "kernel.h"

#if defined(__x86_64__)

#if !defined(__AVX512BW__) || !defined(__AVX512VBMI__) || !defined(__AVX512VBMI2__) || !defined(__BMI2__)
#error "kernel_avx512.c needs -mavx512bw -mavx512vl -mavx512vbmi -mavx512vbmi2 -mbmi2"
#endif

#include <coreio/cpu.h>
#include <immintrin.h>

#include "kernel_marks.h"

#define STEP 64

/* 0, 1, 2, ... */
static inline __m512i byte_numbers(void)
{
    return _mm512_set_epi8(63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41,
        40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13,
        12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
}

/* The numbers of the set bits, the lowest first. What is compressed is stored from a register, for compressing straight
 * to memory is slow on several CPUs. Zen 4 and 5 let a compression wait for what was in its register before, even where
 * it leaves nothing of that: so it is given one of zeros that is made anew, which takes no time. */
static inline __m512i compress(uint64_t mask, __m512i numbers)
{
    __m512i zeros = _mm512_setzero_si512();
    COREIO__OPAQUE(zeros);
    return _mm512_mask_compress_epi8(zeros, mask, numbers);
}

/* Widens sixteen of the compressed byte numbers to positions. */
static inline void widen(uint32_t *to, __m128i numbers, __m512i base)
{
    _mm512_storeu_si512(to, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(numbers)));
}

static inline uint32_t *emit(uint32_t *positions, uint32_t at, uint64_t mask, __m512i numbers)
{
    const int count = __builtin_popcountll(mask);
    const __m512i hits = compress(mask, numbers);
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

/* The prefix XOR of a mask: from each of its odd bits to the next one all bits are set, which is what the next one less
 * this one is. */
static inline uint64_t prefix(uint64_t mask)
{
    return _pdep_u64(0xAAAAAAAAAAAAAAAA, mask) - _pdep_u64(0x5555555555555555, mask);
}

static inline void write_half(uint16_t *positions, __m256i numbers, __m512i base)
{
    _mm512_storeu_si512(positions, _mm512_add_epi16(_mm512_cvtepu8_epi16(numbers), base));
}

/* Writes position and byte of each bit, and what is behind them up to 64; returns how many bits there are. */
static inline size_t write_marks(
    __m512i block, __m512i base, uint64_t marks, __m512i numbers, uint16_t *positions, uint8_t *bytes)
{
    const __m512i hits = compress(marks, numbers);
    const int count = __builtin_popcountll(marks);
    /* A lookup is quicker than a second compression. */
    _mm512_storeu_si512(bytes, _mm512_permutexvar_epi8(hits, block));
    write_half(positions, _mm512_castsi512_si256(hits), base);
    if (count > 32)
        write_half(positions + 32, _mm512_extracti64x4_epi64(hits, 1), base);
    return (size_t)count;
}

/* The same for the first 16 bits. */
static inline void write_sixteen(
    __m512i block, __m256i base, uint64_t marks, __m512i numbers, uint16_t *positions, uint8_t *bytes)
{
    const __m512i hits = compress(marks, numbers);
    const __m256i wide = _mm256_cvtepu8_epi16(_mm512_castsi512_si128(hits));
    _mm_storeu_si128((__m128i *)(void *)bytes, _mm512_castsi512_si128(_mm512_permutexvar_epi8(hits, block)));
    _mm256_storeu_si256((__m256i *)(void *)positions, _mm256_add_epi16(wide, base));
}

/* The same where hardly any block has more than 16: what is stored goes over the end of a cache line more seldom. */
static inline size_t write_few(
    __m512i block, __m512i base, uint64_t marks, __m512i numbers, uint16_t *positions, uint8_t *bytes)
{
    const int count = __builtin_popcountll(marks);
    if (__builtin_expect(count > 16, 0))
        return write_marks(block, base, marks, numbers, positions, bytes);
    write_sixteen(block, _mm512_castsi512_si256(base), marks, numbers, positions, bytes);
    return (size_t)count;
}

static inline __m512i load_tail(const uint8_t *text, size_t length)
{
    /* A masked load does not touch the bytes it leaves out; they are zero. */
    return _mm512_maskz_loadu_epi8(((uint64_t)1 << length) - 1, text);
}

/* A class in registers. */
struct tables {
    __m512i low;
    __m512i high;
    __m512i only;
};

static inline struct tables load_tables(const struct coreio__class *class)
{
    const __m512i only = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)class->only));
    return (struct tables){_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)class->low)),
        _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)class->high)),
        _mm512_xor_si512(only, _mm512_set1_epi8((char)0x80))};
}

/* The marks of one block outside of quotes. */
static inline __attribute__((always_inline)) uint64_t quoted(
    struct coreio__quotes *state, __m512i block, const struct tables *tables, int32_t shared)
{
    uint64_t quotes = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('"'));
    const uint64_t backslashes = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('\\'));
    if (__builtin_expect((backslashes | state->escaped) != 0, 0))
        quotes &= ~coreio__marks_escaped(state, backslashes);
    const uint64_t newlines = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('\n'));
    /* Where a lower half has no byte, 0x80 is what no byte with that half is: for one over 127 a shuffle gives 0. */
    const uint64_t plain = shared ? match(block, tables->low, tables->high)
                                  : _mm512_cmpeq_epi8_mask(_mm512_shuffle_epi8(tables->only, block), block);
    return coreio__marks_quoted(state, quotes, prefix(quotes), newlines, plain);
}

/* How far a text is marked. */
struct marking {
    struct coreio__quotes state;
    size_t at;
    size_t count; /* of marks */
};

/* Marks blocks one after the other up to `end`, which ends a block or the text. */
static inline __attribute__((always_inline)) void mark_blocks(struct marking *marking, const uint8_t *text, size_t end,
    const struct tables *tables, uint16_t *positions, uint8_t *bytes, int32_t shared)
{
    const __m512i numbers = byte_numbers();
    const size_t whole = end / STEP * STEP;
    struct coreio__quotes state = marking->state;
    __m512i base = _mm512_set1_epi16((short)marking->at);
    size_t count = marking->count;
    for (size_t at = marking->at; at < whole; at += STEP) {
        const __m512i block = _mm512_loadu_si512(text + at);
        const uint64_t marks = quoted(&state, block, tables, shared);
        count += write_few(block, base, marks, numbers, positions + count, bytes + count);
        base = _mm512_add_epi16(base, _mm512_set1_epi16(STEP));
    }
    if (whole < end) {
        const __m512i block = load_tail(text + whole, end - whole);
        /* A class may hold the zeros behind the text. */
        const uint64_t marks = quoted(&state, block, tables, shared) & (((uint64_t)1 << (end - whole)) - 1);
        count += write_few(block, base, marks, numbers, positions + count, bytes + count);
    }
    *marking = (struct marking){state, end, count};
}

/* Blocks that are marked together. */
#define GROUP 8
#define GROUP_BYTES ((size_t)GROUP * STEP)

/* Marks that one block of a group may have. */
#define FEW 15

/* Bytes as in `only` of a class: those that are marks outside of quotes, quotes and newlines too, and those that the
 * quick way leaves to the other one where they are no marks. */
struct quick {
    __m512i marks;
    __m512i rare;
};

/* Returns 0 for a class that has no quick way: another byte of it has the lower half of a quote or a newline. */
static int32_t make_quick(const struct coreio__class *class, struct quick *quick)
{
    struct coreio__class marks = *class;
    struct coreio__class rare = {{0}, {0}, {0}, 0};
    if (marks.only['\\' & 15] == ('\\' ^ 0x80))
        marks.only['\\' & 15] = 0;
    coreio__class_add(&marks, '"');
    coreio__class_add(&marks, '\n');
    coreio__class_add(&rare, '\\');
    coreio__class_add(&rare, '\n');
    *quick = (struct quick){load_tables(&marks).only, load_tables(&rare).only};
    return !marks.shared;
}

/* The marks of one block without anything rare. Only two masks go to general registers, and the compiler must leave
 * them there: on Zen 4 each takes two cycles, and ten there and back. */
static inline uint64_t quick_marks(const struct quick *quick, __m512i block, uint64_t *inside)
{
    uint64_t quotes = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('"'));
    uint64_t hits = _mm512_cmpeq_epi8_mask(_mm512_shuffle_epi8(quick->marks, block), block);
    COREIO__GENERAL(quotes);
    COREIO__GENERAL(hits);
    const uint64_t within = prefix(quotes) ^ *inside;
    *inside = 0 - (within >> 63);
    uint64_t inner = within & ~quotes;
    COREIO__GENERAL(inner);
    uint64_t marks = hits & ~inner;
    COREIO__GENERAL(marks);
    return marks;
}

/* Zero where a block with these marks has something rare: a backslash, or a newline inside of quotes. A vector and not
 * a mask, for a comparison takes as long as two other steps on Zen 4. */
static inline __m512i find_rare(const struct quick *quick, __m512i block, __mmask64 marks)
{
    const __m512i others = _mm512_xor_si512(_mm512_shuffle_epi8(quick->rare, block), block);
    return _mm512_mask_mov_epi8(others, marks, _mm512_set1_epi8(1));
}

/* Where nothing is escaped, marks groups up to `end`, the end of one, or to the first with something rare or many marks
 * in a block. Marks of a group are found while those of the one before are written: there are more steps from a byte to
 * what is written of it than a CPU looks ahead. */
static __attribute__((noinline)) void mark_groups(
    struct marking *marking, const uint8_t *text, size_t end, struct quick quick, uint16_t *positions, uint8_t *bytes)
{
    const __m512i numbers = byte_numbers();
    uint64_t found[GROUP];
    uint64_t inside = marking->state.inside;
    for (size_t i = 0; i < GROUP; i++)
        found[i] = quick_marks(&quick, _mm512_loadu_si512(text + marking->at + i * STEP), &inside);
    while (marking->at < end) {
        const uint8_t *group = text + marking->at;
        /* Behind the last group the first one of the text is looked at, which nobody asks for. */
        const uint8_t *next = marking->at + GROUP_BYTES < end ? group + GROUP_BYTES : text;
        __m256i base = _mm256_set1_epi16((short)marking->at);
        __m512i rare = _mm512_set1_epi8(1);
        uint64_t later = inside;
        size_t count = marking->count;
        size_t many = 0;
#pragma GCC unroll 8
        for (size_t i = 0; i < GROUP; i++) {
            __m512i block = _mm512_loadu_si512(group + i * STEP);
            COREIO__OPAQUE(block);
            uint64_t marks = found[i];
            COREIO__GENERAL(marks);
            const size_t own = (size_t)__builtin_popcountll(marks);
            rare = _mm512_min_epu8(rare, find_rare(&quick, block, _cvtu64_mask64(marks)));
            write_sixteen(block, base, marks, numbers, positions + count, bytes + count);
            count += own;
            many |= own;
            COREIO__GENERAL(count);
            COREIO__GENERAL(many);
            base = _mm256_add_epi16(base, _mm256_set1_epi16(STEP));
            COREIO__OPAQUE(base);
            found[i] = quick_marks(&quick, _mm512_loadu_si512(next + i * STEP), &later);
        }
        /* What was written is in memory: else gcc 12 keeps all of it, to write it again behind the loop. */
        __asm__ volatile("" ::: "memory");
        if (__builtin_expect(_mm512_testn_epi8_mask(rare, rare) != 0 || many > FEW, 0))
            return;
        *marking = (struct marking){{0, inside}, marking->at + GROUP_BYTES, count};
        inside = later;
    }
}

/* Groups that are marked a block after the other before the quick way is tried again: twice as many each time that it
 * comes to nothing. */
#define PAUSE_MOST 16

/* Whether what follows a group is better marked a block after the other, too: the group has backslashes, the last of
 * which may escape what follows it, or many marks. */
static int32_t is_slow(const uint8_t *group, size_t marks)
{
    __mmask64 others = _cvtu64_mask64(UINT64_MAX);
    for (size_t i = 0; i < GROUP; i++)
        others = _mm512_mask_cmpneq_epi8_mask(others, _mm512_loadu_si512(group + i * STEP), _mm512_set1_epi8('\\'));
    return _cvtmask64_u64(others) != UINT64_MAX || marks > GROUP * FEW / 2;
}

/* Marks groups a block after the other: `least` of them, and on to the first that is not slow; or up to `end`. */
static void mark_slowly(struct marking *marking, const uint8_t *text, size_t end, const struct tables *tables,
    size_t least, uint16_t *positions, uint8_t *bytes)
{
    int32_t slow = 1;
    for (size_t done = 0; (slow || done < least) && marking->at < end; done++) {
        const struct marking before = *marking;
        mark_blocks(marking, text, before.at + GROUP_BYTES, tables, positions, bytes, 0);
        slow = is_slow(text + before.at, marking->count - before.count);
    }
}

static size_t mark_quoted(
    const uint8_t *text, size_t length, const struct coreio__class *class, uint16_t *positions, uint8_t *bytes)
{
    const struct tables tables = load_tables(class);
    struct marking marking = {{0, 0}, 0, 0};
    struct quick quick;
    if (class->shared) {
        mark_blocks(&marking, text, length, &tables, positions, bytes, 1);
        return marking.count;
    }
    const size_t end = make_quick(class, &quick) ? length / GROUP_BYTES * GROUP_BYTES : 0;
    size_t pause = 1;
    while (marking.at < end) {
        const size_t from = marking.at;
        mark_groups(&marking, text, end, quick, positions, bytes);
        pause = marking.at > from ? 1 : pause < PAUSE_MOST ? 2 * pause : PAUSE_MOST;
        mark_slowly(&marking, text, end, &tables, pause, positions, bytes);
    }
    mark_blocks(&marking, text, length, &tables, positions, bytes, 0);
    return marking.count;
}

/* Blocks whose brackets are found, then told apart eight at a time, then written: each of these steps is short, so a
 * CPU overlaps many of them, and the masks in between are in memory long before they are read. 4 KiB of text stay near.
 */
#define STAGE 64
#define LANES 8

struct stage {
    _Alignas(64) uint64_t opens[STAGE];
    _Alignas(64) uint64_t closes[STAGE];
    _Alignas(64) uint64_t spaces[STAGE];
    _Alignas(64) uint64_t newlines[STAGE];
    _Alignas(64) uint64_t backslashes[STAGE];
    _Alignas(64) uint64_t marks[STAGE];
};

/* coreio__brackets of eight blocks: masks of those before. */
struct brackets {
    __m512i closes;
    __m512i spaced;
    __m512i newlines;
    uint32_t searching;
};

static inline void find_brackets(struct stage *stage, size_t i, __m512i block)
{
    stage->opens[i] = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('['));
    stage->closes[i] = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8(']'));
    stage->spaces[i] = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8(' '));
    stage->newlines[i] = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('\n'));
    stage->backslashes[i] = _mm512_cmpeq_epi8_mask(block, _mm512_set1_epi8('\\'));
}

/* What follows each bit of 512, whose neighbours before are in the highest lane of `before`. */
static inline __m512i following(__m512i mask, __m512i before)
{
    return _mm512_shldi_epi64(mask, _mm512_alignr_epi64(mask, before, LANES - 1), 1);
}

/* coreio__marks_bracketed of eight blocks, as one number of 512 bits. */
static inline void join_brackets(struct stage *stage, size_t i, struct brackets *state)
{
    const __m512i ones = _mm512_set1_epi64(-1);
    const __m512i opens = _mm512_load_si512(stage->opens + i);
    const __m512i closes = _mm512_load_si512(stage->closes + i);
    const __m512i newlines = _mm512_load_si512(stage->newlines + i);
    const __m512i after_close = following(closes, state->closes);
    const __m512i spaced = _mm512_and_si512(after_close, _mm512_load_si512(stage->spaces + i));
    const __m512i after_space = following(spaced, state->spaced);
    const __m512i starts = following(newlines, state->newlines);
    /* The sum of each lane, then what carries from lane to lane: one that wraps makes a carry, one of all ones passes
     * it on. As numbers of eight bits, carries go through those that pass them by an addition, too. */
    const __m512i others = _mm512_xor_si512(opens, ones);
    const __m512i sum = _mm512_add_epi64(others, _mm512_and_si512(starts, others));
    const uint32_t made = _mm512_cmplt_epu64_mask(sum, others);
    const uint32_t passing = _mm512_cmpeq_epi64_mask(sum, ones);
    const uint32_t carries = (made << 1 | state->searching) + passing;
    const __m512i rippled = _mm512_mask_sub_epi64(sum, (__mmask8)(carries ^ passing), sum, ones);
    *state = (struct brackets){closes, spaced, newlines, carries >> LANES};
    const __m512i after = _mm512_or_si512(_mm512_or_si512(rippled, starts), _mm512_or_si512(after_close, after_space));
    const __m512i ends = _mm512_or_si512(closes, _mm512_load_si512(stage->backslashes + i));
    _mm512_store_si512(
        stage->marks + i, _mm512_or_si512(_mm512_or_si512(_mm512_and_si512(opens, after), newlines), ends));
}

/* The marks of a stage of `blocks` blocks from `at` on, the last of which may end the text. */
static inline __attribute__((always_inline)) size_t mark_stage(struct brackets *state, const uint8_t *text,
    size_t length, size_t at, size_t blocks, uint16_t *positions, uint8_t *bytes)
{
    const __m512i numbers = byte_numbers();
    const size_t whole = (length - at) / STEP < blocks ? (length - at) / STEP : blocks;
    const __m512i last =
        whole < blocks ? load_tail(text + at + whole * STEP, length - at - whole * STEP) : _mm512_setzero_si512();
    struct stage stage;
#pragma GCC unroll 4
    for (size_t i = 0; i < whole; i++)
        find_brackets(&stage, i, _mm512_loadu_si512(text + at + i * STEP));
    for (size_t i = whole; i < (blocks + LANES - 1) / LANES * LANES; i++)
        find_brackets(&stage, i, i == whole ? last : _mm512_setzero_si512());
    for (size_t i = 0; i < blocks; i += LANES)
        join_brackets(&stage, i, state);
    __m512i base = _mm512_set1_epi16((short)at);
    size_t count = 0;
#pragma GCC unroll 4
    for (size_t i = 0; i < whole; i++) {
        const __m512i block = _mm512_loadu_si512(text + at + i * STEP);
        count += write_marks(block, base, stage.marks[i], numbers, positions + count, bytes + count);
        base = _mm512_add_epi16(base, _mm512_set1_epi16(STEP));
    }
    if (whole < blocks)
        count += write_marks(last, base, stage.marks[whole], numbers, positions + count, bytes + count);
    return count;
}

static size_t mark_bracketed(
    const uint8_t *text, size_t length, const struct coreio__class *class, uint16_t *positions, uint8_t *bytes)
{
    (void)class;
    const __m512i none = _mm512_setzero_si512();
    /* A text begins at a line, as if a newline were before it. */
    struct brackets state = {none, none, _mm512_set1_epi64(-1), 0};
    size_t count = 0;
    size_t at = 0;
    for (; length - at >= STAGE * STEP; at += STAGE * STEP)
        count += mark_stage(&state, text, length, at, STAGE, positions + count, bytes + count);
    if (at < length)
        count +=
            mark_stage(&state, text, length, at, (length - at + STEP - 1) / STEP, positions + count, bytes + count);
    return count;
}

const struct coreio__kernel coreio__kernel_avx512 = {
    .id = COREIO_LOG_KERNEL_AVX512,
    .features = COREIO_CPU_SSE42 | COREIO_CPU_AVX512BW | COREIO_CPU_AVX512VBMI2 | COREIO_CPU_BMI2,
    .name = "avx512",
    .index = index_avx512,
    .mark_quoted = mark_quoted,
    .mark_bracketed = mark_bracketed,
    .cut_quoted = coreio__cut_quoted_avx512,
    .cut_bracketed = coreio__cut_bracketed_avx512,
};

#endif
