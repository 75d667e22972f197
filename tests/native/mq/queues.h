/* Queues of the tests, and processes that wait on them.
 *
 * A test executable leaves its IPC namespace before its first queue, where it may, so nothing it makes is seen outside
 * or outlives it, and limits may be changed. Where it may not, queues have names of their own and are removed at the
 * end of the executable, whatever has failed.
 */
#ifndef COREIO_TESTS_QUEUES_H
#define COREIO_TESTS_QUEUES_H

#include <coreio/mq.h>

#include <sys/types.h>

#define QUEUES_DEPTH 4
#define QUEUES_SIZE 64

/* NULL, or why no queue of the family can be had here: an emulator may lack the calls. */
const char *queues_lack(int32_t family);

/* NULL when this process is alone in its IPC namespace, or why not. */
const char *queues_not_alone(void);

/* Writes a number into a file of limits, which must be those of a private namespace. Returns what was there, or
 * INT64_MIN. */
int64_t queues_limit(const char *path, int64_t value);

/* A name nobody else has; the queue is unlinked at the end. */
const uint8_t *queues_name(void);

/* A queue of QUEUES_DEPTH messages of QUEUES_SIZE bytes without a name, opened with O_RDWR and `flags`; or a new System
 * V queue of mode 0600. `queues_drop` closes or removes it. */
int32_t queues_make(int32_t family, int32_t flags);
void queues_drop(int32_t family, int32_t queue);

/* Sends the message a test fills a queue with, of `length` zeros, until there is no room; returns how many. */
int32_t queues_fill(int32_t family, int32_t queue, int64_t length);

/* One call of the library on a queue, with QUEUES_SIZE bytes that the children have. */
enum queues_call {
    QUEUES_SEND,
    QUEUES_RECEIVE,
    QUEUES_OTHER /* `other`(`argument`) */
};

struct queues_op {
    int32_t call;
    int32_t family;
    int32_t queue;
    const struct coreio_mq_wait *wait;
    int64_t (*other)(const void *argument);
    const void *argument;
    /* What follows is for children alone. */
    int32_t nobody;      /* as another user: see queues_no_other_user */
    int32_t refused;     /* a system call that the kernel answers with `error`: see queues_no_filter */
    int32_t error;       /* 0 for none */
    int32_t descriptors; /* RLIMIT_NOFILE, unless 0 */
    int32_t signal;      /* gets a handler that does nothing, and restarts no call */
};

struct queues_child {
    pid_t pid;
    int32_t slot;
};

/* Runs the call in this process. */
int64_t queues_do(const struct queues_op *op);

/* Runs the call in a child, and returns what it returned. */
struct queues_child queues_start(const struct queues_op *op);
int64_t queues_join(struct queues_child child);
int64_t queues_run(const struct queues_op *op);

/* Returns once the child sleeps in the kernel. */
void queues_until_asleep(struct queues_child child);

/* Returns once the child, which sleeps nowhere, has run for so long that it must be where it spins. */
void queues_until_spinning(struct queues_child child);

/* NULL, or why another user or a refused system call cannot be had here. */
const char *queues_no_other_user(void);
const char *queues_no_filter(void);

int64_t queues_now_ns(void);

#endif
