/* Asking for word of a message in an empty queue, as mq_notify(3).
 *
 * A descriptor is told by the way the kernel has for the threads of SIGEV_THREAD: a cookie that it sends to a netlink
 * socket. The C library keeps a thread of its own behind that socket and starts one for each word; here the caller has
 * the socket, and polls it like any other.
 */
#include <coreio/mq.h>

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "call.h"

_Static_assert(sizeof(void *) == sizeof(int64_t), "the value of a signal holds 64 bits");

/* As mq_notify(2); NULL takes the registration back. */
static int32_t notify(int32_t queue, const struct sigevent *event)
{
    return (int32_t)coreio__mq_call(SYS_mq_notify, queue, (intptr_t)event, 0, 0, 0);
}

/* The kernel reads the cookie in the call, and writes its last byte when it sends it. */
static int32_t notify_descriptor(int32_t queue, int64_t value)
{
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return -errno;
    uint8_t cookie[COREIO_MQ_NOTIFY_BYTES] = {0};
    memcpy(cookie, &value, sizeof value);
    const struct sigevent event = {
        .sigev_notify = SIGEV_THREAD, .sigev_signo = fd, .sigev_value = {.sival_ptr = cookie}};
    const int32_t status = notify(queue, &event);
    if (status == 0)
        return fd;
    (void)close(fd);
    return status;
}

int32_t coreio_mq_posix_notify(int32_t queue, int32_t kind, int32_t signal, int64_t value)
{
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    switch (kind) {
    case COREIO_MQ_NOTIFY_DESCRIPTOR:
        return notify_descriptor(queue, value);
    case COREIO_MQ_NOTIFY_CANCEL:
        return notify(queue, NULL);
    case COREIO_MQ_NOTIFY_SIGNAL:
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = signal;
        memcpy(&event.sigev_value, &value, sizeof value);
        break;
    case COREIO_MQ_NOTIFY_NONE:
        break;
    default:
        return -EINVAL;
    }
    return notify(queue, &event);
}
