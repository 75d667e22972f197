/* Pipes for splice(2): a worker's own, used again.
 *
 * A pipe is taken when a direction begins to stream and given back as soon as it is empty, so an idle connection holds
 * none. What still holds bytes is closed, never pooled. One thread.
 */
#ifndef COREIO_SRC_PROXY_PIPES_H
#define COREIO_SRC_PROXY_PIPES_H

#include <stdint.h>

struct coreio__pipe {
    int32_t ends[2]; /* read, write */
    int32_t bytes;   /* it holds at most */
    struct coreio__pipe *next;
};

struct coreio__pipes {
    struct coreio__pipe *free;
    int32_t wanted; /* bytes of a pipe */
    int32_t most;   /* pipes that may be taken at a time */
    int32_t taken;
    int32_t made; /* taken and free */
};

void coreio__pipes_start(struct coreio__pipes *pipes, int32_t bytes, int32_t most);

/* Closes the free pipes; those that are taken have to be dropped before. */
void coreio__pipes_end(struct coreio__pipes *pipes);

/* Takes an empty pipe; NULL when there may be no more, or descriptors or memory ran out. */
struct coreio__pipe *coreio__pipes_take(struct coreio__pipes *pipes);

/* Gives an empty pipe back. */
void coreio__pipes_give(struct coreio__pipes *pipes, struct coreio__pipe *pipe);

/* Closes a pipe, whatever it holds. */
void coreio__pipes_drop(struct coreio__pipes *pipes, struct coreio__pipe *pipe);

#endif
