/* The inner loop of the lexer: where the structural bytes of a text are.
 *
 * A kernel writes the positions of all bytes of a class, in order. kernel_scalar.c is the definition of
 * correct; every other kernel writes the same positions for the same bytes, faster. Which bytes are
 * structural is the format's choice: a class is two tables of bits indexed by the halves of a byte,
 * the form that vector shuffles can look up. A class may hold a few bytes more than were added, so who
 * walks the positions looks at the byte.
 *
 * No kernel reads past the text. Positions need room for `length` entries and COREIO__KERNEL_SLACK more.
 */
#ifndef COREIO_LOG_KERNEL_H
#define COREIO_LOG_KERNEL_H

#include <coreio/log.h>
#include <stddef.h>

#define COREIO__KERNEL_SLACK 64

struct coreio__class {
    uint8_t low[16];  /* indexed by the lower half of a byte */
    uint8_t high[16]; /* indexed by the upper half */
};

struct coreio__kernel {
    int32_t id;        /* coreio_log_kernel_id */
    uint64_t features; /* COREIO_CPU_ bits it needs */
    const char *name;
    size_t (*index)(const uint8_t *text, size_t length, const struct coreio__class *class, uint32_t *positions);
};

extern const struct coreio__kernel coreio__kernel_scalar;
#if defined(__x86_64__)
extern const struct coreio__kernel coreio__kernel_sse42;
extern const struct coreio__kernel coreio__kernel_avx2;
extern const struct coreio__kernel coreio__kernel_avx512;
#elif defined(__aarch64__)
extern const struct coreio__kernel coreio__kernel_neon;
#endif

static inline int32_t coreio__class_has(const struct coreio__class *class, uint8_t byte)
{
    return (class->low[byte & 15] & class->high[byte >> 4]) != 0;
}

/* Adds a byte to a class. */
void coreio__class_add(struct coreio__class *class, uint8_t byte);

/* The kernel with this id if this machine can run it, the best one for COREIO_LOG_KERNEL_AUTO, else NULL. */
const struct coreio__kernel *coreio__kernel_get(int32_t id);

#endif
