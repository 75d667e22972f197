/* Adds, merges and frees measures; see measure.h. */
#include "measure.h"

#include <stddef.h>

#include "hash.h"

/* Bytes of a set or sketch that are asked for ahead. */
#define EXPECTED 256

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

const uint64_t *coreio__batch_hashes(const struct coreio__batch *batch, int32_t text)
{
    const struct coreio__text *texts = batch->texts + (size_t)text * batch->stride;
    uint64_t *hashes = batch->hashes + (size_t)text * batch->stride;
    if (!batch->hashed[text]) {
        batch->hashed[text] = 1;
        for (uint32_t i = 0; i < batch->count; i++) {
            const struct coreio__text own = texts[i];
            hashes[i] = own.text == NULL ? coreio__hash_null(0) : coreio__hash(own.text, own.length, 0);
        }
    }
    return hashes;
}

static int32_t add_distinct(
    const struct coreio__measure *measure, uint8_t *const *groups, const struct coreio__batch *batch)
{
    const struct coreio__text *texts = batch->texts + (size_t)measure->column * batch->stride;
    const uint64_t *hashes = coreio__batch_hashes(batch, measure->column);
    const size_t offset = (size_t)measure->offset;
    for (uint32_t i = 0; i < batch->count; i++)
        coreio__hll_prefetch((struct coreio__hll *)(void *)(groups[i] + offset), hashes[i]);
    for (uint32_t i = 0; i < batch->count; i++) {
        struct coreio__hll *hll = (struct coreio__hll *)(void *)(groups[i] + offset);
        /* The last one needs no call, but 0 is none; null and empty texts do not count. */
        if ((hll->last != 0 && hll->last == hashes[i]) || texts[i].length == 0)
            continue;
        const int32_t status = coreio__hll_add(hll, hashes[i]);
        if (status < 0)
            return status;
    }
    return 0;
}

/* The same for one counter, which soon has registers where its lines are those of a whole log. */
static int32_t add_distinct_all(
    const struct coreio__measure *measure, struct coreio__hll *hll, const struct coreio__batch *batch)
{
    const struct coreio__text *texts = batch->texts + (size_t)measure->column * batch->stride;
    const uint64_t *hashes = coreio__batch_hashes(batch, measure->column);
    uint8_t *registers = coreio__hll_registers(hll);
    for (uint32_t i = 0; i < batch->count; i++) {
        if (texts[i].length == 0)
            continue;
        if (registers != NULL) {
            coreio__hll_register(registers, coreio__hll_counted(hashes[i]));
            continue;
        }
        const int32_t status = coreio__hll_add(hll, hashes[i]);
        if (status < 0)
            return status;
        registers = coreio__hll_registers(hll);
    }
    return 0;
}

static int32_t add_sketch(
    const struct coreio__measure *measure, uint8_t *const *groups, const struct coreio__batch *batch)
{
    const struct coreio__number *numbers = batch->numbers + (size_t)measure->column * batch->stride;
    const size_t offset = (size_t)measure->offset;
    for (uint32_t i = 0; i < batch->count; i++)
        coreio__sketch_prefetch((struct coreio__sketch *)(void *)(groups[i] + offset), numbers[i].value);
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct coreio__number *number = &numbers[i];
        if (number->is_null)
            continue;
        const int32_t status = coreio__sketch_add((struct coreio__sketch *)(void *)(groups[i] + offset), number->value);
        if (status < 0)
            return status;
    }
    return 0;
}

int32_t coreio__measure_add(
    const struct coreio__measure *measure, uint8_t *const *groups, const struct coreio__batch *batch)
{
    if (measure->kind == COREIO__DISTINCT)
        return add_distinct(measure, groups, batch);
    if (measure->kind == COREIO__SKETCH)
        return add_sketch(measure, groups, batch);
    const struct coreio__number *numbers = batch->numbers + (size_t)measure->column * batch->stride;
    const size_t offset = (size_t)measure->offset;
    if (measure->kind == COREIO__SUM) {
        for (uint32_t i = 0; i < batch->count; i++) {
            const struct coreio__number number = numbers[i];
            if (!number.is_null)
                add_sum(
                    (struct coreio__sum *)(void *)(groups[i] + offset), (uint64_t)number.value, number.value >> 63, 1);
        }
        return 0;
    }
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct coreio__number number = numbers[i];
        if (!number.is_null)
            add_extremes((struct coreio__extremes *)(void *)(groups[i] + offset), number.value, number.value, 1);
    }
    return 0;
}

int32_t coreio__measure_add_all(
    const struct coreio__measure *measure, uint8_t *group, const struct coreio__batch *batch)
{
    if (measure->kind == COREIO__DISTINCT)
        return add_distinct_all(measure, (struct coreio__hll *)(void *)(group + measure->offset), batch);
    if (measure->kind != COREIO__SUM) {
        uint8_t *groups[COREIO__BATCH];
        for (uint32_t i = 0; i < batch->count; i++)
            groups[i] = group;
        return coreio__measure_add(measure, groups, batch);
    }
    const struct coreio__number *numbers = batch->numbers + (size_t)measure->column * batch->stride;
    struct coreio__sum sum = {0, 0, 0};
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct coreio__number number = numbers[i];
        if (!number.is_null)
            add_sum(&sum, (uint64_t)number.value, number.value >> 63, 1);
    }
    add_sum((struct coreio__sum *)(void *)(group + measure->offset), sum.low, sum.high, sum.count);
    return 0;
}

int32_t coreio__measure_merge(const struct coreio__measure *measure, void *state, void *other)
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

void coreio__measure_expect(const struct coreio__measure *measure, const void *state)
{
    const void *held = NULL;
    if (measure->kind == COREIO__SKETCH)
        held = ((const struct coreio__sketch *)state)->counters;
    else if (measure->kind == COREIO__DISTINCT)
        held = coreio__hll_set(state);
    /* Most are not longer, and what follows comes by itself when it is walked through. */
    for (size_t at = 0; held != NULL && at < EXPECTED; at += 64)
        coreio__prefetch((const uint8_t *)held + at);
}

void coreio__measure_clear(const struct coreio__measure *measure, void *state)
{
    if (measure->kind == COREIO__SKETCH)
        coreio__sketch_clear(state);
    else if (measure->kind == COREIO__DISTINCT)
        coreio__hll_clear(state);
}
