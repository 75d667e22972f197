/* Adds, merges and frees measures; see measure.h. */
#include "measure.h"

#include "hash.h"

static void add_sum(struct coreio__sum *sum, uint64_t low, int64_t high, int64_t count)
{
    sum->high += high + __builtin_add_overflow(sum->low, low, &sum->low);
    sum->count += count;
}

static void add_extremes(struct coreio__extremes *extremes, int64_t min, int64_t max, int64_t count)
{
    if (extremes->count == 0 || min < extremes->min)
        extremes->min = min;
    if (extremes->count == 0 || max > extremes->max)
        extremes->max = max;
    extremes->count += count;
}

int32_t coreio__measure_size(int32_t kind)
{
    switch (kind) {
    case COREIO__SUM:
        return sizeof(struct coreio__sum);
    case COREIO__EXTREMES:
        return sizeof(struct coreio__extremes);
    case COREIO__SKETCH:
        return sizeof(struct coreio__sketch);
    default:
        return sizeof(struct coreio__hll);
    }
}

int32_t coreio__measure_add(const struct coreio__measure *measure, void *state, const struct coreio__number *numbers,
    const struct coreio__text *texts)
{
    if (measure->kind == COREIO__DISTINCT) {
        const struct coreio__text text = texts[measure->column];
        return text.length == 0 ? 0 : coreio__hll_add(state, coreio__hash(text.text, text.length, 0));
    }
    const struct coreio__number number = numbers[measure->column];
    if (number.is_null)
        return 0;
    if (measure->kind == COREIO__SUM)
        add_sum(state, (uint64_t)number.value, number.value >> 63, 1);
    else if (measure->kind == COREIO__EXTREMES)
        add_extremes(state, number.value, number.value, 1);
    else
        return coreio__sketch_add(state, number.value);
    return 0;
}

int32_t coreio__measure_merge(const struct coreio__measure *measure, void *state, const void *other)
{
    switch (measure->kind) {
    case COREIO__SUM: {
        const struct coreio__sum *sum = other;
        add_sum(state, sum->low, sum->high, sum->count);
        return 0;
    }
    case COREIO__EXTREMES: {
        const struct coreio__extremes *extremes = other;
        if (extremes->count > 0)
            add_extremes(state, extremes->min, extremes->max, extremes->count);
        return 0;
    }
    case COREIO__SKETCH:
        return coreio__sketch_merge(state, other);
    default:
        return coreio__hll_merge(state, other);
    }
}

void coreio__measure_clear(const struct coreio__measure *measure, void *state)
{
    if (measure->kind == COREIO__SKETCH)
        coreio__sketch_clear(state);
    else if (measure->kind == COREIO__DISTINCT)
        coreio__hll_clear(state);
}
