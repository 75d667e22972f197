/* The path of the bytes: copy for little, splice(2) for much. Nothing here allocates but for a peer that does not read.
 *
 * What holds, because the kernel tells of an edge once: a side is readable until a read says EAGAIN or comes back
 * short, and writable until a write does. A flow reads only while its target is writable and nothing is held for it,
 * but for one read that tops up its pipe, so a peer that does not read stops the reading of the other, and the kernel's
 * windows stop that peer.
 */
#include "flow.h"

#include "proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* Bytes a flow may carry in a turn before others get theirs. */
#define TURN_BYTES (1024 * 1024)

/* A read of this much is a large one; after so many in a row the flow streams. */
#define LARGE (32 * 1024)
#define LARGE_READS 3
/* A splice of less is a small one; after so many in a row the flow copies again. */
#define SMALL 4096
#define SMALL_READS 15
/* The streak of a flow whose sockets cannot be spliced. */
#define NEVER UINT8_MAX

#define SECOND_NS 1000000000
/* Bandwidth that was not used is kept for so long. */
#define BURST_NS (SECOND_NS / 10)

void coreio__flow_drop(struct coreio__worker *worker, struct coreio__flow *flow)
{
    if (flow->held != NULL) {
        coreio__add(&worker->tally.buffers, -flow->held->length);
        free(flow->held);
        flow->held = NULL;
    }
    if (flow->pipe != NULL) {
        if (flow->in_pipe > 0)
            coreio__pipes_drop(&worker->pipes, flow->pipe);
        else
            coreio__pipes_give(&worker->pipes, flow->pipe);
        flow->pipe = NULL;
        flow->in_pipe = 0;
        flow->flags &= (uint8_t)~FLOW_TOPPED;
    }
}

/* Bytes the bandwidth allows now. */
static int64_t allowance(const struct coreio__worker *worker, const struct coreio__flow *flow)
{
    const int64_t bandwidth = worker->proxy->options.bandwidth;
    if (bandwidth == 0)
        return TURN_BYTES;
    const int64_t since = worker->now + BURST_NS - flow->used_up;
    const int64_t free_ns = since < BURST_NS ? since : BURST_NS;
    return free_ns <= 0 ? 0 : (int64_t)((double)free_ns * (double)bandwidth / SECOND_NS) + 1;
}

int64_t coreio__flow_resumes(const struct coreio__flow *flow)
{
    return flow->used_up - BURST_NS / 2;
}

/* Counts bytes that came from the source. */
static void received(
    struct coreio__worker *worker, struct coreio__connection *connection, enum coreio__side side, int64_t bytes)
{
    struct coreio__flow *flow = &connection->flows[side];
    flow->bytes += bytes;
    connection->last = worker->now;
    coreio__add(&worker->tally.bytes[side], bytes);
    const int64_t bandwidth = worker->proxy->options.bandwidth;
    if (bandwidth != 0) {
        const int64_t from = flow->used_up > worker->now ? flow->used_up : worker->now;
        flow->used_up = from + (int64_t)((double)bytes * SECOND_NS / (double)bandwidth);
    }
}

/* The target takes nothing any more: the flow is over, and the other one will find out why. */
static void target_gone(
    struct coreio__worker *worker, struct coreio__connection *connection, enum coreio__side side, int32_t error)
{
    struct coreio__flow *flow = &connection->flows[side];
    flow->flags |= error == ECONNRESET ? FLOW_DONE | FLOW_GONE : FLOW_DONE;
    coreio__flow_drop(worker, flow);
    connection->sides[1 - side] |= SIDE_READABLE;
    if (connection->error == 0)
        connection->error = error;
}

/* The source was reset, or failed otherwise. */
static void source_failed(struct coreio__connection *connection, enum coreio__side side, int32_t error)
{
    connection->flows[side].flags |= FLOW_ENDED | FLOW_RESET;
    connection->sides[side] &= (uint8_t)~SIDE_READABLE;
    connection->error = error;
}

/* Sends held bytes; returns 1 when none is left. */
static int32_t flush_held(struct coreio__worker *worker, struct coreio__connection *connection, enum coreio__side side)
{
    struct coreio__held *held = connection->flows[side].held;
    const ssize_t sent =
        send(connection->fds[1 - side], held->bytes + held->offset, (size_t)held->length, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno == EAGAIN)
            connection->sides[1 - side] &= (uint8_t)~SIDE_WRITABLE;
        else
            target_gone(worker, connection, side, errno);
        return 0;
    }
    connection->last = worker->now;
    coreio__add(&worker->tally.buffers, -sent);
    held->offset += (int32_t)sent;
    held->length -= (int32_t)sent;
    if (held->length > 0) {
        connection->sides[1 - side] &= (uint8_t)~SIDE_WRITABLE;
        return 0;
    }
    free(held);
    connection->flows[side].held = NULL;
    return 1;
}

/* Moves what is in the pipe on; returns 1 when it is empty. */
static int32_t flush_pipe(struct coreio__worker *worker, struct coreio__connection *connection, enum coreio__side side)
{
    struct coreio__flow *flow = &connection->flows[side];
    while (flow->in_pipe > 0) {
        /* Exactly what is there: with more, or with SPLICE_F_MORE, the kernel waits 200 ms for the rest. */
        const ssize_t sent = splice(flow->pipe->ends[0], NULL, connection->fds[1 - side], NULL, (size_t)flow->in_pipe,
            SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
        if (sent <= 0) {
            if (sent < 0 && errno == EAGAIN)
                connection->sides[1 - side] &= (uint8_t)~SIDE_WRITABLE;
            else
                target_gone(worker, connection, side, sent < 0 ? errno : EPIPE);
            return 0;
        }
        connection->last = worker->now;
        flow->in_pipe -= (int32_t)sent;
    }
    flow->flags &= (uint8_t)~FLOW_TOPPED;
    return 1;
}

/* Keeps what the target did not take. */
static int32_t hold(struct coreio__worker *worker, struct coreio__flow *flow, const uint8_t *bytes, int32_t length)
{
    struct coreio__held *held = malloc(sizeof *held + (size_t)length);
    if (held == NULL)
        return -ENOMEM;
    held->offset = 0;
    held->length = length;
    memcpy(held->bytes, bytes, (size_t)length);
    flow->held = held;
    coreio__add(&worker->tally.buffers, length);
    return 0;
}

/* Reads once and sends it. Returns the bytes, 0 when the flow stops for now, or -ENOMEM. */
static int64_t copy_once(
    struct coreio__worker *worker, struct coreio__connection *connection, enum coreio__side side, int64_t most)
{
    struct coreio__flow *flow = &connection->flows[side];
    const size_t asked = most < COREIO__SCRATCH_BYTES ? (size_t)most : COREIO__SCRATCH_BYTES;
    const ssize_t count = recv(connection->fds[side], worker->scratch, asked, 0);
    if (count <= 0) {
        if (count == 0)
            flow->flags |= FLOW_ENDED;
        else if (errno != EAGAIN)
            source_failed(connection, side, errno);
        connection->sides[side] &= (uint8_t)~SIDE_READABLE;
        return 0;
    }
    received(worker, connection, side, count);
    /* Everything that was there has been read. If the end was there already, it is what comes next. */
    if ((size_t)count < asked && (connection->sides[side] & SIDE_ASK) == 0) {
        connection->sides[side] &= (uint8_t)~SIDE_READABLE;
        if ((connection->sides[side] & SIDE_ENDED) != 0)
            flow->flags |= FLOW_ENDED;
    }
    if (flow->streak != NEVER) {
        flow->streak = count >= LARGE ? (uint8_t)(flow->streak + 1) : 0;
        if (flow->streak >= LARGE_READS && worker->proxy->options.splice != COREIO_PROXY_SPLICE_NEVER) {
            flow->flags |= FLOW_STREAM;
            flow->streak = 0;
        }
    }
    const ssize_t sent = send(connection->fds[1 - side], worker->scratch, (size_t)count, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        target_gone(worker, connection, side, errno);
        return 0;
    }
    const int32_t taken = sent < 0 ? 0 : (int32_t)sent;
    if (taken == count)
        return count;
    connection->sides[1 - side] &= (uint8_t)~SIDE_WRITABLE;
    return hold(worker, flow, worker->scratch + taken, (int32_t)count - taken);
}

/* Goes back to copying, for good when `never`. */
static void leave_stream(struct coreio__worker *worker, struct coreio__flow *flow, int32_t never)
{
    coreio__flow_drop(worker, flow);
    flow->flags &= (uint8_t)~FLOW_STREAM;
    flow->streak = never ? NEVER : 0;
}

/* Fills the pipe once. Returns the bytes, 0 when there were none, -EINVAL when this source has no splice. */
static int64_t fill(
    struct coreio__worker *worker, struct coreio__connection *connection, enum coreio__side side, int64_t most)
{
    struct coreio__flow *flow = &connection->flows[side];
    const size_t asked = most < flow->pipe->bytes ? (size_t)most : (size_t)flow->pipe->bytes;
    const ssize_t count =
        splice(connection->fds[side], NULL, flow->pipe->ends[1], NULL, asked, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (count > 0) {
        received(worker, connection, side, count);
        coreio__add(&worker->tally.spliced, count);
        flow->in_pipe += (int32_t)count;
        return count;
    }
    const int32_t error = count < 0 ? errno : 0;
    if (error == EINVAL)
        return -EINVAL;
    /* A pipe that holds something may itself be what is full. */
    if (error == EAGAIN && flow->in_pipe > 0)
        return 0;
    connection->sides[side] &= (uint8_t)~SIDE_READABLE;
    if (error == 0)
        flow->flags |= FLOW_ENDED;
    else if (error != EAGAIN)
        source_failed(connection, side, error);
    return 0;
}

/* Fills the empty pipe once and moves it on. Returns the bytes, 0 when the flow stops for now, -EAGAIN when it has to
 * copy instead. */
static int64_t stream_once(
    struct coreio__worker *worker, struct coreio__connection *connection, enum coreio__side side, int64_t most)
{
    struct coreio__flow *flow = &connection->flows[side];
    if (flow->pipe == NULL) {
        flow->pipe = coreio__pipes_take(&worker->pipes);
        if (flow->pipe == NULL) {
            leave_stream(worker, flow, 0);
            return -EAGAIN;
        }
    }
    const int64_t count = fill(worker, connection, side, most);
    if (count == -EINVAL) {
        leave_stream(worker, flow, 1);
        return -EAGAIN;
    }
    if (count == 0) {
        coreio__flow_drop(worker, flow);
        return 0;
    }
    flow->streak = count < SMALL ? (uint8_t)(flow->streak + 1) : 0;
    if (!flush_pipe(worker, connection, side))
        return 0;
    if (flow->streak >= SMALL_READS && worker->proxy->options.splice == COREIO_PROXY_SPLICE_AUTO)
        leave_stream(worker, flow, 0);
    return count;
}

/* While the target takes nothing, what the source has goes into the room that is left in the pipe, once: the source
 * goes on sooner, and more is there for the target at its next turn. */
static void top_up(struct coreio__worker *worker, struct coreio__connection *connection, enum coreio__side side)
{
    struct coreio__flow *flow = &connection->flows[side];
    if (flow->in_pipe == 0 || (flow->flags & (FLOW_TOPPED | FLOW_ENDED)) != 0 ||
        (connection->sides[side] & SIDE_READABLE) == 0)
        return;
    const int64_t allowed = allowance(worker, flow);
    if (allowed == 0)
        return;
    flow->flags |= FLOW_TOPPED;
    (void)fill(worker, connection, side, allowed);
}

/* Passes the end of the source on, once. */
static void pass_end(struct coreio__worker *worker, struct coreio__connection *connection, enum coreio__side side)
{
    struct coreio__flow *flow = &connection->flows[side];
    if ((flow->flags & (FLOW_DONE | FLOW_RESET)) != 0)
        return;
    coreio__flow_drop(worker, flow);
    flow->flags |= FLOW_DONE;
    /* With both ended the sockets are closed next, which says the same. */
    if ((connection->flows[1 - side].flags & FLOW_DONE) == 0)
        (void)shutdown(connection->fds[1 - side], SHUT_WR);
}

int32_t coreio__flow_is_blocked(const struct coreio__connection *connection, enum coreio__side side)
{
    const struct coreio__flow *flow = &connection->flows[side];
    if ((flow->flags & FLOW_WAITS) != 0)
        return 1;
    const int32_t full = flow->held != NULL || (flow->in_pipe > 0 && (flow->flags & FLOW_TOPPED) != 0);
    return full && (connection->sides[1 - side] & SIDE_WRITABLE) == 0;
}

int32_t coreio__flow_run(struct coreio__worker *worker, struct coreio__connection *connection, enum coreio__side side)
{
    struct coreio__flow *flow = &connection->flows[side];
    uint8_t *source = &connection->sides[side];
    const uint8_t *target = &connection->sides[1 - side];
    int64_t turn = TURN_BYTES;
    flow->flags &= (uint8_t)~FLOW_WAITS;
    while ((flow->flags & FLOW_DONE) == 0) {
        if (coreio__flow_holds(flow)) {
            int32_t empty = 0;
            if ((*target & SIDE_WRITABLE) != 0)
                empty =
                    flow->held != NULL ? flush_held(worker, connection, side) : flush_pipe(worker, connection, side);
            if (!empty) {
                top_up(worker, connection, side);
                return 0;
            }
        }
        if ((flow->flags & FLOW_ENDED) != 0) {
            pass_end(worker, connection, side);
            return 0;
        }
        if ((*source & SIDE_READABLE) == 0 || (*target & SIDE_WRITABLE) == 0)
            return 0;
        if (turn <= 0) {
            (void)coreio_loop_again(worker->loop, connection->watches[side], EPOLLIN);
            return 0;
        }
        const int64_t allowed = allowance(worker, flow);
        if (allowed == 0) {
            flow->flags |= FLOW_WAITS;
            return 0;
        }
        int64_t count = -EAGAIN;
        if ((flow->flags & FLOW_STREAM) != 0)
            count = stream_once(worker, connection, side, allowed);
        if (count == -EAGAIN)
            count = copy_once(worker, connection, side, allowed);
        if (count == -ENOMEM)
            return -ENOMEM;
        turn -= count;
    }
    return 0;
}
