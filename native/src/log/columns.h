/* The columns of a batch of lines: what a question needs of them, field by field.
 *
 * A batch is cut into rows; then each field that the question uses is typed for all its lines, those that do not fit or
 * do not pass are taken out, and the texts of the others are taken. So what one line waits for overlaps with the work
 * on others, and what is decided once a field is not decided again for each line. Columns are dense: what is left of a
 * batch moves up, and nothing behind asks which line a value is of.
 *
 * docs/queries.md, section 1, is the order this follows, for each line.
 */
#ifndef COREIO_LOG_COLUMNS_H
#define COREIO_LOG_COLUMNS_H

#include "lexer.h"
#include "query.h"

/* What becomes of a line that fits its format: COREIO_LOG_PARSED, a reason of rejection, or this. */
#define COREIO__FILTERED (-1)

/* The length of a field that a line does not have. */
#define COREIO__MISSING UINT32_MAX

struct coreio__columns {
    const struct coreio_log_query *query;
    struct coreio__picks *picks;    /* the fields that the plan names, ascending */
    struct coreio_log_field *rows;  /* the picked fields of each line */
    struct coreio__number *numbers; /* as struct coreio__batch has them */
    struct coreio__text *texts;
    uint64_t *hashes;
    uint8_t *hashed;
    uint8_t *scratch; /* COREIO__SCRATCH for each text of each line */
    struct coreio__request *requests;
    const uint8_t *window;                  /* that the rows are of */
    const uint8_t *end;                     /* behind what may be read of it */
    uint32_t count;                         /* lines that are left */
    uint16_t lines[COREIO__BATCH];          /* which of the batch they are, ascending */
    int8_t outcomes[COREIO__BATCH];         /* of all lines: coreio_log_reason, or filtered */
    uint16_t slot_picks[COREIO__MAX_SLOTS]; /* of each slot: which of the picks it is */
    uint16_t text_picks[COREIO_LOG_MAX_FIELDS];
    uint16_t request_pick;
    uint8_t last_time[26];
    uint8_t has_last_time;
    int64_t last_time_us; /* of last_time, for lines of one second follow each other */
};

/* Makes columns. Returns 0 or -ENOMEM. */
int32_t coreio__columns_init(struct coreio__columns *columns, const struct coreio_log_query *query);

/* Makes the columns of `count` lines, whose rows and outcomes are there. The offsets of their fields are into `window`,
 * of which `readable` bytes may be read; the batch points into both, and holds until the next. */
struct coreio__batch coreio__columns_make(
    struct coreio__columns *columns, uint32_t count, const uint8_t *window, uint32_t readable);

void coreio__columns_clear(struct coreio__columns *columns);

#endif
