/* Checks by connecting; see check.h. A check that succeeds is reset, so that it leaves nothing in TIME_WAIT. */
#include "check.h"

#include "proxy.h"
#include "socket.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

int32_t coreio__checks_start(struct coreio__worker *worker)
{
    const struct coreio_proxy *proxy = worker->proxy;
    const int32_t count = proxy->upstreams.count;
    if (worker->index != 0 || !proxy->upstreams.checked || count == 0)
        return 0;
    worker->checks = calloc((size_t)count, sizeof *worker->checks);
    if (worker->checks == NULL)
        return -ENOMEM;
    for (int32_t i = 0; i < count; i++)
        worker->checks[i].fd = -1;
    for (int32_t i = 0; i < count; i++) {
        const int64_t first = proxy->options.check_interval_ns / count * i;
        const int32_t status =
            coreio_loop_start(worker->loop, first, 0, coreio__owned(OWNER_CHECK_TIMER, i), &worker->checks[i].timer);
        if (status < 0)
            return status;
    }
    return 0;
}

static void close_check(struct coreio__worker *worker, struct coreio__check *check)
{
    if (check->fd < 0)
        return;
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(check->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    if (check->watch != 0)
        (void)coreio_loop_remove(worker->loop, check->watch, COREIO_LOOP_CLOSING);
    (void)close(check->fd);
    check->fd = -1;
    check->watch = 0;
}

/* Notes how a check ended and sets the time of the next. */
static void conclude(struct coreio__worker *worker, int32_t upstream, int32_t error)
{
    struct coreio_proxy *proxy = worker->proxy;
    struct coreio__check *check = &worker->checks[upstream];
    if (error == 0)
        coreio__upstream_succeeded(&proxy->upstreams, upstream, 1);
    else
        coreio__upstream_failed(&proxy->upstreams, upstream, 1, error, worker->now);
    close_check(worker, check);
    const int64_t next = check->begin + proxy->options.check_interval_ns - worker->now;
    (void)coreio_loop_stop(worker->loop, check->timer);
    /* There is room for a timer: one was just given back. */
    (void)coreio_loop_start(
        worker->loop, next > 0 ? next : 0, 0, coreio__owned(OWNER_CHECK_TIMER, upstream), &check->timer);
}

void coreio__check_timer(struct coreio__worker *worker, int32_t upstream)
{
    struct coreio_proxy *proxy = worker->proxy;
    struct coreio__check *check = &worker->checks[upstream];
    if (check->fd >= 0) {
        conclude(worker, upstream, ETIMEDOUT);
        return;
    }
    check->begin = worker->now;
    const int64_t patience =
        proxy->options.connect_timeout_ns > 0 ? proxy->options.connect_timeout_ns : proxy->options.check_interval_ns;
    (void)coreio_loop_start(worker->loop, patience, 0, coreio__owned(OWNER_CHECK_TIMER, upstream), &check->timer);
    int32_t status = coreio__socket_connect(&proxy->upstreams.all[upstream].address, NULL, "", &check->fd);
    if (status == 0)
        status = coreio_loop_add(worker->loop, check->fd, (uint32_t)EPOLLOUT | (uint32_t)EPOLLET,
            coreio__owned(OWNER_CHECK, upstream), &check->watch);
    else if (status > 0) {
        conclude(worker, upstream, 0);
        return;
    }
    /* Descriptors that ran out here say nothing of the upstream; the timer looks again. */
    if (status < 0 && coreio__socket_exhausted(-status))
        close_check(worker, check);
    else if (status < 0)
        conclude(worker, upstream, -status);
}

void coreio__check_event(struct coreio__worker *worker, int32_t upstream, uint32_t events)
{
    const struct coreio__check *check = &worker->checks[upstream];
    int32_t error = 0;
    if ((events & ((uint32_t)EPOLLERR | (uint32_t)EPOLLHUP)) != 0) {
        error = coreio__socket_error(check->fd);
        if (error == 0)
            error = ECONNRESET;
    }
    conclude(worker, upstream, error);
}

void coreio__checks_end(struct coreio__worker *worker)
{
    if (worker->checks == NULL)
        return;
    for (int32_t i = 0; i < worker->proxy->upstreams.count; i++)
        close_check(worker, &worker->checks[i]);
    free(worker->checks);
    worker->checks = NULL;
}
