/* Checks of upstreams by connecting to them, on the thread of the first worker. */
#ifndef COREIO_SRC_PROXY_CHECK_H
#define COREIO_SRC_PROXY_CHECK_H

#include "worker.h"

/* Begins to check every upstream, spread over the interval. Returns 0 or -ENOMEM. */
int32_t coreio__checks_start(struct coreio__worker *worker);

/* Serves the timer of an upstream: begins a check, or ends one that took too long. */
void coreio__check_timer(struct coreio__worker *worker, int32_t upstream);

/* Serves the socket of a check. */
void coreio__check_event(struct coreio__worker *worker, int32_t upstream, uint32_t events);

/* Ends what is under way. */
void coreio__checks_end(struct coreio__worker *worker);

#endif
