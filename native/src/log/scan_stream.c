/* Streams: the caller's thread is the one reader; it fills line-aligned blocks and deals them to the hands.
 *
 * Bytes go straight into the block of the ring that is next; when it is full, what follows its last newline is
 * carried to the next one. A line that is too long to hold is the reader's own: it waits for the line's turn and
 * passes the bytes through.
 */
#include "scan.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A hand with this many empty blocks is not behind: besides the block it is about to get it has one, which it is at. */
#define ROOM_KEPT 2

static int32_t grow_block(struct coreio__block *block, size_t capacity)
{
    if (block->capacity >= capacity)
        return 0;
    uint8_t *bytes = realloc(block->bytes, capacity);
    if (bytes == NULL)
        return -ENOMEM;
    block->bytes = bytes;
    block->capacity = capacity;
    return 0;
}

/* The hand that gets the next block: the first that is not behind, else the one that is least behind; one that is
 * pinned to the CPU the reader runs on only when all others are behind.
 *
 * Dealing in turn would wake every worker for a stream that one of them keeps up with, also the one that takes the CPU
 * from the reader: where two CPUs decompress and parse, that costs a fifth of the speed. */
static int32_t choose_hand(const struct coreio_log_scan *scan)
{
    const int32_t here = sched_getcpu();
    int32_t best = scan->stream.next;
    int32_t most = -1;
    for (int32_t i = 0; i < scan->hand_count && most <= COREIO__RING_BLOCKS; i++) {
        int32_t room = coreio__ring_room(&scan->hands[i]->ring);
        if (room >= ROOM_KEPT)
            room = ROOM_KEPT + (scan->hands[i]->cpu == here ? 0 : COREIO__RING_BLOCKS);
        if (room > most) {
            most = room;
            best = i;
        }
    }
    return best;
}

/* Makes the next hand's block the one being filled, beginning with `carry`. Without memory the block is empty, and the
 * caller ends the stream. */
static int32_t take_block(struct coreio_log_scan *scan, const uint8_t *carry, size_t length)
{
    struct coreio__stream *stream = &scan->stream;
    struct coreio__block *block = coreio__ring_reserve(&scan->hands[stream->next]->ring);
    const size_t least = (size_t)scan->block_bytes < 2 * length ? 2 * length : (size_t)scan->block_bytes;
    block->length = 0;
    block->is_end = 0;
    stream->block = block;
    if (grow_block(block, least) < 0)
        return -ENOMEM;
    if (length > 0)
        memcpy(block->bytes, carry, length);
    block->length = length;
    block->offset = stream->offset - (int64_t)length;
    return 0;
}

/* Hands the block being filled to its worker; the next one begins with what follows its last newline. */
static int32_t deal_block(struct coreio_log_scan *scan, size_t whole)
{
    struct coreio__stream *stream = &scan->stream;
    struct coreio__block *block = stream->block;
    struct coreio__ring *ring = &scan->hands[stream->next]->ring;
    const size_t carry = block->length - whole;
    stream->next = choose_hand(scan);
    const int32_t status = take_block(scan, block->bytes + whole, carry);
    block->length = whole;
    block->number = stream->number++;
    coreio__ring_publish(ring);
    return status;
}

/* Passes bytes of a line that is too long through to the sink, whose turn it is. */
static int32_t pass_long(struct coreio_log_scan *scan, const uint8_t *bytes, size_t length)
{
    struct coreio__stream *stream = &scan->stream;
    for (size_t i = 0; i < length && stream->long_sample < sizeof stream->sample; i++)
        stream->sample[stream->long_sample++] = bytes[i];
    stream->long_bytes += (int64_t)length;
    return coreio__sink_write(&scan->sink, bytes, length);
}

/* The block being filled holds the beginning of a line that is too long. */
static int32_t begin_long(struct coreio_log_scan *scan)
{
    struct coreio__stream *stream = &scan->stream;
    struct coreio__block *block = stream->block;
    int32_t status = coreio__sink_wait(&scan->sink, stream->number);
    stream->long_offset = block->offset;
    stream->long_sample = 0;
    if (status == 0)
        status = pass_long(scan, block->bytes, block->length);
    block->length = 0;
    return status;
}

static void end_long(struct coreio_log_scan *scan)
{
    struct coreio__stream *stream = &scan->stream;
    scan->tally.lines++;
    scan->tally.bytes += stream->long_bytes;
    coreio__tally_reject(
        &scan->tally, COREIO_LOG_TOO_LONG, scan->source, stream->long_offset, stream->sample, stream->long_sample);
    coreio__sink_pass(&scan->sink, stream->number++);
    stream->long_bytes = 0;
}

/* Sees to a full block: deals it, makes it larger, or gives its line up as too long. */
static int32_t settle_full(struct coreio_log_scan *scan)
{
    struct coreio__block *block = scan->stream.block;
    const uint8_t *newline = memrchr(block->bytes, '\n', block->length);
    if (newline != NULL)
        return deal_block(scan, (size_t)(newline - block->bytes) + 1);
    if (block->length > COREIO_LOG_MAX_LINE)
        return begin_long(scan);
    const size_t twice = block->capacity * 2;
    return grow_block(block, twice < COREIO_LOG_MAX_LINE + 1 ? twice : COREIO_LOG_MAX_LINE + 1);
}

/* Begins a stream unless one is open. */
static int32_t open_stream(struct coreio_log_scan *scan)
{
    if (scan->stream.is_open)
        return coreio__scan_status(scan);
    const int32_t status = coreio__scan_status(scan);
    if (status < 0)
        return status;
    memset(&scan->stream, 0, sizeof scan->stream);
    scan->stream.is_open = 1;
    scan->stream.next = choose_hand(scan);
    scan->source++;
    coreio__sink_restart(&scan->sink);
    __atomic_store_n(&scan->done, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&scan->total, -1, __ATOMIC_RELAXED);
    __atomic_store_n(&scan->file_status, 0, __ATOMIC_RELAXED);
    coreio__scan_begin(scan, COREIO__JOB_STREAM);
    return take_block(scan, NULL, 0);
}

/* Where the next bytes go, and how many may. */
static uint8_t *room(const struct coreio_log_scan *scan, size_t *capacity)
{
    const struct coreio__block *block = scan->stream.block;
    *capacity = block->capacity - block->length;
    return block->bytes + block->length;
}

/* Takes note of bytes that were put where `room` said. */
static int32_t took(struct coreio_log_scan *scan, size_t length)
{
    struct coreio__stream *stream = &scan->stream;
    struct coreio__block *block = stream->block;
    stream->offset += (int64_t)length;
    __atomic_fetch_add(&scan->done, (int64_t)length, __ATOMIC_RELAXED);
    block->length += length;
    if (stream->long_bytes > 0) {
        const uint8_t *newline = memchr(block->bytes, '\n', block->length);
        const size_t own = newline == NULL ? block->length : (size_t)(newline - block->bytes) + 1;
        const int32_t status = pass_long(scan, block->bytes, own);
        memmove(block->bytes, block->bytes + own, block->length - own);
        block->length -= own;
        block->offset = stream->offset - (int64_t)block->length;
        if (newline != NULL)
            end_long(scan);
        if (status < 0)
            return status;
    }
    return block->length == block->capacity ? settle_full(scan) : 0;
}

/* Deals what is left, lets the hands end, and closes the stream. */
static int32_t close_stream(struct coreio_log_scan *scan)
{
    struct coreio__stream *stream = &scan->stream;
    if (stream->long_bytes > 0)
        end_long(scan);
    int32_t status = 0;
    if (stream->block != NULL && stream->block->length > 0)
        status = deal_block(scan, stream->block->length);
    /* Each hand gets its end in its own ring; the block being filled is already reserved in one of them. */
    for (int32_t i = 0; i < scan->hand_count; i++) {
        struct coreio__ring *ring = &scan->hands[i]->ring;
        struct coreio__block *block =
            stream->block != NULL && i == stream->next ? stream->block : coreio__ring_reserve(ring);
        block->length = 0;
        block->is_end = 1;
        coreio__ring_publish(ring);
    }
    coreio__scan_join(scan);
    stream->is_open = 0;
    stream->block = NULL;
    const int32_t fatal = coreio__scan_status(scan);
    return fatal < 0 ? fatal : status;
}

void coreio__hand_stream(struct coreio__hand *hand)
{
    struct coreio_log_scan *scan = hand->scan;
    for (;;) {
        struct coreio__block *block = coreio__ring_take(&hand->ring);
        const int32_t is_end = block->is_end;
        /* After a failure blocks are still taken, or the reader would wait for ever. */
        if (!is_end && hand->status == 0 && !coreio__scan_is_stopped(scan)) {
            hand->status = coreio__worker_block(
                &hand->worker, block->bytes, block->length, scan->source, block->offset, block->number);
            coreio__sink_pass(&scan->sink, block->number);
            if (hand->status < 0) {
                coreio__sink_fail(&scan->sink, hand->status);
                __atomic_store_n(&scan->file_status, hand->status, __ATOMIC_RELAXED);
            }
        }
        coreio__ring_release(&hand->ring);
        if (is_end)
            return;
    }
}

/* Waits until the descriptor has bytes or its end, or the scan is stopped. */
static int32_t wait_for_bytes(const struct coreio_log_scan *scan, int32_t fd)
{
    struct pollfd waits[] = {{fd, POLLIN, 0}, {scan->stop_event, POLLIN, 0}};
    while (poll(waits, 2, -1) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    return waits[1].revents != 0 ? COREIO_ECLOSED : 0;
}

int64_t coreio__scan_read(struct coreio_log_scan *scan, int32_t fd)
{
    int32_t status = open_stream(scan);
    if (!scan->stream.is_open)
        return status;
    while (status == 0) {
        size_t capacity;
        uint8_t *bytes = room(scan, &capacity);
        status = wait_for_bytes(scan, fd);
        if (status < 0)
            break;
        const ssize_t got = read(fd, bytes, capacity);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got < 0)
            status = -errno;
        if (got <= 0)
            break;
        status = took(scan, (size_t)got);
        if (status == 0)
            status = coreio__scan_status(scan);
    }
    const int64_t done = scan->stream.offset;
    const int32_t closed = close_stream(scan);
    if (status < 0)
        return status;
    return closed < 0 ? closed : done;
}

int64_t coreio_log_scan_fd(struct coreio_log_scan *scan, int32_t fd)
{
    if (scan == NULL || fd < 0 || scan->stream.is_open)
        return -EINVAL;
    return scan->finished ? COREIO_ECLOSED : coreio__scan_read(scan, fd);
}

/* Bytes are lost after a failure, so the rest of the stream would be cut at the wrong place: no more is taken. */
static int32_t settle_feed(struct coreio_log_scan *scan, int32_t status)
{
    if (status < 0 && scan->stream.is_open)
        __atomic_store_n(&scan->file_status, status, __ATOMIC_RELAXED);
    return status;
}

int32_t coreio_log_scan_feed(struct coreio_log_scan *scan, const uint8_t *bytes, int64_t length)
{
    if (scan == NULL || length < 0 || (bytes == NULL && length > 0))
        return -EINVAL;
    int32_t status = scan->finished ? COREIO_ECLOSED : open_stream(scan);
    scan->stream.lent = 0;
    while (status == 0 && length > 0) {
        size_t capacity;
        uint8_t *to = room(scan, &capacity);
        const size_t part = (uint64_t)length < capacity ? (size_t)length : capacity;
        memcpy(to, bytes, part);
        bytes += part;
        length -= (int64_t)part;
        status = took(scan, part);
        if (status == 0)
            status = coreio__scan_status(scan);
    }
    return settle_feed(scan, status);
}

int32_t coreio_log_scan_feed_room(struct coreio_log_scan *scan, uint8_t **bytes, int64_t *capacity)
{
    if (scan == NULL || bytes == NULL || capacity == NULL)
        return -EINVAL;
    *bytes = NULL;
    *capacity = 0;
    const int32_t status = scan->finished ? COREIO_ECLOSED : open_stream(scan);
    scan->stream.lent = 0;
    if (status < 0)
        return settle_feed(scan, status);
    size_t length;
    *bytes = room(scan, &length);
    *capacity = (int64_t)length;
    scan->stream.lent = (int64_t)length;
    return 0;
}

int32_t coreio_log_scan_feed_done(struct coreio_log_scan *scan, int64_t length)
{
    if (scan == NULL || length < 0)
        return -EINVAL;
    if (scan->finished)
        return COREIO_ECLOSED;
    if (!scan->stream.is_open || length > scan->stream.lent)
        return -EINVAL;
    scan->stream.lent = 0;
    int32_t status = coreio__scan_status(scan);
    if (status == 0 && length > 0)
        status = took(scan, (size_t)length);
    return settle_feed(scan, status);
}

int32_t coreio_log_scan_feed_end(struct coreio_log_scan *scan)
{
    if (scan == NULL)
        return -EINVAL;
    if (!scan->stream.is_open)
        return scan->finished ? COREIO_ECLOSED : coreio__scan_status(scan);
    return close_stream(scan);
}
