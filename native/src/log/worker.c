/* The path of a batch of lines: cut, make columns, aggregate; see worker.h. */
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lexer_quick.h"

/* Keeps a rejected line, its end included, until it is the block's turn. */
static int32_t keep_rejected(struct coreio__worker *worker, const uint8_t *line, size_t length)
{
    if (worker->sink->fd < 0)
        return 0;
    if (worker->rejected_capacity - worker->rejected_length < length) {
        const size_t capacity = (worker->rejected_capacity + length) * 2;
        uint8_t *rejected = realloc(worker->rejected, capacity);
        if (rejected == NULL)
            return -ENOMEM;
        worker->rejected = rejected;
        worker->rejected_capacity = capacity;
    }
    memcpy(worker->rejected + worker->rejected_length, line, length);
    worker->rejected_length += length;
    return 0;
}

/* Notes what became of the lines of the batch, and keeps the rejected ones. */
static int32_t tally_lines(struct coreio__worker *worker, uint32_t count, int64_t source, int64_t offset)
{
    struct coreio__tally *tally = &worker->tally;
    tally->lines += count;
    tally->parsed += worker->columns.count;
    if (worker->columns.count == count)
        return 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct coreio_log_record *record = &worker->records[i];
        const int32_t outcome = worker->columns.outcomes[i];
        if (outcome == COREIO__FILTERED)
            tally->filtered++;
        if (outcome <= COREIO_LOG_PARSED)
            continue;
        const uint8_t *line = worker->lexer.window + record->offset;
        coreio__tally_reject(tally, outcome, source, offset + record->offset, line, record->length);
        const int32_t status = keep_rejected(worker, line, (size_t)record->length + worker->ends[i]);
        if (status < 0)
            return status;
    }
    return 0;
}

/* Works on the first `count` lines of the batch, which were cut. */
static int32_t work_batch(struct coreio__worker *worker, uint32_t count, int64_t source, int64_t offset)
{
    const struct coreio_log_query *query = worker->query;
    const struct coreio__batch batch =
        coreio__columns_make(&worker->columns, count, worker->lexer.window, worker->lexer.readable);
    for (int32_t i = 0; i < query->table_count; i++) {
        const int32_t status = coreio__table_add(&worker->tables[i], query->tables[i]->keys, &batch);
        if (status < 0)
            return status;
    }
    return tally_lines(worker, count, source, offset);
}

/* Cuts lines by their frames. */
static uint32_t cut_quick(struct coreio__worker *worker, uint32_t from)
{
    const uint32_t width = (uint32_t)worker->columns.picks->count;
    const struct coreio__rows rows = {.fields = worker->columns.rows + (size_t)from * width,
        .records = worker->records + from,
        .capacity = COREIO__BATCH - from,
        .width = width};
    const uint32_t count = coreio__lexer_quick(&worker->lexer, &rows);
    memset(worker->columns.outcomes + from, COREIO_LOG_PARSED, count);
    /* The newline. */
    memset(worker->ends + from, 1, count);
    return count;
}

/* Cuts one line by the definition, and picks its fields. */
static uint32_t cut_plain(struct coreio__worker *worker, uint32_t at)
{
    const struct coreio__picks *picks = worker->columns.picks;
    struct coreio_log_field *row = worker->columns.rows + (size_t)at * (uint32_t)picks->count;
    struct coreio__line line;
    if (!coreio__lexer_next(&worker->lexer, worker->fields, (uint32_t)picks->limit, &line))
        return 0;
    for (int32_t i = 0; i < picks->count; i++)
        row[i] = picks->fields[i] < line.fields ? worker->fields[picks->fields[i]]
                                                : (struct coreio_log_field){0, COREIO__MISSING};
    worker->columns.outcomes[at] = (int8_t)line.reason;
    worker->ends[at] = (uint8_t)(line.next - line.end);
    worker->records[at] = (struct coreio_log_record){line.begin, line.end - line.begin, 0, line.fields, line.reason, 0};
    return 1;
}

static int32_t work_window(struct coreio__worker *worker, int64_t source, int64_t offset)
{
    for (;;) {
        uint32_t count = 0;
        while (count < COREIO__BATCH) {
            uint32_t cut = cut_quick(worker, count);
            if (cut == 0)
                cut = cut_plain(worker, count);
            if (cut == 0)
                break;
            count += cut;
        }
        if (count == 0)
            return 0;
        const int32_t status = work_batch(worker, count, source, offset);
        if (status < 0)
            return status;
    }
}

int32_t coreio__worker_init(struct coreio__worker *worker, const struct coreio_log_query *query,
    const struct coreio__kernel *kernel, struct coreio__sink *sink)
{
    memset(worker, 0, sizeof *worker);
    worker->query = query;
    worker->sink = sink;
    worker->lexer.format = query->format;
    worker->lexer.kernel = kernel;
    int32_t status = coreio__columns_init(&worker->columns, query);
    if (status == 0) {
        worker->lexer.picks = worker->columns.picks;
        worker->fields = calloc((size_t)worker->columns.picks->limit + 1, sizeof *worker->fields);
        status = worker->fields == NULL ? -ENOMEM : 0;
    }
    for (int32_t i = 0; i < query->table_count && status == 0; i++)
        status = coreio__table_init(&worker->tables[i], &query->tables[i]->shape);
    if (status < 0)
        coreio__worker_clear(worker);
    return status;
}

int32_t coreio__worker_block(
    struct coreio__worker *worker, const uint8_t *text, size_t length, int64_t source, int64_t offset, int64_t block)
{
    int32_t status = 0;
    for (size_t at = 0; at < length && status == 0;) {
        const size_t window = coreio__lexer_window(text + at, length - at, COREIO__WINDOW, 1);
        status = coreio__lexer_begin(&worker->lexer, text + at, window, length - at);
        if (status == 0)
            status = work_window(worker, source, offset + (int64_t)at);
        worker->tally.bytes += (int64_t)window;
        at += window;
    }
    if (status == 0)
        status = coreio__sink_wait(worker->sink, block);
    if (status == 0)
        status = coreio__sink_write(worker->sink, worker->rejected, worker->rejected_length);
    worker->rejected_length = 0;
    return status;
}

void coreio__worker_clear(struct coreio__worker *worker)
{
    for (int32_t i = 0; i < COREIO_LOG_MAX_TABLES; i++)
        coreio__table_clear(&worker->tables[i]);
    coreio__lexer_clear(&worker->lexer);
    coreio__columns_clear(&worker->columns);
    free(worker->fields);
    free(worker->rejected);
    worker->fields = NULL;
    worker->rejected = NULL;
}
