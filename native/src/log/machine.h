/* The plain way through a line: a state machine that looks at one byte at a time.
 *
 * It is docs/formats.md, sections 1 to 4, written down without vectors, tables of positions or windows: what the
 * lexer is measured against, and what anybody can check against the text. It reads a format and keeps nothing.
 */
#ifndef COREIO_LOG_MACHINE_H
#define COREIO_LOG_MACHINE_H

#include "format.h"

struct coreio__machine_line {
    size_t end;      /* of the line, without its line end */
    size_t next;     /* first byte after the line end */
    uint32_t fields; /* how many the line has; those beyond the capacity are counted only */
    int32_t reason;  /* coreio_log_reason; a rejected line has no fields */
};

/* Cuts the line that begins at text[begin]; begin < length. Offsets of fields are those of `text`. */
void coreio__machine_next(const struct coreio_log_format *format, const uint8_t *text, size_t length, size_t begin,
    struct coreio_log_field *fields, uint32_t capacity, struct coreio__machine_line *line);

#endif
