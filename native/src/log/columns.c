/* Types fields and takes texts column by column; see columns.h. */
#include "columns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

/* The text of a field; null when it is missing or a lone dash. */
static inline struct coreio__text text_of(const uint8_t *window, struct coreio_log_field field)
{
    const uint8_t *bytes = window + field.offset;
    if (field.length == COREIO__MISSING || (field.length == 1 && bytes[0] == '-'))
        return (struct coreio__text){NULL, 0};
    return (struct coreio__text){bytes, field.length};
}

static inline int32_t is_last_time(const struct coreio__columns *columns, const uint8_t *text, uint32_t length)
{
    const uint8_t *last = columns->last_time;
    return length == sizeof columns->last_time && columns->has_last_time &&
           ((coreio__load64(text) ^ coreio__load64(last)) | (coreio__load64(text + 8) ^ coreio__load64(last + 8)) |
               (coreio__load64(text + 16) ^ coreio__load64(last + 16)) |
               (coreio__load64(text + 18) ^ coreio__load64(last + 18))) == 0;
}

/* Types one field by the definition. */
static int32_t type_field(struct coreio__columns *columns, const struct coreio__slot *slot, struct coreio__text text,
    struct coreio__number *number)
{
    if (text.text == NULL) {
        number->value = 0;
        number->is_null = 1;
        return 1;
    }
    if (!coreio__value_type(slot->typing, text, number))
        return 0;
    if (slot->typing == COREIO__TIME_LOCAL && !number->is_null) {
        memcpy(columns->last_time, text.text, sizeof columns->last_time);
        columns->last_time_us = number->value;
        columns->has_last_time = 1;
    }
    return 1;
}

/* Types a slot for all lines; the first slot that is not of its kind rejects a line. A line that does not fit its
 * format has no fields, so its numbers are null. `quick` is the typing whose quick way is tried. */
static inline __attribute__((always_inline)) void type_lines(
    struct coreio__columns *columns, int32_t index, uint32_t count, int32_t quick)
{
    const struct coreio__slot *slot = &columns->query->plan.slots[index];
    struct coreio__number *numbers = columns->numbers + (size_t)index * COREIO__BATCH;
    const size_t width = (size_t)columns->picks->count;
    const uint8_t *window = columns->window;
    const size_t readable = (size_t)(columns->end - window);
    const struct coreio_log_field *field = columns->rows + columns->slot_picks[index];
    for (uint32_t i = 0; i < count; i++, field += width) {
        numbers[i].is_null = 0;
        if (quick == COREIO__TIME_LOCAL) {
            if (is_last_time(columns, window + field->offset, field->length)) {
                numbers[i].value = columns->last_time_us;
                continue;
            }
        } else if ((quick == COREIO__WHOLE || quick == COREIO__MILLIONTHS) &&
                   field->offset + sizeof(uint64_t) <= readable &&
                   coreio__value_quick(quick, window + field->offset, field->length, &numbers[i].value)) {
            continue;
        }
        if (!type_field(columns, slot, text_of(window, *field), &numbers[i]) &&
            columns->outcomes[i] == COREIO_LOG_PARSED)
            columns->outcomes[i] = (int8_t)slot->reason;
    }
}

/* The same for whole numbers that nobody reads. */
static void check_lines(struct coreio__columns *columns, int32_t index, uint32_t count)
{
    const struct coreio__slot *slot = &columns->query->plan.slots[index];
    const size_t width = (size_t)columns->picks->count;
    const uint8_t *window = columns->window;
    const size_t readable = (size_t)(columns->end - window);
    const struct coreio_log_field *field = columns->rows + columns->slot_picks[index];
    for (uint32_t i = 0; i < count; i++, field += width) {
        struct coreio__number number;
        if (field->offset + sizeof(uint64_t) <= readable &&
            coreio__value_is_short_whole(window + field->offset, field->length))
            continue;
        if (!type_field(columns, slot, text_of(window, *field), &number) && columns->outcomes[i] == COREIO_LOG_PARSED)
            columns->outcomes[i] = (int8_t)slot->reason;
    }
}

static void type_slot(struct coreio__columns *columns, int32_t index, uint32_t count)
{
    const int32_t typing = columns->query->plan.slots[index].typing;
    if (typing == COREIO__WHOLE && !columns->query->plan.slots[index].is_read)
        check_lines(columns, index, count);
    else if (typing == COREIO__WHOLE)
        type_lines(columns, index, count, COREIO__WHOLE);
    else if (typing == COREIO__MILLIONTHS)
        type_lines(columns, index, count, COREIO__MILLIONTHS);
    else if (typing == COREIO__TIME_LOCAL)
        type_lines(columns, index, count, COREIO__TIME_LOCAL);
    else
        type_lines(columns, index, count, typing);
}

/* Whether the lines of the batch all fit; what older batches left behind them may make it say no. */
static int32_t all_fit(const struct coreio__columns *columns)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < columns->count; i += 8)
        any |= coreio__load64((const uint8_t *)columns->outcomes + i);
    return any == 0;
}

/* Keeps the lines `kept` of those that are left, with their rows, numbers and first `texts` texts. */
static void keep_lines(struct coreio__columns *columns, const uint16_t *kept, uint32_t count, int32_t texts)
{
    const size_t width = (size_t)columns->picks->count;
    for (uint32_t i = 0; i < count; i++) {
        memmove(columns->rows + i * width, columns->rows + kept[i] * width, width * sizeof *columns->rows);
        columns->lines[i] = columns->lines[kept[i]];
    }
    for (int32_t s = 0; s < columns->query->plan.slot_count; s++) {
        struct coreio__number *numbers = columns->numbers + (size_t)s * COREIO__BATCH;
        for (uint32_t i = 0; i < count; i++)
            numbers[i] = numbers[kept[i]];
    }
    for (int32_t t = 0; t < texts; t++) {
        struct coreio__text *own = columns->texts + (size_t)t * COREIO__BATCH;
        for (uint32_t i = 0; i < count; i++)
            own[i] = own[kept[i]];
    }
    columns->count = count;
}

/* Takes out the lines that do not fit. */
static void keep_fitting(struct coreio__columns *columns)
{
    if (all_fit(columns))
        return;
    uint16_t kept[COREIO__BATCH];
    uint32_t count = 0;
    for (uint32_t i = 0; i < columns->count; i++) {
        kept[count] = (uint16_t)i;
        count += columns->outcomes[i] == COREIO_LOG_PARSED;
    }
    keep_lines(columns, kept, count, 0);
}

static int32_t in_time(const struct coreio__columns *columns, uint32_t line)
{
    const struct coreio_log_query *query = columns->query;
    const struct coreio__number *clock = &columns->numbers[(size_t)query->clock * COREIO__BATCH + line];
    return !clock->is_null && (query->since_us == 0 || clock->value >= query->since_us) &&
           (query->until_us == 0 || clock->value < query->until_us);
}

/* Takes out the lines that the bounds of time or the filter hold back; the texts it looks at are there. */
static void keep_passing(struct coreio__columns *columns)
{
    const struct coreio_log_query *query = columns->query;
    uint16_t kept[COREIO__BATCH];
    uint32_t count = 0;
    for (uint32_t i = 0; i < columns->count; i++) {
        const int32_t passes = (query->clock < 0 || in_time(columns, i)) &&
                               (query->filter.count == 0 || coreio__filter_passes(&query->filter, columns->numbers + i,
                                                                columns->texts + i, COREIO__BATCH));
        if (!passes)
            columns->outcomes[columns->lines[i]] = COREIO__FILTERED;
        kept[count] = (uint16_t)i;
        count += (uint32_t)passes;
    }
    if (count < columns->count)
        keep_lines(columns, kept, count, query->filter_texts);
}

/* Takes requests apart. */
static void take_requests(struct coreio__columns *columns)
{
    const uint8_t *window = columns->window;
    const struct coreio_log_field *field = columns->rows + columns->request_pick;
    const size_t width = (size_t)columns->picks->count;
    for (uint32_t i = 0; i < columns->count; i++, field += width)
        coreio__value_request(text_of(window, *field), &columns->requests[i]);
}

/* Starts of intervals; lines of one instant follow each other, and share their text. */
static void take_intervals(struct coreio__columns *columns, const struct coreio__text_use *use,
    const struct coreio__number *numbers, struct coreio__text *texts, uint8_t *scratch)
{
    static const struct coreio__text present = {(const uint8_t *)"", 0};
    uint32_t last = 0;
    for (uint32_t i = 0; i < columns->count; i++) {
        if (i > 0 && !numbers[i].is_null && !numbers[last].is_null && numbers[i].value == numbers[last].value) {
            texts[i] = texts[last];
            continue;
        }
        texts[i] = coreio__plan_value(
            &columns->query->plan, use, present, NULL, &numbers[i], scratch + (size_t)i * COREIO__SCRATCH);
        last = i;
    }
}

/* Takes one text of all lines. `derive` is that of the use, a constant for the frequent ones. */
static inline __attribute__((always_inline)) void take_lines(
    struct coreio__columns *columns, int32_t index, int32_t derive)
{
    const struct coreio__plan *plan = &columns->query->plan;
    const struct coreio__text_use *use = &plan->texts[index];
    const size_t column = (size_t)index * COREIO__BATCH;
    const struct coreio__number *numbers = columns->numbers + (size_t)(use->slot < 0 ? 0 : use->slot) * COREIO__BATCH;
    const struct coreio_log_field *field = columns->rows + columns->text_picks[index];
    const size_t width = (size_t)columns->picks->count;
    struct coreio__text *texts = columns->texts + column;
    uint8_t *scratch = columns->scratch + column * COREIO__SCRATCH;
    const uint32_t count = columns->count;
    const uint8_t *window = columns->window;
    if (derive == COREIO__STATUS_CLASS) {
        for (uint32_t i = 0; i < count; i++)
            texts[i] = coreio__plan_class(&numbers[i]);
        return;
    }
    if (derive == COREIO__MINUTE || derive == COREIO__INTERVAL) {
        take_intervals(columns, use, numbers, texts, scratch);
        return;
    }
    for (uint32_t i = 0; i < count; i++, field += width) {
        struct coreio__text text = text_of(window, *field);
        if (derive == COREIO__ADDRESS)
            text = coreio__value_is_plain_address(text) ? text : coreio__value_address(text);
        else if (derive == COREIO__PATH)
            text = coreio__value_request_path(text, columns->end);
        else if (derive != COREIO__AS_IS)
            text = coreio__plan_value(
                plan, use, text, &columns->requests[i], &numbers[i], scratch + (size_t)i * COREIO__SCRATCH);
        texts[i] = text;
    }
}

static void take_text(struct coreio__columns *columns, int32_t index)
{
    const int32_t derive = columns->query->plan.texts[index].derive;
    switch (derive) {
    case COREIO__AS_IS:
        take_lines(columns, index, COREIO__AS_IS);
        break;
    case COREIO__ADDRESS:
        take_lines(columns, index, COREIO__ADDRESS);
        break;
    case COREIO__PATH:
        take_lines(columns, index, COREIO__PATH);
        break;
    default:
        take_lines(columns, index, derive);
        break;
    }
}

static int32_t is_of_request(const struct coreio__text_use *use)
{
    return use->derive == COREIO__METHOD || use->derive == COREIO__URI || use->derive == COREIO__PROTOCOL;
}

/* Takes the texts from .. to - 1 of the lines that are left. */
static void take_texts(struct coreio__columns *columns, int32_t from, int32_t to)
{
    const struct coreio__text_use *uses = columns->query->plan.texts;
    int32_t requested = 0;
    for (int32_t i = from; i < to; i++)
        requested |= is_of_request(&uses[i]);
    if (requested)
        take_requests(columns);
    for (int32_t i = from; i < to; i++)
        take_text(columns, i);
}

struct coreio__batch coreio__columns_make(
    struct coreio__columns *columns, uint32_t count, const uint8_t *window, uint32_t readable)
{
    const struct coreio_log_query *query = columns->query;
    const struct coreio__plan *plan = &query->plan;
    columns->window = window;
    columns->end = window + readable;
    columns->count = count;
    for (uint32_t i = 0; i < count; i++)
        columns->lines[i] = (uint16_t)i;
    for (int32_t i = 0; i < plan->slot_count; i++)
        type_slot(columns, plan->order[i], count);
    keep_fitting(columns);
    take_texts(columns, 0, query->filter_texts);
    if (query->clock >= 0 || query->filter.count > 0)
        keep_passing(columns);
    take_texts(columns, query->filter_texts, plan->text_count);
    memset(columns->hashed, 0, (size_t)plan->text_count);
    return (struct coreio__batch){
        columns->numbers, columns->texts, columns->hashes, columns->hashed, columns->count, COREIO__BATCH};
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
static int32_t plan_picks(struct coreio__columns *columns)
{
    const struct coreio__plan *plan = &columns->query->plan;
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
    columns->picks = coreio__picks_make(columns->query->format, sources, distinct);
    if (columns->picks == NULL)
        return -ENOMEM;
    for (int32_t i = 0; i < plan->slot_count; i++)
        columns->slot_picks[i] = pick_of(columns->picks, plan->slots[i].source);
    for (int32_t i = 0; i < plan->text_count; i++)
        columns->text_picks[i] = pick_of(columns->picks, plan->texts[i].source);
    columns->request_pick = pick_of(columns->picks, plan->request_source);
    return 0;
}

int32_t coreio__columns_init(struct coreio__columns *columns, const struct coreio_log_query *query)
{
    memset(columns, 0, sizeof *columns);
    columns->query = query;
    const struct coreio__plan *plan = &query->plan;
    const size_t slots = ((size_t)plan->slot_count + 1) * COREIO__BATCH;
    const size_t texts = ((size_t)plan->text_count + 1) * COREIO__BATCH;
    if (plan_picks(columns) < 0)
        return -ENOMEM;
    columns->rows = calloc((size_t)columns->picks->count * COREIO__BATCH + COREIO__ROW_SLACK, sizeof *columns->rows);
    columns->numbers = calloc(slots, sizeof *columns->numbers);
    columns->texts = calloc(texts, sizeof *columns->texts);
    columns->hashes = calloc(texts, sizeof *columns->hashes);
    columns->hashed = calloc((size_t)plan->text_count + 1, 1);
    columns->scratch = calloc(texts, COREIO__SCRATCH);
    columns->requests = calloc(COREIO__BATCH, sizeof *columns->requests);
    const int32_t all = columns->rows != NULL && columns->numbers != NULL && columns->texts != NULL &&
                        columns->hashes != NULL && columns->hashed != NULL && columns->scratch != NULL &&
                        columns->requests != NULL;
    if (all)
        return 0;
    coreio__columns_clear(columns);
    return -ENOMEM;
}

void coreio__columns_clear(struct coreio__columns *columns)
{
    free(columns->picks);
    free(columns->rows);
    free(columns->numbers);
    free(columns->texts);
    free(columns->hashes);
    free(columns->hashed);
    free(columns->scratch);
    free(columns->requests);
    memset(columns, 0, sizeof *columns);
}
