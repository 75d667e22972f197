/* The definition of how a line becomes fields, a byte at a time: what the lexer is compared with.
 *
 * Written from docs/formats.md, sections 1 to 4, without a look at speed: one line at a time, no index of positions,
 * no windows.
 */
#ifndef COREIO_TESTS_LINES_H
#define COREIO_TESTS_LINES_H

#include <coreio/log.h>
#include <stddef.h>

#define LINES_MOST_FIELDS 8192

struct lines_fields {
    int32_t reason;
    uint32_t count; /* 0 unless parsed */
    struct coreio_log_field fields[LINES_MOST_FIELDS];
};

/* The end of the line that begins at text[begin]: behind its newline, or the end of the text. *end is the end of what
 * is looked at, without the line end. */
size_t lines_next(const uint8_t *text, size_t length, size_t begin, size_t *end);

/* Cuts text[begin .. end) by a format: a built-in name or a template. Offsets are those of `text`. */
void lines_cut(const char *format, const uint8_t *text, size_t begin, size_t end, struct lines_fields *fields);

/* Feeds the whole text in batches of `capacity` records and checks each record and field against lines_cut. */
void lines_check(const char *format, int32_t kernel, const uint8_t *text, size_t length, int32_t capacity,
    int32_t field_capacity, int32_t last);

#endif
