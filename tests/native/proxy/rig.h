/* A proxy between sockets that the test holds both ends of, all on the loopback.
 *
 * The test is the client and the upstream: what it writes to one end it reads from the other, in one thread. Sockets
 * block, for ten seconds at most, so that a proxy that stalls fails a case instead of hanging it.
 */
#ifndef COREIO_TESTS_PROXY_RIG_H
#define COREIO_TESTS_PROXY_RIG_H

#include <coreio/proxy.h>
#include <stdint.h>

struct rig {
    struct coreio_proxy *proxy;
    int32_t upstream; /* the listening socket of the upstream */
    struct coreio_proxy_address front;
    struct coreio_proxy_address back;
};

/* A listening socket on the loopback, with `backlog`; writes its address. */
int32_t rig_listen(int32_t backlog, struct coreio_proxy_address *address);

/* The loopback address with a port, 0 for any. */
struct coreio_proxy_address rig_address(uint16_t port);

/* A unix address. */
struct coreio_proxy_address rig_unix(const char *path);

/* A proxy with one listener and one upstream that is started; the journal is on. NULL is defaults, with one worker.
 * Fails the case and leaves proxy NULL when it does not start. */
void rig_start(
    struct rig *rig, const struct coreio_proxy_options *options, uint32_t listen_flags, uint32_t upstream_flags);
void rig_end(struct rig *rig);

/* A client's socket, connected to an address; and to the proxy. */
int32_t rig_connect(const struct coreio_proxy_address *address);
int32_t rig_client(const struct rig *rig);

/* The next connection of a listening socket; -1 when none comes. */
int32_t rig_accept(int32_t listener);

/* A client and the connection it has become at the upstream. */
void rig_pair(const struct rig *rig, int32_t *client, int32_t *server);

void rig_send(int32_t fd, const void *bytes, int64_t length);

/* Reads exactly so much; returns whether that came. */
int32_t rig_receive(int32_t fd, void *bytes, int64_t length);

/* Checks that these bytes come next. */
void rig_expect(int32_t fd, const void *bytes, int64_t length);

/* Checks that the end comes next, or a reset. */
void rig_expect_end(int32_t fd);
void rig_expect_reset(int32_t fd);

/* Closes a socket with a reset. */
void rig_reset(int32_t fd);

struct coreio_proxy_counters rig_counters(const struct rig *rig);

/* Waits until so many connections live. */
void rig_wait_live(const struct rig *rig, int64_t live);

/* The next record of the journal; waits for it. */
struct coreio_proxy_record rig_record(const struct rig *rig);

int64_t rig_clock_ns(void);
int32_t rig_open_descriptors(void);

#endif
