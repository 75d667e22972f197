/* Lines of a text, cut into fields by a format.
 *
 * The text is worked on window by window: a window is whole lines, so no line needs a second look. The
 * kernel writes the positions of the structural bytes of a window, and the walk goes from one to the next.
 * Positions take memory for one window only: 64 KiB of text, or one longer line.
 *
 * Threads: owner. Nothing is allocated per line; the positions grow with the longest line.
 */
#ifndef COREIO_LOG_LEXER_H
#define COREIO_LOG_LEXER_H

#include "format.h"

#define COREIO__WINDOW 65536

struct coreio__line {
    uint32_t begin;  /* in the window, as all offsets here and in the fields */
    uint32_t end;    /* without the line end */
    uint32_t next;   /* first byte after the line end */
    uint32_t fields; /* how many the line has; those beyond the capacity are counted only */
    int32_t reason;  /* coreio_log_reason */
};

struct coreio__lexer {
    const struct coreio_log_format *format;
    const struct coreio__kernel *kernel;
    uint32_t *positions;
    size_t position_capacity;
    const uint8_t *window;
    uint32_t length;
    uint32_t count;   /* positions of the window; two virtual newlines at its end follow them */
    uint32_t at;      /* position the walk has come to */
    uint32_t begin;   /* first byte of the next line */
    int32_t too_long; /* the window is one line of more than COREIO_LOG_MAX_LINE, and is not looked into */
};

/* The length of the next window of `text`: whole lines, the last of which may lack its newline only when `last`.
 * 0 when there is no whole line. */
size_t coreio__lexer_window(const uint8_t *text, size_t length, int32_t last);

/* Begins a window. Returns 0 or -ENOMEM. */
int32_t coreio__lexer_begin(struct coreio__lexer *lexer, const uint8_t *window, size_t length);

/* Cuts the next line of the window. Returns 0 when there is none left.
 *
 * A template's variables always have their field; missing ones of edge and delimited have none. */
int32_t coreio__lexer_next(
    struct coreio__lexer *lexer, struct coreio_log_field *fields, uint32_t capacity, struct coreio__line *line);

void coreio__lexer_clear(struct coreio__lexer *lexer);

#endif
