/* What the tests of the log share: seeded text, compiled formats and questions, and a scan's answer as text.
 *
 * The answer holds all that must not depend on how the work was divided, so two scans agree when their answers
 * are the same text.
 */
#ifndef COREIO_TESTS_LOGS_H
#define COREIO_TESTS_LOGS_H

#include <coreio/log.h>
#include <stddef.h>

/* Sizes are cut where each memory access is watched. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LOGS_WATCHED 1
#else
#define LOGS_WATCHED 0
#endif

/* A sequence of numbers that a seed decides (Vigna, splitmix64). */
struct logs_random {
    uint64_t state;
};

uint64_t logs_next(struct logs_random *random);

/* A number below `bound`. */
uint32_t logs_below(struct logs_random *random, uint32_t bound);

/* Text that grows. */
struct logs_text {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
};

void logs_append(struct logs_text *text, const void *bytes, size_t length);
void logs_print(struct logs_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void logs_free(struct logs_text *text);

/* A line of an access log in the format combined, without its end; one in eight has a value that is no number or
 * time, one in eight has a few bytes changed, one in sixteen is garbage when `damage` is set. */
void logs_combined(struct logs_text *text, struct logs_random *random, int damage);

/* `lines` of them with different line ends. */
void logs_combined_lines(struct logs_text *text, struct logs_random *random, int32_t lines, int damage);

/* `length` bytes of those in `alphabet`. */
void logs_garbage(struct logs_text *text, struct logs_random *random, size_t length, const char *alphabet);

/* A compiled format; fails the case when it does not compile. */
struct coreio_log_format *logs_format(const char *text);

/* A question with one table; NULL for what is not asked. Fails the case when it does not compile. */
struct coreio_log_query *logs_query(const char *format, const char *where, const char *by, const char *stats);

/* A scan with so many workers, on the kernel and blocks given (0 for the defaults); `rejects` is a descriptor or -1.
 * Fails the case when it cannot be made. */
struct coreio_log_scan *logs_scan(
    struct coreio_log_query *query, int32_t workers, int32_t kernel, int32_t block_bytes, int32_t rejects);

/* Ends a scan and appends its answer. Returns what finish returned. */
int32_t logs_answer(struct coreio_log_scan *scan, struct logs_text *answer, struct coreio_log_totals *totals);

/* A kernel this machine runs, by its place among them; 0 behind the last. */
int32_t logs_kernel(int32_t index);

#endif
