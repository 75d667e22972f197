/* Sockets as the proxy opens them: all non-blocking, close-on-exec, without Nagle's delay. */
#ifndef COREIO_SRC_PROXY_SOCKET_H
#define COREIO_SRC_PROXY_SOCKET_H

#include "address.h"

/* How a listening socket is opened. */
struct coreio__socket_plan {
    int32_t backlog;
    int32_t reuse_port;
    int32_t transparent;
    int32_t v6_only;
    const char *congestion; /* empty for the system's */
};

/* Opens a listening socket; writes its descriptor and returns 0 or -errno. A unix path nobody listens on any more is
 * taken over. */
int32_t coreio__socket_listen(
    const struct coreio_proxy_address *address, const struct coreio__socket_plan *plan, int32_t *fd);

/* Sets on a listening socket that somebody else has opened what may be set later: all of the plan but reuse_port and
 * v6_only. Returns 0 or -errno. */
int32_t coreio__socket_adopt(int32_t fd, uint16_t family, const struct coreio__socket_plan *plan);

/* Begins to connect, from the address of `from` unless that is NULL or no internet address; writes the descriptor and
 * returns 1 when it is connected, 0 when that is under way, or -errno, and then there is no descriptor. */
int32_t coreio__socket_connect(const struct coreio_proxy_address *address, const struct coreio__endpoint *from,
    const char *congestion, int32_t *fd);

/* The error of a socket, which is cleared; 0 for none. */
int32_t coreio__socket_error(int32_t fd);

/* The address a socket is bound to; family 0 when it is none of the internet. */
void coreio__socket_local(int32_t fd, struct coreio__endpoint *local);

/* The destination before netfilter changed it, SO_ORIGINAL_DST. Returns 0 or -errno. */
int32_t coreio__socket_original(int32_t fd, struct coreio__endpoint *original);

/* Whether an address belongs to this machine. */
int32_t coreio__socket_is_local(const struct coreio__endpoint *endpoint);

/* Whether an errno says that descriptors or memory ran out. */
int32_t coreio__socket_exhausted(int32_t error);

#endif
