/* The inner loops of the lexer: where the structural bytes of a text are, and how they cut lines that fit.
 *
 * A kernel writes the positions of all bytes of a class, in order (index), or only those that count where they stand
 * (marks): outside of quotes, or brackets that open and close a field. From the marks it cuts lines that fit their
 * frame (frame.h). kernel_scalar.c is the definition of correct; every other kernel writes the same for the same bytes,
 * faster. Which bytes are structural is the format's choice: a class is two tables of bits indexed by the halves of a
 * byte, the form that vector shuffles can look up. It is exact for ASCII, and may hold a few bytes more than were added
 * where they are not, so who walks the positions looks at the byte. Where no two bytes of a class share their lower
 * half, one shuffle and a comparison do.
 *
 * No kernel reads past the text. Positions need room for `length` entries and COREIO__KERNEL_SLACK more, and so do
 * the bytes of marks.
 */
#ifndef COREIO_LOG_KERNEL_H
#define COREIO_LOG_KERNEL_H

#include <coreio/log.h>
#include <stddef.h>

#define COREIO__KERNEL_SLACK 64

struct coreio__class {
    uint8_t low[16];  /* indexed by the lower half of a byte */
    uint8_t high[16]; /* indexed by the upper half */
    uint8_t only[16]; /* the byte of it with this lower half, its highest bit turned; 0 for none */
    int32_t shared;   /* two of its bytes have the same lower half */
};

struct coreio__lexer;
struct coreio__rows;

/* Writes position and byte of each mark of at most 65,536 bytes that begin at a line, and returns how many there are.
 */
typedef size_t coreio__mark(
    const uint8_t *text, size_t length, const struct coreio__class *class, uint16_t *positions, uint8_t *bytes);

/* Cuts lines from the mark where the lexer stands, up to the first that does not fit its frame; returns how many. */
typedef uint32_t coreio__cut(struct coreio__lexer *lexer, const struct coreio__rows *rows);

struct coreio__kernel {
    int32_t id;        /* coreio_log_kernel_id */
    uint64_t features; /* COREIO_CPU_ bits it needs */
    const char *name;
    size_t (*index)(const uint8_t *text, size_t length, const struct coreio__class *class, uint32_t *positions);
    /* Newlines, quotes that no backslash escapes, and outside of quotes the bytes of the class, which are ASCII. */
    coreio__mark *mark_quoted;
    /* Newlines, backslashes, every closing bracket, and the opening ones that are the first of a line, or have nothing
     * or one space between them and a closing one. The class is not looked at. */
    coreio__mark *mark_bracketed;
    coreio__cut *cut_quoted;
    coreio__cut *cut_bracketed;
};

extern const struct coreio__kernel coreio__kernel_scalar;
#if defined(__x86_64__)
/* Hides from the compiler what a vector holds. */
#define COREIO__OPAQUE(vector) __asm__("" : "+x"(vector))
/* The same of a mask, which then is in a general register. */
#define COREIO__GENERAL(mask) __asm__("" : "+r"(mask))

extern const struct coreio__kernel coreio__kernel_sse42;
extern const struct coreio__kernel coreio__kernel_avx2;
extern const struct coreio__kernel coreio__kernel_avx512;
#elif defined(__aarch64__)
extern const struct coreio__kernel coreio__kernel_neon;
#endif

/* The numbers of the set bits of each byte, a byte each, the lowest first. */
extern const uint64_t coreio__bit_numbers[256];

/* The cuts of the kernels that have no better ones. */
coreio__cut coreio__cut_quoted;
coreio__cut coreio__cut_bracketed;

#if defined(__x86_64__)
coreio__cut coreio__cut_quoted_avx2;
coreio__cut coreio__cut_bracketed_avx2;
coreio__cut coreio__cut_quoted_avx512;
coreio__cut coreio__cut_bracketed_avx512;
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
