/* The quick way through lines that fit a template and escape nothing, which is nearly all of them.
 *
 * It accepts a line only when it finds exactly what the definition in lexer.c finds, and otherwise decides nothing.
 */
#ifndef COREIO_LOG_LEXER_QUICK_H
#define COREIO_LOG_LEXER_QUICK_H

#include "lexer.h"

/* Cuts lines from where the lexer stands, up to the first that is not quick; returns how many.
 *
 * Line i has its fields at fields[i * width], `base` added to their offsets; of them only the first `limit` are
 * kept, and width is more than `limit` unless that is all the template's. */
uint32_t coreio__lexer_quick(struct coreio__lexer *lexer, struct coreio_log_field *fields, uint32_t limit,
    uint32_t width, uint32_t base, struct coreio__line *lines, uint32_t capacity);

#endif
