/* Accepting; see ears.h.
 *
 * SO_REUSEPORT spreads connections by hash, which is fair for many and a lottery for few. So a worker that has more
 * than the least busy one hands a new connection over, with some tolerance where there are many and a hand-over costs
 * more than it gains.
 */
#include "ears.h"

#include "connection.h"
#include "proxy.h"
#include "socket.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections accepted in one turn, before others get theirs. */
#define TURN 64

/* Up to so many a worker, connections are spread to the one; above, a hand-over has to gain something: with 32 short
 * ones on two workers every third was handed over for an even spread, and each costs a wake-up. */
#define FEW 8

static int32_t watch(struct coreio__worker *worker, int32_t index)
{
    struct coreio__ear *ear = &worker->ears[index];
    const uint32_t interest = (uint32_t)EPOLLIN | (ear->exclusive ? (uint32_t)EPOLLEXCLUSIVE : 0);
    return coreio_loop_add(worker->loop, ear->fd, interest, coreio__owned(OWNER_LISTENER, index), &ear->watch);
}

int32_t coreio__ears_open(struct coreio__worker *worker)
{
    for (int32_t i = 0; i < worker->ear_count; i++) {
        const int32_t status = watch(worker, i);
        if (status < 0)
            return status;
    }
    return 0;
}

static void unwatch(struct coreio__worker *worker, struct coreio__ear *ear)
{
    if (ear->watch != 0)
        (void)coreio_loop_remove(worker->loop, ear->watch, 0);
    ear->watch = 0;
}

void coreio__ears_rest(struct coreio__worker *worker, int64_t ns)
{
    if (worker->resting || worker->draining)
        return;
    /* Without memory for a timer nothing would end the rest. */
    int64_t timer;
    if (coreio_loop_start(worker->loop, ns, 0, coreio__owned(OWNER_REST, 0), &timer) < 0)
        return;
    worker->resting = 1;
    for (int32_t i = 0; i < worker->ear_count; i++)
        unwatch(worker, &worker->ears[i]);
}

void coreio__ears_resume(struct coreio__worker *worker)
{
    worker->resting = 0;
    if (worker->draining)
        return;
    for (int32_t i = 0; i < worker->ear_count; i++) {
        if (worker->ears[i].watch == 0 && watch(worker, i) < 0) {
            coreio__ears_rest(worker, COREIO__REST_NS);
            return;
        }
    }
}

/* The worker a new connection goes to. */
static struct coreio__worker *place(struct coreio__worker *worker)
{
    struct coreio_proxy *proxy = worker->proxy;
    if (proxy->options.workers == 1 || (proxy->options.flags & COREIO_PROXY_KEEP_PLACE) != 0)
        return worker;
    struct coreio__worker *best = worker;
    int64_t least = atomic_load_explicit(&worker->live, memory_order_relaxed);
    const int64_t own = least;
    for (int32_t i = 0; i < proxy->options.workers; i++) {
        const int64_t live = atomic_load_explicit(&proxy->workers[i].live, memory_order_relaxed);
        if (live < least) {
            least = live;
            best = &proxy->workers[i];
        }
    }
    const int64_t tolerance = least < FEW ? 0 : least / 2;
    return own - least > tolerance ? best : worker;
}

/* Hands a connection over; returns 0 when there is no memory for it. */
static int32_t hand_over(struct coreio__worker *to, const struct coreio__handed *handed)
{
    struct coreio__inbox *inbox = &to->inbox;
    int32_t taken = 1;
    (void)pthread_mutex_lock(&inbox->lock);
    if (inbox->count == inbox->capacity) {
        const int32_t capacity = inbox->capacity == 0 ? 64 : 2 * inbox->capacity;
        struct coreio__handed *items = realloc(inbox->items, (size_t)capacity * sizeof *items);
        if (items != NULL) {
            inbox->items = items;
            inbox->capacity = capacity;
        } else {
            taken = 0;
        }
    }
    if (taken)
        inbox->items[inbox->count++] = *handed;
    (void)pthread_mutex_unlock(&inbox->lock);
    if (taken)
        coreio__worker_order(to, ORDER_INBOX);
    return taken;
}

/* Takes a place for a connection, unless there are as many as may be: workers together do not take more. */
static int32_t take_place(struct coreio_proxy *proxy, int32_t most)
{
    int64_t places = atomic_load_explicit(&proxy->places, memory_order_relaxed);
    do {
        if (most > 0 && places >= most)
            return 0;
    } while (!atomic_compare_exchange_weak_explicit(
        &proxy->places, &places, places + 1, memory_order_relaxed, memory_order_relaxed));
    return 1;
}

/* Takes one connection from a socket, unless there are `most` already; 0 is any number. Returns 1, 0 when none is
 * queued, -EBUSY for too many, or another -errno. */
static int32_t accept_one(struct coreio__worker *worker, const struct coreio__ear *ear, int32_t most)
{
    struct coreio_proxy *proxy = worker->proxy;
    if (!take_place(proxy, most))
        return -EBUSY;
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    const int fd = accept4(ear->fd, (struct sockaddr *)&address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        const int32_t error = errno;
        atomic_fetch_sub_explicit(&proxy->places, 1, memory_order_relaxed);
        if (error == EAGAIN)
            return 0;
        /* Errors of the connection itself, which accept(2) passes on: it is gone, and others may be queued. */
        return coreio__socket_exhausted(error) || error == EBADF || error == EINVAL ? -error : 1;
    }
    struct coreio__worker *to = place(worker);
    coreio__add(&worker->tally.accepted, 1);
    atomic_fetch_add_explicit(&to->live, 1, memory_order_relaxed);
    const struct coreio__handed handed = {.fd = fd, .listener = ear->listener, .source = coreio__endpoint_of(&address)};
    if (to != worker && hand_over(to, &handed)) {
        coreio__add(&worker->tally.handed_over, 1);
        return 1;
    }
    if (to != worker) {
        atomic_fetch_sub_explicit(&to->live, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&worker->live, 1, memory_order_relaxed);
    }
    coreio__connection_begin(worker, fd, ear->listener, &handed.source);
    return 1;
}

void coreio__ears_accept(struct coreio__worker *worker, int32_t index)
{
    struct coreio_proxy *proxy = worker->proxy;
    const struct coreio_proxy_options *options = &proxy->options;
    for (int32_t i = 0; i < TURN && worker->ears[index].watch != 0; i++) {
        const int64_t wait = options->rate > 0 ? coreio__rate_take(&proxy->rate, options->rate, worker->now) : 0;
        if (wait > 0) {
            coreio__ears_rest(worker, wait);
            return;
        }
        const int32_t status = accept_one(worker, &worker->ears[index], options->max_connections);
        if (status > 0)
            continue;
        if (options->rate > 0)
            coreio__rate_give(&proxy->rate, options->rate);
        if (status == -EBUSY) {
            coreio__ears_rest(worker, COREIO__LIMIT_REST_NS);
        } else if (status < 0) {
            coreio__add(&worker->tally.accept_failures, 1);
            coreio__ears_rest(worker, COREIO__REST_NS);
        }
        return;
    }
}

/* Counts a worker out of a listening socket; the last closes it. */
static void leave(struct coreio__listener *listener, int32_t fd, int32_t keep)
{
    for (int32_t i = 0; i < listener->fd_count; i++) {
        if (atomic_load(&listener->fds[i]) != fd || atomic_fetch_sub(&listener->users[i], 1) != 1 || keep)
            continue;
        atomic_store(&listener->fds[i], -1);
        (void)close(fd);
    }
}

void coreio__ears_close(struct coreio__worker *worker)
{
    struct coreio_proxy *proxy = worker->proxy;
    const int32_t keep = atomic_load(&proxy->keep);
    const int32_t take = !keep && !worker->stopping;
    for (int32_t i = 0; i < worker->ear_count; i++) {
        struct coreio__ear *ear = &worker->ears[i];
        unwatch(worker, ear);
        if (!ear->open)
            continue;
        ear->open = 0;
        struct coreio__listener *listener = &proxy->listeners[ear->listener];
        const int32_t last = take && !atomic_load(&listener->handed_over);
        /* What is queued, one more than the backlog at most, and not what goes on coming while the socket listens. */
        for (int32_t left = proxy->options.backlog; last && left >= 0 && accept_one(worker, ear, 0) > 0; left--) {
        }
        leave(listener, ear->fd, keep);
    }
}

void coreio__ears_take_inbox(struct coreio__worker *worker)
{
    struct coreio__inbox *inbox = &worker->inbox;
    for (;;) {
        (void)pthread_mutex_lock(&inbox->lock);
        struct coreio__handed handed = {.fd = -1};
        if (inbox->count > 0)
            handed = inbox->items[--inbox->count];
        (void)pthread_mutex_unlock(&inbox->lock);
        if (handed.fd < 0)
            return;
        coreio__connection_begin(worker, handed.fd, handed.listener, &handed.source);
    }
}
