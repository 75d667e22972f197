/* Patterns of filters, as a deterministic automaton over bytes.
 *
 * docs/queries.md, section 2, says what a pattern may hold. The automaton is built whole when the filter is
 * compiled (Thompson's construction, then subsets), so matching reads one table entry a byte, changes
 * nothing, and may run in any number of threads at once. There is no backtracking to attack.
 */
#ifndef COREIO_LOG_REGEX_H
#define COREIO_LOG_REGEX_H

#include <coreio/log.h>

#define COREIO__REGEX_MAX_STATES 2000

struct coreio__regex {
    uint16_t *next;  /* [state * classes + class of byte] */
    uint8_t *accept; /* [state]: 3 matched, 2 matched when the text ends here, 0 neither */
    int32_t classes;
    int32_t states;
    uint8_t class_of[256];
};

/* Compiles a pattern. Returns 0, -ENOMEM, or COREIO_EFORMAT with *reason and *offset in the pattern. */
int32_t coreio__regex_compile(
    const uint8_t *pattern, int32_t length, struct coreio__regex *regex, int32_t *reason, int32_t *offset);

/* Whether the pattern matches anywhere in the text. */
int32_t coreio__regex_matches(const struct coreio__regex *regex, const uint8_t *text, uint32_t length);

void coreio__regex_clear(struct coreio__regex *regex);

#endif
