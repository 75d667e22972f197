/* Walks the structural bytes of a window and cuts lines into fields.
 *
 * docs/formats.md, sections 1 to 4, is the text this follows. The path of a line holds no allocation, lock or
 * system call.
 */
#include "lexer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "lexer_quick.h"

struct coreio_log_lexer {
    struct coreio__lexer lexer;
    struct coreio_log_format *format;
    struct coreio__picks *picks; /* all fields; of edge those of the syslog part, for the others follow each other */
    size_t ahead;                /* bytes of the next window */
};

/* The fields of one line as they are found. */
struct sink {
    struct coreio_log_field *fields;
    uint32_t capacity;
    uint32_t count;
    uint32_t base; /* added to the offsets */
};

static inline void put(struct sink *sink, uint32_t begin, uint32_t end)
{
    if (sink->count < sink->capacity) {
        sink->fields[sink->count].offset = sink->base + begin;
        sink->fields[sink->count].length = end - begin;
    }
    sink->count++;
}

static inline int32_t is_newline(const struct coreio__lexer *lexer, uint32_t position)
{
    return position == lexer->length || lexer->window[position] == '\n';
}

/* Goes on to the newline of the line, the current position included, and returns it. */
static uint32_t to_newline(struct coreio__lexer *lexer)
{
    while (!is_newline(lexer, lexer->positions[lexer->at]))
        lexer->at++;
    return lexer->positions[lexer->at];
}

/* The end of the line's text before its newline. */
static uint32_t text_end(const struct coreio__lexer *lexer, uint32_t begin, uint32_t newline)
{
    return newline > begin && lexer->window[newline - 1] == '\r' ? newline - 1 : newline;
}

/* The position of the byte that closes a delimited field; the walk stands on it. Returns 0 at the newline. */
static int32_t find_close(struct coreio__lexer *lexer, uint8_t close, uint32_t *found)
{
    for (;; lexer->at++) {
        const uint32_t position = lexer->positions[lexer->at];
        if (is_newline(lexer, position))
            return 0;
        const uint8_t byte = lexer->window[position];
        if (byte == close) {
            *found = position;
            return 1;
        }
        if (byte == '\\' && lexer->positions[lexer->at + 1] == position + 1 && !is_newline(lexer, position + 1))
            lexer->at++;
    }
}

/* The free lexer, from byte `current` to the newline. */
static int32_t lex_free(struct coreio__lexer *lexer, uint32_t current, struct sink *sink)
{
    int32_t bars = 0;
    int32_t stretch_has_field = 0;
    for (;; lexer->at++) {
        const uint32_t position = lexer->positions[lexer->at];
        if (position < current)
            continue;
        if (is_newline(lexer, position)) {
            const uint32_t end = text_end(lexer, current, position);
            if (end > current)
                put(sink, current, end);
            else if (bars && !stretch_has_field)
                put(sink, end, end);
            return COREIO_LOG_PARSED;
        }
        const uint8_t byte = lexer->window[position];
        if (byte != ' ' && byte != '\t' && byte != '|' && byte != '"' && byte != '[')
            continue;
        if (position > current) {
            put(sink, current, position);
            stretch_has_field = 1;
        }
        current = position + 1;
        if (byte == '|') {
            if (!stretch_has_field)
                put(sink, position, position);
            bars = 1;
            stretch_has_field = 0;
        } else if (byte == '"' || byte == '[') {
            uint32_t close;
            lexer->at++;
            if (!find_close(lexer, byte == '"' ? '"' : ']', &close))
                return COREIO_LOG_OPEN_DELIMITER;
            put(sink, current, close);
            stretch_has_field = 1;
            current = close + 1;
        }
    }
}

/* Whether the literal stands at a byte of the window; it holds no newline, so it cannot reach over one. Literals are
 * short: one masked word decides, but near the end of the window. */
static inline int32_t stands(const struct coreio__lexer *lexer, uint32_t at, const struct coreio__literal *literal)
{
    const uint32_t rest = lexer->length - at;
    if (literal->length <= 8 && rest >= 8)
        return (coreio__load64(lexer->window + at) & literal->mask) == literal->word;
    return rest >= (uint32_t)literal->length && memcmp(lexer->window + at, literal->text, (size_t)literal->length) == 0;
}

/* Finds where a literal first stands in the bytes begin .. end - 1. Values are short and their literals begin
 * with bytes that are frequent elsewhere, such as spaces, so a search from here beats positions of all of them. */
static int32_t find_text(const struct coreio__lexer *lexer, uint32_t begin, uint32_t end,
    const struct coreio__literal *literal, uint32_t *found)
{
    while (begin < end) {
        const uint8_t *first = memchr(lexer->window + begin, literal->text[0], end - begin);
        if (first == NULL)
            return 0;
        *found = (uint32_t)(first - lexer->window);
        if (stands(lexer, *found, literal))
            return 1;
        begin = *found + 1;
    }
    return 0;
}

static int32_t lex_template(struct coreio__lexer *lexer, uint32_t begin, struct sink *sink)
{
    const struct coreio_log_format *format = lexer->format;
    uint32_t newline_at = lexer->at;
    while (!is_newline(lexer, lexer->positions[newline_at]))
        newline_at++;
    const uint32_t line_end = text_end(lexer, begin, lexer->positions[newline_at]);
    if (!stands(lexer, begin, &format->lead))
        return COREIO_LOG_MISSING_TEXT;
    uint32_t current = begin + (uint32_t)format->lead.length;
    for (int32_t i = 0; i < format->count; i++) {
        const struct coreio__variable *variable = &format->variables[i];
        uint32_t end;
        if (variable->end == COREIO__END_LINE) {
            put(sink, current, line_end);
            return variable->word && coreio__holds_space(lexer, current, line_end) ? COREIO_LOG_TRAILING_TEXT
                                                                                   : COREIO_LOG_PARSED;
        }
        if (variable->end == COREIO__END_QUOTE) {
            while (lexer->positions[lexer->at] < current)
                lexer->at++;
            if (!find_close(lexer, '"', &end))
                return COREIO_LOG_OPEN_DELIMITER;
            if (!stands(lexer, end, &variable->after))
                return COREIO_LOG_MISSING_TEXT;
        } else if (!find_text(lexer, current, line_end, &variable->after, &end) ||
                   (variable->word && coreio__holds_space(lexer, current, end))) {
            return COREIO_LOG_MISSING_TEXT;
        }
        put(sink, current, end);
        current = end + (uint32_t)variable->after.length;
    }
    return current == line_end ? COREIO_LOG_PARSED : COREIO_LOG_TRAILING_TEXT;
}

/* The syslog part of an edge line, then the free lexer. */
static int32_t lex_edge(struct coreio__lexer *lexer, uint32_t begin, struct sink *sink)
{
    static const struct coreio__literal space = {.text = (const uint8_t *)" ", .length = 1, .mask = 0xFF, .word = ' '};
    uint32_t newline_at = lexer->at;
    while (!is_newline(lexer, lexer->positions[newline_at]))
        newline_at++;
    const uint32_t line_end = text_end(lexer, begin, lexer->positions[newline_at]);
    const uint32_t time_end = begin + 15;
    const uint32_t host = time_end + 1;
    uint32_t host_end;
    uint32_t tag_end;
    if (line_end <= time_end || lexer->window[time_end] != ' ' ||
        !find_text(lexer, host, line_end, &space, &host_end) ||
        !find_text(lexer, host_end + 1, line_end, &space, &tag_end))
        return COREIO_LOG_MISSING_TEXT;
    const uint32_t colon = tag_end > host_end + 1 && lexer->window[tag_end - 1] == ':';
    put(sink, begin, time_end);
    put(sink, host, host_end);
    put(sink, host_end + 1, tag_end - colon);
    return lex_free(lexer, tag_end + 1, sink);
}

/* Writes the positions of the window, and a virtual newline that ends a last line that has none. */
static void index_window(struct coreio__lexer *lexer)
{
    lexer->count =
        (uint32_t)lexer->kernel->index(lexer->window, lexer->length, &lexer->format->class, lexer->positions);
    lexer->positions[lexer->count] = lexer->length;
    lexer->positions[lexer->count + 1] = lexer->length;
}

/* Makes room for the positions of a window, or of the longest line of a framed one. Returns 0 or -ENOMEM. */
static int32_t reserve_positions(struct coreio__lexer *lexer, size_t length)
{
    if (lexer->position_capacity >= length + 2 + COREIO__KERNEL_SLACK)
        return 0;
    const size_t least = length < COREIO__WINDOW ? COREIO__WINDOW : length;
    const size_t capacity = least + 2 + COREIO__KERNEL_SLACK;
    uint32_t *positions = malloc(capacity * sizeof *positions);
    if (positions == NULL)
        return -ENOMEM;
    free(lexer->positions);
    lexer->positions = positions;
    lexer->position_capacity = capacity;
    return 0;
}

/* Bytes before the first mark, so that it has a newline before it. */
#define MARK_LEAD 64
/* Marks of a window, what a kernel may write and what a cut may look at behind them. */
#define MARK_ROOM (COREIO__WINDOW + COREIO__KERNEL_SLACK + COREIO__FRAME_MARKS)

static int32_t reserve_marks(struct coreio__lexer *lexer)
{
    if (lexer->mark_room != NULL)
        return 0;
    const size_t positions = MARK_ROOM * sizeof *lexer->marks;
    lexer->mark_room = malloc(MARK_LEAD + positions + MARK_ROOM);
    if (lexer->mark_room == NULL)
        return -ENOMEM;
    lexer->marks = (uint16_t *)(void *)(lexer->mark_room + MARK_LEAD);
    lexer->mark_bytes = lexer->mark_room + MARK_LEAD + positions;
    /* The newline before a window is before its first byte. */
    lexer->marks[-1] = UINT16_MAX;
    return 0;
}

/* Writes the marks of the window. What a frame looks at behind them fits no frame. */
static void mark_window(struct coreio__lexer *lexer)
{
    const struct coreio_log_format *format = lexer->format;
    coreio__mark *mark = format->layout == COREIO__EDGE ? lexer->kernel->mark_bracketed : lexer->kernel->mark_quoted;
    lexer->count = (uint32_t)mark(lexer->window, lexer->length, &format->mark_class, lexer->marks, lexer->mark_bytes);
    memset(lexer->mark_bytes + lexer->count, 0, COREIO__FRAME_MARKS);
}

size_t coreio__lexer_window(const uint8_t *text, size_t length, size_t most, int32_t last)
{
    const size_t near = length < most ? length : most;
    const uint8_t *newline = near > 0 ? memrchr(text, '\n', near) : NULL;
    if (newline == NULL && near < length)
        newline = memchr(text + near, '\n', length - near);
    /* What is left after the last newline is a line of its own, and the next window. */
    if (newline == NULL)
        return last ? length : 0;
    return (size_t)(newline - text) + 1;
}

/* Most bytes in a row that have no marks because lines did not fit. */
#define PAUSE_MOST (64 * COREIO__WINDOW)

/* Whether the next window may have marks. Half a window half of which did not fit is followed by text that has none:
 * twice as much each time that the next try comes to nothing, too. */
static int32_t may_frame(struct coreio__lexer *lexer)
{
    /* What was cut of the window before, which may be left before its end. */
    if (lexer->framed)
        lexer->tried += lexer->begin;
    else
        lexer->paused -= lexer->begin < lexer->paused ? lexer->begin : lexer->paused;
    if (lexer->tried > COREIO__WINDOW / 2) {
        const uint32_t longer = lexer->pause == 0 ? COREIO__WINDOW : 2 * lexer->pause;
        const uint32_t pause = longer < PAUSE_MOST ? longer : PAUSE_MOST;
        lexer->pause = lexer->missed > lexer->tried / 2 ? pause : 0;
        lexer->paused = lexer->pause;
        lexer->tried = 0;
        lexer->missed = 0;
    }
    return lexer->paused == 0;
}

int32_t coreio__lexer_begin(struct coreio__lexer *lexer, const uint8_t *window, size_t length, size_t readable)
{
    lexer->framed = coreio__format_framed(lexer->format) && may_frame(lexer) && length <= COREIO__WINDOW;
    lexer->window = window;
    lexer->length = (uint32_t)length;
    lexer->readable = (uint32_t)readable;
    lexer->at = 0;
    lexer->begin = 0;
    lexer->too_long = length > COREIO_LOG_MAX_LINE;
    if (lexer->too_long)
        return 0;
    int32_t status = reserve_positions(lexer, length);
    if (status == 0 && lexer->framed)
        status = reserve_marks(lexer);
    if (status < 0)
        return status;
    if (lexer->framed)
        mark_window(lexer);
    else
        index_window(lexer);
    return 0;
}

/* Cuts the line that begins at `begin` of a window that was indexed. */
static void lex_line(struct coreio__lexer *lexer, uint32_t begin, struct sink *sink, struct coreio__line *line)
{
    line->begin = begin;
    if (lexer->format->layout == COREIO__TEMPLATE)
        line->reason = lex_template(lexer, begin, sink);
    else if (lexer->format->layout == COREIO__EDGE)
        line->reason = lex_edge(lexer, begin, sink);
    else
        line->reason = lex_free(lexer, begin, sink);
    const uint32_t newline = to_newline(lexer);
    line->end = text_end(lexer, begin, newline);
    line->next = newline < lexer->length ? newline + 1 : newline;
    line->fields = line->reason == COREIO_LOG_PARSED ? sink->count : 0;
    lexer->at++;
}

/* Cuts the next line of a framed window, which is indexed for it, and passes over its marks. */
static void lex_framed(struct coreio__lexer *lexer, struct sink *sink, struct coreio__line *line)
{
    const uint32_t begin = lexer->begin;
    const uint8_t *newline = memchr(lexer->mark_bytes + lexer->at, '\n', lexer->count - lexer->at);
    const uint32_t at = newline == NULL ? lexer->count : (uint32_t)(newline - lexer->mark_bytes);
    struct coreio__lexer own = *lexer;
    own.window = lexer->window + begin;
    own.length = (newline == NULL ? lexer->length : lexer->marks[at] + 1u) - begin;
    own.at = 0;
    index_window(&own);
    sink->base = begin;
    lex_line(&own, 0, sink, line);
    line->begin += begin;
    line->end += begin;
    line->next += begin;
    lexer->at = newline == NULL ? at : at + 1;
    lexer->missed += line->next - begin;
}

int32_t coreio__lexer_next(
    struct coreio__lexer *lexer, struct coreio_log_field *fields, uint32_t capacity, struct coreio__line *line)
{
    if (lexer->begin >= lexer->length)
        return 0;
    struct sink sink = {fields, capacity, 0, 0};
    if (lexer->too_long) {
        const uint32_t end = lexer->length - (lexer->window[lexer->length - 1] == '\n');
        *line = (struct coreio__line){0, text_end(lexer, 0, end), lexer->length, 0, COREIO_LOG_TOO_LONG};
    } else if (lexer->framed) {
        lex_framed(lexer, &sink, line);
    } else {
        lex_line(lexer, lexer->begin, &sink, line);
    }
    lexer->begin = line->next;
    return 1;
}

void coreio__lexer_clear(struct coreio__lexer *lexer)
{
    free(lexer->positions);
    free(lexer->mark_room);
    memset(lexer, 0, sizeof *lexer);
}

/* Plans to cut all fields that a format names. */
static struct coreio__picks *pick_all(const struct coreio_log_format *format)
{
    uint16_t fields[COREIO_LOG_MAX_FIELDS];
    const int32_t count = format->layout == COREIO__EDGE ? COREIO__EDGE_PREFIX : format->count;
    for (int32_t i = 0; i < count; i++)
        fields[i] = (uint16_t)i;
    return coreio__picks_make(format, fields, count);
}

int32_t coreio_log_lexer_create(const struct coreio_log_format *format, int32_t kernel, struct coreio_log_lexer **out)
{
    if (out != NULL)
        *out = NULL;
    if (out == NULL || format == NULL)
        return -EINVAL;
    const struct coreio__kernel *chosen = coreio__kernel_get(kernel);
    if (chosen == NULL)
        return COREIO_ECPU;
    struct coreio_log_lexer *lexer = calloc(1, sizeof *lexer);
    if (lexer == NULL)
        return -ENOMEM;
    lexer->picks = pick_all(format);
    if (lexer->picks == NULL) {
        free(lexer);
        return -ENOMEM;
    }
    lexer->format = coreio__format_share(format);
    lexer->lexer.format = lexer->format;
    lexer->lexer.picks = lexer->picks;
    lexer->lexer.kernel = chosen;
    lexer->ahead = COREIO__WINDOW;
    *out = lexer;
    return 0;
}

void coreio_log_lexer_destroy(struct coreio_log_lexer *lexer)
{
    if (lexer == NULL)
        return;
    coreio__lexer_clear(&lexer->lexer);
    coreio_log_format_destroy(lexer->format);
    free(lexer->picks);
    free(lexer);
}

/* Makes records of quick lines; returns how many. */
static int32_t feed_quick(struct coreio__lexer *lexer, uint32_t base, struct coreio_log_record *records,
    int32_t capacity, struct coreio_log_field *fields, int32_t field_capacity, struct coreio_log_lex_result *result)
{
    const int32_t room = field_capacity - result->fields - COREIO__ROW_SLACK;
    if (room <= 0)
        return 0;
    const uint32_t width = lexer->format->layout == COREIO__EDGE ? 0 : (uint32_t)lexer->format->count;
    const uint32_t lines = (uint32_t)(capacity - result->records);
    const struct coreio__rows rows = {.fields = fields + result->fields,
        .records = records + result->records,
        .capacity = width > 0 && (uint32_t)room / width < lines ? (uint32_t)room / width : lines,
        .width = width,
        .all = width == 0,
        .room = (uint32_t)room,
        .base = base,
        .first = (uint32_t)result->fields};
    const uint32_t count = coreio__lexer_quick(lexer, &rows);
    if (count == 0)
        return 0;
    const struct coreio_log_record *last = &rows.records[count - 1];
    result->records += (int32_t)count;
    result->fields = (int32_t)(last->first_field + last->field_count);
    result->consumed = (int64_t)base + lexer->begin;
    return (int32_t)count;
}

/* Makes records of one window until a buffer is full. Returns 1 when the whole window is done, else 0. */
static int32_t feed_window(struct coreio__lexer *lexer, struct coreio_log_record *records, int32_t capacity,
    struct coreio_log_field *fields, int32_t field_capacity, struct coreio_log_lex_result *result)
{
    const uint32_t base = (uint32_t)result->consumed;
    struct coreio__line line;
    while (result->records < capacity) {
        if (feed_quick(lexer, base, records, capacity, fields, field_capacity, result) > 0)
            continue;
        struct coreio_log_field *own = fields + result->fields;
        const uint32_t room = (uint32_t)(field_capacity - result->fields);
        if (!coreio__lexer_next(lexer, own, room, &line))
            return 1;
        if (line.fields > room) {
            result->needed_fields = result->records == 0 ? (int32_t)line.fields : 0;
            return 0;
        }
        for (uint32_t i = 0; i < line.fields; i++)
            own[i].offset += base;
        records[result->records++] = (struct coreio_log_record){
            base + line.begin, line.end - line.begin, (uint32_t)result->fields, line.fields, line.reason, 0};
        result->fields += (int32_t)line.fields;
        result->consumed = (int64_t)base + line.next;
    }
    return 0;
}

/* The shortest window that is looked at ahead of a caller whose buffers are small. */
#define AHEAD_LEAST 256

/* What is left of a window when a buffer is full is looked at again in the next call. So windows are little longer than
 * what was taken of the last one, and twice as long after one that was taken whole. */
static void look_ahead(struct coreio_log_lexer *lexer, size_t taken, int32_t whole)
{
    const size_t ahead = whole ? 2 * lexer->ahead : taken + taken / 4;
    lexer->ahead = ahead < AHEAD_LEAST ? AHEAD_LEAST : ahead < COREIO__WINDOW ? ahead : COREIO__WINDOW;
}

int32_t coreio_log_lexer_feed(struct coreio_log_lexer *lexer, const uint8_t *text, int64_t length, int32_t last,
    struct coreio_log_record *records, int32_t capacity, struct coreio_log_field *fields, int32_t field_capacity,
    struct coreio_log_lex_result *result)
{
    if (lexer == NULL || result == NULL || length < 0 || length > INT32_MAX || (text == NULL && length > 0) ||
        capacity < 0 || (records == NULL && capacity > 0) || field_capacity < 0 ||
        (fields == NULL && field_capacity > 0))
        return -EINVAL;
    memset(result, 0, sizeof *result);
    while (result->records < capacity) {
        const int64_t before = result->consumed;
        const size_t window = coreio__lexer_window(text + before, (size_t)(length - before), lexer->ahead, last);
        if (window == 0)
            break;
        const int32_t status = coreio__lexer_begin(&lexer->lexer, text + before, window, (size_t)(length - before));
        if (status < 0)
            return status;
        const int32_t whole = feed_window(&lexer->lexer, records, capacity, fields, field_capacity, result);
        look_ahead(lexer, (size_t)(result->consumed - before), whole);
        if (!whole)
            break;
    }
    return result->needed_fields > 0 ? COREIO_ECAPACITY : result->records;
}
