/* Compiles a question: keys and statistics by name; see query.h. */
#include "query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"

/* One item of a comma-separated list, without the spaces around it. */
struct item {
    int32_t begin;
    int32_t length;
};

static int32_t fail(struct coreio_log_fault *fault, int32_t reason, struct item item)
{
    fault->reason = reason;
    fault->offset = item.begin;
    fault->length = item.length;
    return COREIO_EFORMAT;
}

/* Reads the item at *at and moves *at behind its comma. */
static struct item next_item(const uint8_t *list, int32_t length, int32_t *at)
{
    int32_t begin = *at;
    int32_t end = begin;
    while (end < length && list[end] != ',')
        end++;
    *at = end + 1;
    while (begin < end && list[begin] == ' ')
        begin++;
    while (end > begin && list[end - 1] == ' ')
        end--;
    return (struct item){begin, end - begin};
}

/* Resolves a field; a minute or an interval only where `clock` allows it. */
static int32_t resolve(const struct coreio_log_query *query, const uint8_t *list, struct item name, int32_t clock,
    struct coreio__column *column, struct coreio_log_fault *fault)
{
    if (name.length == 0)
        return fail(fault, COREIO_LOG_FAULT_EXPECTED_FIELD, name);
    const uint8_t *text = list + name.begin;
    if (!coreio__field_resolve(query->format, text, name.length, column)) {
        const int32_t needs_clock =
            (name.length == 4 && memcmp(text, "time", 4) == 0) || (name.length == 6 && memcmp(text, "minute", 6) == 0);
        return fail(fault, needs_clock && clock ? COREIO_LOG_FAULT_NO_CLOCK : COREIO_LOG_FAULT_UNKNOWN_FIELD, name);
    }
    const int32_t is_clock = column->derive == COREIO__MINUTE || column->derive == COREIO__INTERVAL;
    if (is_clock && !clock)
        return fail(fault, COREIO_LOG_FAULT_EXPECTED_FIELD, name);
    if (column->derive == COREIO__INTERVAL && query->plan.interval_us == 0)
        return fail(fault, COREIO_LOG_FAULT_NO_INTERVAL, name);
    return 0;
}

static int32_t add_keys(struct coreio_log_query *query, struct coreio__table_plan *table, const uint8_t *by,
    int32_t length, struct coreio_log_fault *fault)
{
    for (int32_t at = 0; at <= length && length > 0;) {
        const struct item name = next_item(by, length, &at);
        struct coreio__column column;
        const int32_t status = resolve(query, by, name, 1, &column, fault);
        if (status < 0)
            return status;
        /* A typed field that is a key is typed, too, so no key is shown that is not of its kind. */
        if (column.derive == COREIO__AS_IS && column.kind != COREIO_LOG_TEXT &&
            coreio__plan_check(&query->plan, &column) < 0)
            return fail(fault, COREIO_LOG_FAULT_TOO_MANY, name);
        const int32_t text = coreio__plan_text(&query->plan, &column);
        if (text < 0 || table->shape.key_count == COREIO_LOG_MAX_FIELDS)
            return fail(fault, COREIO_LOG_FAULT_TOO_MANY, name);
        const int32_t is_clock = column.derive == COREIO__MINUTE || column.derive == COREIO__INTERVAL;
        table->key_kinds[table->shape.key_count] = is_clock                            ? COREIO_LOG_TIME
                                                   : column.kind == COREIO_LOG_INTEGER ? COREIO_LOG_INTEGER
                                                                                       : COREIO_LOG_TEXT;
        table->keys[table->shape.key_count++] = text;
    }
    return 0;
}

/* Reads the N of pN as millionths: digits, and a point with up to four more. */
static int32_t read_quantile(const uint8_t *text, int32_t length, int32_t *ppm)
{
    int64_t value = 0;
    int32_t decimals = -1;
    for (int32_t i = 0; i < length; i++) {
        if (text[i] == '.' && decimals < 0 && i > 0) {
            decimals = 0;
        } else if (text[i] >= '0' && text[i] <= '9' && decimals < 4 && value < 10000000) {
            value = value * 10 + (text[i] - '0');
            decimals += decimals >= 0;
        } else {
            return 0;
        }
    }
    if (length == 0 || decimals == 0)
        return 0;
    for (int32_t i = decimals < 0 ? 0 : decimals; i < 4; i++)
        value *= 10;
    *ppm = (int32_t)(value <= 1000000 ? value : 0);
    return value <= 1000000;
}

/* Reads NAME(FIELD) or count. Returns 0 when it is no statistic; *field is empty for count. */
static int32_t read_stat(const uint8_t *list, struct item item, struct coreio__stat *stat, struct item *field,
    int32_t *measure, int32_t *bad_quantile)
{
    static const struct {
        const char *name;
        int32_t kind;
        int32_t measure;
    } names[] = {{"sum", COREIO_LOG_SUM, COREIO__SUM}, {"avg", COREIO_LOG_AVG, COREIO__SUM},
        {"min", COREIO_LOG_MIN, COREIO__EXTREMES}, {"max", COREIO_LOG_MAX, COREIO__EXTREMES},
        {"distinct", COREIO_LOG_DISTINCT, COREIO__DISTINCT}};
    const uint8_t *text = list + item.begin;
    memset(stat, 0, sizeof *stat);
    stat->measure = -1;
    *field = (struct item){item.begin, 0};
    *bad_quantile = 0;
    if (item.length == 5 && memcmp(text, "count", 5) == 0)
        return 1;
    const uint8_t *open = item.length > 0 ? memchr(text, '(', (size_t)item.length) : NULL;
    if (open == NULL || text[item.length - 1] != ')')
        return 0;
    const int32_t name_length = (int32_t)(open - text);
    field->begin = item.begin + name_length + 1;
    field->length = item.length - name_length - 2;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i].name) == (size_t)name_length && memcmp(text, names[i].name, (size_t)name_length) == 0) {
            stat->kind = names[i].kind;
            *measure = names[i].measure;
            return 1;
        }
    }
    if (name_length < 2 || text[0] != 'p' || text[1] < '0' || text[1] > '9')
        return 0;
    stat->kind = COREIO_LOG_QUANTILE;
    *measure = COREIO__SKETCH;
    *bad_quantile = !read_quantile(text + 1, name_length - 1, &stat->quantile_ppm);
    return 1;
}

/* The measure of this kind and column; a new one if there is none yet. */
static int32_t find_measure(struct coreio__shape *shape, int32_t kind, int32_t column)
{
    for (int32_t i = 0; i < shape->measure_count; i++) {
        if (shape->measures[i].kind == kind && shape->measures[i].column == column)
            return i;
    }
    struct coreio__measure *measure = &shape->measures[shape->measure_count];
    measure->kind = kind;
    measure->column = column;
    measure->offset = shape->group_size;
    shape->group_size += coreio__measure_size(kind);
    return shape->measure_count++;
}

static int32_t add_stat(struct coreio_log_query *query, struct coreio__table_plan *table, const uint8_t *list,
    struct item item, struct coreio_log_fault *fault)
{
    struct coreio__stat stat;
    struct item field;
    int32_t measure = 0;
    int32_t bad_quantile;
    if (!read_stat(list, item, &stat, &field, &measure, &bad_quantile))
        return fail(fault, COREIO_LOG_FAULT_UNKNOWN_STATISTIC, item);
    if (bad_quantile)
        return fail(fault, COREIO_LOG_FAULT_BAD_QUANTILE, item);
    if (table->stat_count == COREIO_LOG_MAX_FIELDS)
        return fail(fault, COREIO_LOG_FAULT_TOO_MANY, item);
    if (stat.kind != COREIO_LOG_COUNT) {
        struct coreio__column column;
        const int32_t status = resolve(query, list, field, 0, &column, fault);
        if (status < 0)
            return status;
        int32_t index;
        if (stat.kind == COREIO_LOG_DISTINCT) {
            index = coreio__plan_text(&query->plan, &column);
        } else {
            if (column.kind == COREIO_LOG_TEXT && !column.free)
                return fail(fault, COREIO_LOG_FAULT_NOT_NUMERIC, field);
            index = coreio__plan_number(&query->plan, &column);
            stat.scale = column.kind == COREIO_LOG_INTEGER ? 0 : 6;
        }
        if (index < 0)
            return fail(fault, COREIO_LOG_FAULT_TOO_MANY, field);
        stat.measure = find_measure(&table->shape, measure, index);
    }
    table->stats[table->stat_count++] = stat;
    return 0;
}

static int32_t add_stats(struct coreio_log_query *query, struct coreio__table_plan *table, const uint8_t *stats,
    int32_t length, struct coreio_log_fault *fault)
{
    static const uint8_t count[] = {'c', 'o', 'u', 'n', 't'};
    if (length == 0)
        return add_stat(query, table, count, (struct item){0, 5}, fault);
    for (int32_t at = 0; at <= length;) {
        const struct item item = next_item(stats, length, &at);
        const int32_t status = add_stat(query, table, stats, item, fault);
        if (status < 0)
            return status;
    }
    return 0;
}

struct coreio_log_query *coreio__query_share(struct coreio_log_query *query)
{
    __atomic_fetch_add(&query->references, 1, __ATOMIC_RELAXED);
    return query;
}

int32_t coreio_log_query_create(const struct coreio_log_format *format, const struct coreio_log_query_options *options,
    struct coreio_log_query **out, struct coreio_log_fault *fault)
{
    if (out != NULL)
        *out = NULL;
    if (out == NULL || format == NULL || fault == NULL)
        return -EINVAL;
    struct coreio_log_query_options own;
    int32_t status = coreio__options_read(&own, sizeof own, options);
    if (status < 0)
        return status;
    if (own.where_length < 0 || (own.where == NULL && own.where_length > 0) || own.interval_us < 0)
        return -EINVAL;
    memset(fault, 0, sizeof *fault);
    struct coreio_log_query *query = calloc(1, sizeof *query);
    if (query == NULL)
        return -ENOMEM;
    query->references = 1;
    query->format = coreio__format_share(format);
    query->since_us = own.since_us;
    query->until_us = own.until_us;
    query->clock = -1;
    query->plan.format = query->format;
    query->plan.interval_us = own.interval_us;
    query->plan.request_source = -1;
    if (own.where_length > 0) {
        status = coreio__filter_compile(own.where, own.where_length, &query->plan, &query->filter, fault);
        if (status < 0)
            goto done;
        query->filter_texts = query->plan.text_count;
    }
    if (own.since_us != 0 || own.until_us != 0) {
        query->clock = coreio__plan_clock(&query->plan);
        if (query->clock < 0) {
            status = fail(fault, COREIO_LOG_FAULT_NO_CLOCK, (struct item){0, 0});
            goto done;
        }
    }
    *out = query;
    query = NULL;
done:
    coreio_log_query_destroy(query);
    return status;
}

int32_t coreio_log_query_add_table(
    struct coreio_log_query *query, const struct coreio_log_table_options *options, struct coreio_log_fault *fault)
{
    if (query == NULL || fault == NULL)
        return -EINVAL;
    struct coreio_log_table_options own;
    int32_t status = coreio__options_read(&own, sizeof own, options);
    if (status < 0)
        return status;
    if (own.by_length < 0 || (own.by == NULL && own.by_length > 0) || own.stats_length < 0 ||
        (own.stats == NULL && own.stats_length > 0) || own.max_groups < 0)
        return -EINVAL;
    if (query->sealed)
        return COREIO_ECLOSED;
    memset(fault, 0, sizeof *fault);
    if (query->table_count == COREIO_LOG_MAX_TABLES)
        return fail(fault, COREIO_LOG_FAULT_TOO_MANY, (struct item){0, own.by_length});
    struct coreio__table_plan *table = calloc(1, sizeof *table);
    if (table == NULL)
        return -ENOMEM;
    table->shape.group_size = sizeof(struct coreio__group);
    table->shape.max_groups = own.max_groups == 0 ? COREIO_LOG_DEFAULT_MAX_GROUPS : own.max_groups;
    /* A table that does not compile leaves nothing behind: what it typed would reject lines. */
    const struct coreio__plan before = query->plan;
    status = add_keys(query, table, own.by, own.by_length, fault);
    if (status == 0) {
        status = add_stats(query, table, own.stats, own.stats_length, fault);
        fault->reserved = status < 0;
    }
    if (status < 0) {
        query->plan = before;
        free(table);
        return status;
    }
    query->tables[query->table_count] = table;
    return query->table_count++;
}

int32_t coreio_log_query_columns(
    const struct coreio_log_query *query, int32_t table, struct coreio_log_column_info *columns, int32_t capacity)
{
    if (query == NULL || table < 0 || table >= query->table_count || capacity < 0 || (columns == NULL && capacity > 0))
        return -EINVAL;
    const struct coreio__table_plan *plan = query->tables[table];
    const int32_t keys = plan->shape.key_count;
    for (int32_t i = 0; i < keys + plan->stat_count && i < capacity; i++) {
        memset(&columns[i], 0, sizeof columns[i]);
        if (i < keys) {
            columns[i].kind = plan->key_kinds[i];
        } else {
            columns[i].kind = plan->stats[i - keys].kind;
            columns[i].scale = plan->stats[i - keys].scale;
            columns[i].quantile_ppm = plan->stats[i - keys].quantile_ppm;
        }
    }
    return keys + plan->stat_count;
}

void coreio_log_query_destroy(struct coreio_log_query *query)
{
    if (query == NULL || __atomic_sub_fetch(&query->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (int32_t i = 0; i < query->table_count; i++)
        free(query->tables[i]);
    coreio__filter_clear(&query->filter);
    coreio_log_format_destroy(query->format);
    free(query);
}
