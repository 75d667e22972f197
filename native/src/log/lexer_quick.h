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

/* Whether the bytes of literals that no marks are stand where they must in a line that fits by its marks. A word of a
 * literal is looked at only when the one before it stands, and no literal holds a newline: so a load ends at most seven
 * bytes behind the line's, however long the literal is and however short the line. */
static inline int32_t coreio__quick_texts(
    const struct coreio__frame *frame, const uint8_t *window, const uint16_t *marks)
{
    const struct coreio__frame_text *text = frame->texts;
    for (const struct coreio__frame_text *end = text + frame->text_count; text < end; text++) {
        const uint32_t at = (uint16_t)(marks[text->mark] + text->offset);
        if ((coreio__load64(window + at) & text->mask) != text->word)
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

#endif
