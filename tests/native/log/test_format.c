/* Templates that compile, templates that do not and why, and what a format tells of its fields. */
#include "check.h"

#include "allocations.h"
#include "logs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int32_t compile(const char *text, struct coreio_log_format **format, struct coreio_log_fault *fault)
{
    const int32_t length = (int32_t)strlen(text);
    return coreio_log_format_create(guarded_copy(text, length), length, format, fault);
}

/* The names of a format's fields, a space after each. */
static void check_names(const char *text, const char *expected)
{
    struct coreio_log_format *format;
    struct coreio_log_fault fault;
    struct coreio_log_field_info infos[COREIO_LOG_MAX_FIELDS];
    uint8_t names[4096];
    int32_t name_bytes;
    struct logs_text joined = {0};
    check_context("%s", text);
    REQUIRE(compile(text, &format, &fault) == 0);
    const int32_t count =
        coreio_log_format_fields(format, infos, COREIO_LOG_MAX_FIELDS, names, (int32_t)sizeof names, &name_bytes);
    for (int32_t i = 0; i < count; i++) {
        CHECK(infos[i].name_offset + infos[i].name_length <= name_bytes);
        logs_append(&joined, names + infos[i].name_offset, (size_t)infos[i].name_length);
        logs_append(&joined, " ", 1);
    }
    CHECK_BYTES(joined.bytes, joined.length, expected, strlen(expected));
    logs_free(&joined);
    coreio_log_format_destroy(format);
}

TEST(built_in_formats_name_their_fields)
{
    check_names("delimited", "");
    check_names("common", "remote_addr remote_user time_local request status body_bytes_sent ");
    check_names(
        "combined", "remote_addr remote_user time_local request status body_bytes_sent http_referer http_user_agent ");
    check_names("main", "remote_addr remote_user time_local request status body_bytes_sent http_referer "
                        "http_user_agent http_x_forwarded_for ");
    check_names("vhost_combined", "server_name server_port remote_addr remote_user time_local request status "
                                  "bytes_sent http_referer http_user_agent ");
    check_names("edge",
        "syslog_time syslog_host tag request_id time_local scheme server_addr server_name remote_addr status "
        "upstream_addr upstream_status connection request request_length bytes_sent host http_user_agent "
        "http_referer request_time upstream_response_time upstream_connect_time upstream_header_time pid ");
}

TEST(templates_name_their_fields)
{
    check_names("$a", "a ");
    check_names("${a}b", "a ");
    check_names("x$a y${b}z", "a b ");
    check_names("$a_1-$A", "a_1 A ");
    check_names("$1 $2", "1 2 ");
    check_names("$a $a", "a a ");
    check_names("$a\\$b", "a b ");
    check_names("$a}$b", "a b ");
}

TEST(templates_that_do_not_compile_say_where)
{
    static const struct {
        const char *text;
        int32_t reason;
        int32_t offset;
        int32_t length;
    } rows[] = {
        {"", COREIO_LOG_FAULT_UNKNOWN_FORMAT, 0, 0},
        {"combine", COREIO_LOG_FAULT_UNKNOWN_FORMAT, 0, 7},
        {"Combined", COREIO_LOG_FAULT_UNKNOWN_FORMAT, 0, 8},
        {"no variable", COREIO_LOG_FAULT_UNKNOWN_FORMAT, 0, 11},
        {"$", COREIO_LOG_FAULT_BAD_VARIABLE, 0, 1},
        {"a $ b", COREIO_LOG_FAULT_BAD_VARIABLE, 2, 1},
        {"$-", COREIO_LOG_FAULT_BAD_VARIABLE, 0, 1},
        {"x${a", COREIO_LOG_FAULT_BAD_VARIABLE, 1, 3},
        {"${}", COREIO_LOG_FAULT_BAD_VARIABLE, 0, 2},
        {"${a b}", COREIO_LOG_FAULT_BAD_VARIABLE, 0, 3},
        {"$a$b", COREIO_LOG_FAULT_ADJACENT_VARIABLES, 2, 2},
        {"$a ${b}${c}", COREIO_LOG_FAULT_ADJACENT_VARIABLES, 7, 4},
        {"$a\n$b", COREIO_LOG_FAULT_UNEXPECTED_TEXT, 2, 1},
        {"$a\r", COREIO_LOG_FAULT_UNEXPECTED_TEXT, 2, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct coreio_log_format *format = (struct coreio_log_format *)(void *)&format;
        struct coreio_log_fault fault;
        memset(&fault, 0x55, sizeof fault);
        check_context("%s", rows[i].text);
        CHECK_EQ(compile(rows[i].text, &format, &fault), COREIO_EFORMAT);
        CHECK(format == NULL);
        CHECK_EQ(fault.reason, rows[i].reason);
        CHECK_EQ(fault.offset, rows[i].offset);
        CHECK_EQ(fault.length, rows[i].length);
        CHECK_EQ(fault.reserved, 0);
    }
}

TEST(a_template_has_at_most_256_variables)
{
    struct logs_text text = {0};
    for (int32_t i = 0; i < COREIO_LOG_MAX_FIELDS; i++)
        logs_print(&text, "$v%d ", i);
    struct coreio_log_format *format;
    struct coreio_log_fault fault;
    int32_t name_bytes;
    REQUIRE(coreio_log_format_create(text.bytes, (int32_t)text.length, &format, &fault) == 0);
    CHECK_EQ(coreio_log_format_fields(format, NULL, 0, NULL, 0, &name_bytes), COREIO_LOG_MAX_FIELDS);
    coreio_log_format_destroy(format);
    const int32_t offset = (int32_t)text.length;
    logs_print(&text, "$last");
    CHECK_EQ(coreio_log_format_create(text.bytes, (int32_t)text.length, &format, &fault), COREIO_EFORMAT);
    CHECK_EQ(fault.reason, COREIO_LOG_FAULT_TOO_MANY);
    CHECK_EQ(fault.offset, offset);
    CHECK_EQ(fault.length, 5);
    logs_free(&text);
}

TEST(kinds_are_told)
{
    struct coreio_log_format *format =
        logs_format("$status $request_time $time_local $upstream_addr $upstream_status $x");
    static const int32_t kinds[] = {
        COREIO_LOG_INTEGER, COREIO_LOG_SECONDS, COREIO_LOG_TIME, COREIO_LOG_TEXT, COREIO_LOG_INTEGER, COREIO_LOG_TEXT};
    static const int32_t lists[] = {0, 0, 0, 1, 1, 0};
    struct coreio_log_field_info infos[6];
    int32_t name_bytes;
    CHECK_EQ(coreio_log_format_fields(format, infos, 6, NULL, 0, &name_bytes), 6);
    for (int i = 0; i < 6; i++) {
        CHECK_EQ(infos[i].kind, kinds[i]);
        CHECK_EQ(infos[i].list, lists[i]);
    }
    coreio_log_format_destroy(format);
}

TEST(fields_stop_where_the_buffers_end)
{
    struct coreio_log_format *format = logs_format("$first $second $third");
    struct coreio_log_field_info *infos =
        (struct coreio_log_field_info *)(void *)guarded_copy(&(struct coreio_log_field_info){0}, sizeof *infos);
    uint8_t *names = guarded_copy("12345678", 8);
    int32_t name_bytes;
    CHECK_EQ(coreio_log_format_fields(format, infos, 1, names, 8, &name_bytes), 3);
    CHECK_EQ(name_bytes, 16);
    CHECK_EQ(infos[0].name_length, 5);
    CHECK_TEXT(names, 5, "first");
    CHECK_EQ(coreio_log_format_fields(NULL, infos, 1, names, 8, &name_bytes), -EINVAL);
    CHECK_EQ(coreio_log_format_fields(format, NULL, 1, names, 8, &name_bytes), -EINVAL);
    CHECK_EQ(coreio_log_format_fields(format, infos, -1, names, 8, &name_bytes), -EINVAL);
    CHECK_EQ(coreio_log_format_fields(format, infos, 1, NULL, 8, &name_bytes), -EINVAL);
    CHECK_EQ(coreio_log_format_fields(format, infos, 1, names, -1, &name_bytes), -EINVAL);
    CHECK_EQ(coreio_log_format_fields(format, infos, 1, names, 8, NULL), -EINVAL);
    coreio_log_format_destroy(format);
}

TEST(arguments_are_checked)
{
    struct coreio_log_format *format = (struct coreio_log_format *)(void *)&format;
    struct coreio_log_fault fault;
    CHECK_EQ(coreio_log_format_create(NULL, 2, &format, &fault), -EINVAL);
    CHECK(format == NULL);
    CHECK_EQ(coreio_log_format_create((const uint8_t *)"$a", -1, &format, &fault), -EINVAL);
    CHECK_EQ(coreio_log_format_create((const uint8_t *)"$a", 2, NULL, &fault), -EINVAL);
    CHECK_EQ(coreio_log_format_create((const uint8_t *)"$a", 2, &format, NULL), -EINVAL);
    CHECK_EQ(coreio_log_format_create(NULL, 0, &format, &fault), COREIO_EFORMAT);
    coreio_log_format_destroy(NULL);
}

TEST(no_memory_is_told_and_nothing_leaks)
{
    int refusals = 0;
    for (int64_t passed = 0;; passed++) {
        struct coreio_log_format *format;
        struct coreio_log_fault fault;
        allocations_refuse_after(passed);
        const int32_t status = coreio_log_format_create((const uint8_t *)"$a-$b", 5, &format, &fault);
        const int refused = allocations_refused();
        allocations_refuse_after(-1);
        CHECK_EQ(status, refused ? -ENOMEM : 0);
        CHECK((format != NULL) == !refused);
        coreio_log_format_destroy(format);
        refusals += refused;
        if (!refused)
            break;
    }
    CHECK(refusals >= 1);
}
