/* Filter expressions, compiled to a short program of tests and jumps.
 *
 * docs/queries.md, section 2, is the grammar. Running a program changes nothing, so all workers share it.
 */
#ifndef COREIO_LOG_FILTER_H
#define COREIO_LOG_FILTER_H

#include "plan.h"
#include "regex.h"

struct coreio__step {
    int32_t op;
    int32_t column; /* slot or text of the plan */
    int32_t target; /* of a jump */
    int32_t pattern;
    int64_t number;
    struct coreio__text text;
};

struct coreio__filter {
    struct coreio__step *steps;
    struct coreio__regex *patterns;
    uint8_t *strings; /* texts of the steps point here */
    int32_t count;
    int32_t capacity;
    int32_t pattern_count;
};

/* Compiles an expression and adds what it needs to the plan. Returns 0, -ENOMEM or COREIO_EFORMAT. */
int32_t coreio__filter_compile(const uint8_t *where, int32_t length, struct coreio__plan *plan,
    struct coreio__filter *filter, struct coreio_log_fault *fault);

/* Whether a line passes; an empty filter lets all pass. The line's number of slot s is numbers[s * stride], and its
 * text t texts[t * stride]. */
int32_t coreio__filter_passes(const struct coreio__filter *filter, const struct coreio__number *numbers,
    const struct coreio__text *texts, size_t stride);

void coreio__filter_clear(struct coreio__filter *filter);

#endif
