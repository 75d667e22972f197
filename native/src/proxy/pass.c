/* Descriptors from one process to another, by unix(7), SCM_RIGHTS. */
#include <coreio/proxy.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* SCM_MAX_FD of the kernel. */
#define DESCRIPTORS_MAX 253

int32_t coreio_proxy_pass(int32_t socket, const uint8_t *bytes, int32_t length, const int32_t *fds, int32_t count)
{
    if (length < 1 || count < 0 || count > DESCRIPTORS_MAX)
        return -EINVAL;
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int32_t))] = {0};
    /* sendmsg(2) only reads it. */
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = (size_t)length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int32_t));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN((size_t)count * sizeof(int32_t));
        memcpy(CMSG_DATA(head), fds, (size_t)count * sizeof(int32_t));
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : (int32_t)sent;
}

int32_t coreio_proxy_take(
    int32_t socket, uint8_t *bytes, int32_t length, int32_t *fds, int32_t capacity, int32_t *count)
{
    *count = 0;
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int32_t))];
    struct iovec part = {.iov_base = bytes, .iov_len = (size_t)length};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t received;
    do
        received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0)
        return -errno;
    int32_t lost = (message.msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head != NULL; head = CMSG_NXTHDR(&message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        const size_t here = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int32_t);
        for (size_t i = 0; i < here; i++) {
            int32_t fd;
            memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
            if (*count < capacity) {
                fds[(*count)++] = fd;
            } else {
                (void)close(fd);
                lost = 1;
            }
        }
    }
    if (!lost)
        return (int32_t)received;
    for (int32_t i = 0; i < *count; i++)
        (void)close(fds[i]);
    *count = 0;
    return COREIO_ECAPACITY;
}
