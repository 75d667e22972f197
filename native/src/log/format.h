/* A compiled format: how a line is cut, as a plan that the lexer walks.
 *
 * Immutable once made, so every thread may read it; counted, for queries and lexers keep it.
 */
#ifndef COREIO_LOG_FORMAT_H
#define COREIO_LOG_FORMAT_H

#include "frame.h"
#include "kernel.h"

enum coreio__layout { COREIO__DELIMITED, COREIO__TEMPLATE, COREIO__EDGE };

/* How a variable of a template ends. */
enum coreio__end {
    COREIO__END_QUOTE, /* at the first quote that no backslash escapes; there `after` must stand */
    COREIO__END_TEXT,  /* where `after` stands first */
    COREIO__END_LINE
};

/* Text between variables; its first 8 bytes, or as many as it has, also as a masked word to compare with a load. */
struct coreio__literal {
    const uint8_t *text;
    int32_t length;
    uint64_t mask;
    uint64_t word;
};

struct coreio__variable {
    const uint8_t *name; /* in the format's text */
    struct coreio__literal after;
    int32_t name_length;
    int32_t end;
    int32_t kind;
    int32_t list;
    int32_t word; /* holds no space where it is plain or last */
    int32_t free;
};

struct coreio_log_format {
    int32_t references; /* atomic */
    int32_t layout;
    int32_t count;                   /* variables; none when delimited */
    struct coreio__literal lead;     /* text before the first variable */
    uint8_t *text;                   /* the template; names and literals point here */
    struct coreio__class class;      /* what the definition is shown of a text */
    struct coreio__class mark_class; /* what marks are outside of quotes, where lines have a frame */
    struct coreio__frame frame;
    struct coreio__variable variables[];
};

/* In edge, the first field the free lexer makes, and the name of the first one after the named ones. */
#define COREIO__EDGE_PREFIX 3
#define COREIO__EDGE_FIRST_FREE 22

/* Highest N of a field fN. */
#define COREIO__MAX_FREE_FIELD 4096

/* Whether lines are cut by their marks first. */
static inline int32_t coreio__format_framed(const struct coreio_log_format *format)
{
    return format->layout == COREIO__EDGE || format->frame.marks > 0;
}

struct coreio_log_format *coreio__format_share(const struct coreio_log_format *format);

#endif
