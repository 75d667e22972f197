/* Bounded pieces of work over one file, so that a measured figure can be told from the limit of the machine.
 *
 * All read with read(2) on the calling thread, to the buffers that a scan would read to (turns.h), and differ only in
 * what they do with the bytes; what they find is counted and thrown away. The loops hold no lock, and allocate nothing
 * but each buffer once, unless a line is longer than a block.
 */
#include "kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/base.h"
#include "base/clock.h"
#include "lexer.h"
#include "machine.h"
#include "turns.h"

#define BLOCK COREIO_LOG_DEFAULT_BLOCK

/* Records and fields that are cut at a time: enough for a window of lines of 16 bytes with fields of 4, and small
 * enough to stay in the second cache with the text. */
#define RECORDS 4096
#define FIELDS (COREIO__WINDOW / 4)

/* Where blocks are read to: at the alignment they have in the file, for then the kernel copies faster. What is left of
 * the one before is moved to right before it. */
#define ALIGNMENT 4096

/* A buffer of `lead` bytes and a block. */
struct buffer {
    uint8_t *bytes;
    size_t lead;
};

struct floor {
    const struct coreio_log_format *format;
    const struct coreio__kernel *kernel;
    struct coreio__class class;
    struct coreio_log_lexer *lexer;
    struct buffer buffers[COREIO__TURNS];
    struct coreio__turns turns;
    uint32_t *positions;
    struct coreio_log_record *records;
    struct coreio_log_field *fields;
    int32_t field_capacity;
    int32_t file;
};

/* Reads at most a block. Returns the bytes, 0 at the end, or -errno. */
static int64_t read_block(int32_t file, uint8_t *to)
{
    for (;;) {
        const ssize_t got = read(file, to, BLOCK);
        if (got >= 0)
            return got;
        if (errno != EINTR)
            return -errno;
    }
}

#if defined(__x86_64__)
/* These two run only where the kernel of the same name does; see count_newlines. */
__attribute__((target("avx512f,avx512bw,popcnt"))) static size_t count_avx512(
    const uint8_t *text, size_t length, int64_t *count)
{
    const __m512i newline = _mm512_set1_epi8('\n');
    size_t at = 0;
    for (; at + 64 <= length; at += 64)
        *count += __builtin_popcountll(_mm512_cmpeq_epi8_mask(_mm512_loadu_si512(text + at), newline));
    return at;
}

__attribute__((target("avx2,popcnt"))) static size_t count_avx2(const uint8_t *text, size_t length, int64_t *count)
{
    const __m256i newline = _mm256_set1_epi8('\n');
    size_t at = 0;
    for (; at + 32 <= length; at += 32) {
        const __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(text + at));
        *count += __builtin_popcount((uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, newline)));
    }
    return at;
}
#endif

/* Counts with the vectors of the kernel. Lines are short, so a count of each vector beats a call for each line; memchr
 * of the C library finds the rest. */
static int64_t count_newlines(const struct coreio__kernel *kernel, const uint8_t *text, size_t length)
{
    int64_t count = 0;
    size_t done = 0;
#if defined(__x86_64__)
    if (kernel->id == COREIO_LOG_KERNEL_AVX512)
        done = count_avx512(text, length, &count);
    else if (kernel->id == COREIO_LOG_KERNEL_AVX2)
        done = count_avx2(text, length, &count);
#else
    (void)kernel;
#endif
    const uint8_t *end = text + length;
    for (const uint8_t *at = text + done; at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
        count++;
    return count;
}

/* Positions are written over those of the window before, as the lexer does it. */
static int64_t index_block(const struct floor *floor, const uint8_t *text, size_t length)
{
    int64_t hits = 0;
    for (size_t at = 0; at < length; at += COREIO__WINDOW) {
        const size_t window = length - at < COREIO__WINDOW ? length - at : COREIO__WINDOW;
        hits += (int64_t)floor->kernel->index(text + at, window, &floor->class, floor->positions);
    }
    return hits;
}

/* Cuts the whole lines of the buffer a byte at a time. Returns the bytes of them. */
static int64_t scalar_lines(
    struct floor *floor, const uint8_t *text, size_t length, int32_t last, struct coreio_log_floor_result *result)
{
    const uint8_t *newline = memrchr(text, '\n', length);
    const size_t whole = last ? length : newline == NULL ? 0 : (size_t)(newline - text) + 1;
    struct coreio__machine_line line;
    for (size_t at = 0; at < whole; at = line.next) {
        coreio__machine_next(floor->format, text, whole, at, floor->fields, (uint32_t)floor->field_capacity, &line);
        result->lines++;
        result->hits += line.fields;
    }
    return (int64_t)whole;
}

static int32_t more_fields(struct floor *floor, int32_t needed)
{
    struct coreio_log_field *fields = realloc(floor->fields, (size_t)needed * sizeof *fields);
    if (fields == NULL)
        return -ENOMEM;
    floor->fields = fields;
    floor->field_capacity = needed;
    return 0;
}

/* Lexes the whole lines of the buffer, a window at a time. Returns the bytes of them, or an error. */
static int64_t lex_lines(
    struct floor *floor, const uint8_t *text, size_t length, int32_t last, struct coreio_log_floor_result *result)
{
    size_t at = 0;
    size_t piece = COREIO__WINDOW;
    while (at < length) {
        const size_t rest = length - at;
        const size_t given = rest < piece ? rest : piece;
        struct coreio_log_lex_result lexed;
        const int32_t status = coreio_log_lexer_feed(floor->lexer, text + at, (int64_t)given, last && given == rest,
            floor->records, RECORDS, floor->fields, floor->field_capacity, &lexed);
        if (status == COREIO_ECAPACITY) {
            const int32_t grown = more_fields(floor, lexed.needed_fields);
            if (grown < 0)
                return grown;
            continue;
        }
        if (status < 0)
            return status;
        result->lines += lexed.records;
        result->hits += lexed.fields;
        at += (size_t)lexed.consumed;
        if (lexed.consumed == 0 && given == rest)
            break;
        /* A line longer than the piece is looked for in all there is. */
        piece = lexed.consumed == 0 ? length : COREIO__WINDOW;
    }
    return (int64_t)at;
}

/* The place for the next block, with what is left of the last one right before it. NULL without memory. */
static uint8_t *next_place(struct floor *floor, const uint8_t *left, size_t length)
{
    struct buffer *buffer = &floor->buffers[coreio__turns_next(&floor->turns)];
    if (buffer->bytes == NULL || buffer->lead < length) {
        const size_t twice = (2 * length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        const size_t lead = twice < BLOCK ? BLOCK : twice;
        void *bytes;
        if (posix_memalign(&bytes, ALIGNMENT, lead + BLOCK) != 0)
            return NULL;
        if (length > 0)
            memcpy((uint8_t *)bytes + lead - length, left, length);
        free(buffer->bytes);
        *buffer = (struct buffer){bytes, lead};
    } else if (length > 0) {
        memmove(buffer->bytes + buffer->lead - length, left, length);
    }
    return buffer->bytes + buffer->lead;
}

/* Work for which lines do not matter. */
static int32_t run_blocks(struct floor *floor, int32_t work, struct coreio_log_floor_result *result)
{
    for (;;) {
        const int64_t began = coreio__clock_ns(CLOCK_MONOTONIC);
        uint8_t *place = next_place(floor, NULL, 0);
        if (place == NULL)
            return -ENOMEM;
        const int64_t got = read_block(floor->file, place);
        if (got <= 0)
            return (int32_t)got;
        result->bytes += got;
        if (work == COREIO_LOG_FLOOR_NEWLINES)
            result->lines += count_newlines(floor->kernel, place, (size_t)got);
        else if (work == COREIO_LOG_FLOOR_INDEX)
            result->hits += index_block(floor, place, (size_t)got);
        if (got == BLOCK)
            coreio__turns_took(&floor->turns, coreio__clock_ns(CLOCK_MONOTONIC) - began);
    }
}

/* Work on whole lines. */
static int32_t run_lines(struct floor *floor, int32_t work, struct coreio_log_floor_result *result)
{
    const uint8_t *left = NULL;
    size_t length = 0;
    for (;;) {
        const int64_t began = coreio__clock_ns(CLOCK_MONOTONIC);
        uint8_t *place = next_place(floor, left, length);
        if (place == NULL)
            return -ENOMEM;
        const int64_t got = read_block(floor->file, place);
        if (got < 0)
            return (int32_t)got;
        result->bytes += got;
        const uint8_t *text = place - length;
        length += (size_t)got;
        const int64_t done = work == COREIO_LOG_FLOOR_SCALAR ? scalar_lines(floor, text, length, got == 0, result)
                                                             : lex_lines(floor, text, length, got == 0, result);
        if (done < 0)
            return (int32_t)done;
        if (got == 0)
            return 0;
        left = text + done;
        length -= (size_t)done;
        /* A block inside of a long line is read but not worked on. */
        if (got == BLOCK && done >= BLOCK / 2)
            coreio__turns_took(&floor->turns, coreio__clock_ns(CLOCK_MONOTONIC) - began);
    }
}

/* Makes what the work needs. Returns 0 or an error. */
static int32_t prepare(struct floor *floor, int32_t work, int32_t kernel)
{
    static const char structural[] = "\n\"[] \t|\\";
    for (size_t i = 0; i < sizeof structural - 1; i++)
        coreio__class_add(&floor->class, (uint8_t)structural[i]);
    floor->kernel = coreio__kernel_get(kernel);
    if (floor->kernel == NULL)
        return COREIO_ECPU;
    floor->field_capacity = FIELDS;
    floor->turns = coreio__turns_make(BLOCK);
    floor->positions = malloc((COREIO__WINDOW + COREIO__KERNEL_SLACK) * sizeof *floor->positions);
    floor->records = malloc(RECORDS * sizeof *floor->records);
    floor->fields = malloc(FIELDS * sizeof *floor->fields);
    if (floor->positions == NULL || floor->records == NULL || floor->fields == NULL)
        return -ENOMEM;
    return work == COREIO_LOG_FLOOR_LEX ? coreio_log_lexer_create(floor->format, floor->kernel->id, &floor->lexer) : 0;
}

int32_t coreio_log_floor(const uint8_t *path, const struct coreio_log_format *format, int32_t work, int32_t kernel,
    struct coreio_log_floor_result *result)
{
    if (path == NULL || result == NULL || work < COREIO_LOG_FLOOR_READ || work > COREIO_LOG_FLOOR_LEX ||
        (format == NULL && work >= COREIO_LOG_FLOOR_SCALAR))
        return -EINVAL;
    memset(result, 0, sizeof *result);
    struct floor floor = {.format = format, .file = -1};
    int32_t status = prepare(&floor, work, kernel);
    if (status < 0)
        goto out;
    const int64_t began = coreio__clock_ns(CLOCK_MONOTONIC);
    const int64_t cpu_began = coreio__clock_ns(CLOCK_THREAD_CPUTIME_ID);
    floor.file = coreio__open_read((const char *)path);
    status = floor.file;
    if (status < 0)
        goto out;
    status = work <= COREIO_LOG_FLOOR_INDEX ? run_blocks(&floor, work, result) : run_lines(&floor, work, result);
    result->elapsed_ns = coreio__clock_ns(CLOCK_MONOTONIC) - began;
    result->cpu_ns = coreio__clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_began;
    result->kernel = floor.kernel->id;
out:
    /* A descriptor that was only read has nothing to lose in close(2). */
    if (floor.file >= 0)
        (void)close(floor.file);
    coreio_log_lexer_destroy(floor.lexer);
    free(floor.fields);
    free(floor.records);
    free(floor.positions);
    for (int32_t i = 0; i < COREIO__TURNS; i++)
        free(floor.buffers[i].bytes);
    return status;
}
