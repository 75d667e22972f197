/* Text to numbers, times and parts of text.
 *
 * docs/formats.md, sections 5 and 6, is the text this follows. Nothing here allocates or keeps state.
 */
#ifndef COREIO_LOG_VALUE_H
#define COREIO_LOG_VALUE_H

#include <coreio/log.h>

/* A piece of a line; `text` NULL is null. */
struct coreio__text {
    const uint8_t *text;
    uint32_t length;
};

struct coreio__number {
    int64_t value;
    int32_t is_null;
};

/* How a field's text becomes a number. */
enum coreio__typing {
    COREIO__WHOLE,
    COREIO__MILLIONTHS,
    COREIO__WHOLE_LIST,      /* sum of the entries */
    COREIO__MILLIONTHS_LIST, /* sum of the entries */
    COREIO__LAST_OF_LIST,    /* last entry that is not null */
    COREIO__ENTRIES,         /* how many entries a list has */
    COREIO__TIME_LOCAL,
    COREIO__TIME_ISO8601,
    COREIO__TIME_MSEC
};

/* The parts of a request line; all null when it is none. */
struct coreio__request {
    struct coreio__text method;
    struct coreio__text uri;
    struct coreio__text protocol;
};

/* Types a text that is not null. Returns 0 when it is neither null nor of its kind. */
int32_t coreio__value_type(int32_t typing, struct coreio__text text, struct coreio__number *number);

/* An address without its port. */
struct coreio__text coreio__value_address(struct coreio__text text);

/* What stands before the first question mark. */
struct coreio__text coreio__value_path(struct coreio__text uri);

void coreio__value_request(struct coreio__text text, struct coreio__request *request);

#endif
