/* The quick way through lines that fit their frame, which is nearly all of them.
 *
 * It accepts a line only when it finds exactly what the definition in lexer.c finds, and otherwise decides nothing.
 */
#ifndef COREIO_LOG_LEXER_QUICK_H
#define COREIO_LOG_LEXER_QUICK_H

#include "hash.h"
#include "lexer.h"

/* Where quick lines go. Line i has the fields that the lexer picks at fields[i * width], and up to COREIO__ROW_SLACK
 * more are overwritten. With `all`, for edge alone, all fields of the lines follow each other, and `room` is how many
 * there may be. `base` is added to the offsets of fields and lines. */
struct coreio__rows {
    struct coreio_log_field *fields;
    struct coreio_log_record *records;
    uint32_t capacity; /* of records */
    uint32_t width;
    uint32_t all;
    uint32_t room;
    uint32_t base;
    uint32_t first; /* number of the first field */
};

/* How far past a line's newline loads may reach; a line that is nearer to the end of what is readable is not quick. */
#define COREIO__QUICK_REACH 16

/* The syslog part of an edge line. */
struct coreio__prefix {
    uint32_t host;
    uint32_t tag;
    uint32_t tag_end;
};

/* Bytes that the syslog part of a quick line may take, loads past it included. */
#define COREIO__PREFIX_REACH 80

/* Cuts lines from where the lexer stands, up to the first that is not quick; returns how many. */
uint32_t coreio__lexer_quick(struct coreio__lexer *lexer, const struct coreio__rows *rows);

/* The field between two marks; `marks` are those from the newline before the line on. */
static inline struct coreio_log_field coreio__quick_field(
    const uint16_t *marks, const struct coreio__frame_field *field)
{
    const uint32_t begin = (uint16_t)(marks[field->begin] + field->offset);
    return (struct coreio_log_field){begin, marks[field->end] - begin};
}

/* Whether no field holds a space that must not. */
int32_t coreio__quick_spaceless(const struct coreio__lexer *lexer, const uint16_t *marks);

/* Whether the bytes of a literal that no marks are stand where they must in a line that fits by its marks. */
static inline int32_t coreio__quick_text(
    const struct coreio__frame_text *text, const uint8_t *window, const uint16_t *marks)
{
    const uint32_t at = (uint16_t)(marks[text->mark] + text->offset);
    return (coreio__load64(window + at) & text->mask) == text->word;
}

/* Whether those of all literals do, which `first` is the first of. A word of a literal is looked at only when the one
 * before it stands, and no literal holds a newline: so a load ends at most seven bytes behind the line's, however long
 * the literal is and however short the line. Most frames have one word at most, which the caller keeps at hand. */
static inline int32_t coreio__quick_texts(const struct coreio__frame *frame, const struct coreio__frame_text *first,
    int32_t count, const uint8_t *window, const uint16_t *marks)
{
    if (count == 0)
        return 1;
    if (!coreio__quick_text(first, window, marks))
        return 0;
    for (int32_t i = 1; i < count; i++) {
        if (!coreio__quick_text(&frame->texts[i], window, marks))
            return 0;
    }
    return 1;
}

/* Whether all else fits that the marks do not tell: no field holds a space that must not, and no carriage return
 * belongs to the line end. */
static inline int32_t coreio__quick_rest(
    const struct coreio__lexer *lexer, const uint16_t *marks, uint32_t begin, uint32_t newline)
{
    const struct coreio__frame *frame = &lexer->format->frame;
    if (frame->spaceless && !coreio__quick_spaceless(lexer, marks))
        return 0;
    return !(frame->open && newline > begin && lexer->window[newline - 1] == '\r');
}

/* A line that was cut. */
static inline struct coreio_log_record coreio__quick_record(
    uint32_t base, uint32_t begin, uint32_t newline, uint32_t first_field, uint32_t fields)
{
    return (struct coreio_log_record){base + begin, newline - begin, first_field, fields, COREIO_LOG_PARSED, 0};
}

/* Writes the wanted fields of the syslog part. */
static inline void coreio__quick_prefix(const struct coreio__lexer *lexer, const struct coreio__prefix *prefix,
    uint32_t base, struct coreio_log_field *fields)
{
    const uint32_t colon = prefix->tag_end > prefix->tag && lexer->window[prefix->tag_end - 1] == ':';
    const struct coreio_log_field all[] = {{base + lexer->begin, 15},
        {base + prefix->host, prefix->tag - 1 - prefix->host},
        {base + prefix->tag, prefix->tag_end - colon - prefix->tag}};
    for (int32_t i = 0; i < lexer->picks->prefix; i++)
        fields[i] = all[lexer->picks->fields[i]];
}

/* Whether marks and their bytes are those of the frame; `marks` begin with the newline before the line, `bytes` are of
 * those behind it. */
typedef int32_t coreio__quick_fits_step(const void *plan, const uint16_t *marks, const uint8_t *bytes);

/* Writes the wanted fields of a line to its row. */
typedef void coreio__quick_cut_step(const void *plan, const uint16_t *marks, struct coreio_log_field *row);

/* Cuts the lines of a template. A kernel gives both steps, which become part of the loop, and what they know of frame
 * and fields. */
static inline __attribute__((always_inline)) uint32_t coreio__quick_quoted(struct coreio__lexer *lexer,
    const struct coreio__rows *rows, const void *plan, coreio__quick_fits_step *fits, coreio__quick_cut_step *cut)
{
    if (lexer->readable < COREIO__QUICK_REACH)
        return 0;
    const struct coreio__frame *frame = &lexer->format->frame;
    const uint32_t count = (uint32_t)frame->marks;
    const uint32_t fields = (uint32_t)lexer->format->count;
    const uint32_t width = rows->width;
    const uint32_t base = rows->base;
    const uint32_t last = lexer->readable - COREIO__QUICK_REACH;
    const int32_t texts = frame->text_count;
    const struct coreio__frame_text text = frame->texts[0];
    const uint8_t *window = lexer->window;
    const int32_t plain = !frame->spaceless && !frame->open;
    const uint16_t *marks = lexer->marks + lexer->at - 1;
    const uint8_t *bytes = lexer->mark_bytes + lexer->at;
    struct coreio_log_record *record = rows->records;
    const struct coreio_log_record *end = record + rows->capacity;
    struct coreio_log_field *row = rows->fields;
    uint32_t first = rows->first;
    uint32_t begin = lexer->begin;
    for (; record < end; record++) {
        const uint32_t newline = marks[count];
        if (!fits(plan, marks, bytes) || newline > last || !coreio__quick_texts(frame, &text, texts, window, marks) ||
            (!plain && !coreio__quick_rest(lexer, marks, begin, newline)))
            break;
        cut(plan, marks, row);
        *record = coreio__quick_record(base, begin, newline, first, fields);
        begin = newline + 1;
        marks += count;
        bytes += count;
        row += width;
        first += width;
    }
    lexer->begin = begin;
    lexer->at = (uint32_t)(bytes - lexer->mark_bytes);
    return (uint32_t)(record - rows->records);
}

/* How many bytes are opening and closing brackets in turn. */
typedef uint32_t coreio__quick_brackets_step(const uint8_t *bytes);

/* Finds the two words behind the time; the bracket at `open` must follow them. At least COREIO__PREFIX_REACH bytes from
 * the begin of the line may be read. */
typedef int32_t coreio__quick_words_step(
    const struct coreio__lexer *lexer, uint32_t open, struct coreio__prefix *prefix);

/* Writes all bracketed fields, which `count` marks are. */
typedef void coreio__quick_all_step(
    const void *plan, const uint16_t *marks, uint32_t count, struct coreio_log_field *fields);

/* Cuts the lines of edge; see coreio__quick_quoted. */
static inline __attribute__((always_inline)) uint32_t coreio__quick_bracketed(struct coreio__lexer *lexer,
    const struct coreio__rows *rows, const void *plan, coreio__quick_brackets_step *brackets,
    coreio__quick_words_step *words, coreio__quick_all_step *all, coreio__quick_cut_step *cut)
{
    const struct coreio__picks *picks = lexer->picks;
    uint32_t room = rows->room;
    struct coreio_log_field *row = rows->fields;
    uint32_t done = 0;
    for (; done < rows->capacity; done++) {
        const uint16_t *marks = lexer->marks + lexer->at;
        const uint8_t *bytes = lexer->mark_bytes + lexer->at;
        const uint32_t count = brackets(bytes);
        const uint32_t fields = COREIO__EDGE_PREFIX + count / 2;
        if (count == 0 || count % 2 != 0 || bytes[count] != '\n' || marks[count] != marks[count - 1] + 1u)
            break;
        const uint32_t newline = marks[count];
        struct coreio__prefix prefix;
        if (lexer->readable - newline < COREIO__QUICK_REACH || lexer->readable - lexer->begin < COREIO__PREFIX_REACH ||
            fields < (uint32_t)picks->limit || (rows->all && fields > room) || !words(lexer, marks[0], &prefix))
            break;
        coreio__quick_prefix(lexer, &prefix, rows->base, row);
        rows->records[done] = coreio__quick_record(
            rows->base, lexer->begin, newline, rows->first + (uint32_t)(row - rows->fields), fields);
        if (rows->all) {
            all(plan, marks, count, row + COREIO__EDGE_PREFIX);
            row += fields;
            room -= fields;
        } else {
            cut(plan, marks, row);
            row += rows->width;
        }
        lexer->begin = newline + 1;
        lexer->at += count + 1;
    }
    return done;
}

/* The two words behind the time of a line, whose first space `host` follows; `spaces` are those of the 64 bytes from
 * there on. */
static inline int32_t coreio__quick_spaces(
    const struct coreio__lexer *lexer, uint32_t host, uint64_t spaces, uint32_t open, struct coreio__prefix *prefix)
{
    const uint64_t others = spaces & (spaces - 1);
    prefix->host = host;
    prefix->tag = host + (uint32_t)__builtin_ctzll(spaces | (uint64_t)1 << 63) + 1;
    prefix->tag_end = host + (uint32_t)__builtin_ctzll(others | (uint64_t)1 << 63);
    return others != 0 && lexer->window[host - 1] == ' ' && open == prefix->tag_end + 1;
}

#endif
