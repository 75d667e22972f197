/* Collects what a question needs of each line; see plan.h. */
#include "plan.h"

#include <string.h>

#define MINUTE_US 60000000

static int32_t typing_of(const struct coreio__plan *plan, const struct coreio__column *column)
{
    if (column->derive == COREIO__ATTEMPTS)
        return COREIO__ENTRIES;
    if (column->kind == COREIO_LOG_TIME) {
        const struct coreio__variable *variable = &plan->format->variables[column->source];
        if (variable->name_length == 4) /* msec */
            return COREIO__TIME_MSEC;
        return variable->name_length == 10 ? COREIO__TIME_LOCAL : COREIO__TIME_ISO8601;
    }
    if (column->kind == COREIO_LOG_INTEGER) {
        if (!column->list)
            return COREIO__WHOLE;
        const struct coreio__variable *variable = &plan->format->variables[column->source];
        const int32_t is_status = variable->name_length == 15 && memcmp(variable->name, "upstream_status", 15) == 0;
        return is_status ? COREIO__LAST_OF_LIST : COREIO__WHOLE_LIST;
    }
    return column->list ? COREIO__MILLIONTHS_LIST : COREIO__MILLIONTHS;
}

int32_t coreio__plan_check(struct coreio__plan *plan, const struct coreio__column *column)
{
    const int32_t typing = typing_of(plan, column);
    for (int32_t i = 0; i < plan->slot_count; i++) {
        if (plan->slots[i].source == column->source && plan->slots[i].typing == typing)
            return i;
    }
    if (plan->slot_count == COREIO__MAX_SLOTS)
        return -1;
    const int32_t slot = plan->slot_count++;
    plan->slots[slot].source = column->source;
    plan->slots[slot].typing = typing;
    plan->slots[slot].reason = column->kind == COREIO_LOG_TIME ? COREIO_LOG_NOT_A_TIME : COREIO_LOG_NOT_A_NUMBER;
    plan->slots[slot].scale = column->kind == COREIO_LOG_INTEGER ? 0 : 6;
    int32_t at = slot;
    for (; at > 0 && plan->slots[plan->order[at - 1]].source > column->source; at--)
        plan->order[at] = plan->order[at - 1];
    plan->order[at] = slot;
    return slot;
}

int32_t coreio__plan_number(struct coreio__plan *plan, const struct coreio__column *column)
{
    const int32_t slot = coreio__plan_check(plan, column);
    if (slot >= 0)
        plan->slots[slot].is_read = 1;
    return slot;
}

int32_t coreio__plan_clock(struct coreio__plan *plan)
{
    const struct coreio__column column = {
        .source = coreio__field_clock(plan->format), .derive = COREIO__AS_IS, .kind = COREIO_LOG_TIME};
    return column.source < 0 ? -1 : coreio__plan_number(plan, &column);
}

int32_t coreio__plan_text(struct coreio__plan *plan, const struct coreio__column *column)
{
    int32_t slot = -1;
    if (column->derive == COREIO__MINUTE || column->derive == COREIO__INTERVAL || column->derive == COREIO__ATTEMPTS ||
        column->derive == COREIO__STATUS_CLASS) {
        struct coreio__column number = *column;
        if (column->derive == COREIO__STATUS_CLASS)
            number.kind = COREIO_LOG_INTEGER;
        slot = coreio__plan_number(plan, &number);
        if (slot < 0)
            return -1;
    }
    for (int32_t i = 0; i < plan->text_count; i++) {
        if (plan->texts[i].source == column->source && plan->texts[i].derive == column->derive)
            return i;
    }
    if (plan->text_count == COREIO_LOG_MAX_FIELDS)
        return -1;
    const int32_t text = plan->text_count++;
    plan->texts[text].source = column->source;
    plan->texts[text].derive = column->derive;
    plan->texts[text].slot = slot;
    if (column->derive == COREIO__METHOD || column->derive == COREIO__URI || column->derive == COREIO__PROTOCOL)
        plan->request_source = column->source;
    return text;
}

int64_t coreio__plan_interval(int64_t instant_us, int64_t width_us)
{
    const int64_t rest = instant_us % width_us;
    const int64_t back = rest < 0 ? rest + width_us : rest;
    return instant_us < INT64_MIN + back ? INT64_MIN : instant_us - back;
}

/* Writes a number's digits at the end of `scratch`. */
static struct coreio__text write_number(int64_t number, uint8_t *scratch)
{
    uint8_t *at = scratch + COREIO__SCRATCH;
    do {
        *--at = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return (struct coreio__text){at, (uint32_t)(scratch + COREIO__SCRATCH - at)};
}

struct coreio__text coreio__plan_value(const struct coreio__plan *plan, const struct coreio__text_use *use,
    struct coreio__text text, const struct coreio__request *request, const struct coreio__number *number,
    uint8_t *scratch)
{
    static const struct coreio__text null = {NULL, 0};
    if (text.text == NULL)
        return null;
    switch (use->derive) {
    case COREIO__METHOD:
        return request->method;
    case COREIO__URI:
        return request->uri;
    case COREIO__PROTOCOL:
        return request->protocol;
    case COREIO__PATH_OF_URI:
        return coreio__value_path(text);
    default:
        break;
    }
    if (number->is_null)
        return null;
    if (use->derive == COREIO__ATTEMPTS)
        return write_number(number->value, scratch);
    const int64_t width = use->derive == COREIO__MINUTE ? MINUTE_US : plan->interval_us;
    const int64_t start = coreio__plan_interval(number->value, width);
    memcpy(scratch, &start, sizeof start);
    return (struct coreio__text){scratch, sizeof start};
}
