/* Slots and texts are shared and ordered; intervals round down; derived texts. */
#include "check.h"

#include "log/plan.h"
#include "logs.h"

#include <stdlib.h>
#include <string.h>

static struct coreio__column column_of(const struct coreio_log_format *format, const char *name)
{
    struct coreio__column column;
    check_context("%s", name);
    CHECK(coreio__field_resolve(format, (const uint8_t *)name, (int32_t)strlen(name), &column));
    return column;
}

TEST(each_use_becomes_one_slot_in_the_order_of_the_line)
{
    struct coreio_log_format *format =
        logs_format("$upstream_response_time $upstream_status $status $request_time $time_local $msec $x");
    struct coreio__plan *plan = calloc(1, sizeof *plan);
    plan->format = format;
    static const char *const names[] = {
        "x", "time_local", "request_time", "status", "upstream_status", "upstream_response_time", "attempts", "msec"};
    static const int32_t typings[] = {COREIO__MILLIONTHS, COREIO__TIME_LOCAL, COREIO__MILLIONTHS, COREIO__WHOLE,
        COREIO__LAST_OF_LIST, COREIO__MILLIONTHS_LIST, COREIO__ENTRIES, COREIO__TIME_MSEC};
    for (int twice = 0; twice < 2; twice++) {
        for (int32_t i = 0; i < 8; i++) {
            const struct coreio__column column = column_of(format, names[i]);
            CHECK_EQ(coreio__plan_number(plan, &column), i);
            CHECK_EQ(plan->slots[i].typing, typings[i]);
            CHECK_EQ(plan->slots[i].reason,
                column.kind == COREIO_LOG_TIME ? COREIO_LOG_NOT_A_TIME : COREIO_LOG_NOT_A_NUMBER);
            CHECK_EQ(plan->slots[i].scale, column.kind == COREIO_LOG_INTEGER ? 0 : 6);
        }
    }
    CHECK_EQ(plan->slot_count, 8);
    for (int32_t i = 1; i < 8; i++)
        CHECK(plan->slots[plan->order[i - 1]].source <= plan->slots[plan->order[i]].source);
    CHECK_EQ(coreio__plan_clock(plan), 1);
    free(plan);
    coreio_log_format_destroy(format);
}

TEST(a_column_is_only_checked_until_its_number_is_read)
{
    struct coreio_log_format *format = logs_format("$status $body_bytes_sent");
    struct coreio__plan *plan = calloc(1, sizeof *plan);
    plan->format = format;
    const struct coreio__column status = column_of(format, "status");
    const struct coreio__column bytes = column_of(format, "body_bytes_sent");
    CHECK_EQ(coreio__plan_check(plan, &status), 0);
    CHECK_EQ(plan->slots[0].is_read, 0);
    CHECK_EQ(coreio__plan_number(plan, &bytes), 1);
    CHECK_EQ(plan->slots[1].is_read, 1);
    CHECK_EQ(coreio__plan_check(plan, &bytes), 1);
    CHECK_EQ(plan->slots[1].is_read, 1);
    CHECK_EQ(coreio__plan_number(plan, &status), 0);
    CHECK_EQ(plan->slots[0].is_read, 1);
    CHECK_EQ(plan->slot_count, 2);
    free(plan);
    coreio_log_format_destroy(format);
}

TEST(there_is_no_clock_without_a_time)
{
    struct coreio_log_format *format = logs_format("$a");
    struct coreio__plan *plan = calloc(1, sizeof *plan);
    plan->format = format;
    CHECK_EQ(coreio__plan_clock(plan), -1);
    free(plan);
    coreio_log_format_destroy(format);
}

TEST(intervals_round_down)
{
    static const int64_t rows[][3] = {{0, 10, 0}, {9, 10, 0}, {10, 10, 10}, {-1, 10, -10}, {-10, 10, -10},
        {-11, 10, -20}, {59999999, 60000000, 0}, {60000000, 60000000, 60000000}, {-1, 60000000, -60000000}, {7, 1, 7},
        {-7, 1, -7}, {INT64_MIN, 1, INT64_MIN}, {INT64_MIN, 2, INT64_MIN}, {INT64_MIN, 60000000, INT64_MIN},
        {INT64_MIN + 54775807, 60000000, INT64_MIN}, {INT64_MIN + 54775808, 60000000, INT64_MIN + 54775808},
        {INT64_MIN, INT64_MAX, INT64_MIN}, {-1, INT64_MAX, -INT64_MAX}, {INT64_MAX, 60000000, INT64_MAX - 54775807}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_EQ(coreio__plan_interval(rows[i][0], rows[i][1]), rows[i][2]);
}

/* The text of a status class for a status, "" for null. */
static void check_class(int64_t status, int32_t is_null, const char *expected)
{
    const struct coreio__number number = {status, is_null};
    const struct coreio__text shown = coreio__plan_class(&number);
    check_context("%lld", (long long)status);
    CHECK_BYTES(shown.text, shown.length, expected, strlen(expected));
    CHECK_EQ(shown.text == NULL, expected[0] == '\0');
}

TEST(classes_of_statuses)
{
    check_class(100, 0, "1xx");
    check_class(199, 0, "1xx");
    check_class(200, 0, "2xx");
    check_class(404, 0, "4xx");
    check_class(599, 0, "5xx");
    check_class(600, 0, "");
    check_class(99, 0, "");
    check_class(-404, 0, "");
    check_class(404, 1, "");
}

TEST(attempts_are_shown_as_digits)
{
    struct coreio_log_format *format = logs_format("$upstream_addr");
    struct coreio__plan *plan = calloc(1, sizeof *plan);
    plan->format = format;
    const struct coreio__column column = column_of(format, "attempts");
    REQUIRE(coreio__plan_text(plan, &column) == 0);
    uint8_t scratch[COREIO__SCRATCH];
    static const int64_t numbers[] = {0, 7, 10, INT64_MAX};
    static const char *const texts[] = {"0", "7", "10", "9223372036854775807"};
    for (int i = 0; i < 4; i++) {
        const struct coreio__number number = {numbers[i], 0};
        const struct coreio__text shown =
            coreio__plan_value(plan, &plan->texts[0], (struct coreio__text){scratch, 1}, NULL, &number, scratch);
        CHECK_BYTES(shown.text, shown.length, texts[i], strlen(texts[i]));
    }
    free(plan);
    coreio_log_format_destroy(format);
}
