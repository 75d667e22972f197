/* Pipes; see pipes.h. */
#include "pipes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* What a pipe has when the system refuses more: a user has fs.pipe-user-pages-soft pages in all. */
#define SMALLEST (64 * 1024)

void coreio__pipes_start(struct coreio__pipes *pipes, int32_t bytes, int32_t most)
{
    *pipes = (struct coreio__pipes){.wanted = bytes, .most = most};
}

static void close_pipe(struct coreio__pipe *pipe)
{
    (void)close(pipe->ends[0]);
    (void)close(pipe->ends[1]);
    free(pipe);
}

void coreio__pipes_end(struct coreio__pipes *pipes)
{
    for (struct coreio__pipe *pipe = pipes->free; pipe != NULL; pipe = pipes->free) {
        pipes->free = pipe->next;
        close_pipe(pipe);
    }
    pipes->made = 0;
}

/* A new pipe of the size that is wanted, or of what the system gives; NULL without one. */
static struct coreio__pipe *make(int32_t wanted)
{
    struct coreio__pipe *pipe = malloc(sizeof *pipe);
    int ends[2];
    if (pipe == NULL)
        return NULL;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        free(pipe);
        return NULL;
    }
    int size = fcntl(ends[1], F_SETPIPE_SZ, wanted);
    if (size < 0)
        size = fcntl(ends[1], F_GETPIPE_SZ);
    *pipe = (struct coreio__pipe){.ends = {ends[0], ends[1]}, .bytes = size > 0 ? size : SMALLEST};
    return pipe;
}

struct coreio__pipe *coreio__pipes_take(struct coreio__pipes *pipes)
{
    if (pipes->taken >= pipes->most)
        return NULL;
    struct coreio__pipe *pipe = pipes->free;
    if (pipe != NULL) {
        pipes->free = pipe->next;
    } else {
        pipe = make(pipes->wanted);
        if (pipe == NULL)
            return NULL;
        pipes->made++;
    }
    pipe->next = NULL;
    pipes->taken++;
    return pipe;
}

void coreio__pipes_give(struct coreio__pipes *pipes, struct coreio__pipe *pipe)
{
    pipe->next = pipes->free;
    pipes->free = pipe;
    pipes->taken--;
}

void coreio__pipes_drop(struct coreio__pipes *pipes, struct coreio__pipe *pipe)
{
    close_pipe(pipe);
    pipes->taken--;
    pipes->made--;
}
