/* The path of a batch of lines: lex, type, filter, aggregate; see worker.h.
 *
 * docs/queries.md, section 1, is the order this follows, for each line.
 */
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "lexer_quick.h"

/* What becomes of a line that fits its format: COREIO_LOG_PARSED, a reason of rejection, or this. */
#define FILTERED (-1)

/* The length of a field that a line does not have. */
#define MISSING UINT32_MAX

/* The text of a field; null when it is missing or a lone dash. */
static inline struct coreio__text text_of(const uint8_t *window, struct coreio_log_field field)
{
    const uint8_t *bytes = window + field.offset;
    if (field.length == MISSING || (field.length == 1 && bytes[0] == '-'))
        return (struct coreio__text){NULL, 0};
    return (struct coreio__text){bytes, field.length};
}

/* A picked field of a line. */
static inline struct coreio__text field_text(const struct coreio__worker *worker, uint32_t line, uint32_t pick)
{
    return text_of(worker->lexer.window, worker->rows[(size_t)line * (uint32_t)worker->picks->count + pick]);
}

static inline int32_t is_last_time(const struct coreio__worker *worker, struct coreio__text text)
{
    const uint8_t *last = worker->last_time;
    return text.length == sizeof worker->last_time && worker->has_last_time &&
           coreio__load64(text.text) == coreio__load64(last) &&
           coreio__load64(text.text + 8) == coreio__load64(last + 8) &&
           coreio__load64(text.text + 16) == coreio__load64(last + 16) &&
           coreio__load64(text.text + 18) == coreio__load64(last + 18);
}

/* Types a time_local, most often the same as the line before. */
static int32_t type_time(struct coreio__worker *worker, struct coreio__text text, struct coreio__number *number)
{
    if (is_last_time(worker, text)) {
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

/* Types one field by the definition. */
static int32_t type_field(struct coreio__worker *worker, const struct coreio__slot *slot, struct coreio__text text,
    struct coreio__number *number)
{
    if (text.text == NULL) {
        number->value = 0;
        number->is_null = 1;
        return 1;
    }
    return slot->typing == COREIO__TIME_LOCAL ? type_time(worker, text, number)
                                              : coreio__value_type(slot->typing, text, number);
}

/* Types a slot for all lines; the first slot that is not of its kind rejects a line. A line that does not fit its
 * format has no fields, so its numbers are null. `quick` is the typing whose quick way is tried. */
static inline __attribute__((always_inline)) void type_lines(
    struct coreio__worker *worker, int32_t index, const struct coreio__slot *slot, int32_t quick)
{
    struct coreio__number *numbers = worker->numbers + (size_t)index * COREIO__BATCH;
    const uint32_t pick = worker->slot_picks[index];
    const size_t width = (size_t)worker->picks->count;
    const uint8_t *window = worker->lexer.window;
    const uint32_t readable = worker->lexer.readable;
    const struct coreio_log_field *field = worker->rows + pick;
    for (uint32_t i = 0; i < worker->count; i++, field += width) {
        numbers[i].is_null = 0;
        if ((quick == COREIO__WHOLE || quick == COREIO__MILLIONTHS) && field->offset + sizeof(uint64_t) <= readable &&
            coreio__value_quick(quick, window + field->offset, field->length, &numbers[i].value))
            continue;
        if (!type_field(worker, slot, field_text(worker, i, pick), &numbers[i]) &&
            worker->outcomes[i] == COREIO_LOG_PARSED)
            worker->outcomes[i] = (int8_t)slot->reason;
    }
}

static void type_slot(struct coreio__worker *worker, int32_t index)
{
    const struct coreio__slot *slot = &worker->query->plan.slots[index];
    if (slot->typing == COREIO__WHOLE)
        type_lines(worker, index, slot, COREIO__WHOLE);
    else if (slot->typing == COREIO__MILLIONTHS)
        type_lines(worker, index, slot, COREIO__MILLIONTHS);
    else
        type_lines(worker, index, slot, slot->typing);
}

static int32_t in_time(const struct coreio__worker *worker, uint32_t line)
{
    const struct coreio_log_query *query = worker->query;
    const struct coreio__number *clock = &worker->numbers[(size_t)query->clock * COREIO__BATCH + line];
    return !clock->is_null && (query->since_us == 0 || clock->value >= query->since_us) &&
           (query->until_us == 0 || clock->value < query->until_us);
}

/* Starts of intervals; lines of one interval follow each other. */
static void take_intervals(
    struct coreio__worker *worker, const struct coreio__text_use *use, uint32_t pick, size_t column)
{
    const struct coreio__number *numbers = worker->numbers + (size_t)use->slot * COREIO__BATCH;
    const uint8_t *before = NULL;
    int64_t value = 0;
    for (uint32_t i = 0; i < worker->count; i++) {
        const uint32_t line = worker->lines[i];
        uint8_t *scratch = worker->scratch + (column + line) * COREIO__SCRATCH;
        struct coreio__text *text = &worker->texts[column + line];
        if (before != NULL && !numbers[line].is_null && numbers[line].value == value) {
            memcpy(scratch, before, sizeof(int64_t));
            *text = (struct coreio__text){scratch, sizeof(int64_t)};
            continue;
        }
        *text = coreio__plan_value(
            &worker->query->plan, use, field_text(worker, line, pick), NULL, &numbers[line], scratch);
        before = text->text;
        value = numbers[line].value;
    }
}

/* Takes one text of the lines that count. `derive` is that of the use, a constant for the frequent ones. */
static inline __attribute__((always_inline)) void take_lines(
    struct coreio__worker *worker, const struct coreio__text_use *use, uint32_t pick, size_t column, int32_t derive)
{
    const struct coreio__plan *plan = &worker->query->plan;
    const struct coreio__number *numbers = worker->numbers + (size_t)(use->slot < 0 ? 0 : use->slot) * COREIO__BATCH;
    const struct coreio__request *requests = worker->requests;
    const struct coreio_log_field *fields = worker->rows + pick;
    const size_t width = (size_t)worker->picks->count;
    const uint8_t *window = worker->lexer.window;
    struct coreio__text *texts = worker->texts + column;
    uint8_t *scratch = worker->scratch + column * COREIO__SCRATCH;
    const uint32_t count = worker->count;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t line = worker->lines[i];
        if (derive == COREIO__PATH) {
            texts[line] = coreio__value_path(requests[line].uri);
            continue;
        }
        struct coreio__text text = text_of(window, fields[line * width]);
        if (derive == COREIO__ADDRESS && text.text != NULL)
            text = coreio__value_address(text);
        else if (derive != COREIO__AS_IS && derive != COREIO__ADDRESS)
            text = coreio__plan_value(
                plan, use, text, &requests[line], &numbers[line], scratch + (size_t)line * COREIO__SCRATCH);
        texts[line] = text;
    }
}

static void take_text(struct coreio__worker *worker, int32_t index)
{
    const struct coreio__text_use *use = &worker->query->plan.texts[index];
    const size_t column = (size_t)index * COREIO__BATCH;
    const uint32_t pick = worker->text_picks[index];
    switch (use->derive) {
    case COREIO__AS_IS:
        take_lines(worker, use, pick, column, COREIO__AS_IS);
        break;
    case COREIO__ADDRESS:
        take_lines(worker, use, pick, column, COREIO__ADDRESS);
        break;
    case COREIO__PATH:
        take_lines(worker, use, pick, column, COREIO__PATH);
        break;
    case COREIO__MINUTE:
    case COREIO__INTERVAL:
        take_intervals(worker, use, pick, column);
        break;
    default:
        take_lines(worker, use, pick, column, use->derive);
        break;
    }
}

static int32_t is_of_request(const struct coreio__text_use *use)
{
    return use->derive == COREIO__METHOD || use->derive == COREIO__URI || use->derive == COREIO__PATH ||
           use->derive == COREIO__PROTOCOL;
}

/* Takes the texts from .. to - 1 of the lines that count; `requested` remembers that their requests are taken apart. */
static void take_texts(struct coreio__worker *worker, int32_t from, int32_t to, int32_t *requested)
{
    for (int32_t i = from; i < to; i++) {
        if (!*requested && is_of_request(&worker->query->plan.texts[i])) {
            *requested = 1;
            for (uint32_t j = 0; j < worker->count; j++) {
                const uint32_t line = worker->lines[j];
                coreio__value_request(field_text(worker, line, worker->request_pick), &worker->requests[line]);
            }
        }
        take_text(worker, i);
    }
}

/* Whether the first `count` lines of the batch all fit; what older batches left behind them may make it say no. */
static int32_t all_fit(const struct coreio__worker *worker, uint32_t count)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < count; i += 8)
        any |= coreio__load64((const uint8_t *)worker->outcomes + i);
    return any == 0;
}

/* Of the first `count` lines of the batch, lists those that fit. */
static void list_lines(struct coreio__worker *worker, uint32_t count)
{
    if (all_fit(worker, count)) {
        memcpy(worker->lines, worker->all_lines, sizeof worker->lines);
        worker->count = count;
        return;
    }
    worker->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        worker->lines[worker->count] = (uint16_t)i;
        worker->count += worker->outcomes[i] == COREIO_LOG_PARSED;
    }
}

/* Takes the lines off the list that the bounds of time or the filter hold back. */
static void filter_lines(struct coreio__worker *worker, int32_t *requested)
{
    const struct coreio_log_query *query = worker->query;
    uint32_t kept = 0;
    take_texts(worker, 0, query->filter_texts, requested);
    for (uint32_t i = 0; i < worker->count; i++) {
        const uint16_t line = worker->lines[i];
        const int32_t passes =
            (query->clock < 0 || in_time(worker, line)) &&
            (query->filter.count == 0 ||
                coreio__filter_passes(&query->filter, worker->numbers + line, worker->texts + line, COREIO__BATCH));
        if (!passes)
            worker->outcomes[line] = FILTERED;
        worker->lines[kept] = line;
        kept += (uint32_t)passes;
    }
    worker->count = kept;
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

/* Notes what became of the lines of the batch, and keeps the rejected ones. */
static int32_t tally_lines(struct coreio__worker *worker, uint32_t count, int64_t source, int64_t offset)
{
    struct coreio__tally *tally = &worker->tally;
    tally->lines += count;
    tally->parsed += worker->count;
    if (worker->count == count)
        return 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct coreio_log_record *record = &worker->records[i];
        const int32_t outcome = worker->outcomes[i];
        if (outcome == FILTERED)
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
    const struct coreio__plan *plan = &query->plan;
    int32_t requested = 0;
    worker->count = count;
    for (int32_t i = 0; i < plan->slot_count; i++)
        type_slot(worker, plan->order[i]);
    list_lines(worker, count);
    if (query->clock >= 0 || query->filter.count > 0)
        filter_lines(worker, &requested);
    take_texts(worker, query->filter_texts, plan->text_count, &requested);
    memset(worker->hashed, 0, (size_t)plan->text_count);
    const struct coreio__batch batch = {
        worker->numbers, worker->texts, worker->hashes, worker->hashed, worker->lines, worker->count, COREIO__BATCH};
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
    const uint32_t width = (uint32_t)worker->picks->count;
    const struct coreio__rows rows = {.fields = worker->rows + (size_t)from * width,
        .records = worker->records + from,
        .capacity = COREIO__BATCH - from,
        .width = width};
    const uint32_t count = coreio__lexer_quick(&worker->lexer, &rows);
    memset(worker->outcomes + from, COREIO_LOG_PARSED, count);
    /* The newline. */
    memset(worker->ends + from, 1, count);
    return count;
}

/* Cuts one line by the definition, and picks its fields. */
static uint32_t cut_plain(struct coreio__worker *worker, uint32_t at)
{
    const struct coreio__picks *picks = worker->picks;
    struct coreio_log_field *row = worker->rows + (size_t)at * (uint32_t)picks->count;
    struct coreio__line line;
    if (!coreio__lexer_next(&worker->lexer, worker->fields, (uint32_t)picks->limit, &line))
        return 0;
    for (int32_t i = 0; i < picks->count; i++)
        row[i] =
            picks->fields[i] < line.fields ? worker->fields[picks->fields[i]] : (struct coreio_log_field){0, MISSING};
    worker->outcomes[at] = (int8_t)line.reason;
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

static int compare_sources(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

static uint16_t pick_of(const struct coreio__picks *picks, int32_t source)
{
    uint16_t pick = 0;
    while (pick < picks->count && picks->fields[pick] != source)
        pick++;
    return pick;
}

/* Plans which fields of a line are kept: each that the plan names, once. Returns 0 or -ENOMEM. */
static int32_t plan_picks(struct coreio__worker *worker)
{
    const struct coreio__plan *plan = &worker->query->plan;
    uint16_t sources[COREIO__MAX_PICKS];
    int32_t count = 0;
    for (int32_t i = 0; i < plan->slot_count; i++)
        sources[count++] = (uint16_t)plan->slots[i].source;
    for (int32_t i = 0; i < plan->text_count; i++)
        sources[count++] = (uint16_t)plan->texts[i].source;
    if (count > 0)
        qsort(sources, (size_t)count, sizeof sources[0], compare_sources);
    int32_t distinct = 0;
    for (int32_t i = 0; i < count; i++) {
        if (distinct == 0 || sources[i] != sources[distinct - 1])
            sources[distinct++] = sources[i];
    }
    worker->picks = coreio__picks_make(worker->query->format, sources, distinct);
    if (worker->picks == NULL)
        return -ENOMEM;
    worker->lexer.picks = worker->picks;
    for (int32_t i = 0; i < plan->slot_count; i++)
        worker->slot_picks[i] = pick_of(worker->picks, plan->slots[i].source);
    for (int32_t i = 0; i < plan->text_count; i++)
        worker->text_picks[i] = pick_of(worker->picks, plan->texts[i].source);
    worker->request_pick = pick_of(worker->picks, plan->request_source);
    return 0;
}

/* Makes room for the columns. Returns 0 or -ENOMEM. */
static int32_t make_columns(struct coreio__worker *worker)
{
    const struct coreio__plan *plan = &worker->query->plan;
    const size_t slots = ((size_t)plan->slot_count + 1) * COREIO__BATCH;
    const size_t texts = ((size_t)plan->text_count + 1) * COREIO__BATCH;
    const size_t row = (size_t)worker->picks->count;
    worker->rows = calloc(row * COREIO__BATCH + COREIO__ROW_SLACK, sizeof *worker->rows);
    worker->fields = calloc((size_t)worker->picks->limit + 1, sizeof *worker->fields);
    worker->numbers = calloc(slots, sizeof *worker->numbers);
    worker->texts = calloc(texts, sizeof *worker->texts);
    worker->hashes = calloc(texts, sizeof *worker->hashes);
    worker->hashed = calloc((size_t)plan->text_count + 1, 1);
    worker->scratch = calloc(texts, COREIO__SCRATCH);
    worker->requests = calloc(COREIO__BATCH, sizeof *worker->requests);
    const int32_t all = worker->rows != NULL && worker->fields != NULL && worker->numbers != NULL &&
                        worker->texts != NULL && worker->hashes != NULL && worker->hashed != NULL &&
                        worker->scratch != NULL && worker->requests != NULL;
    return all ? 0 : -ENOMEM;
}

int32_t coreio__worker_init(struct coreio__worker *worker, const struct coreio_log_query *query,
    const struct coreio__kernel *kernel, struct coreio__sink *sink)
{
    memset(worker, 0, sizeof *worker);
    worker->query = query;
    worker->sink = sink;
    worker->lexer.format = query->format;
    worker->lexer.kernel = kernel;
    for (uint32_t i = 0; i < COREIO__BATCH; i++)
        worker->all_lines[i] = (uint16_t)i;
    int32_t status = plan_picks(worker);
    if (status == 0)
        status = make_columns(worker);
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
    free(worker->picks);
    free(worker->rows);
    free(worker->fields);
    free(worker->numbers);
    free(worker->texts);
    free(worker->hashes);
    free(worker->hashed);
    free(worker->scratch);
    free(worker->requests);
    free(worker->rejected);
    worker->picks = NULL;
    worker->rows = NULL;
    worker->fields = NULL;
    worker->numbers = NULL;
    worker->texts = NULL;
    worker->hashes = NULL;
    worker->hashed = NULL;
    worker->scratch = NULL;
    worker->requests = NULL;
    worker->rejected = NULL;
}
