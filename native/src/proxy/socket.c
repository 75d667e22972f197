/* Sockets; see socket.h, and tcp(7), ip(7), unix(7). */
#include "socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Of linux/netfilter_ipv4.h and linux/netfilter_ipv6/ip6_tables.h, which cannot be included beside netinet/in.h. */
#define SO_ORIGINAL_DST 80
#define IP6T_SO_ORIGINAL_DST 80

static int32_t set_flag(int32_t fd, int level, int option)
{
    const int on = 1;
    return setsockopt(fd, level, option, &on, sizeof on) == 0 ? 0 : -errno;
}

static int32_t open_socket(uint16_t family, int32_t *fd)
{
    *fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return *fd < 0 ? -errno : 0;
}

static int32_t set_congestion(int32_t fd, const char *name)
{
    if (name[0] == '\0')
        return 0;
    return setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) == 0 ? 0 : -errno;
}

static int32_t set_transparent(int32_t fd, uint16_t family)
{
    return family == AF_INET6 ? set_flag(fd, IPPROTO_IPV6, IPV6_TRANSPARENT) : set_flag(fd, IPPROTO_IP, IP_TRANSPARENT);
}

int32_t coreio__socket_error(int32_t fd)
{
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

int32_t coreio__socket_exhausted(int32_t error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* Whether a path is a socket that nobody listens on. */
static int32_t is_left_over(const struct coreio_proxy_address *address, const char *path)
{
    struct stat status;
    if (path[0] == '\0' || lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return 0;
    int32_t fd;
    if (open_socket(AF_UNIX, &fd) < 0)
        return 0;
    const int refused =
        connect(fd, (const struct sockaddr *)address->bytes, address->length) != 0 && errno == ECONNREFUSED;
    (void)close(fd);
    return refused;
}

/* Binds a unix socket, after a path that is left over was taken away. */
static int32_t bind_unix(int32_t fd, const struct coreio_proxy_address *address)
{
    const struct sockaddr *name = (const struct sockaddr *)address->bytes;
    if (bind(fd, name, address->length) == 0)
        return 0;
    if (errno != EADDRINUSE)
        return -errno;
    char path[sizeof(struct sockaddr_un) + 1] = {0};
    const size_t offset = offsetof(struct sockaddr_un, sun_path);
    memcpy(path, address->bytes + offset, address->length - offset);
    if (!is_left_over(address, path))
        return -EADDRINUSE;
    if (unlink(path) != 0)
        return -errno;
    return bind(fd, name, address->length) == 0 ? 0 : -errno;
}

int32_t coreio__socket_listen(
    const struct coreio_proxy_address *address, const struct coreio__socket_plan *plan, int32_t *out)
{
    *out = -1;
    const uint16_t family = coreio__address_family(address);
    int32_t fd;
    int32_t status = open_socket(family, &fd);
    if (status < 0)
        return status;
    if (family == AF_UNIX) {
        status = bind_unix(fd, address);
    } else {
        /* What an accepted socket inherits saves a call for each connection. */
        status = set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
        if (status == 0 && plan->reuse_port)
            status = set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
        if (status == 0 && plan->transparent)
            status = set_transparent(fd, family);
        if (status == 0 && family == AF_INET6) {
            const int v6_only = plan->v6_only;
            status = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only) == 0 ? 0 : -errno;
        }
        if (status == 0)
            status = set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
        if (status == 0)
            status = set_congestion(fd, plan->congestion);
        if (status == 0 && bind(fd, (const struct sockaddr *)address->bytes, address->length) != 0)
            status = -errno;
    }
    if (status == 0 && listen(fd, plan->backlog) != 0)
        status = -errno;
    if (status < 0) {
        (void)close(fd);
        return status;
    }
    *out = fd;
    return 0;
}

int32_t coreio__socket_adopt(int32_t fd, uint16_t family, const struct coreio__socket_plan *plan)
{
    int32_t status = 0;
    if (family != AF_UNIX) {
        status = set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
        if (status == 0)
            status = set_congestion(fd, plan->congestion);
        if (status == 0 && plan->transparent)
            status = set_transparent(fd, family);
    }
    /* Once more changes the backlog alone. */
    if (status == 0 && listen(fd, plan->backlog) != 0)
        status = -errno;
    return status;
}

/* Lets a socket come from an address that is another's. The port is chosen when it connects, so that those to different
 * destinations share one. */
static int32_t bind_from(int32_t fd, uint16_t family, const struct coreio__endpoint *from)
{
    if (from->family != family)
        return -EAFNOSUPPORT;
    int32_t status = set_transparent(fd, family);
    if (status == 0)
        status = set_flag(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
    struct coreio__endpoint any_port = *from;
    any_port.port = 0;
    struct sockaddr_storage address;
    const uint32_t length = coreio__endpoint_address(&any_port, &address);
    if (status == 0 && bind(fd, (const struct sockaddr *)&address, length) != 0)
        status = -errno;
    return status;
}

int32_t coreio__socket_connect(const struct coreio_proxy_address *address, const struct coreio__endpoint *from,
    const char *congestion, int32_t *out)
{
    *out = -1;
    const uint16_t family = coreio__address_family(address);
    int32_t fd;
    int32_t status = open_socket(family, &fd);
    if (status < 0)
        return status;
    if (family != AF_UNIX) {
        status = set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
        if (status == 0)
            status = set_congestion(fd, congestion);
        if (status == 0 && from != NULL && from->family != 0)
            status = bind_from(fd, family, from);
    }
    if (status == 0) {
        status = connect(fd, (const struct sockaddr *)address->bytes, address->length) == 0 ? 1 : -errno;
        if (status == -EINPROGRESS)
            status = 0;
    }
    if (status < 0) {
        (void)close(fd);
        return status;
    }
    *out = fd;
    return status;
}

void coreio__socket_local(int32_t fd, struct coreio__endpoint *local)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) == 0)
        *local = coreio__endpoint_of(&address);
}

int32_t coreio__socket_original(int32_t fd, struct coreio__endpoint *original)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof(struct sockaddr_in);
    if (getsockopt(fd, IPPROTO_IP, SO_ORIGINAL_DST, &address, &length) != 0) {
        length = sizeof(struct sockaddr_in6);
        if (getsockopt(fd, IPPROTO_IPV6, IP6T_SO_ORIGINAL_DST, &address, &length) != 0)
            return -errno;
    }
    *original = coreio__endpoint_of(&address);
    return original->family == 0 ? -ENOENT : 0;
}

int32_t coreio__socket_is_local(const struct coreio__endpoint *endpoint)
{
    const int fd = socket(endpoint->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    struct coreio__endpoint any_port = *endpoint;
    any_port.port = 0;
    struct sockaddr_storage address;
    const uint32_t length = coreio__endpoint_address(&any_port, &address);
    const int local = bind(fd, (const struct sockaddr *)&address, length) == 0;
    (void)close(fd);
    return local;
}
