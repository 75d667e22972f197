/* The answer of a finished scan, copied out in batches. */
#include "scan.h"

#include <errno.h>
#include <string.h>

static const struct coreio__table *table_of(const struct coreio_log_scan *scan, int32_t table)
{
    if (scan == NULL || !scan->finished || table < 0 || table >= scan->query->table_count)
        return NULL;
    return &scan->hands[0]->worker.tables[table];
}

/* Row `index`: a group, then the one all others were folded into; NULL behind the last. */
static const struct coreio__group *row_of(const struct coreio__table *table, int64_t index)
{
    if (index < (int64_t)table->group_count)
        return coreio__table_group(table, (size_t)index);
    return index == (int64_t)table->group_count ? table->other : NULL;
}

static void set_value(struct coreio_log_cell *cell, int64_t value)
{
    cell->low = (uint64_t)value;
    cell->high = value >> 63;
}

static void write_cell(const struct coreio__shape *shape, const struct coreio__group *group,
    const struct coreio__stat *stat, struct coreio_log_cell *cell)
{
    memset(cell, 0, sizeof *cell);
    cell->count = group->count;
    if (stat->measure < 0) {
        set_value(cell, group->count);
        return;
    }
    const void *state = (const uint8_t *)group + shape->measures[stat->measure].offset;
    if (stat->kind == COREIO_LOG_SUM || stat->kind == COREIO_LOG_AVG) {
        const struct coreio__sum *sum = state;
        cell->low = sum->low;
        cell->high = sum->high;
        cell->count = sum->count;
    } else if (stat->kind == COREIO_LOG_QUANTILE) {
        const struct coreio__sketch *sketch = state;
        set_value(cell, coreio__sketch_quantile(sketch, stat->quantile_ppm));
        cell->count = (int64_t)sketch->count;
    } else if (stat->kind == COREIO_LOG_DISTINCT) {
        set_value(cell, coreio__hll_estimate(state));
    } else {
        const struct coreio__extremes *extremes = state;
        set_value(cell, stat->kind == COREIO_LOG_MIN ? extremes->min : extremes->max);
        cell->count = extremes->count;
    }
}

int32_t coreio_log_scan_workers(
    const struct coreio_log_scan *scan, struct coreio_log_worker_info *workers, int32_t capacity)
{
    if (scan == NULL || !scan->finished || capacity < 0 || (workers == NULL && capacity > 0))
        return -EINVAL;
    for (int32_t i = 0; i < scan->hand_count && i < capacity; i++) {
        const struct coreio__hand *hand = scan->hands[i];
        workers[i].thread_id = hand->place.thread_id;
        workers[i].cpu = hand->place.cpu;
        workers[i].lines = hand->worker.tally.lines + hand->merged_lines;
        workers[i].bytes = hand->worker.tally.bytes + hand->merged_bytes;
        workers[i].cpu_time_us = hand->cpu_time_us + hand->merged_time_us;
    }
    return scan->hand_count;
}

int32_t coreio_log_scan_table(
    const struct coreio_log_scan *scan, int32_t table, struct coreio_log_table_summary *summary)
{
    const struct coreio__table *groups = table_of(scan, table);
    if (groups == NULL || summary == NULL)
        return -EINVAL;
    memset(summary, 0, sizeof *summary);
    summary->groups = (int64_t)groups->group_count;
    summary->other_lines = groups->other == NULL ? 0 : groups->other->count;
    for (size_t i = 0; i < groups->group_count; i++)
        summary->key_bytes += coreio__group_key_length(coreio__table_group(groups, i));
    summary->keys = groups->shape->key_count;
    summary->stats = scan->query->tables[table]->stat_count;
    return 0;
}

int32_t coreio_log_scan_groups(const struct coreio_log_scan *scan, int32_t table, int64_t first,
    struct coreio_log_group *rows, int32_t capacity, struct coreio_log_cell *cells, int32_t cell_capacity,
    uint8_t *keys, int32_t key_capacity)
{
    const struct coreio__table *groups = table_of(scan, table);
    if (groups == NULL || first < 0 || capacity < 0 || (rows == NULL && capacity > 0) || cell_capacity < 0 ||
        (cells == NULL && cell_capacity > 0) || key_capacity < 0 || (keys == NULL && key_capacity > 0))
        return -EINVAL;
    const struct coreio__table_plan *plan = scan->query->tables[table];
    int32_t count = 0;
    uint32_t cell_count = 0;
    uint32_t key_bytes = 0;
    for (; count < capacity; count++) {
        const struct coreio__group *group = row_of(groups, first + count);
        if (group == NULL)
            break;
        const uint32_t key_length = coreio__group_key_length(group);
        if ((uint32_t)cell_capacity - cell_count < (uint32_t)plan->stat_count ||
            (uint32_t)key_capacity - key_bytes < key_length)
            return count > 0 ? count : COREIO_ECAPACITY;
        struct coreio_log_group *row = &rows[count];
        row->count = group->count;
        row->key_offset = key_bytes;
        row->key_length = key_length;
        row->first_cell = cell_count;
        row->other = group == groups->other;
        if (key_length > 0)
            memcpy(keys + key_bytes, group->key, key_length);
        key_bytes += key_length;
        for (int32_t i = 0; i < plan->stat_count; i++)
            write_cell(&plan->shape, group, &plan->stats[i], &cells[cell_count++]);
    }
    return count;
}

int32_t coreio_log_scan_rejects(const struct coreio_log_scan *scan, struct coreio_log_reject *rejects, int32_t capacity,
    uint8_t *samples, int32_t sample_capacity)
{
    if (scan == NULL || !scan->finished || capacity < 0 || (rejects == NULL && capacity > 0) || sample_capacity < 0 ||
        (samples == NULL && sample_capacity > 0))
        return -EINVAL;
    const struct coreio__tally *tally = &scan->tally;
    int32_t count = 0;
    uint32_t used = 0;
    for (int32_t reason = 0; reason < COREIO_LOG_REASONS; reason++) {
        if (tally->reasons[reason] == 0)
            continue;
        if (count < capacity) {
            struct coreio_log_reject *reject = &rejects[count];
            memset(reject, 0, sizeof *reject);
            reject->reason = reason;
            reject->count = tally->reasons[reason];
            while (reject->sample_count < COREIO_LOG_SAMPLES && reject->sample_count < reject->count) {
                const struct coreio__sample *sample = &tally->samples[reason][reject->sample_count];
                if ((uint32_t)sample_capacity - used < (uint32_t)sample->length)
                    return COREIO_ECAPACITY;
                if (sample->length > 0)
                    memcpy(samples + used, sample->bytes, (size_t)sample->length);
                reject->sample_offset[reject->sample_count] = used;
                reject->sample_length[reject->sample_count] = (uint32_t)sample->length;
                used += (uint32_t)sample->length;
                reject->sample_count++;
            }
        }
        count++;
    }
    return count;
}
