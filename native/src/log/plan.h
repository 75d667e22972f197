/* What a question needs of each line: fields as numbers (slots) and fields as text (texts).
 *
 * A question names fields in its filter, keys and statistics; each different use becomes one slot or text, so
 * a line is typed once however often a field is named. A plan is immutable while lines are worked on.
 */
#ifndef COREIO_LOG_PLAN_H
#define COREIO_LOG_PLAN_H

#include "fields.h"
#include "format.h"
#include "value.h"

#define COREIO__MAX_SLOTS COREIO_LOG_MAX_FIELDS

/* A field of the line, used as a number. */
struct coreio__slot {
    int32_t source;
    int32_t typing; /* coreio__typing */
    int32_t reason; /* why a line is rejected whose field is not of the kind */
    int32_t scale;
    int32_t is_read; /* 0 when all that matters is whether the field is of the kind */
};

/* A field of the line, used as text: a key, a compared or counted text. */
struct coreio__text_use {
    int32_t source;
    int32_t derive; /* coreio__derive */
    int32_t slot;   /* of the number it is made of, or -1 */
};

struct coreio__plan {
    const struct coreio_log_format *format;
    int64_t interval_us;
    int32_t slot_count;
    int32_t text_count;
    int32_t request_source;           /* field to take a request line apart, or -1 */
    int32_t order[COREIO__MAX_SLOTS]; /* slots by ascending source, the order lines are typed in */
    struct coreio__slot slots[COREIO__MAX_SLOTS];
    struct coreio__text_use texts[COREIO_LOG_MAX_FIELDS];
};

/* The slot for a column as a number; -1 when there are too many. */
int32_t coreio__plan_number(struct coreio__plan *plan, const struct coreio__column *column);

/* The same for a column that only has to be a number, as a key that is shown as it stands. */
int32_t coreio__plan_check(struct coreio__plan *plan, const struct coreio__column *column);

/* The text for a column; -1 when there are too many. Minutes, intervals and classes get the slot they need, too. */
int32_t coreio__plan_text(struct coreio__plan *plan, const struct coreio__column *column);

/* The slot of the line's clock; -1 when the format has none or there are too many. */
int32_t coreio__plan_clock(struct coreio__plan *plan);

/* The text of a line's value as its use wants it, of a part of its request line, of the path of a uri, or of its number
 * in the use's slot; columns.c takes all others by itself. `scratch` holds COREIO__SCRATCH bytes the text may point to.
 */
#define COREIO__SCRATCH 24
struct coreio__text coreio__plan_value(const struct coreio__plan *plan, const struct coreio__text_use *use,
    struct coreio__text text, const struct coreio__request *request, const struct coreio__number *number,
    uint8_t *scratch);

/* 1xx to 5xx, or null. */
static inline struct coreio__text coreio__plan_class(const struct coreio__number *number)
{
    static const char classes[] = "1xx2xx3xx4xx5xx";
    if (number->is_null || number->value < 100 || number->value > 599)
        return (struct coreio__text){NULL, 0};
    return (struct coreio__text){(const uint8_t *)classes + ((uint32_t)number->value / 100 - 1) * 3, 3};
}

/* The start of the interval of `width_us` that an instant is in, rounded down, but not below the smallest instant. */
int64_t coreio__plan_interval(int64_t instant_us, int64_t width_us);

#endif
