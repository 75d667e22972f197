/* The plain way through a line; see machine.h.
 *
 * The newline is met where the machine is, so each byte is looked at once, but for the few of a literal that began to
 * match. The path of a line holds no allocation, lock or system call.
 */
#include "machine.h"

struct walk {
    const uint8_t *text;
    size_t length;
    size_t at;
    struct coreio_log_field *fields;
    uint32_t capacity;
    uint32_t count;
};

static inline void put(struct walk *walk, size_t begin, size_t end)
{
    if (walk->count < walk->capacity) {
        walk->fields[walk->count].offset = (uint32_t)begin;
        walk->fields[walk->count].length = (uint32_t)(end - begin);
    }
    walk->count++;
}

static inline int32_t at_newline(const struct walk *walk)
{
    return walk->at == walk->length || walk->text[walk->at] == '\n';
}

/* The end of the text before the newline the walk stands on. */
static inline size_t text_end(const struct walk *walk, size_t begin)
{
    return walk->at > begin && walk->text[walk->at - 1] == '\r' ? walk->at - 1 : walk->at;
}

/* Goes to the byte that closes a delimited field. Returns 0 at the newline. */
static inline int32_t find_close(struct walk *walk, uint8_t close)
{
    for (; !at_newline(walk); walk->at++) {
        const uint8_t byte = walk->text[walk->at];
        if (byte == close)
            return 1;
        if (byte == '\\' && walk->at + 1 < walk->length && walk->text[walk->at + 1] != '\n')
            walk->at++;
    }
    return 0;
}

static int32_t free_line(struct walk *walk)
{
    const size_t begin = walk->at;
    size_t field = SIZE_MAX; /* where an undelimited field began */
    int32_t bars = 0;
    uint32_t before_stretch = walk->count;
    for (; !at_newline(walk); walk->at++) {
        const uint8_t byte = walk->text[walk->at];
        switch (byte) {
        case ' ':
        case '\t':
        case '|':
        case '"':
        case '[':
            if (field != SIZE_MAX)
                put(walk, field, walk->at);
            field = SIZE_MAX;
            if (byte == '|') {
                if (walk->count == before_stretch)
                    put(walk, walk->at, walk->at);
                bars = 1;
                before_stretch = walk->count;
            } else if (byte == '"' || byte == '[') {
                const size_t open = ++walk->at;
                if (!find_close(walk, byte == '"' ? '"' : ']'))
                    return COREIO_LOG_OPEN_DELIMITER;
                put(walk, open, walk->at);
            }
            break;
        default:
            if (field == SIZE_MAX)
                field = walk->at;
            break;
        }
    }
    const size_t end = text_end(walk, begin);
    if (field != SIZE_MAX && field < end)
        put(walk, field, end);
    if (bars && walk->count == before_stretch)
        put(walk, end, end);
    return COREIO_LOG_PARSED;
}

static inline int32_t stands(const struct walk *walk, const struct coreio__literal *literal)
{
    for (size_t i = 0; i < (size_t)literal->length; i++) {
        if (walk->at + i == walk->length || walk->text[walk->at + i] != literal->text[i])
            return 0;
    }
    return 1;
}

static int32_t template_line(struct walk *walk, const struct coreio_log_format *format)
{
    if (!stands(walk, &format->lead))
        return COREIO_LOG_MISSING_TEXT;
    walk->at += (size_t)format->lead.length;
    for (int32_t i = 0; i < format->count; i++) {
        const struct coreio__variable *variable = &format->variables[i];
        const size_t begin = walk->at;
        if (variable->end == COREIO__END_QUOTE) {
            if (!find_close(walk, '"'))
                return COREIO_LOG_OPEN_DELIMITER;
            if (!stands(walk, &variable->after))
                return COREIO_LOG_MISSING_TEXT;
            put(walk, begin, walk->at);
        } else {
            const int32_t last = variable->end == COREIO__END_LINE;
            int32_t spaces = 0;
            while (!at_newline(walk)) {
                const uint8_t byte = walk->text[walk->at];
                if (!last && byte == variable->after.text[0] && stands(walk, &variable->after))
                    break;
                spaces |= byte == ' ';
                walk->at++;
            }
            if (!last && at_newline(walk))
                return COREIO_LOG_MISSING_TEXT;
            if (variable->word && spaces)
                return last ? COREIO_LOG_TRAILING_TEXT : COREIO_LOG_MISSING_TEXT;
            put(walk, begin, last ? text_end(walk, begin) : walk->at);
            if (last)
                return COREIO_LOG_PARSED;
        }
        walk->at += (size_t)variable->after.length;
    }
    if (!at_newline(walk) && walk->text[walk->at] == '\r')
        walk->at++;
    return at_newline(walk) ? COREIO_LOG_PARSED : COREIO_LOG_TRAILING_TEXT;
}

/* Goes to the next space. Returns 0 at the newline. */
static inline int32_t find_space(struct walk *walk)
{
    while (!at_newline(walk) && walk->text[walk->at] != ' ')
        walk->at++;
    return !at_newline(walk);
}

static int32_t edge_line(struct walk *walk)
{
    const size_t begin = walk->at;
    while (!at_newline(walk) && walk->at < begin + 15)
        walk->at++;
    if (at_newline(walk) || walk->text[walk->at] != ' ')
        return COREIO_LOG_MISSING_TEXT;
    put(walk, begin, walk->at);
    const size_t host = ++walk->at;
    if (!find_space(walk))
        return COREIO_LOG_MISSING_TEXT;
    put(walk, host, walk->at);
    const size_t tag = ++walk->at;
    if (!find_space(walk))
        return COREIO_LOG_MISSING_TEXT;
    put(walk, tag, walk->at - (walk->at > tag && walk->text[walk->at - 1] == ':'));
    walk->at++;
    return free_line(walk);
}

void coreio__machine_next(const struct coreio_log_format *format, const uint8_t *text, size_t length, size_t begin,
    struct coreio_log_field *fields, uint32_t capacity, struct coreio__machine_line *line)
{
    struct walk walk = {text, length, begin, fields, capacity, 0};
    if (format->layout == COREIO__TEMPLATE)
        line->reason = template_line(&walk, format);
    else if (format->layout == COREIO__EDGE)
        line->reason = edge_line(&walk);
    else
        line->reason = free_line(&walk);
    while (!at_newline(&walk))
        walk.at++;
    line->end = text_end(&walk, begin);
    line->next = walk.at < length ? walk.at + 1 : walk.at;
    if (line->next - begin > COREIO_LOG_MAX_LINE)
        line->reason = COREIO_LOG_TOO_LONG;
    line->fields = line->reason == COREIO_LOG_PARSED ? walk.count : 0;
}
