/* Keys and statistics by name, the faults with their places, and the life of a query. */
#include "check.h"

#include "allocations.h"
#include "logs.h"

#include <errno.h>
#include <string.h>

static struct coreio_log_query *make_query(const char *format, int64_t interval_us)
{
    struct coreio_log_format *compiled = logs_format(format);
    const struct coreio_log_query_options options = {.size = sizeof options, .interval_us = interval_us};
    struct coreio_log_query *query = NULL;
    struct coreio_log_fault fault;
    CHECK_EQ(coreio_log_query_create(compiled, &options, &query, &fault), 0);
    coreio_log_format_destroy(compiled);
    return query;
}

static int32_t add(struct coreio_log_query *query, const char *by, const char *stats, struct coreio_log_fault *fault)
{
    const struct coreio_log_table_options options = {.size = sizeof options,
        .by = guarded_copy(by, (int64_t)strlen(by)),
        .by_length = (int32_t)strlen(by),
        .stats = guarded_copy(stats, (int64_t)strlen(stats)),
        .stats_length = (int32_t)strlen(stats)};
    return coreio_log_query_add_table(query, &options, fault);
}

TEST(columns_are_those_that_were_asked_for)
{
    struct coreio_log_query *query = make_query("combined", 1000000);
    struct coreio_log_fault fault;
    REQUIRE(
        add(query, " status , path,minute,time,time_local",
            "count,sum(bytes), avg(bytes) ,min(status),max(bytes),p0(bytes),p99.9(bytes),p100(bytes),p12.3456(bytes),"
            "distinct(client)",
            &fault) == 0);
    static const struct coreio_log_column_info expected[] = {{.kind = COREIO_LOG_INTEGER}, {.kind = COREIO_LOG_TEXT},
        {.kind = COREIO_LOG_TIME}, {.kind = COREIO_LOG_TIME}, {.kind = COREIO_LOG_TEXT}, {.kind = COREIO_LOG_COUNT},
        {.kind = COREIO_LOG_SUM}, {.kind = COREIO_LOG_AVG}, {.kind = COREIO_LOG_MIN}, {.kind = COREIO_LOG_MAX},
        {.kind = COREIO_LOG_QUANTILE}, {.kind = COREIO_LOG_QUANTILE, .quantile_ppm = 999000},
        {.kind = COREIO_LOG_QUANTILE, .quantile_ppm = 1000000}, {.kind = COREIO_LOG_QUANTILE, .quantile_ppm = 123456},
        {.kind = COREIO_LOG_DISTINCT}};
    struct coreio_log_column_info columns[16];
    memset(columns, 0x55, sizeof columns);
    CHECK_EQ(coreio_log_query_columns(query, 0, columns, 16), 15);
    CHECK_BYTES(columns, sizeof expected, expected, sizeof expected);
    CHECK_EQ(coreio_log_query_columns(query, 0, NULL, 0), 15);
    CHECK_EQ(coreio_log_query_columns(query, 1, columns, 16), -EINVAL);
    CHECK_EQ(coreio_log_query_columns(query, -1, columns, 16), -EINVAL);
    CHECK_EQ(coreio_log_query_columns(query, 0, NULL, 1), -EINVAL);
    CHECK_EQ(coreio_log_query_columns(query, 0, columns, -1), -EINVAL);
    CHECK_EQ(coreio_log_query_columns(NULL, 0, columns, 16), -EINVAL);
    coreio_log_query_destroy(query);
    /* Free and seconds fields count in millionths. */
    query = make_query("$mine $request_time", 0);
    REQUIRE(add(query, "", "sum(mine),p50(request_time)", &fault) == 0);
    CHECK_EQ(coreio_log_query_columns(query, 0, columns, 16), 2);
    CHECK_EQ(columns[0].scale, 6);
    CHECK_EQ(columns[1].scale, 6);
    REQUIRE(add(query, "", "", &fault) == 1);
    CHECK_EQ(coreio_log_query_columns(query, 1, columns, 16), 1);
    CHECK_EQ(columns[0].kind, COREIO_LOG_COUNT);
    coreio_log_query_destroy(query);
}

TEST(faults_name_their_place)
{
    static const struct {
        const char *by;
        const char *stats;
        int32_t reason;
        int32_t offset;
        int32_t length;
        int32_t in_stats;
    } rows[] = {
        {"nope", "", COREIO_LOG_FAULT_UNKNOWN_FIELD, 0, 4, 0},
        {"status, nope ", "", COREIO_LOG_FAULT_UNKNOWN_FIELD, 8, 4, 0},
        {"status,", "", COREIO_LOG_FAULT_EXPECTED_FIELD, 7, 0, 0},
        {",status", "", COREIO_LOG_FAULT_EXPECTED_FIELD, 0, 0, 0},
        {"time", "", COREIO_LOG_FAULT_NO_INTERVAL, 0, 4, 0},
        {"", "nope", COREIO_LOG_FAULT_UNKNOWN_STATISTIC, 0, 4, 1},
        {"", "count,", COREIO_LOG_FAULT_UNKNOWN_STATISTIC, 6, 0, 1},
        {"", "count(bytes)", COREIO_LOG_FAULT_UNKNOWN_STATISTIC, 0, 12, 1},
        {"", "sum(bytes", COREIO_LOG_FAULT_UNKNOWN_STATISTIC, 0, 9, 1},
        {"", "Sum(bytes)", COREIO_LOG_FAULT_UNKNOWN_STATISTIC, 0, 10, 1},
        {"", "p(bytes)", COREIO_LOG_FAULT_UNKNOWN_STATISTIC, 0, 8, 1},
        {"", "sum()", COREIO_LOG_FAULT_EXPECTED_FIELD, 4, 0, 1},
        {"", "count,sum(nope)", COREIO_LOG_FAULT_UNKNOWN_FIELD, 10, 4, 1},
        {"", "sum(path)", COREIO_LOG_FAULT_NOT_NUMERIC, 4, 4, 1},
        {"", "p50(client)", COREIO_LOG_FAULT_NOT_NUMERIC, 4, 6, 1},
        {"", "sum(minute)", COREIO_LOG_FAULT_EXPECTED_FIELD, 4, 6, 1},
        {"", "distinct(time)", COREIO_LOG_FAULT_EXPECTED_FIELD, 9, 4, 1},
        {"", "p101(bytes)", COREIO_LOG_FAULT_BAD_QUANTILE, 0, 11, 1},
        {"", "p100.0001(bytes)", COREIO_LOG_FAULT_BAD_QUANTILE, 0, 16, 1},
        {"", "p1.23456(bytes)", COREIO_LOG_FAULT_BAD_QUANTILE, 0, 15, 1},
        {"", "p1.(bytes)", COREIO_LOG_FAULT_BAD_QUANTILE, 0, 10, 1},
        {"", "p1.2.3(bytes)", COREIO_LOG_FAULT_BAD_QUANTILE, 0, 13, 1},
        {"", "p1x(bytes)", COREIO_LOG_FAULT_BAD_QUANTILE, 0, 10, 1},
        {"", "p99999999999999999999(bytes)", COREIO_LOG_FAULT_BAD_QUANTILE, 0, 28, 1},
    };
    struct coreio_log_query *query = make_query("combined", 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct coreio_log_fault fault;
        memset(&fault, 0x55, sizeof fault);
        check_context("by %s, stats %s", rows[i].by, rows[i].stats);
        CHECK_EQ(add(query, rows[i].by, rows[i].stats, &fault), COREIO_EFORMAT);
        CHECK_EQ(fault.reason, rows[i].reason);
        CHECK_EQ(fault.offset, rows[i].offset);
        CHECK_EQ(fault.length, rows[i].length);
        CHECK_EQ(fault.reserved, rows[i].in_stats);
    }
    coreio_log_query_destroy(query);
    struct coreio_log_fault fault;
    query = make_query("delimited", 1000000);
    CHECK_EQ(add(query, "minute", "", &fault), COREIO_EFORMAT);
    CHECK_EQ(fault.reason, COREIO_LOG_FAULT_NO_CLOCK);
    CHECK_EQ(add(query, "time", "", &fault), COREIO_EFORMAT);
    CHECK_EQ(fault.reason, COREIO_LOG_FAULT_NO_CLOCK);
    coreio_log_query_destroy(query);
}

TEST(a_table_that_does_not_compile_leaves_nothing_behind)
{
    struct coreio_log_query *query = make_query("$a $status", 0);
    struct coreio_log_fault fault;
    struct coreio_log_totals totals;
    /* The status is typed by the first table; it must not reject lines of the second. */
    CHECK_EQ(add(query, "status", "sum(nope)", &fault), COREIO_EFORMAT);
    CHECK_EQ(add(query, "a", "count", &fault), 0);
    struct coreio_log_scan *scan = logs_scan(query, 1, 0, 0, -1);
    CHECK_EQ(coreio_log_scan_feed(scan, (const uint8_t *)"x two\n", 6), 0);
    CHECK_EQ(coreio_log_scan_feed_end(scan), 0);
    CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
    CHECK_EQ(totals.parsed, 1);
    coreio_log_scan_destroy(scan);
    coreio_log_query_destroy(query);
}

TEST(there_is_a_most_of_everything)
{
    struct coreio_log_fault fault;
    struct coreio_log_query *query = make_query("delimited", 0);
    for (int32_t i = 0; i < COREIO_LOG_MAX_TABLES; i++)
        CHECK_EQ(add(query, "", "", &fault), i);
    CHECK_EQ(add(query, "f1", "", &fault), COREIO_EFORMAT);
    CHECK_EQ(fault.reason, COREIO_LOG_FAULT_TOO_MANY);
    coreio_log_query_destroy(query);
    for (int32_t count = COREIO_LOG_MAX_FIELDS; count <= COREIO_LOG_MAX_FIELDS + 1; count++) {
        for (int way = 0; way < 4; way++) {
            struct logs_text list = {0};
            for (int32_t i = 1; i <= count; i++)
                logs_print(&list,
                    way == 0   ? "%sf%d"
                    : way == 1 ? "%ssum(f%d)"
                    : way == 2 ? "%sdistinct(f%d)"
                               : "%scount",
                    i == 1 ? "" : ",", i);
            logs_append(&list, "", 1);
            query = make_query("delimited", 0);
            check_context("%d, way %d", count, way);
            const int32_t status =
                add(query, way == 0 ? (char *)list.bytes : "", way == 0 ? "" : (char *)list.bytes, &fault);
            CHECK_EQ(status, count <= COREIO_LOG_MAX_FIELDS ? 0 : COREIO_EFORMAT);
            CHECK_EQ(fault.reason, count <= COREIO_LOG_MAX_FIELDS ? 0 : COREIO_LOG_FAULT_TOO_MANY);
            coreio_log_query_destroy(query);
            logs_free(&list);
        }
    }
}

TEST(arguments_and_options_are_checked)
{
    struct coreio_log_format *format = logs_format("combined");
    struct coreio_log_format *no_clock = logs_format("delimited");
    struct coreio_log_query *query = (struct coreio_log_query *)(void *)&format;
    struct coreio_log_fault fault;
    struct {
        struct coreio_log_query_options options;
        uint32_t more;
    } options = {.options = {.size = sizeof options}};
    CHECK_EQ(coreio_log_query_create(NULL, NULL, &query, &fault), -EINVAL);
    CHECK(query == NULL);
    CHECK_EQ(coreio_log_query_create(format, NULL, NULL, &fault), -EINVAL);
    CHECK_EQ(coreio_log_query_create(format, NULL, &query, NULL), -EINVAL);
    options.options.where_length = 1;
    CHECK_EQ(coreio_log_query_create(format, &options.options, &query, &fault), -EINVAL);
    options.options.where_length = -1;
    CHECK_EQ(coreio_log_query_create(format, &options.options, &query, &fault), -EINVAL);
    options.options.where_length = 0;
    options.options.interval_us = -1;
    CHECK_EQ(coreio_log_query_create(format, &options.options, &query, &fault), -EINVAL);
    options.options.interval_us = 0;
    options.more = 1;
    CHECK_EQ(coreio_log_query_create(format, &options.options, &query, &fault), COREIO_EABI);
    options.more = 0;
    options.options.since_us = 1;
    CHECK_EQ(coreio_log_query_create(no_clock, &options.options, &query, &fault), COREIO_EFORMAT);
    CHECK_EQ(fault.reason, COREIO_LOG_FAULT_NO_CLOCK);
    CHECK(query == NULL);
    options.options.since_us = 0;
    options.options.where = (const uint8_t *)"x > 1";
    options.options.where_length = 5;
    CHECK_EQ(coreio_log_query_create(format, &options.options, &query, &fault), COREIO_EFORMAT);
    CHECK_EQ(fault.reason, COREIO_LOG_FAULT_UNKNOWN_FIELD);
    REQUIRE(coreio_log_query_create(format, NULL, &query, &fault) == 0);
    coreio_log_format_destroy(format);
    coreio_log_format_destroy(no_clock);

    struct {
        struct coreio_log_table_options options;
        uint32_t more;
    } table = {.options = {.size = sizeof table}, .more = 1};
    CHECK_EQ(coreio_log_query_add_table(query, &table.options, &fault), COREIO_EABI);
    table.more = 0;
    CHECK_EQ(coreio_log_query_add_table(NULL, &table.options, &fault), -EINVAL);
    CHECK_EQ(coreio_log_query_add_table(query, &table.options, NULL), -EINVAL);
    table.options.by_length = 1;
    CHECK_EQ(coreio_log_query_add_table(query, &table.options, &fault), -EINVAL);
    table.options.by_length = -1;
    CHECK_EQ(coreio_log_query_add_table(query, &table.options, &fault), -EINVAL);
    table.options.by_length = 0;
    table.options.stats_length = 1;
    CHECK_EQ(coreio_log_query_add_table(query, &table.options, &fault), -EINVAL);
    table.options.stats_length = 0;
    table.options.max_groups = -1;
    CHECK_EQ(coreio_log_query_add_table(query, &table.options, &fault), -EINVAL);
    CHECK_EQ(coreio_log_query_add_table(query, NULL, &fault), 0);
    /* A scan seals its query, and keeps it. */
    struct coreio_log_scan *scan = logs_scan(query, 1, 0, 0, -1);
    CHECK_EQ(coreio_log_query_add_table(query, NULL, &fault), COREIO_ECLOSED);
    coreio_log_query_destroy(query);
    struct coreio_log_totals totals;
    CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
    coreio_log_scan_destroy(scan);
    coreio_log_query_destroy(NULL);
}

TEST(no_memory_is_told_and_nothing_leaks)
{
    struct coreio_log_format *format = logs_format("combined");
    const struct coreio_log_query_options options = {
        .size = sizeof options, .where = (const uint8_t *)"path =~ \"a\"", .where_length = 11};
    for (int64_t passed = 0;; passed++) {
        struct coreio_log_query *query;
        struct coreio_log_fault fault;
        allocations_refuse_after(passed);
        int32_t status = coreio_log_query_create(format, &options, &query, &fault);
        CHECK((query == NULL) == (status < 0));
        if (status == 0)
            status = coreio_log_query_add_table(query, NULL, &fault);
        const int refused = allocations_refused();
        allocations_refuse_after(-1);
        CHECK_EQ(status, refused ? -ENOMEM : 0);
        coreio_log_query_destroy(query);
        if (!refused)
            break;
    }
    coreio_log_format_destroy(format);
}
