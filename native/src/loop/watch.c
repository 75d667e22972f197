/* Which descriptors a loop watches, and for what.
 *
 * Adding goes to the kernel at once, so that what it refuses is refused to the caller; a change of interest waits for
 * the next wait, when most have come to nothing; removing goes to the kernel unless the descriptor is closed next.
 */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>

#define INTEREST                                                                                                       \
    ((uint32_t)EPOLLIN | (uint32_t)EPOLLOUT | (uint32_t)EPOLLPRI | (uint32_t)EPOLLRDHUP | (uint32_t)EPOLLET |          \
        (uint32_t)EPOLLONESHOT | (uint32_t)EPOLLRDNORM | (uint32_t)EPOLLRDBAND | (uint32_t)EPOLLWRNORM |               \
        (uint32_t)EPOLLWRBAND | (uint32_t)EPOLLWAKEUP)
#define EXCLUSIVE ((uint32_t)EPOLLEXCLUSIVE)
/* What the kernel reports besides what was asked for. */
#define UNASKED ((uint32_t)EPOLLERR | (uint32_t)EPOLLHUP)

static int32_t control(struct coreio_loop *loop, int32_t operation, int32_t fd, uint32_t interest, int64_t id)
{
    struct epoll_event event = {.events = interest, .data.u64 = (uint64_t)id};
    loop->counters.kernel_calls++;
    return epoll_ctl(loop->epoll, operation, fd, &event) == 0 ? 0 : -errno;
}

void coreio__loop_list(struct coreio_loop *loop, enum coreio__loop_list list, int32_t index)
{
    struct coreio__watch *watch = coreio__loop_watch(loop, index);
    if ((watch->listed & (1u << list)) != 0)
        return;
    struct coreio__watch_list *all = &loop->lists[list];
    watch->listed |= 1u << list;
    watch->links[list] = (struct coreio__link){.previous = all->last, .next = -1};
    if (all->last < 0)
        all->first = index;
    else
        coreio__loop_watch(loop, all->last)->links[list].next = index;
    all->last = index;
}

void coreio__loop_unlist(struct coreio_loop *loop, enum coreio__loop_list list, int32_t index)
{
    struct coreio__watch *watch = coreio__loop_watch(loop, index);
    if ((watch->listed & (1u << list)) == 0)
        return;
    struct coreio__watch_list *all = &loop->lists[list];
    const struct coreio__link link = watch->links[list];
    watch->listed &= ~(1u << list);
    if (link.previous < 0)
        all->first = link.next;
    else
        coreio__loop_watch(loop, link.previous)->links[list].next = link.next;
    if (link.next < 0)
        all->last = link.previous;
    else
        coreio__loop_watch(loop, link.next)->links[list].previous = link.previous;
}

void coreio__loop_flush(struct coreio_loop *loop)
{
    for (int32_t index = loop->lists[COREIO__LOOP_DIRTY].first; index >= 0;
         index = loop->lists[COREIO__LOOP_DIRTY].first) {
        struct coreio__watch *watch = coreio__loop_watch(loop, index);
        coreio__loop_unlist(loop, COREIO__LOOP_DIRTY, index);
        if (watch->wanted == watch->known)
            continue;
        /* The number belongs to another descriptor by now, so the one that was watched is closed. */
        int32_t status = -EBADF;
        if (watch->fd >= 0)
            status = control(loop, EPOLL_CTL_MOD, watch->fd, watch->wanted, coreio__slab_id(&loop->watches, index));
        if (status == 0) {
            watch->known = watch->wanted;
        } else {
            watch->lost = status;
            coreio__loop_list(loop, COREIO__LOOP_AGAIN, index);
        }
    }
}

/* Makes room for `fd` in the table of descriptors. */
static int32_t reserve(struct coreio_loop *loop, int32_t fd)
{
    if (fd < loop->by_fd_capacity)
        return 0;
    int32_t capacity = loop->by_fd_capacity == 0 ? 64 : loop->by_fd_capacity;
    while (capacity <= fd)
        capacity = capacity > INT32_MAX / 2 ? INT32_MAX : 2 * capacity;
    int32_t *by_fd = realloc(loop->by_fd, (size_t)capacity * sizeof *by_fd);
    if (by_fd == NULL)
        return -ENOMEM;
    for (int32_t i = loop->by_fd_capacity; i < capacity; i++)
        by_fd[i] = -1;
    loop->by_fd = by_fd;
    loop->by_fd_capacity = capacity;
    return 0;
}

int32_t coreio_loop_add(struct coreio_loop *loop, int32_t fd, uint32_t interest, uint64_t data, int64_t *id)
{
    *id = 0;
    if ((interest & ~(INTEREST | UNASKED | EXCLUSIVE)) != 0)
        return -EINVAL;
    if (fd < 0)
        return -EBADF;
    const int32_t index = coreio__slab_take(&loop->watches);
    if (index < 0)
        return index;
    const int64_t own = coreio__slab_id(&loop->watches, index);
    /* The kernel looks at the descriptor first, so that a wrong number makes no table grow. */
    int32_t status = control(loop, EPOLL_CTL_ADD, fd, interest, own);
    if (status == 0) {
        status = reserve(loop, fd);
        if (status < 0)
            (void)control(loop, EPOLL_CTL_DEL, fd, 0, 0);
    }
    if (status < 0) {
        coreio__slab_give(&loop->watches, index);
        return status;
    }
    /* What was watched under this number was closed, or the kernel had refused. */
    if (loop->by_fd[fd] >= 0)
        coreio__loop_watch(loop, loop->by_fd[fd])->fd = -1;
    loop->by_fd[fd] = index;
    struct coreio__watch *watch = coreio__loop_watch(loop, index);
    watch->data = data;
    watch->fd = fd;
    watch->wanted = interest & ~UNASKED;
    watch->known = watch->wanted;
    loop->counters.changes++;
    *id = own;
    return 0;
}

/* The index of a watch that is held. */
static int32_t index_of(int64_t id)
{
    return (int32_t)(uint32_t)id;
}

int32_t coreio_loop_modify(struct coreio_loop *loop, int64_t id, uint32_t interest)
{
    struct coreio__watch *watch = coreio__slab_find(&loop->watches, id);
    if (watch == NULL)
        return -ENOENT;
    if ((interest & ~(INTEREST | UNASKED)) != 0 || (watch->wanted & EXCLUSIVE) != 0)
        return -EINVAL;
    watch->wanted = interest & ~UNASKED;
    loop->counters.changes++;
    if (watch->wanted != watch->known)
        coreio__loop_list(loop, COREIO__LOOP_DIRTY, index_of(id));
    if (loop->timer >= 0) {
        coreio__loop_flush(loop);
        coreio__loop_arm(loop);
    }
    return 0;
}

int32_t coreio_loop_remove(struct coreio_loop *loop, int64_t id, uint32_t flags)
{
    struct coreio__watch *watch = coreio__slab_find(&loop->watches, id);
    if (watch == NULL)
        return -ENOENT;
    if ((flags & ~COREIO_LOOP_CLOSING) != 0)
        return -EINVAL;
    const int32_t index = index_of(id);
    if (watch->fd >= 0) {
        /* A descriptor that is closed already is refused, and gone from the kernel as well. */
        if ((flags & COREIO_LOOP_CLOSING) == 0)
            (void)control(loop, EPOLL_CTL_DEL, watch->fd, 0, 0);
        loop->by_fd[watch->fd] = -1;
    }
    coreio__loop_unlist(loop, COREIO__LOOP_AGAIN, index);
    coreio__loop_unlist(loop, COREIO__LOOP_DIRTY, index);
    coreio__slab_give(&loop->watches, index);
    loop->counters.changes++;
    coreio__loop_arm(loop);
    return 0;
}

int32_t coreio_loop_again(struct coreio_loop *loop, int64_t id, uint32_t events)
{
    struct coreio__watch *watch = coreio__slab_find(&loop->watches, id);
    if (watch == NULL)
        return -ENOENT;
    if (events == 0)
        return -EINVAL;
    watch->again |= events;
    coreio__loop_list(loop, COREIO__LOOP_AGAIN, index_of(id));
    coreio__loop_arm(loop);
    return 0;
}
