/* One worker: lines in, groups out.
 *
 * A worker owns everything it changes: lexer, tables, tally. The path of a line holds no allocation (but for
 * a new group), no lock and no system call.
 */
#ifndef COREIO_LOG_WORKER_H
#define COREIO_LOG_WORKER_H

#include <coreio/cpu.h>

#include "lexer.h"
#include "query.h"
#include "rejects.h"
#include "ring.h"

/* Lines cut at a time before they are worked on. */
#define COREIO__BATCH 128

struct coreio__worker {
    const struct coreio_log_query *query;
    struct coreio__sink *sink;
    struct coreio__lexer lexer;
    struct coreio__tally tally;
    struct coreio__table tables[COREIO_LOG_MAX_TABLES];
    struct coreio_log_field *rows;   /* fields of a batch of lines */
    struct coreio_log_field *fields; /* of the line that is worked on */
    struct coreio__number *numbers;
    struct coreio__text *texts;
    uint8_t *scratch;  /* COREIO__SCRATCH for each text */
    uint8_t *rejected; /* lines of the block, to be written when it is its turn */
    size_t rejected_length;
    size_t rejected_capacity;
    int64_t last_time_us; /* of last_time, for lines of one second follow each other */
    uint8_t last_time[26];
    uint8_t has_last_time;
};

/* Makes a worker. Returns 0 or -ENOMEM. */
int32_t coreio__worker_init(struct coreio__worker *worker, const struct coreio_log_query *query,
    const struct coreio__kernel *kernel, struct coreio__sink *sink);

/* Works on a block of whole lines, the last of which may lack its newline, and writes its rejected lines when it is
 * the block's turn, which the caller passes on. Returns 0, -ENOMEM, or the status of the sink. */
int32_t coreio__worker_block(
    struct coreio__worker *worker, const uint8_t *text, size_t length, int64_t source, int64_t offset, int64_t block);

void coreio__worker_clear(struct coreio__worker *worker);

#endif
