/* A compiled format: how a line is cut, as a plan that the lexer walks.
 *
 * Immutable once made, so every thread may read it; counted, for queries and lexers keep it.
 */
#ifndef COREIO_LOG_FORMAT_H
#define COREIO_LOG_FORMAT_H

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

/* A step of the quick way through a line: what ends a value, compiled to what the loop needs and no more. */
enum coreio__cut_kind { COREIO__CUT_QUOTED, COREIO__CUT_OPENS, COREIO__CUT_TEXT, COREIO__CUT_LINE };

struct coreio__cut {
    uint64_t word; /* first bytes of the literal behind the value */
    uint64_t mask;
    const uint8_t *text; /* all of it */
    uint32_t length;
    uint32_t field;
    int32_t kind;
    uint8_t first;
    uint8_t no_space;
    uint8_t reserved[2];
};

struct coreio_log_format {
    int32_t references; /* atomic */
    int32_t layout;
    int32_t count;               /* variables; none when delimited */
    int32_t longest;             /* bytes of the longest literal */
    int32_t quotes;              /* bytes " of a line that fits and escapes none, if the template says so, else -1 */
    struct coreio__literal lead; /* text before the first variable */
    uint8_t *text;               /* the template; names and literals point here */
    struct coreio__class class;  /* what a window is indexed for */
    struct coreio__class line_class; /* of edge: what a line is indexed for that is not quick */
    int32_t step_count;
    struct coreio__cut steps[COREIO_LOG_MAX_FIELDS + 1];
    struct coreio__variable variables[];
};

/* In edge, the first field the free lexer makes, and the name of the first one after the named ones. */
#define COREIO__EDGE_PREFIX 3
#define COREIO__EDGE_FIRST_FREE 22

/* Highest N of a field fN. */
#define COREIO__MAX_FREE_FIELD 4096

struct coreio_log_format *coreio__format_share(const struct coreio_log_format *format);

#endif
