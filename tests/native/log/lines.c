/* The reference lexer; see lines.h. */
#include "lines.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "logs.h"

size_t lines_next(const uint8_t *text, size_t length, size_t begin, size_t *end)
{
    size_t at = begin;
    while (at < length && text[at] != '\n')
        at++;
    *end = at > begin && text[at - 1] == '\r' ? at - 1 : at;
    return at < length ? at + 1 : at;
}

static void add(struct lines_fields *fields, size_t begin, size_t end)
{
    if (fields->count == LINES_MOST_FIELDS)
        abort();
    fields->fields[fields->count].offset = (uint32_t)begin;
    fields->fields[fields->count++].length = (uint32_t)(end - begin);
}

/* Section 2. */
static void cut_free(const uint8_t *text, size_t begin, size_t end, struct lines_fields *fields)
{
    enum { OUTSIDE, IN_FIELD, IN_QUOTES, IN_BRACKETS } state = OUTSIDE;
    size_t field = 0;
    int bars = 0;
    uint32_t before_stretch = fields->count;
    for (size_t at = begin; at < end; at++) {
        const uint8_t byte = text[at];
        if (state == IN_QUOTES || state == IN_BRACKETS) {
            if (byte == '\\') {
                at++;
            } else if (byte == (state == IN_QUOTES ? '"' : ']')) {
                add(fields, field, at);
                state = OUTSIDE;
            }
            continue;
        }
        const int separates = byte == ' ' || byte == '\t' || byte == '|';
        const int opens = byte == '"' || byte == '[';
        if (state == IN_FIELD && (separates || opens)) {
            add(fields, field, at);
            state = OUTSIDE;
        }
        if (byte == '|') {
            if (fields->count == before_stretch)
                add(fields, at, at);
            bars = 1;
            before_stretch = fields->count;
        } else if (opens) {
            state = byte == '"' ? IN_QUOTES : IN_BRACKETS;
            field = at + 1;
        } else if (!separates && state == OUTSIDE) {
            state = IN_FIELD;
            field = at;
        }
    }
    if (state == IN_FIELD)
        add(fields, field, end);
    else if (state != OUTSIDE)
        fields->reason = COREIO_LOG_OPEN_DELIMITER;
    if (bars && fields->count == before_stretch)
        add(fields, end, end);
}

static int stands(const uint8_t *text, size_t at, size_t end, const char *literal, size_t length)
{
    return end - at >= length && memcmp(text + at, literal, length) == 0;
}

/* The text of a template up to its next variable, and what is behind that variable's name; NULL without one. */
static const char *literal_end(const char *template, const char **behind)
{
    const char *dollar = strchr(template, '$');
    *behind = dollar;
    if (dollar == NULL)
        return template + strlen(template);
    const char *at = dollar + 1;
    const int braced = *at == '{';
    at += braced;
    at += strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    *behind = at + braced;
    return dollar;
}

/* Section 3, words: whether the variable at a dollar sign never holds a space. */
static int is_word(const char *dollar)
{
    static const char *const words[] = {"status", "body_bytes_sent", "bytes_sent", "request_length", "connection",
        "connection_requests", "pid", "server_port", "remote_port", "content_length", "request_time", "session_time",
        "msec", "time_iso8601", "remote_addr", "request_method", "scheme", "host", "http_host", "server_name",
        "server_addr", "server_protocol", "request_id", "hostname"};
    const char *name = dollar + 1 + (dollar[1] == '{');
    const size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i]) == length && memcmp(words[i], name, length) == 0)
            return 1;
    }
    return 0;
}

/* Section 3. */
static void cut_template(
    const char *template, const uint8_t *text, size_t begin, size_t end, struct lines_fields *fields)
{
    const char *behind;
    const char *before = template;
    const char *before_end = literal_end(template, &behind);
    if (!stands(text, begin, end, before, (size_t)(before_end - before))) {
        fields->reason = COREIO_LOG_MISSING_TEXT;
        return;
    }
    size_t at = begin + (size_t)(before_end - before);
    while (behind != NULL) {
        const char *after = behind;
        const char *after_end = literal_end(after, &behind);
        const size_t length = (size_t)(after_end - after);
        size_t value_end = at;
        const int word = is_word(before_end);
        if (length == 0) {
            add(fields, at, end);
            if (word && memchr(text + at, ' ', end - at) != NULL)
                fields->reason = COREIO_LOG_TRAILING_TEXT;
            return;
        }
        if (before_end > before && before_end[-1] == '"' && *after == '"') {
            while (value_end < end && text[value_end] != '"')
                value_end += text[value_end] == '\\' ? 2 : 1;
            if (value_end >= end) {
                fields->reason = COREIO_LOG_OPEN_DELIMITER;
                return;
            }
        } else {
            while (value_end < end && !stands(text, value_end, end, after, length))
                value_end++;
            if (word && value_end < end && memchr(text + at, ' ', value_end - at) != NULL) {
                fields->reason = COREIO_LOG_MISSING_TEXT;
                return;
            }
        }
        if (!stands(text, value_end, end, after, length)) {
            fields->reason = COREIO_LOG_MISSING_TEXT;
            return;
        }
        add(fields, at, value_end);
        at = value_end + length;
        before = after;
        before_end = after_end;
    }
    if (at != end)
        fields->reason = COREIO_LOG_TRAILING_TEXT;
}

/* Section 4. */
static void cut_edge(const uint8_t *text, size_t begin, size_t end, struct lines_fields *fields)
{
    fields->reason = COREIO_LOG_MISSING_TEXT;
    if (end - begin < 16 || text[begin + 15] != ' ')
        return;
    const uint8_t *host_end = memchr(text + begin + 16, ' ', end - begin - 16);
    if (host_end == NULL)
        return;
    const size_t tag = (size_t)(host_end - text) + 1;
    const uint8_t *tag_end = memchr(text + tag, ' ', end - tag);
    if (tag_end == NULL)
        return;
    const size_t tag_stop = (size_t)(tag_end - text);
    fields->reason = COREIO_LOG_PARSED;
    add(fields, begin, begin + 15);
    add(fields, begin + 16, (size_t)(host_end - text));
    add(fields, tag, tag_stop > tag && text[tag_stop - 1] == ':' ? tag_stop - 1 : tag_stop);
    cut_free(text, tag_stop + 1, end, fields);
}

void lines_cut(const char *format, const uint8_t *text, size_t begin, size_t end, struct lines_fields *fields)
{
    static const char common[] = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent";
    static const char combined[] = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
                                   "\"$http_referer\" \"$http_user_agent\"";
    static const char main_text[] = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
                                    "\"$http_referer\" \"$http_user_agent\" \"$http_x_forwarded_for\"";
    fields->reason = COREIO_LOG_PARSED;
    fields->count = 0;
    if (strcmp(format, "delimited") == 0)
        cut_free(text, begin, end, fields);
    else if (strcmp(format, "edge") == 0)
        cut_edge(text, begin, end, fields);
    else
        cut_template(strcmp(format, "common") == 0     ? common
                     : strcmp(format, "combined") == 0 ? combined
                     : strcmp(format, "main") == 0     ? main_text
                                                       : format,
            text, begin, end, fields);
    if (fields->reason != COREIO_LOG_PARSED)
        fields->count = 0;
}

void lines_check(const char *format, int32_t kernel, const uint8_t *text, size_t length, int32_t capacity,
    int32_t field_capacity, int32_t last)
{
    static struct lines_fields expected;
    struct coreio_log_lexer *lexer = NULL;
    struct coreio_log_format *compiled = logs_format(format);
    CHECK_EQ(coreio_log_lexer_create(compiled, kernel, &lexer), 0);
    coreio_log_format_destroy(compiled);
    struct coreio_log_record *records = malloc((size_t)capacity * sizeof *records);
    struct coreio_log_field *fields = malloc((size_t)field_capacity * sizeof *fields);
    size_t at = 0;
    for (;;) {
        struct coreio_log_lex_result result;
        const int32_t got = coreio_log_lexer_feed(
            lexer, text + at, (int64_t)(length - at), last, records, capacity, fields, field_capacity, &result);
        CHECK_EQ(got, result.records);
        if (got <= 0 || !check_true(got <= capacity && result.fields <= field_capacity, "bounds", __FILE__, __LINE__))
            break;
        size_t begin = at;
        uint32_t field = 0;
        for (int32_t i = 0; i < got; i++) {
            size_t end;
            const size_t next = lines_next(text, length, begin, &end);
            lines_cut(format, text, begin, end, &expected);
            const struct coreio_log_record *record = &records[i];
            int same = record->offset + at == begin && record->length == end - begin &&
                       record->reason == expected.reason && record->field_count == expected.count &&
                       record->first_field == field && record->reserved == 0;
            for (uint32_t j = 0; j < expected.count && same; j++)
                same = fields[field + j].offset + at == expected.fields[j].offset &&
                       fields[field + j].length == expected.fields[j].length;
            if (!same) {
                check_context("%s, kernel %d, reason %d for %d, %u fields for %u", format, kernel, record->reason,
                    expected.reason, record->field_count, expected.count);
                CHECK_BYTES("", 0, text + begin, next - begin);
                goto done;
            }
            field += expected.count;
            begin = next;
        }
        CHECK_EQ(field, result.fields);
        CHECK_EQ(begin - at, result.consumed);
        at = begin;
    }
    /* Without `last`, a line without its newline is left. */
    size_t whole = length;
    while (!last && whole > 0 && text[whole - 1] != '\n')
        whole--;
    CHECK_EQ(at, whole);
done:
    free(records);
    free(fields);
    coreio_log_lexer_destroy(lexer);
}
