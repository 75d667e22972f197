/* A proxy as its workers see it. After the start only what is atomic changes. */
#ifndef COREIO_SRC_PROXY_PROXY_H
#define COREIO_SRC_PROXY_PROXY_H

#include "limits.h"
#include "routes.h"
#include "worker.h"

/* Bytes a worker reads at a time when it copies: half of the second-level cache's usual share of a thread, and of what
 * a look at a ClientHello needs four times. */
#define COREIO__SCRATCH_BYTES (64 * 1024)

struct coreio__listener {
    struct coreio_proxy_address address; /* that it is bound to */
    uint32_t flags;
    int32_t group;
    int32_t fd_count;
    int32_t unlink;         /* the unix path is this proxy's to take away */
    int32_t adopted;        /* its sockets were passed in, and are the caller's until the start */
    atomic_int handed_over; /* they and the path live on elsewhere */
    atomic_int *fds;        /* -1 once it is closed */
    atomic_int *users;      /* workers that watch each socket; the last one to end closes it */
};

struct coreio_proxy {
    struct coreio_proxy_options options; /* defaults filled in */
    int32_t *cpus;
    struct coreio__listener *listeners;
    int32_t listener_count;
    atomic_int started;
    atomic_int stopped;
    struct coreio__routes routes;
    struct coreio__upstreams upstreams;
    struct coreio__worker *workers;
    struct coreio__sources sources;
    coreio__rate rate;
    _Atomic int64_t places;        /* taken: by connections, and by who looks whether there is one to accept */
    _Atomic int64_t drain_timeout; /* ns; below 0 for never */
    atomic_int keep;               /* listening sockets stay open when workers end: the start has failed */
};

#endif
