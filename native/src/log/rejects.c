/* Tallies and the ordered sink; see rejects.h. */
#include "rejects.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static int32_t comes_before(const struct coreio__sample *a, const struct coreio__sample *b)
{
    return a->source != b->source ? a->source < b->source : a->offset < b->offset;
}

static int64_t kept(int64_t count)
{
    return count < COREIO_LOG_SAMPLES ? count : COREIO_LOG_SAMPLES;
}

void coreio__tally_reject(
    struct coreio__tally *tally, int32_t reason, int64_t source, int64_t offset, const uint8_t *line, size_t length)
{
    const int64_t before = tally->reasons[reason]++;
    tally->rejected++;
    /* A thread goes through the input in its order, so its first ones are the first ones. */
    if (before >= COREIO_LOG_SAMPLES)
        return;
    struct coreio__sample *sample = &tally->samples[reason][before];
    sample->source = source;
    sample->offset = offset;
    sample->length = (int32_t)(length < COREIO_LOG_SAMPLE_BYTES ? length : COREIO_LOG_SAMPLE_BYTES);
    if (sample->length > 0)
        memcpy(sample->bytes, line, (size_t)sample->length);
}

static void merge_samples(
    struct coreio__sample *samples, int64_t count, const struct coreio__sample *others, int64_t other_count)
{
    struct coreio__sample merged[COREIO_LOG_SAMPLES];
    int64_t own = 0;
    int64_t theirs = 0;
    for (int64_t i = 0; i < COREIO_LOG_SAMPLES && (own < count || theirs < other_count); i++) {
        const int32_t take_own = theirs == other_count || (own < count && comes_before(&samples[own], &others[theirs]));
        merged[i] = take_own ? samples[own++] : others[theirs++];
    }
    memcpy(samples, merged, (size_t)(own + theirs) * sizeof *samples);
}

void coreio__tally_merge(struct coreio__tally *tally, const struct coreio__tally *other)
{
    tally->lines += other->lines;
    tally->parsed += other->parsed;
    tally->rejected += other->rejected;
    tally->filtered += other->filtered;
    tally->bytes += other->bytes;
    for (int32_t i = 0; i < COREIO_LOG_REASONS; i++) {
        merge_samples(tally->samples[i], kept(tally->reasons[i]), other->samples[i], kept(other->reasons[i]));
        tally->reasons[i] += other->reasons[i];
    }
}

void coreio__sink_init(struct coreio__sink *sink, int32_t fd, int32_t stop_event)
{
    memset(sink, 0, sizeof *sink);
    pthread_mutex_init(&sink->lock, NULL);
    pthread_cond_init(&sink->turned, NULL);
    sink->fd = fd;
    sink->stop_event = stop_event;
}

void coreio__sink_clear(struct coreio__sink *sink)
{
    pthread_cond_destroy(&sink->turned);
    pthread_mutex_destroy(&sink->lock);
}

void coreio__sink_restart(struct coreio__sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    sink->turn = 0;
    pthread_mutex_unlock(&sink->lock);
}

int32_t coreio__sink_wait(struct coreio__sink *sink, int64_t block)
{
    if (sink->fd < 0)
        return 0;
    pthread_mutex_lock(&sink->lock);
    while (sink->turn != block && sink->status == 0)
        pthread_cond_wait(&sink->turned, &sink->lock);
    const int32_t status = sink->status;
    pthread_mutex_unlock(&sink->lock);
    return status;
}

int32_t coreio__sink_write(struct coreio__sink *sink, const uint8_t *bytes, size_t length)
{
    while (sink->fd >= 0 && length > 0) {
        const ssize_t written = write(sink->fd, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno == EAGAIN) {
            /* The descriptor is the caller's and may be non-blocking: wait until it takes more. */
            struct pollfd waits[] = {{sink->fd, POLLOUT, 0}, {sink->stop_event, POLLIN, 0}};
            if (poll(waits, 2, -1) > 0 && waits[1].revents != 0)
                return COREIO_ECLOSED;
            continue;
        }
        if (written < 0) {
            const int32_t status = -errno;
            __atomic_store_n(&sink->write_status, status, __ATOMIC_RELAXED);
            coreio__sink_fail(sink, status);
            return status;
        }
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

void coreio__sink_pass(struct coreio__sink *sink, int64_t block)
{
    if (sink->fd < 0)
        return;
    pthread_mutex_lock(&sink->lock);
    sink->turn = block + 1;
    pthread_cond_broadcast(&sink->turned);
    pthread_mutex_unlock(&sink->lock);
}

void coreio__sink_fail(struct coreio__sink *sink, int32_t status)
{
    pthread_mutex_lock(&sink->lock);
    if (sink->status == 0)
        __atomic_store_n(&sink->status, status, __ATOMIC_RELAXED);
    pthread_cond_broadcast(&sink->turned);
    pthread_mutex_unlock(&sink->lock);
}
