/* Names of fields; see fields.h. */
#include "fields.h"

#include <string.h>

#include "format.h"

struct known {
    const char *name;
    int32_t kind;
    int32_t list;
    int32_t word; /* holds no space */
};

static const struct known known_fields[] = {
    {"status", COREIO_LOG_INTEGER, 0, 1},
    {"body_bytes_sent", COREIO_LOG_INTEGER, 0, 1},
    {"bytes_sent", COREIO_LOG_INTEGER, 0, 1},
    {"request_length", COREIO_LOG_INTEGER, 0, 1},
    {"connection", COREIO_LOG_INTEGER, 0, 1},
    {"connection_requests", COREIO_LOG_INTEGER, 0, 1},
    {"pid", COREIO_LOG_INTEGER, 0, 1},
    {"server_port", COREIO_LOG_INTEGER, 0, 1},
    {"remote_port", COREIO_LOG_INTEGER, 0, 1},
    {"content_length", COREIO_LOG_INTEGER, 0, 1},
    {"upstream_status", COREIO_LOG_INTEGER, 1, 0},
    {"upstream_bytes_sent", COREIO_LOG_INTEGER, 1, 0},
    {"upstream_bytes_received", COREIO_LOG_INTEGER, 1, 0},
    {"upstream_response_length", COREIO_LOG_INTEGER, 1, 0},
    {"request_time", COREIO_LOG_SECONDS, 0, 1},
    {"session_time", COREIO_LOG_SECONDS, 0, 1},
    {"upstream_response_time", COREIO_LOG_SECONDS, 1, 0},
    {"upstream_connect_time", COREIO_LOG_SECONDS, 1, 0},
    {"upstream_header_time", COREIO_LOG_SECONDS, 1, 0},
    {"upstream_first_byte_time", COREIO_LOG_SECONDS, 1, 0},
    {"upstream_session_time", COREIO_LOG_SECONDS, 1, 0},
    {"time_local", COREIO_LOG_TIME, 0, 0},
    {"time_iso8601", COREIO_LOG_TIME, 0, 1},
    {"msec", COREIO_LOG_TIME, 0, 1},
    {"remote_addr", COREIO_LOG_TEXT, 0, 1},
    {"remote_user", COREIO_LOG_TEXT, 0, 0},
    {"request", COREIO_LOG_TEXT, 0, 0},
    {"request_method", COREIO_LOG_TEXT, 0, 1},
    {"request_uri", COREIO_LOG_TEXT, 0, 0},
    {"uri", COREIO_LOG_TEXT, 0, 0},
    {"scheme", COREIO_LOG_TEXT, 0, 1},
    {"host", COREIO_LOG_TEXT, 0, 1},
    {"http_host", COREIO_LOG_TEXT, 0, 1},
    {"server_name", COREIO_LOG_TEXT, 0, 1},
    {"server_addr", COREIO_LOG_TEXT, 0, 1},
    {"server_protocol", COREIO_LOG_TEXT, 0, 1},
    {"http_referer", COREIO_LOG_TEXT, 0, 0},
    {"http_user_agent", COREIO_LOG_TEXT, 0, 0},
    {"http_x_forwarded_for", COREIO_LOG_TEXT, 0, 0},
    {"upstream_addr", COREIO_LOG_TEXT, 1, 0},
    {"upstream_cache_status", COREIO_LOG_TEXT, 0, 0},
    {"ssl_protocol", COREIO_LOG_TEXT, 0, 0},
    {"ssl_cipher", COREIO_LOG_TEXT, 0, 0},
    {"request_id", COREIO_LOG_TEXT, 0, 1},
    {"syslog_time", COREIO_LOG_TEXT, 0, 0},
    {"syslog_host", COREIO_LOG_TEXT, 0, 0},
    {"tag", COREIO_LOG_TEXT, 0, 0},
    {"hostname", COREIO_LOG_TEXT, 0, 1},
};

/* A derived field and where it may come from, the first that the format has. */
struct derived {
    const char *name;
    int32_t derive;
    int32_t kind;
    int32_t even_over_variable; /* goes before a variable of its own name */
    const char *sources[4];
};

static const struct derived derived_fields[] = {
    {"client", COREIO__ADDRESS, COREIO_LOG_TEXT, 0, {"remote_addr"}},
    {"host", COREIO__ADDRESS, COREIO_LOG_TEXT, 1, {"host", "http_host", "server_name"}},
    {"bytes", COREIO__AS_IS, COREIO_LOG_INTEGER, 0, {"body_bytes_sent", "bytes_sent"}},
    {"method", COREIO__METHOD, COREIO_LOG_TEXT, 0, {"request"}},
    {"method", COREIO__AS_IS, COREIO_LOG_TEXT, 0, {"request_method"}},
    {"uri", COREIO__URI, COREIO_LOG_TEXT, 0, {"request"}},
    {"uri", COREIO__AS_IS, COREIO_LOG_TEXT, 0, {"request_uri"}},
    {"path", COREIO__PATH, COREIO_LOG_TEXT, 0, {"request"}},
    {"path", COREIO__PATH_OF_URI, COREIO_LOG_TEXT, 0, {"request_uri", "uri"}},
    {"protocol", COREIO__PROTOCOL, COREIO_LOG_TEXT, 0, {"request"}},
    {"protocol", COREIO__AS_IS, COREIO_LOG_TEXT, 0, {"server_protocol"}},
    {"status_class", COREIO__STATUS_CLASS, COREIO_LOG_TEXT, 0, {"status"}},
    {"minute", COREIO__MINUTE, COREIO_LOG_TIME, 0, {"time_local", "time_iso8601", "msec"}},
    {"time", COREIO__INTERVAL, COREIO_LOG_TIME, 0, {"time_local", "time_iso8601", "msec"}},
    {"attempts", COREIO__ATTEMPTS, COREIO_LOG_INTEGER, 0,
        {"upstream_addr", "upstream_status", "upstream_response_time"}},
};

#define COUNT_OF(array) ((int32_t)(sizeof(array) / sizeof((array)[0])))

static int32_t same(const uint8_t *name, int32_t length, const char *text)
{
    return strlen(text) == (size_t)length && memcmp(name, text, (size_t)length) == 0;
}

static int32_t find_variable(const struct coreio_log_format *format, const uint8_t *name, int32_t length)
{
    for (int32_t i = 0; i < format->count; i++) {
        if (format->variables[i].name_length == length && memcmp(format->variables[i].name, name, (size_t)length) == 0)
            return i;
    }
    return -1;
}

/* The number N of a name fN without leading zeros, or 0. */
static int32_t free_number(const uint8_t *name, int32_t length)
{
    if (length < 2 || length > 5 || name[0] != 'f' || name[1] == '0')
        return 0;
    int32_t number = 0;
    for (int32_t i = 1; i < length; i++) {
        if (name[i] < '0' || name[i] > '9')
            return 0;
        number = number * 10 + (name[i] - '0');
    }
    return number <= COREIO__MAX_FREE_FIELD ? number : 0;
}

static int32_t resolve_free(
    const struct coreio_log_format *format, const uint8_t *name, int32_t length, struct coreio__column *column)
{
    const int32_t number = free_number(name, length);
    if (number == 0)
        return 0;
    if (format->layout == COREIO__DELIMITED)
        column->source = number - 1;
    else if (format->layout == COREIO__EDGE && number >= COREIO__EDGE_FIRST_FREE)
        column->source = format->count + number - COREIO__EDGE_FIRST_FREE;
    else
        return 0;
    column->free = 1;
    return 1;
}

static int32_t resolve_derived(const struct coreio_log_format *format, const uint8_t *name, int32_t length,
    int32_t over_variable, struct coreio__column *column)
{
    for (int32_t i = 0; i < COUNT_OF(derived_fields); i++) {
        const struct derived *derived = &derived_fields[i];
        if (derived->even_over_variable != over_variable || !same(name, length, derived->name))
            continue;
        for (int32_t j = 0; j < COUNT_OF(derived->sources) && derived->sources[j] != NULL; j++) {
            const char *source = derived->sources[j];
            const int32_t found = find_variable(format, (const uint8_t *)source, (int32_t)strlen(source));
            if (found < 0)
                continue;
            column->source = found;
            column->derive = derived->derive;
            column->kind = derived->kind;
            return 1;
        }
    }
    return 0;
}

int32_t coreio__field_known(const uint8_t *name, int32_t length, int32_t *kind, int32_t *list, int32_t *word)
{
    *kind = COREIO_LOG_TEXT;
    *list = 0;
    *word = 0;
    for (int32_t i = 0; i < COUNT_OF(known_fields); i++) {
        if (same(name, length, known_fields[i].name)) {
            *kind = known_fields[i].kind;
            *list = known_fields[i].list;
            *word = known_fields[i].word;
            return 1;
        }
    }
    return 0;
}

int32_t coreio__field_resolve(
    const struct coreio_log_format *format, const uint8_t *name, int32_t length, struct coreio__column *column)
{
    memset(column, 0, sizeof *column);
    if (resolve_derived(format, name, length, 1, column))
        return 1;
    const int32_t variable = find_variable(format, name, length);
    if (variable >= 0) {
        column->source = variable;
        column->kind = format->variables[variable].kind;
        column->list = format->variables[variable].list;
        column->free = format->variables[variable].free;
        return 1;
    }
    return resolve_derived(format, name, length, 0, column) || resolve_free(format, name, length, column);
}

int32_t coreio__field_clock(const struct coreio_log_format *format)
{
    struct coreio__column column;
    const char *name = "minute";
    memset(&column, 0, sizeof column);
    return resolve_derived(format, (const uint8_t *)name, (int32_t)strlen(name), 0, &column) ? column.source : -1;
}
