/* Connections from their acceptance to their end. All on the thread of their worker. */
#ifndef COREIO_SRC_PROXY_CONNECTION_H
#define COREIO_SRC_PROXY_CONNECTION_H

#include "worker.h"

/* Takes over an accepted socket, which is counted among the live ones of the worker and the proxy. */
void coreio__connection_begin(
    struct coreio__worker *worker, int32_t fd, int32_t listener, const struct coreio__endpoint *source);

/* Serves events of one side. */
void coreio__connection_event(
    struct coreio__worker *worker, struct coreio__connection *connection, enum coreio__side side, uint32_t events);

/* Serves its timer, which has fired. */
void coreio__connection_timer(struct coreio__worker *worker, struct coreio__connection *connection);

/* Ends it and gives it back. */
void coreio__connection_end(
    struct coreio__worker *worker, struct coreio__connection *connection, enum coreio_proxy_end reason);

#endif
