/* Which of several buffers the next block of a file is read to.
 *
 * One buffer that is read to again and again stays in the near caches, and so do its lines, which the kernel's copy
 * then writes over. Most CPUs like that. Zen 4 does not: its string moves (`rep movsb`, which copy_to_user is made of)
 * take a quarter longer where they meet lines that were written to, so there several buffers in turn are faster, and
 * what works on the text hardly notices. Which of the two it is here is told by trying both: the shortest time of a
 * block says, for what disturbs only ever adds to it.
 *
 * Belongs to one thread. Nothing here allocates or fails.
 */
#ifndef COREIO_LOG_TURNS_H
#define COREIO_LOG_TURNS_H

#include <stdint.h>

/* Buffers at most, and bytes of all together, unless lines are longer than a block, beyond which one is not near
 * anyway.
 */
#define COREIO__TURNS 4
#define COREIO__TURNS_BYTES 1048576

struct coreio__turns {
    int64_t best[2]; /* ns of the shortest block: of one buffer, of several; 0 for none yet */
    int32_t count;   /* of buffers */
    int32_t tried;   /* blocks so far, until it is decided */
    int32_t at;      /* the buffer of the last block */
};

/* The beginning, for blocks of a size. */
struct coreio__turns coreio__turns_make(int64_t block_bytes);

/* The buffer for the next block. */
int32_t coreio__turns_next(struct coreio__turns *turns);

/* Notes how long the block that followed took, to read and to work on. The caller leaves out those that are not whole
 * or were not worked on, whose time would say nothing. */
void coreio__turns_took(struct coreio__turns *turns, int64_t ns);

#endif
