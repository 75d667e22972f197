/* Sockets as the proxy opens them. */
#include "check.h"

#include "proxy/socket.h"
#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int32_t option(int32_t fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof value;
    CHECK_EQ(getsockopt(fd, level, name, &value, &length), 0);
    return value;
}

TEST(a_listening_socket_is_as_planned)
{
    struct coreio_proxy_address address = rig_address(0);
    const struct coreio__socket_plan plan = {.backlog = 5, .reuse_port = 1, .congestion = ""};
    int32_t fd;
    CHECK_EQ(coreio__socket_listen(&address, &plan, &fd), 0);
    CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK_EQ(option(fd, SOL_SOCKET, SO_REUSEPORT), 1);
    CHECK_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK_EQ(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
    socklen_t length = sizeof address.bytes;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)address.bytes, &length), 0);
    int32_t second;
    const struct coreio__socket_plan alone = {.backlog = 5, .congestion = ""};
    CHECK_EQ(coreio__socket_listen(&address, &alone, &second), -EADDRINUSE);
    CHECK_EQ(second, -1);
    CHECK_EQ(coreio__socket_listen(&address, &plan, &second), 0);
    const struct coreio__socket_plan unknown = {.backlog = 5, .congestion = "no-such"};
    const struct coreio_proxy_address any = rig_address(0);
    int32_t third;
    CHECK_EQ(coreio__socket_listen(&any, &unknown, &third), -ENOENT);
    close(fd);
    close(second);
}

TEST(a_socket_that_somebody_else_opened_is_set_as_planned)
{
    struct coreio_proxy_address address;
    const int32_t fd = rig_listen(1, &address);
    const struct coreio__socket_plan plan = {.backlog = 64, .congestion = ""};
    CHECK_EQ(coreio__socket_adopt(fd, AF_INET, &plan), 0);
    CHECK_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    CHECK_EQ(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
    const struct coreio__socket_plan unknown = {.backlog = 5, .congestion = "no-such"};
    CHECK_EQ(coreio__socket_adopt(fd, AF_INET, &unknown), -ENOENT);
    close(fd);
    CHECK_EQ(coreio__socket_adopt(fd, AF_UNIX, &plan), -EBADF);
}

TEST(connecting_is_at_once_or_under_way)
{
    struct coreio_proxy_address address;
    const int32_t listener = rig_listen(4, &address);
    int32_t fd;
    CHECK(coreio__socket_connect(&address, NULL, "", &fd) >= 0);
    CHECK_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    close(rig_accept(listener));
    CHECK_EQ(coreio__socket_error(fd), 0);
    close(fd);
    close(listener);
    /* Refused: told now, or by the socket. */
    const int32_t status = coreio__socket_connect(&address, NULL, "", &fd);
    CHECK(status == -ECONNREFUSED || status == 0);
    if (status == 0) {
        CHECK_EQ(coreio__socket_error(fd), ECONNREFUSED);
        CHECK_EQ(coreio__socket_error(fd), 0);
        close(fd);
    }
    struct coreio_proxy_address path = rig_unix("/nonexistent/socket");
    CHECK_EQ(coreio__socket_connect(&path, NULL, "", &fd), -ENOENT);
    CHECK_EQ(fd, -1);
}

TEST(a_unix_path_that_is_left_over_is_taken_over)
{
    const char *folder = check_directory();
    char path[128];
    (void)strcat(strcpy(path, folder), "/socket");
    const struct coreio_proxy_address address = rig_unix(path);
    const struct coreio__socket_plan plan = {.backlog = 5, .congestion = ""};
    int32_t first;
    int32_t second;
    CHECK_EQ(coreio__socket_listen(&address, &plan, &first), 0);
    CHECK_EQ(coreio__socket_listen(&address, &plan, &second), -EADDRINUSE);
    close(first);
    CHECK_EQ(coreio__socket_listen(&address, &plan, &second), 0);
    close(second);
    /* What is no socket is nobody's to take away. */
    const struct coreio_proxy_address file = rig_unix(check_write(folder, "file", "x", 1));
    CHECK_EQ(coreio__socket_listen(&file, &plan, &second), -EADDRINUSE);
}

TEST(local_addresses_are_known)
{
    struct coreio__endpoint local = {.family = AF_INET, .port = 1};
    CHECK_EQ(inet_pton(AF_INET, "127.0.0.1", local.bytes), 1);
    CHECK(coreio__socket_is_local(&local));
    CHECK_EQ(inet_pton(AF_INET, "192.0.2.1", local.bytes), 1);
    CHECK(!coreio__socket_is_local(&local));
    struct coreio_proxy_address address;
    const int32_t listener = rig_listen(4, &address);
    struct coreio__endpoint bound = {0};
    coreio__socket_local(listener, &bound);
    CHECK_EQ(bound.family, AF_INET);
    CHECK(bound.port != 0);
    struct coreio__endpoint original = {0};
    /* Not led here by netfilter. */
    const int32_t client = rig_connect(&address);
    const int32_t server = rig_accept(listener);
    const int32_t status = coreio__socket_original(server, &original);
    CHECK(status < 0 || memcmp(&original, &bound, sizeof bound) == 0);
    close(client);
    close(server);
    close(listener);
}

TEST(transparent_sockets_need_the_right)
{
    struct coreio_proxy_address address = rig_address(0);
    const struct coreio__socket_plan plan = {.backlog = 5, .transparent = 1, .congestion = ""};
    int32_t fd;
    const int32_t status = coreio__socket_listen(&address, &plan, &fd);
    if (status == -EPERM)
        SKIP("needs CAP_NET_ADMIN or CAP_NET_RAW");
    if (status == -ENOPROTOOPT)
        SKIP("needs IP_TRANSPARENT, which the emulator of another machine lacks");
    CHECK_EQ(status, 0);
    CHECK_EQ(option(fd, IPPROTO_IP, IP_TRANSPARENT), 1);
    close(fd);
    /* From an address that is another's. */
    struct coreio__endpoint from = {.family = AF_INET, .port = 4711};
    CHECK_EQ(inet_pton(AF_INET, "192.0.2.77", from.bytes), 1);
    const int32_t listener = rig_listen(4, &address);
    CHECK_EQ(coreio__socket_connect(&address, &from, "", &fd), 0);
    struct coreio__endpoint own = {0};
    coreio__socket_local(fd, &own);
    CHECK_BYTES(own.bytes, 4, from.bytes, 4);
    close(fd);
    from.family = AF_INET6;
    CHECK_EQ(coreio__socket_connect(&address, &from, "", &fd), -EAFNOSUPPORT);
    close(listener);
}
