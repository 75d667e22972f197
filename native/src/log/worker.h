/* One worker: lines in, groups out.
 *
 * Lines are cut in batches, and a batch is worked on column by column: each field that the question uses is typed for
 * all its lines, then they are filtered, then each table takes them. So what one line waits for, memory above all,
 * overlaps with the work on others, and what is decided once a field is not decided again for each line.
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

struct coreio__worker {
    const struct coreio_log_query *query;
    struct coreio__sink *sink;
    struct coreio__lexer lexer;
    struct coreio__tally tally;
    struct coreio__table tables[COREIO_LOG_MAX_TABLES];
    struct coreio__picks *picks;     /* the fields that the plan names, ascending */
    struct coreio_log_field *rows;   /* the picked fields of each line of a batch */
    struct coreio_log_field *fields; /* all fields of one line that is not quick */
    struct coreio__number *numbers;  /* columns, as struct coreio__batch has them */
    struct coreio__text *texts;
    uint64_t *hashes;
    uint8_t *hashed;
    uint8_t *scratch; /* COREIO__SCRATCH for each text of each line */
    struct coreio__request *requests;
    uint8_t *rejected; /* lines of the block, to be written when it is its turn */
    size_t rejected_length;
    size_t rejected_capacity;
    uint32_t count; /* lines of the batch */
    uint16_t lines[COREIO__BATCH];
    uint16_t all_lines[COREIO__BATCH];      /* 0, 1, 2, ... */
    int8_t outcomes[COREIO__BATCH];         /* coreio_log_reason, or filtered */
    uint8_t ends[COREIO__BATCH];            /* bytes of each line's end */
    uint16_t slot_picks[COREIO__MAX_SLOTS]; /* of each slot: which of the picks it is */
    uint16_t text_picks[COREIO_LOG_MAX_FIELDS];
    uint16_t request_pick;
    struct coreio_log_record records[COREIO__BATCH];
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
