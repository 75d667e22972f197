/* The listening sockets of a worker: accepting, resting, and the end of it. On the thread of the worker. */
#ifndef COREIO_SRC_PROXY_EARS_H
#define COREIO_SRC_PROXY_EARS_H

#include "worker.h"

/* How long accepting rests when descriptors or memory ran out, and when there are as many connections as may be. */
#define COREIO__REST_NS INT64_C(100000000)
#define COREIO__LIMIT_REST_NS INT64_C(5000000)

/* Watches every listening socket. Returns 0 or -errno. */
int32_t coreio__ears_open(struct coreio__worker *worker);

/* Accepts what is queued on one of them, in turns. */
void coreio__ears_accept(struct coreio__worker *worker, int32_t ear);

/* Accepts nothing for `ns`; who is queued waits. */
void coreio__ears_rest(struct coreio__worker *worker, int64_t ns);

/* Goes on accepting: the rest is over. */
void coreio__ears_resume(struct coreio__worker *worker);

/* Ends accepting. Unless the sockets are handed over, what is queued is taken first, and the last worker of a socket
 * closes it. */
void coreio__ears_close(struct coreio__worker *worker);

/* Begins the connections that other workers have handed over. */
void coreio__ears_take_inbox(struct coreio__worker *worker);

#endif
