/* What becomes of rejected lines: counts, samples, and the file they are written to.
 *
 * A tally belongs to one thread. Samples are the first of the input, whoever sees them, for each knows where
 * in the input it stands. The sink is shared: blocks have numbers, and whoever holds the lowest one writes;
 * with no file to write to nobody ever waits.
 */
#ifndef COREIO_LOG_REJECTS_H
#define COREIO_LOG_REJECTS_H

#include <coreio/log.h>
#include <pthread.h>
#include <stddef.h>

struct coreio__sample {
    int64_t source; /* number of the file or stream */
    int64_t offset; /* of the line in it */
    int32_t length;
    uint8_t bytes[COREIO_LOG_SAMPLE_BYTES];
};

struct coreio__tally {
    int64_t lines;
    int64_t parsed;
    int64_t rejected;
    int64_t filtered;
    int64_t bytes;
    int64_t reasons[COREIO_LOG_REASONS];
    struct coreio__sample samples[COREIO_LOG_REASONS][COREIO_LOG_SAMPLES];
};

struct coreio__sink {
    pthread_mutex_t lock;
    pthread_cond_t turned;
    int64_t turn;         /* block whose rejects may be written now */
    int32_t fd;           /* -1 for no file */
    int32_t stop_event;   /* readable once writing is to be given up; -1 for never */
    int32_t status;       /* -errno of a failed write, COREIO_ECLOSED after a stop; then all waits end */
    int32_t write_status; /* atomic: -errno of a failed write, which any thread may ask for */
};

/* Counts a rejected line and keeps a sample of it; `length` is without the line end. */
void coreio__tally_reject(
    struct coreio__tally *tally, int32_t reason, int64_t source, int64_t offset, const uint8_t *line, size_t length);

/* Adds another tally; of the samples the first of the input stay. */
void coreio__tally_merge(struct coreio__tally *tally, const struct coreio__tally *other);

void coreio__sink_init(struct coreio__sink *sink, int32_t fd, int32_t stop_event);
void coreio__sink_clear(struct coreio__sink *sink);

/* Begins a new input: its blocks are numbered from 0. */
void coreio__sink_restart(struct coreio__sink *sink);

/* Waits until it is this block's turn. Returns 0 or the status of the sink. */
int32_t coreio__sink_wait(struct coreio__sink *sink, int64_t block);

/* Writes bytes of the block whose turn it is. Returns 0, -errno, or COREIO_ECLOSED after a stop that found a descriptor
 * that takes no more and does not block; a write that blocks is waited for. */
int32_t coreio__sink_write(struct coreio__sink *sink, const uint8_t *bytes, size_t length);

/* Gives the turn to the next block. */
void coreio__sink_pass(struct coreio__sink *sink, int64_t block);

/* Ends all waits with this status, unless there is one already. */
void coreio__sink_fail(struct coreio__sink *sink, int32_t status);

#endif
