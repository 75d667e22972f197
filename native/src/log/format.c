/* Compiles a format: the name of a built-in one, or an nginx log_format template.
 *
 * docs/formats.md, sections 2 to 4, is the text this follows.
 */
#include "format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"

#define COMMON "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent"
#define AGENT " \"$http_referer\" \"$http_user_agent\""

static const struct {
    const char *name;
    const char *template;
} templates[] = {
    {"combined", COMMON AGENT},
    {"common", COMMON},
    {"main", COMMON AGENT " \"$http_x_forwarded_for\""},
    {"vhost_combined",
        "$server_name:$server_port $remote_addr - $remote_user [$time_local] \"$request\" $status $bytes_sent" AGENT},
    /* The names of edge, in order; how such a line is cut is in lexer.c. */
    {"edge", "$syslog_time $syslog_host $tag $request_id $time_local $scheme $server_addr $server_name $remote_addr "
             "$status $upstream_addr $upstream_status $connection $request $request_length $bytes_sent $host "
             "$http_user_agent $http_referer $request_time $upstream_response_time $upstream_connect_time "
             "$upstream_header_time $pid"},
};

#define TEMPLATE_COUNT ((int32_t)(sizeof templates / sizeof templates[0]))

static int32_t is_name(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_';
}

static int32_t fail(struct coreio_log_fault *fault, int32_t reason, int32_t offset, int32_t length)
{
    fault->reason = reason;
    fault->offset = offset;
    fault->length = length;
    return COREIO_EFORMAT;
}

/* Reads the variable at text[at], a dollar sign; *next is the byte after it. */
static int32_t read_variable(const uint8_t *text, int32_t length, int32_t at, struct coreio__variable *variable,
    int32_t *next, struct coreio_log_fault *fault)
{
    const int32_t braced = at + 1 < length && text[at + 1] == '{';
    const int32_t begin = at + 1 + braced;
    int32_t end = begin;
    while (end < length && is_name(text[end]))
        end++;
    if (end == begin || (braced && (end == length || text[end] != '}')))
        return fail(fault, COREIO_LOG_FAULT_BAD_VARIABLE, at, end - at);
    memset(variable, 0, sizeof *variable);
    variable->name = text + begin;
    variable->name_length = end - begin;
    variable->free =
        !coreio__field_known(variable->name, variable->name_length, &variable->kind, &variable->list, &variable->word);
    *next = end + braced;
    return 0;
}

/* Cuts the template into variables and the text between them. */
static int32_t read_template(struct coreio_log_format *format, int32_t length, struct coreio_log_fault *fault)
{
    const uint8_t *text = format->text;
    int32_t at = 0;
    format->lead.text = text;
    while (at < length) {
        if (text[at] == '\n' || text[at] == '\r')
            return fail(fault, COREIO_LOG_FAULT_UNEXPECTED_TEXT, at, 1);
        if (text[at] != '$') {
            at++;
            continue;
        }
        if (format->count == COREIO_LOG_MAX_FIELDS)
            return fail(fault, COREIO_LOG_FAULT_TOO_MANY, at, length - at);
        struct coreio__variable *variable = &format->variables[format->count];
        int32_t next;
        const int32_t status = read_variable(text, length, at, variable, &next, fault);
        if (status < 0)
            return status;
        if (format->count == 0) {
            format->lead.length = at;
        } else {
            variable[-1].after.length = (int32_t)(text + at - variable[-1].after.text);
            if (variable[-1].after.length == 0)
                return fail(fault, COREIO_LOG_FAULT_ADJACENT_VARIABLES, at, next - at);
        }
        variable->after.text = text + next;
        format->count++;
        at = next;
    }
    struct coreio__variable *last = &format->variables[format->count - 1];
    last->after.length = (int32_t)(text + length - last->after.text);
    return 0;
}

static void plan_literal(struct coreio__literal *literal)
{
    const size_t part = literal->length < 8 ? (size_t)literal->length : 8;
    if (part == 0)
        return;
    memset(&literal->mask, 0xFF, part);
    memcpy(&literal->word, literal->text, part);
}

/* Decides how each variable ends, and which bytes the lexer must be shown for it. */
static void plan_ends(struct coreio_log_format *format)
{
    coreio__class_add(&format->class, '\n');
    const struct coreio__literal *before = &format->lead;
    plan_literal(&format->lead);
    for (int32_t i = 0; i < format->count; i++) {
        struct coreio__variable *variable = &format->variables[i];
        plan_literal(&variable->after);
        if (variable->after.length == 0) {
            variable->end = COREIO__END_LINE;
        } else if (variable->after.text[0] == '"' && before->length > 0 && before->text[before->length - 1] == '"') {
            variable->end = COREIO__END_QUOTE;
            coreio__class_add(&format->class, '"');
            coreio__class_add(&format->class, '\\');
        } else {
            variable->end = COREIO__END_TEXT;
        }
        before = &variable->after;
    }
}

static void plan_free_lexer(struct coreio__class *class)
{
    static const uint8_t structural[] = {'\n', ' ', '\t', '|', '"', '[', ']', '\\'};
    for (size_t i = 0; i < sizeof structural; i++)
        coreio__class_add(class, structural[i]);
}

static int32_t find_template(const uint8_t *name, int32_t length)
{
    for (int32_t i = 0; i < TEMPLATE_COUNT; i++) {
        if (strlen(templates[i].name) == (size_t)length && memcmp(templates[i].name, name, (size_t)length) == 0)
            return i;
    }
    return -1;
}

struct coreio_log_format *coreio__format_share(const struct coreio_log_format *format)
{
    struct coreio_log_format *shared = (struct coreio_log_format *)(uintptr_t)format;
    __atomic_fetch_add(&shared->references, 1, __ATOMIC_RELAXED);
    return shared;
}

int32_t coreio_log_format_create(
    const uint8_t *text, int32_t length, struct coreio_log_format **out, struct coreio_log_fault *fault)
{
    if (out != NULL)
        *out = NULL;
    if (out == NULL || fault == NULL || length < 0 || (text == NULL && length > 0))
        return -EINVAL;
    memset(fault, 0, sizeof *fault);
    const int32_t delimited = length == 9 && memcmp(text, "delimited", 9) == 0;
    const int32_t builtin = find_template(text, length);
    if (builtin >= 0) {
        text = (const uint8_t *)templates[builtin].template;
        length = (int32_t)strlen(templates[builtin].template);
    } else if (!delimited && (length == 0 || memchr(text, '$', (size_t)length) == NULL)) {
        return fail(fault, COREIO_LOG_FAULT_UNKNOWN_FORMAT, 0, length);
    }

    struct coreio_log_format *format = calloc(1, sizeof *format + COREIO_LOG_MAX_FIELDS * sizeof format->variables[0]);
    if (format == NULL)
        return -ENOMEM;
    format->references = 1;
    int32_t status = 0;
    if (delimited) {
        format->layout = COREIO__DELIMITED;
        plan_free_lexer(&format->class);
    } else {
        format->text = malloc((size_t)length);
        if (format->text == NULL) {
            status = -ENOMEM;
            goto done;
        }
        memcpy(format->text, text, (size_t)length);
        status = read_template(format, length, fault);
        if (status < 0)
            goto done;
        format->layout = COREIO__TEMPLATE;
        if (builtin >= 0 && strcmp(templates[builtin].name, "edge") == 0) {
            format->layout = COREIO__EDGE;
            plan_free_lexer(&format->class);
        } else {
            plan_ends(format);
            coreio__frame_compile(format);
        }
    }
    *out = format;
    format = NULL;
done:
    coreio_log_format_destroy(format);
    return status;
}

void coreio_log_format_destroy(struct coreio_log_format *format)
{
    if (format == NULL || __atomic_sub_fetch(&format->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    free(format->text);
    free(format);
}

int32_t coreio_log_format_fields(const struct coreio_log_format *format, struct coreio_log_field_info *fields,
    int32_t capacity, uint8_t *names, int32_t name_capacity, int32_t *name_bytes)
{
    if (format == NULL || name_bytes == NULL || capacity < 0 || name_capacity < 0 || (fields == NULL && capacity > 0) ||
        (names == NULL && name_capacity > 0))
        return -EINVAL;
    *name_bytes = 0;
    for (int32_t i = 0; i < format->count; i++) {
        const struct coreio__variable *variable = &format->variables[i];
        if (i < capacity) {
            fields[i].name_offset = *name_bytes;
            fields[i].name_length = variable->name_length;
            fields[i].kind = variable->kind;
            fields[i].list = variable->list;
        }
        if (*name_bytes + variable->name_length <= name_capacity)
            memcpy(names + *name_bytes, variable->name, (size_t)variable->name_length);
        *name_bytes += variable->name_length;
    }
    return format->count;
}
