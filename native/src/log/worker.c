/* The path of a line: lex, type, filter, aggregate; see worker.h.
 *
 * docs/queries.md, section 1, is the order this follows.
 */
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lexer_quick.h"

/* What becomes of a line that fits its format: COREIO_LOG_PARSED, a reason of rejection, or this. */
#define FILTERED (-1)

/* A field of the line; null when it is missing or a lone dash. */
static inline struct coreio__text field_text(
    const struct coreio__worker *worker, const struct coreio__line *line, int32_t source)
{
    struct coreio__text text = {NULL, 0};
    if ((uint32_t)source >= line->fields)
        return text;
    const struct coreio_log_field field = worker->fields[source];
    const uint8_t *bytes = worker->lexer.window + field.offset;
    if (field.length == 1 && bytes[0] == '-')
        return text;
    text.text = bytes;
    text.length = field.length;
    return text;
}

/* Types a time_local, most often the same as the line before. */
static int32_t type_time(struct coreio__worker *worker, struct coreio__text text, struct coreio__number *number)
{
    if (worker->has_last_time && text.length == sizeof worker->last_time &&
        memcmp(text.text, worker->last_time, sizeof worker->last_time) == 0) {
        number->value = worker->last_time_us;
        number->is_null = 0;
        return 1;
    }
    if (!coreio__value_type(COREIO__TIME_LOCAL, text, number))
        return 0;
    if (!number->is_null) {
        memcpy(worker->last_time, text.text, sizeof worker->last_time);
        worker->last_time_us = number->value;
        worker->has_last_time = 1;
    }
    return 1;
}

static int32_t type_line(struct coreio__worker *worker, const struct coreio__line *line)
{
    const struct coreio__plan *plan = &worker->query->plan;
    for (int32_t i = 0; i < plan->slot_count; i++) {
        const int32_t index = plan->order[i];
        const struct coreio__slot *slot = &plan->slots[index];
        struct coreio__number *number = &worker->numbers[index];
        const struct coreio__text text = field_text(worker, line, slot->source);
        if (text.text == NULL) {
            number->value = 0;
            number->is_null = 1;
            continue;
        }
        const int32_t fits = slot->typing == COREIO__TIME_LOCAL ? type_time(worker, text, number)
                                                                : coreio__value_type(slot->typing, text, number);
        if (!fits)
            return slot->reason;
    }
    return COREIO_LOG_PARSED;
}

static int32_t in_time(const struct coreio__worker *worker)
{
    const struct coreio_log_query *query = worker->query;
    if (query->clock < 0)
        return 1;
    const struct coreio__number *clock = &worker->numbers[query->clock];
    return !clock->is_null && (query->since_us == 0 || clock->value >= query->since_us) &&
           (query->until_us == 0 || clock->value < query->until_us);
}

static void take_texts(struct coreio__worker *worker, const struct coreio__line *line)
{
    const struct coreio__plan *plan = &worker->query->plan;
    struct coreio__request request;
    if (plan->request_source >= 0)
        coreio__value_request(field_text(worker, line, plan->request_source), &request);
    for (int32_t i = 0; i < plan->text_count; i++) {
        const struct coreio__text_use *use = &plan->texts[i];
        const struct coreio__text text = field_text(worker, line, use->source);
        worker->texts[i] = use->derive == COREIO__AS_IS ? text
                                                        : coreio__plan_value(plan, use, text, &request, worker->numbers,
                                                              worker->scratch + (size_t)i * COREIO__SCRATCH);
    }
}

/* Counts a line that fits its format. Returns what became of it in *outcome. */
static int32_t count_line(struct coreio__worker *worker, const struct coreio__line *line, int32_t *outcome)
{
    const struct coreio_log_query *query = worker->query;
    *outcome = type_line(worker, line);
    if (*outcome != COREIO_LOG_PARSED)
        return 0;
    *outcome = FILTERED;
    if (!in_time(worker))
        return 0;
    take_texts(worker, line);
    if (query->filter.count > 0 && !coreio__filter_passes(&query->filter, worker->numbers, worker->texts))
        return 0;
    *outcome = COREIO_LOG_PARSED;
    struct coreio__text keys[COREIO_LOG_MAX_FIELDS];
    for (int32_t i = 0; i < query->table_count; i++) {
        const struct coreio__table_plan *table = query->tables[i];
        for (int32_t j = 0; j < table->shape.key_count; j++)
            keys[j] = worker->texts[table->keys[j]];
        const int32_t status = coreio__table_add(&worker->tables[i], keys, worker->numbers, worker->texts);
        if (status < 0)
            return status;
    }
    return 0;
}

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

/* Works on a line that was cut; its fields are at worker->fields. */
static inline int32_t work_line(
    struct coreio__worker *worker, const struct coreio__line *line, int64_t source, int64_t offset)
{
    struct coreio__tally *tally = &worker->tally;
    const uint8_t *window = worker->lexer.window;
    int32_t outcome = line->reason;
    int32_t status = 0;
    tally->lines++;
    tally->bytes += line->next - line->begin;
    if (outcome == COREIO_LOG_PARSED)
        status = count_line(worker, line, &outcome);
    if (outcome == COREIO_LOG_PARSED) {
        tally->parsed++;
    } else if (outcome == FILTERED) {
        tally->filtered++;
    } else {
        coreio__tally_reject(
            tally, outcome, source, offset + line->begin, window + line->begin, line->end - line->begin);
        status = keep_rejected(worker, window + line->begin, line->next - line->begin);
    }
    return status;
}

static int32_t work_window(struct coreio__worker *worker, int64_t source, int64_t offset)
{
    const uint32_t limit = (uint32_t)worker->query->plan.source_limit;
    struct coreio__line lines[COREIO__BATCH];
    for (;;) {
        uint32_t count = coreio__lexer_quick(&worker->lexer, worker->rows, limit, limit + 1, 0, lines, COREIO__BATCH);
        if (count == 0)
            count = (uint32_t)coreio__lexer_next(&worker->lexer, worker->rows, limit, lines);
        if (count == 0)
            return 0;
        for (uint32_t i = 0; i < count; i++) {
            worker->fields = worker->rows + (size_t)i * (limit + 1);
            const int32_t status = work_line(worker, &lines[i], source, offset);
            if (status < 0)
                return status;
        }
    }
}

int32_t coreio__worker_init(struct coreio__worker *worker, const struct coreio_log_query *query,
    const struct coreio__kernel *kernel, struct coreio__sink *sink)
{
    const struct coreio__plan *plan = &query->plan;
    memset(worker, 0, sizeof *worker);
    worker->query = query;
    worker->sink = sink;
    worker->lexer.format = query->format;
    worker->lexer.kernel = kernel;
    worker->rows = calloc(((size_t)plan->source_limit + 1) * COREIO__BATCH, sizeof *worker->rows);
    worker->numbers = calloc((size_t)plan->slot_count + 1, sizeof *worker->numbers);
    worker->texts = calloc((size_t)plan->text_count + 1, sizeof *worker->texts);
    worker->scratch = calloc((size_t)plan->text_count + 1, COREIO__SCRATCH);
    int32_t status = 0;
    if (worker->rows == NULL || worker->numbers == NULL || worker->texts == NULL || worker->scratch == NULL)
        status = -ENOMEM;
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
        const size_t window = coreio__lexer_window(text + at, length - at, 1);
        status = coreio__lexer_begin(&worker->lexer, text + at, window);
        if (status == 0)
            status = work_window(worker, source, offset + (int64_t)at);
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
    free(worker->rows);
    free(worker->numbers);
    free(worker->texts);
    free(worker->scratch);
    free(worker->rejected);
    worker->rows = NULL;
    worker->numbers = NULL;
    worker->texts = NULL;
    worker->scratch = NULL;
    worker->rejected = NULL;
}
