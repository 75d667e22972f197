/* Regular files: each hand claims the next block of the file and works on the lines that begin in it.
 *
 * Block i is the bytes [i * B, (i + 1) * B). The line that a block ends in is read on by the one who holds the
 * block; the next block begins with the first line that begins in it. The size is taken when the file is opened, so
 * a log that grows meanwhile has an end.
 */
#include "scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

/* Bytes read together with a block, for the line it ends in: enough for nearly all, and no call more. And bytes that
 * are read on at a time for a longer one. */
#define AHEAD 2048
#define TAIL 16384

/* Reads up to `most` bytes, at least `least`; *got says how many. Returns 0, -errno, or COREIO_ETRUNCATED when the file
 * has become shorter. */
static int32_t read_least(int32_t file, uint8_t *buffer, size_t least, size_t most, int64_t offset, size_t *got)
{
    for (*got = 0; *got < least;) {
        const ssize_t more = pread(file, buffer + *got, most - *got, offset + (int64_t)*got);
        if (more < 0 && errno == EINTR)
            continue;
        if (more < 0)
            return -errno;
        if (more == 0)
            return COREIO_ETRUNCATED;
        *got += (size_t)more;
    }
    return 0;
}

static int32_t read_exactly(int32_t file, uint8_t *buffer, size_t length, int64_t offset)
{
    size_t got;
    return read_least(file, buffer, length, length, offset, &got);
}

/* A block but the first is read from the byte before it on. That byte is put before a cache line, for the kernel copies
 * to where the bytes have the alignment they have in the file 15 to 20 % faster. */
#define LEAD 63
#define LINE 64

/* Makes room for `capacity` bytes and keeps the first `kept`. Returns 0 or -ENOMEM. */
static int32_t reserve(struct coreio__room *room, size_t capacity, size_t kept)
{
    if (room->capacity >= capacity)
        return 0;
    void *memory;
    if (posix_memalign(&memory, LINE, LEAD + capacity) != 0)
        return -ENOMEM;
    if (kept > 0)
        memcpy((uint8_t *)memory + LEAD, room->bytes, kept);
    free(room->memory);
    *room = (struct coreio__room){memory, (uint8_t *)memory + LEAD, capacity};
    return 0;
}

/* The part of the buffer that holds the lines of a block. */
struct extent {
    size_t begin;   /* first line */
    size_t end;     /* behind the last whole line */
    size_t filled;  /* bytes in the buffer; what is behind `end` begins a line that is too long */
    int64_t offset; /* of the buffer's first byte in the file */
};

/* Reads a block and the rest of its last line, but no more of it than makes it too long. */
static int32_t read_block(
    const struct coreio_log_scan *scan, struct coreio__room *room, int64_t first, int64_t end, struct extent *extent)
{
    /* One byte more tells whether the first line of the block begins at its first byte. */
    extent->offset = first > 0 ? first - 1 : 0;
    const size_t own = (size_t)(end - extent->offset);
    const size_t ahead = (size_t)(scan->size - end < AHEAD ? scan->size - end : AHEAD);
    extent->begin = 0;
    extent->end = 0;
    int32_t status = reserve(room, (size_t)scan->block_bytes + 1 + AHEAD + TAIL, 0);
    if (status == 0)
        status = read_least(scan->file, room->bytes, own, own + ahead, extent->offset, &extent->filled);
    if (status < 0)
        return status;
    if (first > 0) {
        const uint8_t *newline = memchr(room->bytes, '\n', own - 1);
        if (newline == NULL) {
            extent->filled = 0;
            return 0;
        }
        extent->begin = (size_t)(newline - room->bytes) + 1;
    }
    /* Where the line ends that holds the block's last byte. */
    const uint8_t *end_of_last = memchr(room->bytes + own - 1, '\n', extent->filled - own + 1);
    if (end_of_last != NULL) {
        extent->end = (size_t)(end_of_last - room->bytes) + 1;
        extent->filled = extent->end;
        return 0;
    }
    const uint8_t *last = memrchr(room->bytes + extent->begin, '\n', own - extent->begin);
    extent->end = last == NULL ? extent->begin : (size_t)(last - room->bytes) + 1;
    while (extent->end < extent->filled) {
        const int64_t at = extent->offset + (int64_t)extent->filled;
        if (at == scan->size) {
            extent->end = extent->filled;
            break;
        }
        if (extent->filled - extent->end > COREIO_LOG_MAX_LINE)
            break;
        const size_t more = (size_t)(scan->size - at < TAIL ? scan->size - at : TAIL);
        if (room->capacity < extent->filled + more)
            status = reserve(room, (extent->filled + more) * 2, extent->filled);
        if (status == 0)
            status = read_exactly(scan->file, room->bytes + extent->filled, more, at);
        if (status < 0)
            return status;
        const uint8_t *newline = memchr(room->bytes + extent->filled, '\n', more);
        if (newline != NULL) {
            extent->end = (size_t)(newline - room->bytes) + 1;
            extent->filled = extent->end;
        } else {
            extent->filled += more;
        }
    }
    return 0;
}

/* Rejects the line that is too long to hold, and writes it piece by piece. It is the block's turn already. */
static int32_t skip_long_line(struct coreio__hand *hand, const struct coreio__room *room, const struct extent *extent)
{
    const struct coreio_log_scan *scan = hand->scan;
    struct coreio__tally *tally = &hand->worker.tally;
    const uint8_t *line = room->bytes + extent->end;
    const size_t held = extent->filled - extent->end;
    const int64_t offset = extent->offset + (int64_t)extent->end;
    tally->lines++;
    tally->bytes += (int64_t)held;
    coreio__tally_reject(tally, COREIO_LOG_TOO_LONG, scan->source, offset, line, held);
    int32_t status = coreio__sink_write(hand->worker.sink, line, held);
    for (int64_t at = offset + (int64_t)held; at < scan->size && status == 0;) {
        if (coreio__scan_is_stopped(scan))
            return COREIO_ECLOSED;
        const size_t more =
            (size_t)(scan->size - at < (int64_t)room->capacity ? scan->size - at : (int64_t)room->capacity);
        status = read_exactly(scan->file, room->bytes, more, at);
        if (status < 0)
            break;
        const uint8_t *newline = memchr(room->bytes, '\n', more);
        const size_t own = newline == NULL ? more : (size_t)(newline - room->bytes) + 1;
        tally->bytes += (int64_t)own;
        status = coreio__sink_write(hand->worker.sink, room->bytes, own);
        at = newline == NULL ? at + (int64_t)more : scan->size;
    }
    return status;
}

/* Works on one block. Returns 0, an error of the file, or a fatal one in hand->status. */
static int32_t work_block(struct coreio__hand *hand, int64_t block)
{
    struct coreio_log_scan *scan = hand->scan;
    const int64_t first = block * scan->block_bytes;
    const int64_t end = scan->size - first < scan->block_bytes ? scan->size : first + scan->block_bytes;
    struct coreio__room *room = &hand->rooms[coreio__turns_next(&hand->turns)];
    const int64_t began = coreio__clock_ns(CLOCK_MONOTONIC);
    struct extent extent;
    int32_t status = read_block(scan, room, first, end, &extent);
    /* What could be read of a block that ends in an error is not guessed at, but its turn must pass. */
    const size_t length = status == 0 ? extent.end - extent.begin : 0;
    hand->status = coreio__worker_block(
        &hand->worker, room->bytes + extent.begin, length, scan->source, extent.offset + (int64_t)extent.begin, block);
    /* Its lines are lost, and with them the answer. */
    if (hand->status == 0 && status == -ENOMEM)
        hand->status = status;
    if (hand->status == 0 && status == 0 && extent.filled > extent.end)
        status = skip_long_line(hand, room, &extent);
    /* A block with few lines, as inside of a long one, is read but not worked on. */
    if (status == 0 && end - first == scan->block_bytes && length >= (size_t)scan->block_bytes / 2)
        coreio__turns_took(&hand->turns, coreio__clock_ns(CLOCK_MONOTONIC) - began);
    coreio__sink_pass(&scan->sink, block);
    __atomic_fetch_add(&scan->done, end - first, __ATOMIC_RELAXED);
    return status;
}

void coreio__hand_file(struct coreio__hand *hand)
{
    struct coreio_log_scan *scan = hand->scan;
    while (!coreio__scan_is_stopped(scan) && __atomic_load_n(&scan->file_status, __ATOMIC_RELAXED) == 0) {
        const int64_t block = __atomic_fetch_add(&scan->next_block, 1, __ATOMIC_RELAXED);
        if (block > (scan->size - 1) / scan->block_bytes)
            return;
        const int32_t status = work_block(hand, block);
        if (hand->status < 0) {
            coreio__sink_fail(&scan->sink, hand->status);
            __atomic_store_n(&scan->file_status, hand->status, __ATOMIC_RELAXED);
            return;
        }
        if (status < 0)
            __atomic_store_n(&scan->file_status, status, __ATOMIC_RELAXED);
    }
}
