/* Names against formats: what a name means, and where the derived ones come from (docs/formats.md, 5 and 6). */
#include "check.h"

#include "log/fields.h"
#include "log/format.h"
#include "logs.h"

#include <string.h>

static int32_t resolve(const char *template, const char *name, struct coreio__column *column)
{
    struct coreio_log_format *format = logs_format(template);
    const int32_t found = coreio__field_resolve(format, (const uint8_t *)name, (int32_t)strlen(name), column);
    coreio_log_format_destroy(format);
    return found;
}

TEST(kinds_of_known_names)
{
    static const struct {
        const char *names;
        int32_t kind;
    } rows[] = {
        {"status body_bytes_sent bytes_sent request_length connection connection_requests pid server_port remote_port "
         "content_length upstream_status upstream_bytes_sent upstream_bytes_received upstream_response_length",
            COREIO_LOG_INTEGER},
        {"request_time session_time upstream_response_time upstream_connect_time upstream_header_time "
         "upstream_first_byte_time upstream_session_time",
            COREIO_LOG_SECONDS},
        {"time_local time_iso8601 msec", COREIO_LOG_TIME},
        {"remote_addr remote_user request request_method request_uri uri scheme host http_host server_name server_addr "
         "server_protocol http_referer http_user_agent http_x_forwarded_for upstream_addr upstream_cache_status "
         "ssl_protocol ssl_cipher request_id syslog_time syslog_host tag hostname",
            COREIO_LOG_TEXT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char names[512];
        strcpy(names, rows[i].names);
        char *rest;
        for (char *name = strtok_r(names, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest)) {
            int32_t kind = -1;
            int32_t list = -1;
            int32_t word = -1;
            check_context("%s", name);
            CHECK(coreio__field_known((const uint8_t *)name, (int32_t)strlen(name), &kind, &list, &word));
            CHECK_EQ(kind, rows[i].kind);
            if (strcmp(name, "upstream_cache_status") != 0)
                CHECK_EQ(list, strncmp(name, "upstream_", 9) == 0);
        }
    }
    int32_t kind;
    int32_t list;
    int32_t word;
    CHECK(!coreio__field_known((const uint8_t *)"statu", 5, &kind, &list, &word));
    CHECK(!coreio__field_known((const uint8_t *)"", 0, &kind, &list, &word));
    CHECK(!coreio__field_known((const uint8_t *)"my_var", 6, &kind, &list, &word));
    CHECK_EQ(kind, COREIO_LOG_TEXT);
}

TEST(names_are_resolved)
{
    static const struct {
        const char *format;
        const char *name;
        int32_t source; /* -1 when there is no such field */
        int32_t derive;
        int32_t kind;
    } rows[] = {
        {"$a $b $a", "a", 0, COREIO__AS_IS, COREIO_LOG_TEXT},
        {"$a $b", "c", -1, 0, 0},
        {"$a $b", "A", -1, 0, 0},
        {"$a $b", "", -1, 0, 0},
        {"combined", "status", 4, COREIO__AS_IS, COREIO_LOG_INTEGER},
        {"combined", "client", 0, COREIO__ADDRESS, COREIO_LOG_TEXT},
        {"$x $client", "client", 1, COREIO__AS_IS, COREIO_LOG_TEXT},
        {"combined", "host", -1, 0, 0},
        {"$x $host $http_host", "host", 1, COREIO__ADDRESS, COREIO_LOG_TEXT},
        {"$server_name $http_host", "host", 1, COREIO__ADDRESS, COREIO_LOG_TEXT},
        {"$server_name $x", "host", 0, COREIO__ADDRESS, COREIO_LOG_TEXT},
        {"combined", "bytes", 5, COREIO__AS_IS, COREIO_LOG_INTEGER},
        {"$bytes_sent $body_bytes_sent", "bytes", 1, COREIO__AS_IS, COREIO_LOG_INTEGER},
        {"vhost_combined", "bytes", 7, COREIO__AS_IS, COREIO_LOG_INTEGER},
        {"$bytes $bytes_sent", "bytes", 0, COREIO__AS_IS, COREIO_LOG_TEXT},
        {"combined", "method", 3, COREIO__METHOD, COREIO_LOG_TEXT},
        {"$request_method $request", "method", 1, COREIO__METHOD, COREIO_LOG_TEXT},
        {"$request_method $x", "method", 0, COREIO__AS_IS, COREIO_LOG_TEXT},
        {"combined", "uri", 3, COREIO__URI, COREIO_LOG_TEXT},
        {"$request $uri", "uri", 1, COREIO__AS_IS, COREIO_LOG_TEXT},
        {"$x $request_uri", "uri", 1, COREIO__AS_IS, COREIO_LOG_TEXT},
        {"combined", "path", 3, COREIO__PATH, COREIO_LOG_TEXT},
        {"$request_uri $uri $request", "path", 2, COREIO__PATH, COREIO_LOG_TEXT},
        {"$uri $request_uri", "path", 1, COREIO__PATH_OF_URI, COREIO_LOG_TEXT},
        {"$x $uri", "path", 1, COREIO__PATH_OF_URI, COREIO_LOG_TEXT},
        {"combined", "protocol", 3, COREIO__PROTOCOL, COREIO_LOG_TEXT},
        {"$server_protocol $x", "protocol", 0, COREIO__AS_IS, COREIO_LOG_TEXT},
        {"combined", "status_class", 4, COREIO__STATUS_CLASS, COREIO_LOG_TEXT},
        {"$x", "status_class", -1, 0, 0},
        {"combined", "minute", 2, COREIO__MINUTE, COREIO_LOG_TIME},
        {"$msec $time_iso8601", "minute", 1, COREIO__MINUTE, COREIO_LOG_TIME},
        {"$msec $x", "time", 0, COREIO__INTERVAL, COREIO_LOG_TIME},
        {"$x", "time", -1, 0, 0},
        {"$upstream_response_time $upstream_addr", "attempts", 1, COREIO__ATTEMPTS, COREIO_LOG_INTEGER},
        {"$upstream_response_time $upstream_status", "attempts", 1, COREIO__ATTEMPTS, COREIO_LOG_INTEGER},
        {"$upstream_response_time", "attempts", 0, COREIO__ATTEMPTS, COREIO_LOG_INTEGER},
        {"combined", "attempts", -1, 0, 0},
        {"delimited", "f1", 0, COREIO__AS_IS, COREIO_LOG_TEXT},
        {"delimited", "f4096", 4095, COREIO__AS_IS, COREIO_LOG_TEXT},
        {"delimited", "f4097", -1, 0, 0},
        {"delimited", "f0", -1, 0, 0},
        {"delimited", "f01", -1, 0, 0},
        {"delimited", "f", -1, 0, 0},
        {"delimited", "f1x", -1, 0, 0},
        {"delimited", "f99999", -1, 0, 0},
        {"delimited", "status", -1, 0, 0},
        {"edge", "f21", -1, 0, 0},
        {"edge", "f22", 24, COREIO__AS_IS, COREIO_LOG_TEXT},
        {"edge", "f23", 25, COREIO__AS_IS, COREIO_LOG_TEXT},
        {"edge", "pid", 23, COREIO__AS_IS, COREIO_LOG_INTEGER},
        {"edge", "host", 16, COREIO__ADDRESS, COREIO_LOG_TEXT},
        {"combined", "f1", -1, 0, 0},
        {"$f1 $x", "f1", 0, COREIO__AS_IS, COREIO_LOG_TEXT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct coreio__column column;
        check_context("%s of %s", rows[i].name, rows[i].format);
        const int32_t found = resolve(rows[i].format, rows[i].name, &column);
        CHECK_EQ(found, rows[i].source >= 0);
        if (!found || rows[i].source < 0)
            continue;
        CHECK_EQ(column.source, rows[i].source);
        CHECK_EQ(column.derive, rows[i].derive);
        CHECK_EQ(column.kind, rows[i].kind);
    }
}

TEST(the_clock_is_the_first_of_three)
{
    static const struct {
        const char *format;
        int32_t source;
    } rows[] = {{"combined", 2}, {"$msec $time_iso8601 $time_local", 2}, {"$msec $time_iso8601", 1}, {"$x $msec", 1},
        {"$x", -1}, {"delimited", -1}, {"edge", 4}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct coreio_log_format *format = logs_format(rows[i].format);
        CHECK_EQ(coreio__field_clock(format), rows[i].source);
        coreio_log_format_destroy(format);
    }
}

TEST(free_names_are_marked)
{
    struct coreio__column column;
    CHECK(resolve("$mine $status", "mine", &column));
    CHECK(column.free);
    CHECK(resolve("$mine $status", "status", &column));
    CHECK(!column.free);
    CHECK(resolve("combined", "client", &column));
    CHECK(!column.free);
    CHECK(resolve("delimited", "f7", &column));
    CHECK(column.free);
    CHECK(resolve("$upstream_addr", "upstream_addr", &column));
    CHECK(column.list && !column.free);
}
