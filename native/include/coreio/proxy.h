/* A TCP proxy on the event loop: connections of clients are carried to upstreams, bytes unchanged, both ways.
 *
 * A proxy has workers; each is a thread of its own, pinned when asked, with an event loop, and carries a connection
 * from its acceptance to its end. Nothing is called back and no data crosses to the caller: what is set up before the
 * start stays, and what happened is read in batches from any thread: counters, upstreams, finished connections.
 *
 * An end of sending is passed on by itself, so either side may go on after the other is done. A side that does not read
 * stops the reading of the other side, and nothing else. An idle connection holds no buffer.
 *
 * Sockets are those of inet(4), ipv6(7) and unix(7). The PROXY protocol is that of haproxy.org, versions 1 and 2
 * (proxy-protocol.txt, 2020/03/05); the server name is that of RFC 6066, section 3, read from the ClientHello.
 */
#ifndef COREIO_PROXY_H
#define COREIO_PROXY_H

#include <coreio/base.h>

struct coreio_proxy;

/* How workers get connections. */
enum coreio_proxy_accept {
    COREIO_PROXY_REUSEPORT = 0, /* a listening socket a worker: the kernel spreads by hash */
    COREIO_PROXY_EXCLUSIVE = 1, /* one socket, EPOLLEXCLUSIVE: the kernel wakes one worker or few */
    COREIO_PROXY_SHARED = 2     /* one socket, every worker is woken */
};

/* Which upstream a connection goes to. */
enum coreio_proxy_balance {
    COREIO_PROXY_ROUND_ROBIN = 0, /* in turn, by weight */
    COREIO_PROXY_LEAST = 1,       /* the fewest connections for its weight */
    COREIO_PROXY_SOURCE = 2 /* by the source address, rendezvous hashing: few move when an upstream comes or goes */
};

/* When bytes go through a pipe instead of the worker's buffer. */
enum coreio_proxy_splice {
    COREIO_PROXY_SPLICE_AUTO = 0, /* once a direction carries much */
    COREIO_PROXY_SPLICE_NEVER = 1,
    COREIO_PROXY_SPLICE_ALWAYS = 2
};

/* Flags of a proxy. */
#define COREIO_PROXY_PIN (1u << 0)        /* worker i runs on cpus[i], or on the i-th allowed CPU */
#define COREIO_PROXY_KEEP_PLACE (1u << 1) /* no hand-over of connections to workers that have fewer */
#define COREIO_PROXY_NO_RESET (1u << 2)   /* a reset is passed on as an end, never as a reset */
#define COREIO_PROXY_JOURNAL (1u << 3)    /* finished connections are kept for coreio_proxy_journal */

/* Flags of a listener. */
#define COREIO_PROXY_LISTEN_TRANSPARENT (1u << 0) /* IP_TRANSPARENT; connections go to their original destination */
#define COREIO_PROXY_LISTEN_REDIRECTED (1u << 1)  /* connections go to SO_ORIGINAL_DST */
#define COREIO_PROXY_LISTEN_HEADER (1u << 2)      /* each connection begins with a PROXY header, version 1 or 2 */
#define COREIO_PROXY_LISTEN_NAMES (1u << 3)       /* the group is chosen by the name in the ClientHello */
#define COREIO_PROXY_LISTEN_V6ONLY (1u << 4)
#define COREIO_PROXY_LISTEN_SPOOF (1u << 5) /* upstreams see the client's address: IP_TRANSPARENT towards them */

/* Flags of an upstream. */
#define COREIO_PROXY_SEND_V1 (1u << 0) /* begins with a PROXY header of version 1 */
#define COREIO_PROXY_SEND_V2 (1u << 1) /* of version 2 */
#define COREIO_PROXY_SPOOF (1u << 2)   /* connects from the client's address: IP_TRANSPARENT */
#define COREIO_PROXY_BACKUP (1u << 3)  /* used only when no other of its group is up */

/* Why a connection ended. Values are kept for ever. */
enum coreio_proxy_end {
    COREIO_PROXY_END_DONE = 0, /* both sides ended */
    COREIO_PROXY_END_CLIENT_RESET = 1,
    COREIO_PROXY_END_UPSTREAM_RESET = 2,
    COREIO_PROXY_END_CLIENT_GONE = 3,    /* before there was an upstream */
    COREIO_PROXY_END_CONNECT_FAILED = 4, /* no upstream took it */
    COREIO_PROXY_END_CONNECT_TIMEOUT = 5,
    COREIO_PROXY_END_NO_UPSTREAM = 6, /* none is up, or no route fits */
    COREIO_PROXY_END_IDLE = 7,
    COREIO_PROXY_END_HALF_CLOSED = 8, /* one side ended, and the other was silent for too long */
    COREIO_PROXY_END_LIFETIME = 9,
    COREIO_PROXY_END_BAD_HEADER = 10, /* no valid PROXY header or ClientHello */
    COREIO_PROXY_END_HEADER_TIMEOUT = 11,
    COREIO_PROXY_END_LIMIT = 12,    /* too many of this source */
    COREIO_PROXY_END_STOPPED = 13,  /* by coreio_proxy_stop, or the end of a drain */
    COREIO_PROXY_END_RESOURCES = 14 /* descriptors or memory ran out */
};

/* An address as the kernel takes it: `length` bytes of a struct sockaddr_in, sockaddr_in6 or sockaddr_un. */
struct coreio_proxy_address {
    uint32_t length;
    uint32_t reserved;
    uint8_t bytes[120];
};

/* Times are ns; 0 is the default that is named, and below 0 is never. */
struct coreio_proxy_options {
    uint32_t size; /* of this structure */
    uint32_t flags;
    int32_t workers; /* 0 is one for each allowed CPU */
    int32_t accept;
    int32_t balance;
    int32_t splice;
    const int32_t *cpus; /* of the workers, with COREIO_PROXY_PIN; may be NULL */
    int32_t cpu_count;
    int32_t connect_tries;         /* upstreams that are tried for a connection; 0 is 3 */
    int64_t connect_timeout_ns;    /* of one try; 5 s */
    int64_t idle_timeout_ns;       /* without a byte in either direction; never */
    int64_t half_close_timeout_ns; /* without a byte after one side ended; 30 s */
    int64_t lifetime_ns;           /* never */
    int64_t header_timeout_ns;     /* for a PROXY header or a ClientHello; 5 s */
    int32_t max_connections;       /* at a time; more wait in the backlog; 0 is as many as descriptors allow */
    int32_t max_per_source;        /* at a time from one address (IPv6: one /64); more are closed; 0 is no limit */
    int32_t rate;                  /* new connections a second; more wait in the backlog; 0 is no limit */
    int32_t backlog;               /* of listening sockets; 0 is 4096, which the kernel cuts to somaxconn */
    int64_t bandwidth;             /* bytes a second of one direction of one connection; 0 is no limit */
    int32_t pipe_bytes;            /* of a pipe; 0 is 1 MiB, or what the system allows */
    int32_t pipes;                 /* a worker at most; 0 is 64 */
    int32_t journal_capacity;      /* connections a worker keeps until they are read; 0 is 4096 */
    int32_t fall;                  /* failed connects or checks in a row that take an upstream down; 0 is 3 */
    int32_t rise;                  /* good checks in a row that bring it back; 0 is 2 */
    int32_t reserved;
    int64_t check_interval_ns; /* between checks of an upstream by connecting; never */
    int64_t retry_ns;          /* an upstream that is down and not checked is tried again after this; 10 s */
    uint8_t congestion[16];    /* TCP_CONGESTION of both sides, NUL-terminated; empty is the system's */
};

struct coreio_proxy_listener {
    uint32_t size; /* of this structure */
    uint32_t flags;
    struct coreio_proxy_address address;
    int32_t group;    /* of upstreams; the default one is 0 */
    int32_t fd_count; /* listening sockets that are passed in, e.g. by an earlier process; 0 opens them */
    const int32_t *fds;
};

struct coreio_proxy_upstream {
    uint32_t size; /* of this structure */
    uint32_t flags;
    struct coreio_proxy_address address;
    int32_t group;
    int32_t weight; /* 1 to 256; 0 is 1 */
};

/* What all workers have done. Bytes and connections only grow; "now" is now. */
struct coreio_proxy_counters {
    int64_t accepted;
    int64_t connected; /* to an upstream */
    int64_t ended;     /* of those accepted */
    int64_t live;      /* now */
    int64_t bytes_to_upstream;
    int64_t bytes_to_client;
    int64_t bytes_spliced; /* of both, those that went through a pipe */
    int64_t connect_retries;
    int64_t accept_failures; /* descriptors or memory ran out: accepting rests for 100 ms */
    int64_t over_limit;      /* closed, too many of one source */
    int64_t handed_over;     /* to a worker that had fewer */
    int64_t pipes;           /* held now */
    int64_t buffers;         /* bytes held now for peers that do not read */
    int64_t journal_lost;    /* finished connections that the journal had no room for */
    int64_t stale_events;
    int64_t ends[16]; /* by enum coreio_proxy_end */
};

/* One worker. */
struct coreio_proxy_worker {
    int32_t thread_id;
    int32_t cpu; /* it is pinned to, or -1 */
    int64_t live;
    int64_t accepted;
    int64_t waits; /* of its loop */
    int64_t cpu_time_ns;
};

/* One upstream as it stands. */
struct coreio_proxy_upstream_state {
    int32_t index; /* in the order they were added */
    int32_t group;
    int32_t up;         /* 1 or 0 */
    int32_t last_error; /* errno of the last failed connect, 0 for none */
    int64_t live;
    int64_t connects; /* that succeeded */
    int64_t failures;
    int64_t checks;
    int64_t bytes_in; /* received from it, of ended connections */
    int64_t bytes_out;
};

/* A connection that ended. */
struct coreio_proxy_record {
    int64_t begin_ns; /* since 1970 */
    int64_t duration_ns;
    int64_t connect_ns; /* from acceptance to the upstream's; -1 when there was none */
    int64_t bytes_in;   /* received from the client */
    int64_t bytes_out;  /* sent to the client */
    int32_t upstream;   /* index; -1 for none, or for the original destination */
    int32_t listener;
    int32_t worker;
    int32_t end;
    int32_t error; /* errno that belongs to it, or 0 */
    int32_t retries;
    uint16_t source_family; /* AF_INET, AF_INET6 or 0 */
    uint16_t source_port;
    uint16_t target_family; /* the original destination, or what the PROXY header said */
    uint16_t target_port;
    uint8_t source[16];
    uint8_t target[16];
};

/* Makes a proxy that does nothing yet. Add listeners and upstreams, then start it.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EINVAL (a value out of range), -ENOMEM, COREIO_EABI, COREIO_ECPU (a CPU that is not allowed)
 * Owns:    the caller, who destroys it
 * Since:   1
 */
COREIO_API int32_t coreio_proxy_create(const struct coreio_proxy_options *options, struct coreio_proxy **proxy);

/* Adds a listener and binds its sockets; returns its index. They listen from here on, so that a successor that is not
 * started yet already queues connections. Sockets passed in are adopted by the start, and closed when the proxy ends;
 * without a start they stay the caller's, and so does the path of a unix(7) one.
 *
 * A unix(7) path that is left over from a process that is gone is taken over; one that answers is -EADDRINUSE.
 *
 * Threads: owner, before the start
 * Blocks:  no
 * Errors:  -EINVAL, -EADDRINUSE, -EADDRNOTAVAIL, -EACCES (a port below 1024), -EPERM (COREIO_PROXY_LISTEN_TRANSPARENT
 *          without CAP_NET_RAW or CAP_NET_ADMIN), -EMFILE, -ENOMEM, -EBUSY (started), COREIO_EABI
 * Since:   1
 */
COREIO_API int32_t coreio_proxy_listen(struct coreio_proxy *proxy, const struct coreio_proxy_listener *listener);

/* Adds an upstream and returns its index.
 *
 * Threads: owner, before the start
 * Blocks:  no
 * Errors:  -EINVAL, -ENOMEM, -EBUSY (started), COREIO_EABI
 * Since:   1
 */
COREIO_API int32_t coreio_proxy_upstream(struct coreio_proxy *proxy, const struct coreio_proxy_upstream *upstream);

/* Sends connections whose ClientHello names `host` to the upstreams of `group`. A name that begins with "*." stands
 * for every name below it; the longest fits. Names are compared without case.
 *
 * Threads: owner, before the start
 * Blocks:  no
 * Errors:  -EINVAL (no name, or over 253 bytes), -EEXIST, -ENOMEM, -EBUSY (started)
 * Since:   1
 */
COREIO_API int32_t coreio_proxy_route(struct coreio_proxy *proxy, const uint8_t *host, int32_t length, int32_t group);

/* Starts the workers. When that fails the listening sockets stay as they are, and it may be tried again.
 *
 * Threads: owner
 * Blocks:  until every worker runs
 * Errors:  -EINVAL (no listener, or one whose group has no upstream), -EBUSY (started), -EMFILE, -ENOMEM, -EAGAIN (no
 *          thread), COREIO_ECPU
 * Since:   1
 */
COREIO_API int32_t coreio_proxy_start(struct coreio_proxy *proxy);

/* Says that the sockets of a listener live on in another proxy, of this process or another, which has them by
 * coreio_proxy_descriptors: a drain takes nothing more from them, and a unix path stays.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EINVAL (no such listener, not started), COREIO_ECLOSED (stopped)
 * Since:   1
 */
COREIO_API int32_t coreio_proxy_hand_over(struct coreio_proxy *proxy, int32_t listener);

/* Ends accepting; connections go on, and those the kernel has queued are still taken and counted before this returns.
 * `timeout_ns` later what is left is ended; below 0 is never. Watch `live` of the counters. Again, it changes the
 * timeout.
 *
 * Threads: any
 * Blocks:  until no worker accepts any more, some milliseconds
 * Errors:  -EINVAL (not started), COREIO_ECLOSED (stopped)
 * Since:   1
 */
COREIO_API int32_t coreio_proxy_drain(struct coreio_proxy *proxy, int64_t timeout_ns);

/* Ends everything and waits for the workers. Counters, upstreams and the journal can still be read.
 *
 * Threads: owner
 * Blocks:  until every worker has ended, some milliseconds
 * Errors:  none
 * Since:   1
 */
COREIO_API int32_t coreio_proxy_stop(struct coreio_proxy *proxy);

/* Stops the proxy and gives it back. NULL does nothing.
 *
 * Threads: owner
 * Blocks:  as coreio_proxy_stop
 * Errors:  none
 * Since:   1
 */
COREIO_API void coreio_proxy_destroy(struct coreio_proxy *proxy);

/* Writes the listening sockets of a listener, at most `capacity`, and returns how many there are. Borrowed: pass them
 * to a successor by coreio_proxy_pass.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EINVAL (no such listener)
 * Since:   1
 */
COREIO_API int32_t coreio_proxy_descriptors(
    const struct coreio_proxy *proxy, int32_t listener, int32_t *fds, int32_t capacity);

/* Writes the address a listener is bound to; with port 0 asked for, the one the kernel gave.
 *
 * Threads: any, before the stop
 * Blocks:  no
 * Errors:  -EINVAL (no such listener)
 * Since:   1
 */
COREIO_API int32_t coreio_proxy_bound(
    const struct coreio_proxy *proxy, int32_t listener, struct coreio_proxy_address *address);

/* Sends descriptors over a connected unix(7) socket, in one message with `length` bytes, 1 at least (SCM_RIGHTS).
 *
 * Threads: any
 * Blocks:  until sent
 * Errors:  -EINVAL (over 253 descriptors), -EPIPE, other errno of sendmsg(2)
 * Since:   1
 */
COREIO_API int32_t coreio_proxy_pass(
    int32_t socket, const uint8_t *bytes, int32_t length, const int32_t *fds, int32_t count);

/* Receives such a message: writes its bytes and descriptors, and how many of these; returns the bytes, 0 at the end.
 * Descriptors are close-on-exec and the caller's. What does not fit is closed, and the result is COREIO_ECAPACITY.
 *
 * Threads: any
 * Blocks:  until one comes
 * Errors:  COREIO_ECAPACITY, errno of recvmsg(2)
 * Since:   1
 */
COREIO_API int32_t coreio_proxy_take(
    int32_t socket, uint8_t *bytes, int32_t length, int32_t *fds, int32_t capacity, int32_t *count);

/* Writes the sums of all workers.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  none
 * Since:   1
 */
COREIO_API int32_t coreio_proxy_counters(const struct coreio_proxy *proxy, struct coreio_proxy_counters *counters);

/* Writes at most `capacity` workers and returns how many there are.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  none
 * Since:   1
 */
COREIO_API int32_t coreio_proxy_workers(
    const struct coreio_proxy *proxy, struct coreio_proxy_worker *workers, int32_t capacity);

/* Writes at most `capacity` upstreams and returns how many there are.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  none
 * Since:   1
 */
COREIO_API int32_t coreio_proxy_upstreams(
    const struct coreio_proxy *proxy, struct coreio_proxy_upstream_state *states, int32_t capacity);

/* Takes finished connections out of the journal, in no order across workers; returns how many.
 *
 * Threads: owner: one reader at a time
 * Blocks:  no
 * Errors:  none
 * Since:   1
 */
COREIO_API int32_t coreio_proxy_journal(
    struct coreio_proxy *proxy, struct coreio_proxy_record *records, int32_t capacity);

#endif
