/* A scan: the workers' threads, the input they are at, and the answer.
 *
 * Regular files need no dispatcher: workers claim blocks by a counter (scan_file.c). Streams have one reader, the
 * caller's thread, and a ring to each worker (scan_stream.c). Between inputs the workers wait. What several
 * threads touch while an input is read is marked; all else belongs to the owner between inputs.
 */
#ifndef COREIO_LOG_SCAN_H
#define COREIO_LOG_SCAN_H

#include "turns.h"
#include "worker.h"

enum coreio__job { COREIO__JOB_START, COREIO__JOB_FILE, COREIO__JOB_STREAM, COREIO__JOB_END };

/* A buffer for a block of a file. */
struct coreio__room {
    void *memory;
    uint8_t *bytes; /* in `memory` */
    size_t capacity;
};

/* A worker and its thread. */
struct coreio__hand {
    struct coreio__worker worker;
    struct coreio__ring ring;
    struct coreio_log_scan *scan;
    pthread_t thread;
    struct coreio__turns turns;
    struct coreio__room rooms[COREIO__TURNS]; /* of blocks of a file */
    int64_t cpu_time_us;
    int64_t merged_lines; /* of hands of merged scans */
    int64_t merged_bytes;
    int64_t merged_time_us;
    struct coreio_cpu_place place;
    int32_t number;
    int32_t cpu;    /* to be pinned to */
    int32_t status; /* fatal: no further input can be worked on */
};

/* The stream being fed. */
struct coreio__stream {
    struct coreio__block *block; /* being filled, in the ring of hand `next`; NULL before the first byte */
    int32_t next;
    int32_t is_open;
    int64_t lent;       /* bytes of room that the caller may fill */
    int64_t offset;     /* of the next byte in the stream */
    int64_t number;     /* of the next block */
    int64_t long_bytes; /* of a line that is already too long; 0 when there is none */
    int64_t long_offset;
    size_t long_sample;
    uint8_t sample[COREIO_LOG_SAMPLE_BYTES];
};

struct coreio_log_scan {
    struct coreio_log_query *query;
    const struct coreio__kernel *kernel;
    struct coreio__hand **hands;
    struct coreio__sink sink;    /* shared, locks itself */
    struct coreio__tally tally;  /* of the reader; of all after finish */
    struct coreio__tally merged; /* of merged scans */
    struct coreio__stream stream;
    pthread_mutex_t lock; /* of the four below */
    pthread_cond_t changed;
    int64_t generation; /* of jobs */
    int32_t job;
    int32_t working; /* hands that have not ended the job */
    int32_t hand_count;
    int32_t started; /* hands that have a thread */
    int32_t block_bytes;
    int32_t file;        /* descriptor of the file being read */
    int64_t size;        /* of it */
    int64_t source;      /* number of the input */
    int64_t next_block;  /* shared, atomic: the next one to claim */
    int64_t done;        /* shared, atomic: bytes of the input that were read */
    int64_t total;       /* shared, atomic: size of the input, -1 of a stream */
    int32_t file_status; /* shared, atomic: first error of the file */
    int32_t stopped;     /* shared, atomic */
    int32_t stop_event;  /* eventfd that ends a wait for a stream's bytes, and for room for rejected lines */
    int32_t finished;
    int32_t finish_status;
};

/* Gives all hands a job; coreio__scan_join waits for its end. */
void coreio__scan_begin(struct coreio_log_scan *scan, int32_t job);
void coreio__scan_join(struct coreio_log_scan *scan);

/* The first fatal status of a hand, a stop, or 0. */
int32_t coreio__scan_status(const struct coreio_log_scan *scan);

static inline int32_t coreio__scan_is_stopped(const struct coreio_log_scan *scan)
{
    return __atomic_load_n(&scan->stopped, __ATOMIC_ACQUIRE);
}

/* The part of one hand in the file job and in the stream job. */
void coreio__hand_file(struct coreio__hand *hand);
void coreio__hand_stream(struct coreio__hand *hand);

/* Reads `fd` to its end as a stream. */
int64_t coreio__scan_read(struct coreio_log_scan *scan, int32_t fd);

#endif
