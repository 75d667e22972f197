/* The thread of a worker: waits, and hands each event to its owner. */
#include "worker.h"

#include "check.h"
#include "connection.h"
#include "cpu/cpu.h"
#include "ears.h"
#include "proxy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Events of one wait: enough that a busy worker waits seldom, few enough that they stay in the first-level cache. */
#define BATCH 256

void coreio__worker_order(struct coreio__worker *worker, uint32_t order)
{
    (void)atomic_fetch_or(&worker->orders, order);
    (void)coreio_loop_wake(worker->loop);
}

/* The sockets a worker listens on: its own of each listener, or one that it shares. */
static int32_t find_ears(struct coreio__worker *worker)
{
    struct coreio_proxy *proxy = worker->proxy;
    const int32_t workers = proxy->options.workers;
    for (int32_t i = 0; i < proxy->listener_count; i++)
        worker->ear_count += proxy->listeners[i].fd_count / workers + 1;
    worker->ears = calloc((size_t)worker->ear_count + 1, sizeof *worker->ears);
    if (worker->ears == NULL)
        return -ENOMEM;
    worker->ear_count = 0;
    for (int32_t i = 0; i < proxy->listener_count; i++) {
        struct coreio__listener *listener = &proxy->listeners[i];
        const int32_t shared = listener->fd_count < workers;
        for (int32_t j = 0; j < listener->fd_count; j++) {
            if (shared ? worker->index % listener->fd_count != j : j % workers != worker->index)
                continue;
            worker->ears[worker->ear_count++] = (struct coreio__ear){
                .fd = atomic_load(&listener->fds[j]),
                .listener = i,
                .exclusive = shared && proxy->options.accept != COREIO_PROXY_SHARED,
                .open = 1,
            };
            atomic_fetch_add(&listener->users[j], 1);
        }
    }
    return 0;
}

int32_t coreio__worker_start(struct coreio__worker *worker, struct coreio_proxy *proxy, int32_t index, int32_t cpu)
{
    worker->proxy = proxy;
    worker->index = index;
    worker->cpu = cpu;
    coreio__slab_start(&worker->connections, sizeof(struct coreio__connection));
    coreio__pipes_start(&worker->pipes, proxy->options.pipe_bytes, proxy->options.pipes);
    (void)pthread_mutex_init(&worker->inbox.lock, NULL);
    int32_t status = coreio_loop_create(NULL, &worker->loop);
    if (status == 0)
        status = coreio__turns_start(&worker->turns, &proxy->upstreams, index);
    if (status == 0 && (proxy->options.flags & COREIO_PROXY_JOURNAL) != 0)
        status = coreio__journal_start(&worker->journal, proxy->options.journal_capacity);
    if (status == 0)
        status = find_ears(worker);
    if (status == 0) {
        worker->scratch = malloc(COREIO__SCRATCH_BYTES);
        if (worker->scratch == NULL)
            status = -ENOMEM;
    }
    return status;
}

void coreio__worker_end(struct coreio__worker *worker)
{
    /* The journal stays: it may be read after the stop. */
    for (int32_t i = 0; i < worker->inbox.count; i++)
        (void)close(worker->inbox.items[i].fd);
    free(worker->inbox.items);
    worker->inbox = (struct coreio__inbox){.lock = worker->inbox.lock};
    coreio_loop_destroy(worker->loop);
    worker->loop = NULL;
    coreio__pipes_end(&worker->pipes);
    atomic_store_explicit(&worker->tally.pipes, 0, memory_order_relaxed);
    coreio__turns_end(&worker->turns);
    coreio__slab_end(&worker->connections);
    free(worker->ears);
    worker->ears = NULL;
    free(worker->scratch);
    worker->scratch = NULL;
}

/* Ends every connection. */
static void end_all(struct coreio__worker *worker)
{
    coreio__ears_take_inbox(worker);
    for (int32_t i = 0; i < worker->connections.high; i++) {
        struct coreio__connection *connection = coreio__slab_item(&worker->connections, i);
        if ((connection->head.generation & 1) != 0)
            coreio__connection_end(worker, connection, COREIO_PROXY_END_STOPPED);
    }
}

/* Ends accepting, and sets the end of what is left. */
static void drain(struct coreio__worker *worker)
{
    if (!worker->draining) {
        worker->draining = 1;
        coreio__ears_close(worker);
        atomic_store(&worker->deaf, 1);
    }
    if (worker->drain_timer != 0)
        (void)coreio_loop_stop(worker->loop, worker->drain_timer);
    worker->drain_timer = 0;
    const int64_t timeout = atomic_load(&worker->proxy->drain_timeout);
    if (timeout >= 0)
        (void)coreio_loop_start(worker->loop, timeout, 0, coreio__owned(OWNER_DRAIN, 0), &worker->drain_timer);
}

static void obey(struct coreio__worker *worker)
{
    const uint32_t orders = atomic_exchange(&worker->orders, 0);
    if ((orders & ORDER_INBOX) != 0)
        coreio__ears_take_inbox(worker);
    if ((orders & ORDER_DRAIN) != 0)
        drain(worker);
    if ((orders & ORDER_STOP) != 0)
        worker->stopping = 1;
}

static void serve_side(struct coreio__worker *worker, const struct coreio_loop_event *event, int32_t index)
{
    const enum coreio__side side = (event->data & OWNER_MASK) == OWNER_CLIENT ? CLIENT : UPSTREAM;
    struct coreio__connection *connection = coreio__slab_item(&worker->connections, index);
    /* An event of this batch for a socket that was closed in this batch; its connection may be another's by now. */
    if ((connection->head.generation & 1) == 0 || connection->watches[side] != event->id) {
        coreio__add(&worker->tally.stale, 1);
        return;
    }
    coreio__connection_event(worker, connection, side, event->events);
}

static void serve(struct coreio__worker *worker, const struct coreio_loop_event *event)
{
    const int32_t index = (int32_t)(event->data >> OWNER_BITS);
    if (event->kind == COREIO_LOOP_WOKEN) {
        obey(worker);
        return;
    }
    switch ((enum coreio__owner)(event->data & OWNER_MASK)) {
    case OWNER_CLIENT:
    case OWNER_UPSTREAM:
        serve_side(worker, event, index);
        break;
    case OWNER_CONNECTION: {
        struct coreio__connection *connection = coreio__slab_item(&worker->connections, index);
        if ((connection->head.generation & 1) != 0 && connection->timer == event->id)
            coreio__connection_timer(worker, connection);
        break;
    }
    case OWNER_LISTENER:
        coreio__ears_accept(worker, index);
        break;
    case OWNER_REST:
        coreio__ears_resume(worker);
        break;
    case OWNER_CHECK:
        if (worker->checks[index].watch == event->id)
            coreio__check_event(worker, index, event->events);
        break;
    case OWNER_CHECK_TIMER:
        if (worker->checks[index].timer == event->id)
            coreio__check_timer(worker, index);
        break;
    case OWNER_DRAIN:
        worker->drain_timer = 0;
        end_all(worker);
        break;
    }
}

/* Names the thread, pins it, and begins to listen. Returns 0 or a status. */
static int32_t settle(struct coreio__worker *worker)
{
    char name[16];
    (void)snprintf(name, sizeof name, "coreio-proxy-%u", (unsigned)worker->index % 100u);
    (void)pthread_setname_np(pthread_self(), name);
    atomic_store(&worker->thread_id, (int)gettid());
    if (worker->cpu >= 0) {
        struct coreio_cpu_place where;
        const int32_t status = coreio__cpu_pin_self(worker->cpu, &where);
        if (status < 0)
            return status;
    }
    worker->now = coreio_loop_now(worker->loop);
    const int32_t status = coreio__checks_start(worker);
    return status < 0 ? status : coreio__ears_open(worker);
}

void *coreio__worker_run(void *argument)
{
    struct coreio__worker *worker = argument;
    const int32_t status = settle(worker);
    atomic_store(&worker->started, status < 0 ? status : 1);
    struct coreio_loop_event events[BATCH];
    while (status >= 0 && !worker->stopping) {
        const int32_t count = coreio_loop_wait(worker->loop, events, BATCH, -1);
        worker->now = coreio_loop_now(worker->loop);
        coreio__add(&worker->tally.waits, 1);
        for (int32_t i = 0; i < count; i++)
            serve(worker, &events[i]);
        atomic_store_explicit(&worker->tally.pipes, worker->pipes.made, memory_order_relaxed);
    }
    coreio__ears_close(worker);
    atomic_store(&worker->deaf, 1);
    end_all(worker);
    coreio__checks_end(worker);
    return NULL;
}
