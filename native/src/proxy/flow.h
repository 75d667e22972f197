/* One direction of a connection: bytes from one socket to the other. */
#ifndef COREIO_SRC_PROXY_FLOW_H
#define COREIO_SRC_PROXY_FLOW_H

#include "worker.h"

/* Carries what can be carried now from `side` to the other. Asks the loop for another turn when there is more than one
 * turn's worth. Returns 0, or -ENOMEM when bytes that were read could not be kept. */
int32_t coreio__flow_run(struct coreio__worker *worker, struct coreio__connection *connection, enum coreio__side side);

/* Gives back what a flow holds. */
void coreio__flow_drop(struct coreio__worker *worker, struct coreio__flow *flow);

/* Whether a flow holds bytes that its target has not taken. */
static inline int32_t coreio__flow_holds(const struct coreio__flow *flow)
{
    return flow->held != NULL || flow->in_pipe > 0;
}

/* Whether a flow would read nothing now, whatever its source has: its target takes nothing, or its bandwidth is used.
 */
int32_t coreio__flow_is_blocked(const struct coreio__connection *connection, enum coreio__side side);

/* When a flow that waits for its bandwidth may go on, ns. */
int64_t coreio__flow_resumes(const struct coreio__flow *flow);

#endif
