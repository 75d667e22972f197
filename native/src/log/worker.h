/* One worker: lines in, groups out.
 *
 * Lines are cut in batches, and a batch is worked on column by column (columns.h); then each table takes it. So what
 * one line waits for, memory above all, overlaps with the work on others.
 *
 * A worker owns everything it changes: lexer, tables, tally. The path of a line holds no allocation (but for
 * a new group), no lock and no system call.
 */
#ifndef COREIO_LOG_WORKER_H
#define COREIO_LOG_WORKER_H

#include <coreio/cpu.h>

#include "columns.h"
#include "rejects.h"
#include "ring.h"

struct coreio__worker {
    const struct coreio_log_query *query;
    struct coreio__sink *sink;
    struct coreio__lexer lexer;
    struct coreio__tally tally;
    struct coreio__table tables[COREIO_LOG_MAX_TABLES];
    struct coreio__columns columns;
    struct coreio_log_field *fields; /* all fields of one line that is not quick */
    uint8_t *rejected;               /* lines of the block, to be written when it is its turn */
    size_t rejected_length;
    size_t rejected_capacity;
    uint8_t ends[COREIO__BATCH]; /* bytes of each line's end */
    struct coreio_log_record records[COREIO__BATCH];
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
