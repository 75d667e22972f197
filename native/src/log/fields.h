/* What is known of fields by their names: nginx's variables, and the fields derived from them.
 *
 * docs/formats.md, sections 5 and 6, is the text this follows.
 */
#ifndef COREIO_LOG_FIELDS_H
#define COREIO_LOG_FIELDS_H

#include <coreio/log.h>

/* How a column is made of its source field. */
enum coreio__derive {
    COREIO__AS_IS,
    COREIO__ADDRESS, /* without the port */
    COREIO__METHOD,  /* of a request line, and the three below */
    COREIO__URI,
    COREIO__PATH,
    COREIO__PROTOCOL,
    COREIO__PATH_OF_URI, /* up to the first question mark */
    COREIO__STATUS_CLASS,
    COREIO__MINUTE,
    COREIO__INTERVAL,
    COREIO__ATTEMPTS
};

/* A name of a question, resolved against a format. */
struct coreio__column {
    int32_t source; /* index of the field in the line */
    int32_t derive;
    int32_t kind; /* coreio_log_kind of the column */
    int32_t list;
    int32_t free; /* nothing is known of the name: text, or a decimal where a number is asked for */
};

/* Fills in what is known of a variable by its name; returns 0 when the name is free. */
int32_t coreio__field_known(const uint8_t *name, int32_t length, int32_t *kind, int32_t *list, int32_t *word);

/* Resolves a name. Returns 0 when the format has no such field. */
int32_t coreio__field_resolve(
    const struct coreio_log_format *format, const uint8_t *name, int32_t length, struct coreio__column *column);

/* The field that holds the line's clock, or -1. */
int32_t coreio__field_clock(const struct coreio_log_format *format);

#endif
