/* Lines of a text, cut into fields by a format.
 *
 * The text is worked on window by window: a window is whole lines, so no line needs a second look. Where lines have a
 * frame, the kernel writes the marks of a window and lines that fit are cut by them (lexer_quick.c). All other lines,
 * and all lines of other formats, are walked from one structural byte to the next (lexer.c), which is the definition; a
 * framed window shows it one line at a time, which takes longer than to walk a whole window, so where most lines do not
 * fit, windows are framed only now and then. Memory is for one window only: 64 KiB of text, or one longer line.
 *
 * Threads: owner. Nothing is allocated per line; the positions grow with the longest line.
 */
#ifndef COREIO_LOG_LEXER_H
#define COREIO_LOG_LEXER_H

#include <string.h>

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
    const struct coreio__picks *picks; /* the fields of quick lines */
    uint32_t *positions;               /* of a window, or of one line of a framed one */
    size_t position_capacity;
    uint8_t *mark_room;
    uint16_t *marks;     /* positions of the marks of a framed window; marks[-1] is the newline before it */
    uint8_t *mark_bytes; /* the bytes there; zeros follow the last */
    const uint8_t *window;
    uint32_t length;
    uint32_t readable; /* bytes from the window's first on that may be read, the window's at least */
    uint32_t count;    /* positions or marks of the window; two virtual newlines at its end follow positions */
    uint32_t at;       /* position or mark the walk has come to */
    uint32_t begin;    /* first byte of the next line */
    uint32_t tried;    /* bytes of framed windows that were cut since frames were last judged */
    uint32_t missed;   /* those of them in lines that did not fit */
    uint32_t pause;    /* bytes without marks between the last two tries */
    uint32_t paused;   /* how many of these are still to come */
    int32_t framed;    /* the window has marks */
    int32_t too_long;  /* the window is one line of more than COREIO_LOG_MAX_LINE, and is not looked into */
};

/* The length of the next window of `text`: whole lines of up to `most` bytes, COREIO__WINDOW at most, or one longer
 * line; the last may lack its newline only when `last`. 0 when there is no whole line. */
size_t coreio__lexer_window(const uint8_t *text, size_t length, size_t most, int32_t last);

/* Begins a window, of which `readable` bytes may be read. Returns 0 or -ENOMEM. */
int32_t coreio__lexer_begin(struct coreio__lexer *lexer, const uint8_t *window, size_t length, size_t readable);

/* Cuts the next line of the window. Returns 0 when there is none left.
 *
 * A template's variables always have their field; missing ones of edge and delimited have none. */
int32_t coreio__lexer_next(
    struct coreio__lexer *lexer, struct coreio_log_field *fields, uint32_t capacity, struct coreio__line *line);

void coreio__lexer_clear(struct coreio__lexer *lexer);

/* Whether a space is in the bytes begin .. end - 1 of the window: those of a word must have none. */
static inline int32_t coreio__holds_space(const struct coreio__lexer *lexer, uint32_t begin, uint32_t end)
{
    return end > begin && memchr(lexer->window + begin, ' ', end - begin) != NULL;
}

#endif
