/* The life of a connection; see connection.h.
 *
 * Both sockets are watched once, edge-triggered for everything, and that is not changed: the kernel hears of a
 * connection twice, whatever it does. The exception is a source that goes on sending while its target takes nothing:
 * each of its segments would wake the worker for nothing, so it is muted until it is to be read again. One timer serves
 * all its limits of time: it is set to the nearest of them and looks again when it fires, so that bytes cost no call.
 */
#include "connection.h"

#include "base/clock.h"
#include "ears.h"
#include "flow.h"
#include "header.h"
#include "hello.h"
#include "proxy.h"
#include "socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define WATCHED ((uint32_t)EPOLLIN | (uint32_t)EPOLLOUT | (uint32_t)EPOLLRDHUP | (uint32_t)EPOLLPRI | (uint32_t)EPOLLET)

/* What is still heard of a muted side, besides failures. Not EPOLLPRI, which the kernel wakes for with each segment. */
#define MUTED ((uint32_t)EPOLLRDHUP | (uint32_t)EPOLLET)

/* How long a connect goes on for a client that has ended without a byte: it may be gone, or it may have nothing to say
 * and wait for an answer, and TCP does not tell which. */
#define LEFT_NS INT64_C(1000000000)

/* The time of the system's clock when the loop's was `at`. */
static int64_t wall_clock(const struct coreio__worker *worker, int64_t at)
{
    return coreio__clock_ns(CLOCK_REALTIME_COARSE) - (worker->now - at);
}

static void note(
    struct coreio__worker *worker, const struct coreio__connection *connection, enum coreio_proxy_end reason)
{
    if (worker->journal.capacity == 0)
        return;
    struct coreio_proxy_record record = {
        .begin_ns = wall_clock(worker, connection->begin),
        .duration_ns = worker->now - connection->begin,
        .connect_ns = connection->state == STATE_RELAY ? connection->connect - connection->begin : -1,
        .bytes_in = connection->flows[CLIENT].bytes,
        .bytes_out = connection->flows[UPSTREAM].bytes,
        .upstream = connection->upstream,
        .listener = connection->listener,
        .worker = worker->index,
        .end = reason,
        .error = connection->error,
        .retries = connection->retries,
        .source_family = connection->source.family,
        .source_port = connection->source.port,
        .target_family = connection->target.family,
        .target_port = connection->target.port,
    };
    memcpy(record.source, connection->source.bytes, sizeof record.source);
    memcpy(record.target, connection->target.bytes, sizeof record.target);
    if (!coreio__journal_write(&worker->journal, &record))
        coreio__add(&worker->tally.journal_lost, 1);
}

/* Closes a side. With `reset` the peer is told so, unless that would throw away bytes it has not got yet. */
static void close_side(
    struct coreio__worker *worker, struct coreio__connection *connection, enum coreio__side side, int32_t reset)
{
    const int32_t fd = connection->fds[side];
    if (fd < 0)
        return;
    int unsent = 0;
    if (reset && ioctl(fd, SIOCOUTQ, &unsent) == 0 && unsent == 0) {
        const struct linger linger = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    }
    if (connection->watches[side] != 0)
        (void)coreio_loop_remove(worker->loop, connection->watches[side], COREIO_LOOP_CLOSING);
    (void)close(fd);
    connection->fds[side] = -1;
    connection->watches[side] = 0;
}

/* Counts the connection out of its upstream. */
static void leave_upstream(struct coreio__worker *worker, struct coreio__connection *connection)
{
    if (connection->upstream < 0 || connection->fds[UPSTREAM] < 0)
        return;
    struct coreio__upstream *upstream = &worker->proxy->upstreams.all[connection->upstream];
    atomic_fetch_sub_explicit(&upstream->live, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&upstream->bytes_in, connection->flows[UPSTREAM].bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&upstream->bytes_out, connection->flows[CLIENT].bytes, memory_order_relaxed);
}

void coreio__connection_end(
    struct coreio__worker *worker, struct coreio__connection *connection, enum coreio_proxy_end reason)
{
    struct coreio_proxy *proxy = worker->proxy;
    const int32_t resets = (proxy->options.flags & COREIO_PROXY_NO_RESET) == 0;
    leave_upstream(worker, connection);
    coreio__flow_drop(worker, &connection->flows[CLIENT]);
    coreio__flow_drop(worker, &connection->flows[UPSTREAM]);
    close_side(worker, connection, UPSTREAM, resets && reason == COREIO_PROXY_END_CLIENT_RESET);
    close_side(worker, connection, CLIENT, resets && reason == COREIO_PROXY_END_UPSTREAM_RESET);
    if (connection->timer != 0)
        (void)coreio_loop_stop(worker->loop, connection->timer);
    coreio__sources_leave(&proxy->sources, connection->counted);
    coreio__add(&worker->tally.ended, 1);
    coreio__add(&worker->tally.ends[reason], 1);
    /* Who reads of it in the journal finds it counted. */
    note(worker, connection, reason);
    coreio__slab_give(&worker->connections, connection->index);
    atomic_fetch_sub_explicit(&worker->live, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&proxy->places, 1, memory_order_relaxed);
}

static int64_t earlier(int64_t one, int64_t base, int64_t delay)
{
    return delay > 0 && delay < one - base ? base + delay : one;
}

/* Whether a side has ended, so that the silence of the other is limited. */
static int32_t half_closed(const struct coreio__connection *connection)
{
    return ((connection->flows[CLIENT].flags | connection->flows[UPSTREAM].flags) & (FLOW_ENDED | FLOW_DONE)) != 0;
}

/* When the timer has to look next; INT64_MAX for never. */
static int64_t deadline_of(const struct coreio__worker *worker, const struct coreio__connection *connection)
{
    const struct coreio_proxy_options *options = &worker->proxy->options;
    int64_t deadline = earlier(INT64_MAX, connection->begin, options->lifetime_ns);
    if (connection->state == STATE_HEADER)
        return earlier(deadline, connection->begin, options->header_timeout_ns);
    if (connection->state == STATE_CONNECT) {
        deadline = earlier(deadline, connection->connect, options->connect_timeout_ns);
        return connection->left ? earlier(deadline, connection->last, LEFT_NS) : deadline;
    }
    deadline = earlier(deadline, connection->last, options->idle_timeout_ns);
    if (half_closed(connection))
        deadline = earlier(deadline, connection->last, options->half_close_timeout_ns);
    for (int32_t side = 0; side < SIDES; side++) {
        const struct coreio__flow *flow = &connection->flows[side];
        if ((flow->flags & FLOW_WAITS) != 0 && coreio__flow_resumes(flow) < deadline)
            deadline = coreio__flow_resumes(flow);
    }
    return deadline;
}

/* Sets the timer. Returns 0 or -ENOMEM. */
static int32_t arm(struct coreio__worker *worker, struct coreio__connection *connection)
{
    const int64_t deadline = deadline_of(worker, connection);
    if (deadline == INT64_MAX) {
        if (connection->timer != 0)
            (void)coreio_loop_stop(worker->loop, connection->timer);
        connection->timer = 0;
        return 0;
    }
    const int64_t delay = deadline > worker->now ? deadline - worker->now : 0;
    if (connection->timer != 0)
        return coreio_loop_restart(worker->loop, connection->timer, delay);
    return coreio_loop_start(
        worker->loop, delay, 0, coreio__owned(OWNER_CONNECTION, connection->index), &connection->timer);
}

/* Whether an event tells what is known and of no use: its side can be read and written, and nobody reads now. */
static int32_t is_idle_word(
    const struct coreio__connection *connection, enum coreio__side side, uint8_t before, uint32_t events)
{
    const uint32_t news = (uint32_t)EPOLLERR | (uint32_t)EPOLLHUP | (uint32_t)EPOLLRDHUP | (uint32_t)EPOLLPRI;
    const uint8_t both = SIDE_READABLE | SIDE_WRITABLE;
    return (events & news) == 0 && (before & (both | SIDE_ENDED)) == both && coreio__flow_is_blocked(connection, side);
}

static void mute(struct coreio__worker *worker, struct coreio__connection *connection, enum coreio__side side)
{
    if ((connection->sides[side] & SIDE_MUTED) != 0)
        return;
    connection->sides[side] |= SIDE_MUTED;
    (void)coreio_loop_modify(worker->loop, connection->watches[side], MUTED);
}

/* Listens to a muted side again once there is something to wait for; the kernel then tells what has come meanwhile. */
static void unmute(struct coreio__worker *worker, struct coreio__connection *connection, enum coreio__side side)
{
    const uint8_t both = SIDE_READABLE | SIDE_WRITABLE;
    const uint8_t bits = connection->sides[side];
    if ((bits & SIDE_MUTED) == 0 || (bits & both) == both)
        return;
    connection->sides[side] &= (uint8_t)~SIDE_MUTED;
    (void)coreio_loop_modify(worker->loop, connection->watches[side], WATCHED);
}

/* Runs both directions, and ends the connection when it is over. */
static void relay(struct coreio__worker *worker, struct coreio__connection *connection)
{
    const int32_t before = half_closed(connection);
    int32_t status = coreio__flow_run(worker, connection, CLIENT);
    if (status == 0)
        status = coreio__flow_run(worker, connection, UPSTREAM);
    const struct coreio__flow *flows = connection->flows;
    /* A target that failed has left the reason where the first direction reads. */
    if (status == 0 && (flows[UPSTREAM].flags & FLOW_DONE) != 0 && (flows[CLIENT].flags & FLOW_DONE) == 0)
        status = coreio__flow_run(worker, connection, CLIENT);
    if (status < 0) {
        connection->error = -status;
        coreio__connection_end(worker, connection, COREIO_PROXY_END_RESOURCES);
        return;
    }
    for (int32_t side = 0; side < SIDES; side++) {
        if ((flows[side].flags & FLOW_RESET) != 0 && !coreio__flow_holds(&flows[side])) {
            coreio__connection_end(
                worker, connection, side == CLIENT ? COREIO_PROXY_END_CLIENT_RESET : COREIO_PROXY_END_UPSTREAM_RESET);
            return;
        }
    }
    if ((flows[CLIENT].flags & flows[UPSTREAM].flags & FLOW_DONE) != 0) {
        /* A reset that a send has met is told once: the read after it finds an end. */
        enum coreio_proxy_end reason = COREIO_PROXY_END_DONE;
        if ((flows[CLIENT].flags & FLOW_GONE) != 0)
            reason = COREIO_PROXY_END_UPSTREAM_RESET;
        else if ((flows[UPSTREAM].flags & FLOW_GONE) != 0)
            reason = COREIO_PROXY_END_CLIENT_RESET;
        coreio__connection_end(worker, connection, reason);
        return;
    }
    unmute(worker, connection, CLIENT);
    unmute(worker, connection, UPSTREAM);
    const int32_t waits = (flows[CLIENT].flags | flows[UPSTREAM].flags) & FLOW_WAITS;
    const int32_t ended = half_closed(connection) != before;
    /* Silence counts from the end on: a connection may have been idle for long before it. */
    if (ended)
        connection->last = worker->now;
    if ((waits || ended) && arm(worker, connection) < 0) {
        connection->error = ENOMEM;
        coreio__connection_end(worker, connection, COREIO_PROXY_END_RESOURCES);
    }
}

/* The upstream is there: tells it who comes, and lets bytes pass. */
static void established(struct coreio__worker *worker, struct coreio__connection *connection)
{
    struct coreio_proxy *proxy = worker->proxy;
    connection->state = STATE_RELAY;
    connection->connect = worker->now;
    connection->last = worker->now;
    /* Tries that failed are counted; their errno is their upstream's, and not how this ends. */
    connection->error = 0;
    connection->sides[UPSTREAM] |= SIDE_WRITABLE;
    coreio__add(&worker->tally.connected, 1);
    uint32_t flags = 0;
    if (connection->upstream >= 0) {
        coreio__upstream_succeeded(&proxy->upstreams, connection->upstream, 0);
        flags = proxy->upstreams.all[connection->upstream].flags;
    }
    if ((flags & (COREIO_PROXY_SEND_V1 | COREIO_PROXY_SEND_V2)) != 0) {
        if (connection->target.family == 0)
            coreio__socket_local(connection->fds[CLIENT], &connection->target);
        uint8_t header[COREIO__HEADER_WRITTEN_MAX];
        const int32_t length = coreio__header_write(
            (flags & COREIO_PROXY_SEND_V1) != 0 ? 1 : 2, &connection->source, &connection->target, header);
        /* The first bytes of a new socket: its buffer has room for more than this, or the socket has failed. */
        const ssize_t sent = send(connection->fds[UPSTREAM], header, (size_t)length, MSG_NOSIGNAL);
        if (sent != length) {
            connection->error = sent < 0 ? errno : EPIPE;
            coreio__connection_end(worker, connection, COREIO_PROXY_END_UPSTREAM_RESET);
            return;
        }
    }
    if (arm(worker, connection) < 0) {
        connection->error = ENOMEM;
        coreio__connection_end(worker, connection, COREIO_PROXY_END_RESOURCES);
        return;
    }
    relay(worker, connection);
}

/* Ends a connection that has found no upstream. */
static void unserved(struct coreio__worker *worker, struct coreio__connection *connection)
{
    enum coreio_proxy_end reason = COREIO_PROXY_END_CONNECT_FAILED;
    if (connection->tried == 0)
        reason = COREIO_PROXY_END_NO_UPSTREAM;
    else if (connection->error == ETIMEDOUT)
        reason = COREIO_PROXY_END_CONNECT_TIMEOUT;
    coreio__connection_end(worker, connection, reason);
}

/* Where the next try goes: writes the address and the flags of it; 0 when there is nowhere left to go. */
static int32_t next_upstream(struct coreio__worker *worker, struct coreio__connection *connection,
    struct coreio_proxy_address *address, uint32_t *flags)
{
    struct coreio_proxy *proxy = worker->proxy;
    const struct coreio__listener *listener = &proxy->listeners[connection->listener];
    *flags = 0;
    if ((listener->flags & (COREIO_PROXY_LISTEN_TRANSPARENT | COREIO_PROXY_LISTEN_REDIRECTED)) != 0 &&
        !coreio__upstreams_has(&proxy->upstreams, connection->group)) {
        if (connection->tried != 0)
            return 0;
        struct sockaddr_storage target;
        address->length = coreio__endpoint_address(&connection->target, &target);
        memcpy(address->bytes, &target, address->length);
        connection->tried = 1;
        connection->upstream = -1;
        return 1;
    }
    if (connection->retries >= proxy->options.connect_tries)
        return 0;
    const int32_t index = coreio__upstreams_choose(&proxy->upstreams, &worker->turns, connection->group,
        coreio__endpoint_source(&connection->source), connection->tried, worker->now);
    connection->upstream = index;
    if (index < 0)
        return 0;
    connection->tried |= UINT64_C(1) << (index % 64);
    *address = proxy->upstreams.all[index].address;
    *flags = proxy->upstreams.all[index].flags;
    return 1;
}

/* Connects to the next upstream that takes it, or ends the connection. */
static void connect_next(struct coreio__worker *worker, struct coreio__connection *connection)
{
    struct coreio_proxy *proxy = worker->proxy;
    struct coreio_proxy_address address;
    uint32_t flags;
    connection->state = STATE_CONNECT;
    while (next_upstream(worker, connection, &address, &flags)) {
        int32_t fd;
        const int32_t spoof = (flags & COREIO_PROXY_SPOOF) != 0 ||
                              (proxy->listeners[connection->listener].flags & COREIO_PROXY_LISTEN_SPOOF) != 0;
        const struct coreio__endpoint *from = spoof ? &connection->source : NULL;
        const int32_t status = coreio__socket_connect(&address, from, (const char *)proxy->options.congestion, &fd);
        connection->connect = worker->now;
        if (status < 0 && coreio__socket_exhausted(-status)) {
            connection->error = -status;
            coreio__connection_end(worker, connection, COREIO_PROXY_END_RESOURCES);
            coreio__ears_rest(worker, COREIO__REST_NS);
            return;
        }
        if (status < 0) {
            connection->error = -status;
            connection->retries++;
            coreio__add(&worker->tally.retries, 1);
            if (connection->upstream >= 0)
                coreio__upstream_failed(&proxy->upstreams, connection->upstream, 0, -status, worker->now);
            continue;
        }
        connection->fds[UPSTREAM] = fd;
        connection->sides[UPSTREAM] = coreio__address_family(&address) == AF_UNIX ? SIDE_ASK : 0;
        if (connection->upstream >= 0)
            atomic_fetch_add_explicit(&proxy->upstreams.all[connection->upstream].live, 1, memory_order_relaxed);
        int32_t watched = coreio_loop_add(worker->loop, fd, WATCHED, coreio__owned(OWNER_UPSTREAM, connection->index),
            &connection->watches[UPSTREAM]);
        if (watched == 0)
            watched = arm(worker, connection);
        if (watched < 0) {
            connection->error = -watched;
            coreio__connection_end(worker, connection, COREIO_PROXY_END_RESOURCES);
        } else if (status > 0) {
            established(worker, connection);
        }
        return;
    }
    unserved(worker, connection);
}

/* A connect failed: on to the next. */
static void connect_failed(struct coreio__worker *worker, struct coreio__connection *connection, int32_t error)
{
    connection->error = error;
    if (connection->upstream >= 0)
        coreio__upstream_failed(&worker->proxy->upstreams, connection->upstream, 0, error, worker->now);
    leave_upstream(worker, connection);
    close_side(worker, connection, UPSTREAM, 0);
    connection->retries++;
    coreio__add(&worker->tally.retries, 1);
    connect_next(worker, connection);
}

/* Counts the connection among those of its source; ends it and returns 0 when there are too many. */
static int32_t enter_source(struct coreio__worker *worker, struct coreio__connection *connection)
{
    struct coreio_proxy *proxy = worker->proxy;
    if (proxy->options.max_per_source == 0)
        return 1;
    const uint64_t source = coreio__endpoint_source(&connection->source);
    const int32_t status = coreio__sources_enter(&proxy->sources, source, proxy->options.max_per_source);
    if (status > 0) {
        connection->counted = source;
        return 1;
    }
    if (status == 0)
        coreio__add(&worker->tally.over_limit, 1);
    coreio__connection_end(worker, connection, status == 0 ? COREIO_PROXY_END_LIMIT : COREIO_PROXY_END_RESOURCES);
    return 0;
}

/* Whether the name in the ClientHello, or the lack of one, has led to a group: 1, 0 for more bytes, -1 for none. */
static int32_t choose_by_name(struct coreio__worker *worker, struct coreio__connection *connection, int32_t length)
{
    struct coreio_proxy *proxy = worker->proxy;
    uint8_t name[COREIO__NAME_MAX];
    const int32_t found = coreio__hello_name(worker->scratch, length, name);
    if (found == COREIO__HELLO_MORE && (connection->sides[CLIENT] & SIDE_ENDED) == 0)
        return 0;
    const int32_t group = found > 0 ? coreio__routes_find(&proxy->routes, name, found) : -1;
    if (group >= 0)
        connection->group = group;
    /* A name without a route and without a group to fall back to has no upstream; what is no TLS has no name. */
    return found > 0 || found == COREIO__HELLO_NAMELESS || coreio__upstreams_has(&proxy->upstreams, connection->group)
               ? 1
               : -1;
}

/* Looks at the first bytes, which stay in the socket but for a PROXY header. */
static void look(struct coreio__worker *worker, struct coreio__connection *connection)
{
    const struct coreio__listener *listener = &worker->proxy->listeners[connection->listener];
    for (;;) {
        const ssize_t count = recv(connection->fds[CLIENT], worker->scratch, COREIO__SCRATCH_BYTES, MSG_PEEK);
        if (count < 0 && errno == EAGAIN)
            return;
        if (count <= 0) {
            connection->error = count < 0 ? errno : 0;
            coreio__connection_end(worker, connection, COREIO_PROXY_END_CLIENT_GONE);
            return;
        }
        int32_t enough = 1;
        if ((listener->flags & COREIO_PROXY_LISTEN_HEADER) != 0 && !connection->header) {
            enough = coreio__header_read(worker->scratch, (int32_t)count, &connection->source, &connection->target);
            if (enough > 0) {
                connection->header = 1;
                (void)recv(connection->fds[CLIENT], worker->scratch, (size_t)enough, 0);
                if (!enter_source(worker, connection))
                    return;
                if ((listener->flags & COREIO_PROXY_LISTEN_NAMES) != 0)
                    continue;
            }
        } else if ((listener->flags & COREIO_PROXY_LISTEN_NAMES) != 0) {
            enough = choose_by_name(worker, connection, (int32_t)count);
        }
        if (enough > 0) {
            connect_next(worker, connection);
        } else if (enough < 0 || (connection->sides[CLIENT] & SIDE_ENDED) != 0) {
            coreio__connection_end(worker, connection, COREIO_PROXY_END_BAD_HEADER);
        }
        return;
    }
}

/* A client ends before there is an upstream. What it has sent wants an answer; if that is nothing it gets a moment. */
static void client_left(struct coreio__worker *worker, struct coreio__connection *connection)
{
    uint8_t byte;
    const ssize_t count = recv(connection->fds[CLIENT], &byte, 1, MSG_PEEK);
    if (count > 0 || connection->left || (count < 0 && errno == EAGAIN))
        return;
    connection->error = count < 0 ? errno : 0;
    connection->left = 1;
    connection->last = worker->now;
    if (count < 0 || arm(worker, connection) < 0)
        coreio__connection_end(worker, connection, COREIO_PROXY_END_CLIENT_GONE);
}

void coreio__connection_event(
    struct coreio__worker *worker, struct coreio__connection *connection, enum coreio__side side, uint32_t events)
{
    uint8_t *bits = &connection->sides[side];
    const uint8_t before = *bits;
    /* A failure is not acted on by itself: what can be read is read first, and the call that fails says why. */
    const uint32_t failed = events & ((uint32_t)EPOLLERR | (uint32_t)EPOLLHUP);
    if (failed != 0 || (events & ((uint32_t)EPOLLIN | (uint32_t)EPOLLRDHUP)) != 0)
        *bits |= SIDE_READABLE;
    if (failed != 0 || (events & (uint32_t)EPOLLOUT) != 0)
        *bits |= SIDE_WRITABLE;
    if ((events & ((uint32_t)EPOLLRDHUP | (uint32_t)EPOLLHUP)) != 0)
        *bits |= SIDE_ENDED;
    if (failed != 0 || (events & (uint32_t)EPOLLPRI) != 0)
        *bits |= SIDE_ASK;
    switch ((enum coreio__state)connection->state) {
    case STATE_HEADER:
        look(worker, connection);
        break;
    case STATE_CONNECT:
        if (side == CLIENT) {
            if ((*bits & SIDE_ENDED) != 0 || failed != 0)
                client_left(worker, connection);
        } else if (failed != 0) {
            const int32_t error = coreio__socket_error(connection->fds[UPSTREAM]);
            connect_failed(worker, connection, error == 0 ? ECONNRESET : error);
        } else if ((events & (uint32_t)EPOLLOUT) != 0) {
            established(worker, connection);
        }
        break;
    case STATE_RELAY:
        if (is_idle_word(connection, side, before, events))
            mute(worker, connection, side);
        else
            relay(worker, connection);
        break;
    }
}

void coreio__connection_timer(struct coreio__worker *worker, struct coreio__connection *connection)
{
    const struct coreio_proxy_options *options = &worker->proxy->options;
    const int64_t now = worker->now;
    connection->timer = 0;
    if (earlier(INT64_MAX, connection->begin, options->lifetime_ns) <= now) {
        coreio__connection_end(worker, connection, COREIO_PROXY_END_LIFETIME);
    } else if (connection->state == STATE_HEADER && deadline_of(worker, connection) <= now) {
        coreio__connection_end(worker, connection, COREIO_PROXY_END_HEADER_TIMEOUT);
    } else if (connection->state == STATE_CONNECT && connection->left && connection->last + LEFT_NS <= now) {
        coreio__connection_end(worker, connection, COREIO_PROXY_END_CLIENT_GONE);
    } else if (connection->state == STATE_CONNECT && deadline_of(worker, connection) <= now) {
        connect_failed(worker, connection, ETIMEDOUT);
    } else if (connection->state == STATE_RELAY && half_closed(connection) &&
               earlier(INT64_MAX, connection->last, options->half_close_timeout_ns) <= now) {
        coreio__connection_end(worker, connection, COREIO_PROXY_END_HALF_CLOSED);
    } else if (connection->state == STATE_RELAY &&
               earlier(INT64_MAX, connection->last, options->idle_timeout_ns) <= now) {
        coreio__connection_end(worker, connection, COREIO_PROXY_END_IDLE);
    } else if (connection->state == STATE_RELAY &&
               ((connection->flows[CLIENT].flags | connection->flows[UPSTREAM].flags) & FLOW_WAITS) != 0) {
        relay(worker, connection);
    } else if (arm(worker, connection) < 0) {
        connection->error = ENOMEM;
        coreio__connection_end(worker, connection, COREIO_PROXY_END_RESOURCES);
    }
}

/* The destination that a connection had before it was led here. Returns 0 or -errno. */
static int32_t find_target(struct coreio__worker *worker, struct coreio__connection *connection)
{
    const struct coreio__listener *listener = &worker->proxy->listeners[connection->listener];
    const int32_t fd = connection->fds[CLIENT];
    if ((listener->flags & COREIO_PROXY_LISTEN_TRANSPARENT) != 0)
        coreio__socket_local(fd, &connection->target);
    else if ((listener->flags & COREIO_PROXY_LISTEN_REDIRECTED) == 0)
        return 0;
    else if (coreio__socket_original(fd, &connection->target) < 0)
        return -ENOENT;
    /* One that came to the listener itself was not led here, and would come back for ever. */
    struct sockaddr_storage own = {0};
    memcpy(&own, listener->address.bytes, listener->address.length);
    const struct coreio__endpoint bound = coreio__endpoint_of(&own);
    struct coreio__endpoint local = {0};
    coreio__socket_local(fd, &local);
    const int32_t same = (listener->flags & COREIO_PROXY_LISTEN_TRANSPARENT) != 0
                             ? connection->target.port == bound.port && coreio__socket_is_local(&connection->target)
                             : memcmp(&connection->target, &local, sizeof local) == 0;
    return same ? -ELOOP : 0;
}

void coreio__connection_begin(
    struct coreio__worker *worker, int32_t fd, int32_t listener, const struct coreio__endpoint *source)
{
    struct coreio_proxy *proxy = worker->proxy;
    const int32_t index = coreio__slab_take(&worker->connections);
    if (index < 0) {
        (void)close(fd);
        coreio__add(&worker->tally.ended, 1);
        coreio__add(&worker->tally.ends[COREIO_PROXY_END_RESOURCES], 1);
        atomic_fetch_sub_explicit(&worker->live, 1, memory_order_relaxed);
        atomic_fetch_sub_explicit(&proxy->places, 1, memory_order_relaxed);
        return;
    }
    struct coreio__connection *connection = coreio__slab_item(&worker->connections, index);
    connection->index = index;
    connection->fds[CLIENT] = fd;
    connection->fds[UPSTREAM] = -1;
    connection->listener = listener;
    connection->group = proxy->listeners[listener].group;
    connection->upstream = -1;
    connection->source = *source;
    connection->begin = worker->now;
    connection->last = worker->now;
    connection->sides[CLIENT] = source->family == 0 ? SIDE_WRITABLE | SIDE_ASK : SIDE_WRITABLE;
    if (proxy->options.splice == COREIO_PROXY_SPLICE_ALWAYS) {
        connection->flows[CLIENT].flags = FLOW_STREAM;
        connection->flows[UPSTREAM].flags = FLOW_STREAM;
    }
    if ((proxy->listeners[listener].flags & COREIO_PROXY_LISTEN_HEADER) == 0 && !enter_source(worker, connection))
        return;
    int32_t status =
        coreio_loop_add(worker->loop, fd, WATCHED, coreio__owned(OWNER_CLIENT, index), &connection->watches[CLIENT]);
    const int32_t looks =
        (proxy->listeners[listener].flags & (COREIO_PROXY_LISTEN_HEADER | COREIO_PROXY_LISTEN_NAMES)) != 0;
    if (status == 0 && looks)
        status = arm(worker, connection);
    if (status < 0) {
        connection->error = -status;
        coreio__connection_end(worker, connection, COREIO_PROXY_END_RESOURCES);
        return;
    }
    status = find_target(worker, connection);
    if (status < 0) {
        connection->error = -status;
        coreio__connection_end(worker, connection, COREIO_PROXY_END_NO_UPSTREAM);
        return;
    }
    if (!looks)
        connect_next(worker, connection);
}
