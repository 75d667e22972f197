/* The rig of the proxy's tests; see rig.h. */
#include "rig.h"

#include "check.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 10

int64_t rig_clock_ns(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int32_t rig_open_descriptors(void)
{
    int32_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void set_patience(int32_t fd)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

struct coreio_proxy_address rig_address(uint16_t port)
{
    const struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct coreio_proxy_address address = {.length = sizeof in};
    memcpy(address.bytes, &in, sizeof in);
    return address;
}

struct coreio_proxy_address rig_unix(const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    memcpy(un.sun_path, path, strlen(path));
    struct coreio_proxy_address address = {
        .length = (uint32_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1)};
    memcpy(address.bytes, &un, address.length);
    return address;
}

int32_t rig_listen(int32_t backlog, struct coreio_proxy_address *address)
{
    const int32_t fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *address = rig_address(0);
    CHECK_EQ(bind(fd, (struct sockaddr *)address->bytes, address->length), 0);
    CHECK_EQ(listen(fd, backlog), 0);
    socklen_t length = sizeof address->bytes;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)address->bytes, &length), 0);
    set_patience(fd);
    return fd;
}

void rig_start(
    struct rig *rig, const struct coreio_proxy_options *options, uint32_t listen_flags, uint32_t upstream_flags)
{
    struct coreio_proxy_options own = {.size = sizeof own, .workers = 1};
    if (options != NULL)
        own = *options;
    own.flags |= COREIO_PROXY_JOURNAL;
    rig->upstream = rig_listen(128, &rig->back);
    CHECK_EQ(coreio_proxy_create(&own, &rig->proxy), 0);
    const struct coreio_proxy_listener listener = {
        .size = sizeof listener, .flags = listen_flags, .address = rig_address(0)};
    const struct coreio_proxy_upstream upstream = {
        .size = sizeof upstream, .flags = upstream_flags, .address = rig->back};
    CHECK_EQ(coreio_proxy_listen(rig->proxy, &listener), 0);
    CHECK_EQ(coreio_proxy_upstream(rig->proxy, &upstream), 0);
    CHECK_EQ(coreio_proxy_bound(rig->proxy, 0, &rig->front), 0);
    CHECK_EQ(coreio_proxy_start(rig->proxy), 0);
}

void rig_end(struct rig *rig)
{
    coreio_proxy_destroy(rig->proxy);
    (void)close(rig->upstream);
}

int32_t rig_connect(const struct coreio_proxy_address *address)
{
    uint16_t family;
    memcpy(&family, address->bytes, sizeof family);
    const int32_t fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    set_patience(fd);
    CHECK_EQ(connect(fd, (const struct sockaddr *)address->bytes, address->length), 0);
    return fd;
}

int32_t rig_client(const struct rig *rig)
{
    return rig_connect(&rig->front);
}

int32_t rig_accept(int32_t listener)
{
    const int32_t fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK(fd >= 0);
    set_patience(fd);
    return fd;
}

void rig_pair(const struct rig *rig, int32_t *client, int32_t *server)
{
    *client = rig_client(rig);
    *server = rig_accept(rig->upstream);
}

void rig_send(int32_t fd, const void *bytes, int64_t length)
{
    int64_t sent = 0;
    while (sent < length) {
        const ssize_t now = send(fd, (const uint8_t *)bytes + sent, (size_t)(length - sent), MSG_NOSIGNAL);
        if (!check_true(now > 0, "the socket takes bytes", __FILE__, __LINE__))
            return;
        sent += now;
    }
}

int32_t rig_receive(int32_t fd, void *bytes, int64_t length)
{
    int64_t received = 0;
    while (received < length) {
        const ssize_t now = recv(fd, (uint8_t *)bytes + received, (size_t)(length - received), 0);
        if (now <= 0)
            return 0;
        received += now;
    }
    return 1;
}

void rig_expect(int32_t fd, const void *bytes, int64_t length)
{
    uint8_t *got = malloc((size_t)length + 1);
    CHECK(rig_receive(fd, got, length));
    CHECK_EQ(memcmp(got, bytes, (size_t)length), 0);
    free(got);
}

void rig_expect_end(int32_t fd)
{
    uint8_t byte;
    CHECK_EQ(recv(fd, &byte, 1, 0), 0);
}

void rig_expect_reset(int32_t fd)
{
    uint8_t byte;
    const ssize_t count = recv(fd, &byte, 1, 0);
    CHECK_EQ(count, -1);
    CHECK_EQ(count < 0 ? errno : 0, ECONNRESET);
}

void rig_reset(int32_t fd)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    CHECK_EQ(close(fd), 0);
}

struct coreio_proxy_counters rig_counters(const struct rig *rig)
{
    struct coreio_proxy_counters counters;
    CHECK_EQ(coreio_proxy_counters(rig->proxy, &counters), 0);
    return counters;
}

static void moment(void)
{
    const struct timespec time = {.tv_nsec = 1000000};
    (void)nanosleep(&time, NULL);
}

void rig_wait_live(const struct rig *rig, int64_t live)
{
    const int64_t end = rig_clock_ns() + PATIENCE_S * INT64_C(1000000000);
    while (rig_counters(rig).live != live && rig_clock_ns() < end)
        moment();
    CHECK_EQ(rig_counters(rig).live, live);
}

struct coreio_proxy_record rig_record(const struct rig *rig)
{
    struct coreio_proxy_record record = {0};
    const int64_t end = rig_clock_ns() + PATIENCE_S * INT64_C(1000000000);
    int32_t count = 0;
    while ((count = coreio_proxy_journal(rig->proxy, &record, 1)) == 0 && rig_clock_ns() < end)
        moment();
    CHECK_EQ(count, 1);
    return record;
}
