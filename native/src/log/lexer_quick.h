/* The quick way through lines that fit a template and escape nothing, which is nearly all of them.
 *
 * It accepts a line only when it finds exactly what the definition in lexer.c finds, and otherwise decides nothing.
 */
#ifndef COREIO_LOG_LEXER_QUICK_H
#define COREIO_LOG_LEXER_QUICK_H

#include "lexer.h"

/* Cuts lines from where the lexer stands, up to the first that is not quick; returns how many.
 *
 * With a width, line i has its fields at fields[i * width], and only the first `limit` of them are kept; the one after
 * those is written, too. With width 0 the fields of the lines follow each other, all of them, and `limit` is the room
 * for all, plus one that is written. `base` is added to the offsets of fields. */
uint32_t coreio__lexer_quick(struct coreio__lexer *lexer, struct coreio_log_field *fields, uint32_t limit,
    uint32_t width, uint32_t base, struct coreio__line *lines, uint32_t capacity);

#endif
