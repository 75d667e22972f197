/* Filter expressions: the grammar, the faults with their places, and random trees against their own value. */
#include "check.h"

#include "allocations.h"
#include "log/filter.h"
#include "logs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Fields of the format of these tests, in order: n is free, status an integer, t seconds, s text. */
#define FORMAT "$n $status $request_time $remote_addr $time_local $upstream_addr"

static const char *const values[] = {"12.5", "404", "0.25", "10.0.0.1", "27/Feb/2023:11:53:25 +0800", "-"};

static int32_t compile(
    const char *where, struct coreio__plan *plan, struct coreio__filter *filter, struct coreio_log_fault *fault)
{
    const int32_t length = (int32_t)strlen(where);
    memset(fault, 0, sizeof *fault);
    return coreio__filter_compile(guarded_copy(where, length), length, plan, filter, fault);
}

static struct coreio__plan *make_plan(struct coreio_log_format *format)
{
    struct coreio__plan *plan = calloc(1, sizeof *plan);
    plan->format = format;
    plan->request_source = -1;
    return plan;
}

/* 1 or 0 for a filter on the line of `values`, -1 when it does not compile. */
static int32_t passes(const char *where)
{
    struct coreio_log_format *format = logs_format(FORMAT);
    struct coreio__plan *plan = make_plan(format);
    struct coreio__filter filter;
    struct coreio_log_fault fault;
    int32_t result = -1;
    if (compile(where, plan, &filter, &fault) == 0) {
        struct coreio__number numbers[COREIO__MAX_SLOTS] = {{0, 0}};
        struct coreio__text texts[COREIO_LOG_MAX_FIELDS] = {{NULL, 0}};
        for (int32_t i = 0; i < plan->slot_count; i++) {
            const char *value = values[plan->slots[i].source];
            numbers[i].is_null = 1;
            if (strcmp(value, "-") != 0)
                CHECK(coreio__value_type(plan->slots[i].typing,
                    (struct coreio__text){(const uint8_t *)value, (uint32_t)strlen(value)}, &numbers[i]));
        }
        for (int32_t i = 0; i < plan->text_count; i++) {
            const char *value = values[plan->texts[i].source];
            if (strcmp(value, "-") != 0)
                texts[i] = (struct coreio__text){(const uint8_t *)value, (uint32_t)strlen(value)};
        }
        result = coreio__filter_passes(&filter, numbers, texts, 1);
        coreio__filter_clear(&filter);
    }
    free(plan);
    coreio_log_format_destroy(format);
    return result;
}

TEST(comparisons)
{
    static const struct {
        const char *where;
        int32_t result;
    } rows[] = {{"status == 404", 1}, {"status==404", 1}, {"status != 404", 0}, {"status < 404", 0},
        {"status <= 404", 1}, {"status > 403", 1}, {"status >= 405", 0}, {"status > -1", 1}, {"n == 12.5", 1},
        {"n == 12.500000", 1}, {"n > 12.499999", 1}, {"n < 13", 1}, {"request_time >= 0.25", 1},
        {"request_time < 0.250001", 1}, {"status == \"404\"", 1}, {"status == '404'", 1}, {"status < \"5\"", 1},
        {"status > \"40\"", 1}, {"status <= \"404\"", 1}, {"status >= \"4040\"", 0}, {"n ^= \"12\"", 1},
        {"n $= \".5\"", 1}, {"n *= \"2.\"", 1}, {"n *= \"\"", 1}, {"n ^= \"\"", 1}, {"n $= \"\"", 1},
        {"n ^= \"12.5x\"", 0}, {"n $= \"x12.5\"", 0}, {"n =~ \"^1[0-9]\\\\.5$\"", 1}, {"n =~ \"^2\"", 0},
        {"remote_addr == \"10.0.0.1\"", 1}, {"upstream_addr == \"-\"", 1}, {"upstream_addr != \"-\"", 0},
        {"upstream_addr != \"x\"", 1}, {"attempts > 0", 0}, {"attempts != 0", 0}, {"not attempts != 0", 1},
        {"attempts == \"-\"", 1}, {"time_local > 1677470004", 1}, {"time_local < 1677470005.000001", 1},
        {"remote_addr == \"a\\\"b\"", 0}, {"client *= '.0.'", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_context("%s", rows[i].where);
        CHECK_EQ(passes(rows[i].where), rows[i].result);
    }
}

TEST(words_and_signs_bind_alike)
{
    static const struct {
        const char *where;
        int32_t result;
    } rows[] = {{"n == 1 and n == 1 or n > 0", 1}, {"n > 0 or n == 1 and n == 1", 1},
        {"(n > 0 or n == 1) and n == 1", 0}, {"not n == 1", 1}, {"!n == 1", 1}, {"! ! n == 1", 0}, {"not not n > 0", 1},
        {"not (n > 0)", 0}, {"not n > 0 or n > 0", 1}, {"n>0&&n<1||n>2", 1}, {"n>0 and not n<1", 1},
        {"\t(\n(n>0)\r)\v", 1}, {"n>0and n>1", 1}, {"n == 1 or n == 2 or n == 12.5 or n == 3", 1},
        {"n>1 and n>2 and n>13 and n>0", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_context("%s", rows[i].where);
        CHECK_EQ(passes(rows[i].where), rows[i].result);
    }
}

TEST(faults_name_their_place)
{
    static const struct {
        const char *where;
        int32_t reason;
        int32_t offset;
        int32_t length;
    } rows[] = {
        {" ", COREIO_LOG_FAULT_EXPECTED_FIELD, 1, 0},
        {"1 == n", COREIO_LOG_FAULT_EXPECTED_FIELD, 0, 1},
        {"nope == 1", COREIO_LOG_FAULT_UNKNOWN_FIELD, 0, 4},
        {"n == 1 and", COREIO_LOG_FAULT_EXPECTED_FIELD, 10, 0},
        {"minute == 1", COREIO_LOG_FAULT_EXPECTED_FIELD, 0, 6},
        {"time == 1", COREIO_LOG_FAULT_EXPECTED_FIELD, 0, 4},
        {"n 1", COREIO_LOG_FAULT_EXPECTED_OPERATOR, 2, 1},
        {"n = 1", COREIO_LOG_FAULT_EXPECTED_OPERATOR, 2, 1},
        {"n", COREIO_LOG_FAULT_EXPECTED_OPERATOR, 1, 0},
        {"n ! 1", COREIO_LOG_FAULT_EXPECTED_OPERATOR, 2, 1},
        {"n ==", COREIO_LOG_FAULT_EXPECTED_VALUE, 4, 0},
        {"n == n", COREIO_LOG_FAULT_EXPECTED_VALUE, 5, 1},
        {"n == - 1", COREIO_LOG_FAULT_EXPECTED_VALUE, 5, 1},
        {"(n == 1", COREIO_LOG_FAULT_EXPECTED_CLOSE, 7, 0},
        {"(n == 1 n", COREIO_LOG_FAULT_EXPECTED_CLOSE, 8, 1},
        {"n == \"a", COREIO_LOG_FAULT_UNTERMINATED_STRING, 5, 2},
        {"n == 'a\\'", COREIO_LOG_FAULT_UNTERMINATED_STRING, 5, 4},
        {"n == \"\\", COREIO_LOG_FAULT_UNTERMINATED_STRING, 5, 2},
        {"n == 1 n", COREIO_LOG_FAULT_UNEXPECTED_TEXT, 7, 1},
        {"n == 1)", COREIO_LOG_FAULT_UNEXPECTED_TEXT, 6, 1},
        {"n == 1.", COREIO_LOG_FAULT_UNEXPECTED_TEXT, 6, 1},
        {"status == 1.5", COREIO_LOG_FAULT_BAD_NUMBER, 10, 3},
        {"n == 1.0000001", COREIO_LOG_FAULT_BAD_NUMBER, 5, 9},
        {"status == 9223372036854775808", COREIO_LOG_FAULT_BAD_NUMBER, 10, 19},
        {"n == 9223372036855", COREIO_LOG_FAULT_BAD_NUMBER, 5, 13},
        {"remote_addr > 1", COREIO_LOG_FAULT_NOT_NUMERIC, 0, 11},
        {"n ^= 1", COREIO_LOG_FAULT_TEXT_OPERATOR, 2, 2},
        {"n =~ 1", COREIO_LOG_FAULT_TEXT_OPERATOR, 2, 2},
        {"n =~ \"(\"", COREIO_LOG_FAULT_BAD_PATTERN, 5, 3},
        {"n =~ \"(a{255}){255}\"", COREIO_LOG_FAULT_PATTERN_TOO_LARGE, 5, 15},
        {"\xff", COREIO_LOG_FAULT_EXPECTED_FIELD, 0, 1},
    };
    struct coreio_log_format *format = logs_format(FORMAT);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct coreio__plan *plan = make_plan(format);
        struct coreio__filter filter;
        struct coreio_log_fault fault;
        check_context("%s", rows[i].where);
        CHECK_EQ(compile(rows[i].where, plan, &filter, &fault), COREIO_EFORMAT);
        CHECK_EQ(fault.reason, rows[i].reason);
        CHECK_EQ(fault.offset, rows[i].offset);
        CHECK_EQ(fault.length, rows[i].length);
        CHECK(filter.steps == NULL && filter.strings == NULL && filter.patterns == NULL);
        free(plan);
    }
    coreio_log_format_destroy(format);
}

TEST(nesting_ends_at_64)
{
    for (int deep = 64; deep <= 65; deep++) {
        for (int way = 0; way < 3; way++) {
            struct logs_text where = {0};
            for (int i = 0; i < deep; i++)
                logs_print(&where, "%s", way == 0 ? "(" : way == 1 ? "not " : i % 2 == 0 ? "!" : "(");
            logs_print(&where, "n > 0");
            for (int i = 0; i < deep; i++)
                logs_print(&where, "%s", way == 0 || (way == 2 && i % 2 == 1) ? ")" : " ");
            logs_append(&where, "", 1);
            check_context("%d deep, way %d", deep, way);
            CHECK_EQ(passes((const char *)where.bytes) >= 0, deep == 64);
            logs_free(&where);
        }
    }
}

TEST(a_filter_uses_at_most_256_fields)
{
    struct coreio_log_format *format = logs_format("delimited");
    for (int32_t fields = COREIO_LOG_MAX_FIELDS; fields <= COREIO_LOG_MAX_FIELDS + 1; fields++) {
        for (int texts = 0; texts < 2; texts++) {
            struct logs_text where = {0};
            for (int32_t i = 1; i <= fields; i++)
                logs_print(&where, "%sf%d == %s", i == 1 ? "" : " or ", i, texts ? "'x'" : "1");
            struct coreio__plan *plan = make_plan(format);
            struct coreio__filter filter;
            struct coreio_log_fault fault;
            const int32_t status = coreio__filter_compile(where.bytes, (int32_t)where.length, plan, &filter, &fault);
            CHECK_EQ(status, fields <= COREIO_LOG_MAX_FIELDS ? 0 : COREIO_EFORMAT);
            if (status < 0)
                CHECK_EQ(fault.reason, COREIO_LOG_FAULT_TOO_MANY);
            coreio__filter_clear(&filter);
            free(plan);
            logs_free(&where);
        }
    }
    coreio_log_format_destroy(format);
}

/* Writes a random expression and returns its value on the line of `values`. */
static int32_t random_tree(struct logs_text *where, struct logs_random *random, int depth)
{
    static const struct {
        const char *text;
        int32_t value;
    } leaves[] = {{"status == 404", 1}, {"n > 20", 0}, {"upstream_addr == '-'", 1}, {"remote_addr =~ \"^9\"", 0},
        {"attempts > 0", 0}, {"request_time<1", 1}};
    const uint32_t choice = depth > 4 ? 0 : logs_below(random, 5);
    if (choice < 2) {
        const uint32_t leaf = logs_below(random, 6);
        logs_print(where, "%s", leaves[leaf].text);
        return leaves[leaf].value;
    }
    if (choice == 2) {
        logs_print(where, "%s", logs_below(random, 2) == 0 ? "not (" : "!(");
        const int32_t value = random_tree(where, random, depth + 1);
        logs_print(where, ")");
        return !value;
    }
    const int32_t is_and = choice == 3;
    logs_print(where, "(");
    int32_t value = random_tree(where, random, depth + 1);
    for (uint32_t i = logs_below(random, 3); i < 3; i++) {
        logs_print(where, "%s",
            is_and                       ? logs_below(random, 2) == 0 ? " and " : "&&"
            : logs_below(random, 2) == 0 ? " or "
                                         : "||");
        const int32_t next = random_tree(where, random, depth + 1);
        value = is_and ? value && next : value || next;
    }
    logs_print(where, ")");
    return value;
}

TEST(random_expressions_have_their_own_value)
{
    struct logs_random random = {60};
    int seen[2] = {0, 0};
    for (int i = 0; i < 1000; i++) {
        struct logs_text where = {0};
        const int32_t expected = random_tree(&where, &random, 0);
        logs_append(&where, "", 1);
        check_context("%.400s", (const char *)where.bytes);
        CHECK_EQ(passes((const char *)where.bytes), expected);
        seen[expected]++;
        logs_free(&where);
    }
    CHECK(seen[0] > 100 && seen[1] > 100);
}

TEST(no_memory_is_told_and_nothing_leaks)
{
    struct coreio_log_format *format = logs_format(FORMAT);
    int refusals = 0;
    for (int64_t passed = 0;; passed++) {
        struct coreio__plan *plan = make_plan(format);
        struct coreio__filter filter;
        struct coreio_log_fault fault;
        allocations_refuse_after(passed);
        const int32_t status = coreio__filter_compile(
            (const uint8_t *)"n =~ \"a\" or not n > 1 and n =~ \"b\"", 34, plan, &filter, &fault);
        const int refused = allocations_refused();
        allocations_refuse_after(-1);
        CHECK_EQ(status, refused ? -ENOMEM : 0);
        coreio__filter_clear(&filter);
        free(plan);
        refusals += refused;
        if (!refused)
            break;
    }
    CHECK(refusals >= 10);
    coreio_log_format_destroy(format);
}
