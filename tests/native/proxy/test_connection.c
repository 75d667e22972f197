/* The life of a connection: finding an upstream, headers, names, and every limit of time. */
#include "check.h"

#include "proxy/header.h"
#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)
#define NEVER INT64_C(-1)
/* A limit that a case can wait out, but not so short that a machine which stops for a moment passes it. */
#define QUICK (800 * MS)

/* One worker and limits of time that a test waits out. */
static struct coreio_proxy_options quick(void)
{
    return (struct coreio_proxy_options){.size = sizeof(struct coreio_proxy_options),
        .workers = 1,
        .connect_timeout_ns = QUICK,
        .half_close_timeout_ns = QUICK,
        .header_timeout_ns = QUICK};
}

/* An address that nothing listens on. */
static struct coreio_proxy_address refusing(void)
{
    struct coreio_proxy_address address;
    close(rig_listen(1, &address));
    return address;
}

/* A socket whose backlog is full, so that a connect to it gets no answer. */
struct silent {
    int32_t listener;
    int32_t fill[4];
    struct coreio_proxy_address address;
};

static void silence(struct silent *silent)
{
    silent->listener = rig_listen(0, &silent->address);
    for (int32_t i = 0; i < 4; i++) {
        silent->fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(silent->fill[i], (struct sockaddr *)silent->address.bytes, silent->address.length);
    }
}

static void end_silence(struct silent *silent)
{
    close(silent->listener);
    for (int32_t i = 0; i < 4; i++)
        close(silent->fill[i]);
}

/* A proxy to several upstreams, not started. */
static void prepare(struct rig *rig, const struct coreio_proxy_options *options, uint32_t listen_flags,
    const struct coreio_proxy_address *upstreams, int32_t count)
{
    struct coreio_proxy_options own = *options;
    own.flags |= COREIO_PROXY_JOURNAL;
    rig->upstream = -1;
    CHECK_EQ(coreio_proxy_create(&own, &rig->proxy), 0);
    const struct coreio_proxy_listener listener = {
        .size = sizeof listener, .flags = listen_flags, .address = rig_address(0)};
    CHECK_EQ(coreio_proxy_listen(rig->proxy, &listener), 0);
    for (int32_t i = 0; i < count; i++) {
        const struct coreio_proxy_upstream upstream = {.size = sizeof upstream, .address = upstreams[i], .group = i};
        const struct coreio_proxy_upstream same = {.size = sizeof same, .address = upstreams[i]};
        CHECK_EQ(
            coreio_proxy_upstream(rig->proxy, (listen_flags & COREIO_PROXY_LISTEN_NAMES) != 0 ? &upstream : &same), i);
    }
    CHECK_EQ(coreio_proxy_bound(rig->proxy, 0, &rig->front), 0);
}

TEST(the_next_upstream_is_tried_when_one_refuses)
{
    struct coreio_proxy_address addresses[3] = {refusing(), refusing()};
    const int32_t good = rig_listen(8, &addresses[2]);
    const struct coreio_proxy_options options = quick();
    struct rig rig;
    prepare(&rig, &options, 0, addresses, 3);
    CHECK_EQ(coreio_proxy_start(rig.proxy), 0);
    const int32_t client = rig_client(&rig);
    const int32_t server = rig_accept(good);
    rig_send(client, "x", 1);
    rig_expect(server, "x", 1);
    close(client);
    close(server);
    const struct coreio_proxy_record record = rig_record(&rig);
    CHECK_EQ(record.upstream, 2);
    CHECK_EQ(record.retries, 2);
    CHECK_EQ(record.error, 0);
    CHECK(record.connect_ns >= 0 && record.connect_ns <= record.duration_ns);
    CHECK_EQ(record.source_family, AF_INET);
    CHECK_BYTES(record.source, 4, "\x7f\x00\x00\x01", 4);
    CHECK_EQ(rig_counters(&rig).connect_retries, 2);
    coreio_proxy_destroy(rig.proxy);
    close(good);
}

TEST(a_connection_nobody_takes_ends)
{
    const struct coreio_proxy_address addresses[] = {refusing(), refusing()};
    const struct coreio_proxy_options options = quick();
    struct rig rig;
    prepare(&rig, &options, 0, addresses, 2);
    CHECK_EQ(coreio_proxy_start(rig.proxy), 0);
    const int32_t client = rig_client(&rig);
    rig_expect_end(client);
    close(client);
    const struct coreio_proxy_record record = rig_record(&rig);
    CHECK_EQ(record.end, COREIO_PROXY_END_CONNECT_FAILED);
    CHECK_EQ(record.error, ECONNREFUSED);
    CHECK_EQ(record.connect_ns, -1);
    coreio_proxy_destroy(rig.proxy);
}

TEST(an_upstream_that_does_not_answer_is_given_up)
{
    struct silent silent;
    silence(&silent);
    struct coreio_proxy_address addresses[2] = {silent.address};
    const int32_t good = rig_listen(8, &addresses[1]);
    const struct coreio_proxy_options options = quick();
    struct rig rig;
    prepare(&rig, &options, 0, addresses, 2);
    CHECK_EQ(coreio_proxy_start(rig.proxy), 0);
    int32_t client = rig_client(&rig);
    int32_t server = rig_accept(good);
    close(client);
    close(server);
    struct coreio_proxy_record record = rig_record(&rig);
    CHECK_EQ(record.retries, 1);
    CHECK(record.connect_ns >= QUICK);
    coreio_proxy_destroy(rig.proxy);

    prepare(&rig, &options, 0, addresses, 1);
    CHECK_EQ(coreio_proxy_start(rig.proxy), 0);
    client = rig_client(&rig);
    rig_expect_end(client);
    close(client);
    record = rig_record(&rig);
    CHECK_EQ(record.end, COREIO_PROXY_END_CONNECT_TIMEOUT);
    CHECK_EQ(record.error, ETIMEDOUT);
    coreio_proxy_destroy(rig.proxy);
    end_silence(&silent);
    close(good);
}

TEST(a_client_that_leaves_while_it_waits_is_let_go)
{
    struct silent silent;
    silence(&silent);
    struct coreio_proxy_options options = quick();
    options.connect_timeout_ns = NEVER;
    struct rig rig;
    prepare(&rig, &options, 0, &silent.address, 1);
    CHECK_EQ(coreio_proxy_start(rig.proxy), 0);
    /* A reset at once; an end after a moment, for it may be a client that has nothing to say. */
    int32_t client = rig_client(&rig);
    rig_wait_live(&rig, 1);
    rig_reset(client);
    CHECK_EQ(rig_record(&rig).end, COREIO_PROXY_END_CLIENT_GONE);
    client = rig_client(&rig);
    close(client);
    const struct coreio_proxy_record record = rig_record(&rig);
    CHECK_EQ(record.end, COREIO_PROXY_END_CLIENT_GONE);
    CHECK(record.duration_ns < 1500 * MS);
    rig_wait_live(&rig, 0);
    coreio_proxy_destroy(rig.proxy);
    end_silence(&silent);
}

TEST(silence_after_one_side_has_ended_is_limited)
{
    const struct coreio_proxy_options options = quick();
    struct rig rig;
    rig_start(&rig, &options, 0, 0);
    int32_t client;
    int32_t server;
    rig_pair(&rig, &client, &server);
    CHECK_EQ(shutdown(client, SHUT_WR), 0);
    rig_expect_end(server);
    /* Bytes put the end off. */
    for (int32_t i = 0; i < 4; i++) {
        const struct timespec pause = {.tv_nsec = 250 * MS};
        (void)nanosleep(&pause, NULL);
        rig_send(server, "x", 1);
        rig_expect(client, "x", 1);
    }
    rig_expect_end(client);
    close(client);
    close(server);
    const struct coreio_proxy_record record = rig_record(&rig);
    CHECK_EQ(record.end, COREIO_PROXY_END_HALF_CLOSED);
    CHECK(record.duration_ns >= 4 * 250 * MS + QUICK);
    /* It is no limit of those that are open both ways. */
    rig_pair(&rig, &client, &server);
    const struct timespec pause = {.tv_nsec = QUICK + 100 * MS};
    (void)nanosleep(&pause, NULL);
    rig_send(server, "x", 1);
    rig_expect(client, "x", 1);
    close(client);
    close(server);
    CHECK_EQ(rig_record(&rig).end, COREIO_PROXY_END_DONE);
    /* And it begins with the end, however long nothing was said before. */
    rig_pair(&rig, &client, &server);
    (void)nanosleep(&pause, NULL);
    CHECK_EQ(shutdown(client, SHUT_WR), 0);
    rig_expect_end(server);
    const struct timespec moment = {.tv_nsec = 50 * MS};
    (void)nanosleep(&moment, NULL);
    rig_send(server, "x", 1);
    rig_expect(client, "x", 1);
    close(server);
    rig_expect_end(client);
    close(client);
    CHECK_EQ(rig_record(&rig).end, COREIO_PROXY_END_DONE);
    rig_end(&rig);
}

TEST(idle_and_old_connections_end)
{
    struct coreio_proxy_options options = quick();
    options.idle_timeout_ns = QUICK;
    struct rig rig;
    rig_start(&rig, &options, 0, 0);
    int32_t client;
    int32_t server;
    rig_pair(&rig, &client, &server);
    for (int32_t i = 0; i < 4; i++) {
        const struct timespec pause = {.tv_nsec = 250 * MS};
        (void)nanosleep(&pause, NULL);
        rig_send(i % 2 == 0 ? server : client, "x", 1);
        rig_expect(i % 2 == 0 ? client : server, "x", 1);
    }
    rig_expect_end(client);
    rig_expect_end(server);
    close(client);
    close(server);
    CHECK_EQ(rig_record(&rig).end, COREIO_PROXY_END_IDLE);
    rig_end(&rig);

    options.idle_timeout_ns = 0;
    options.lifetime_ns = QUICK;
    rig_start(&rig, &options, 0, 0);
    rig_pair(&rig, &client, &server);
    const int64_t begin = rig_clock_ns();
    while (rig_clock_ns() - begin < 100 * MS) {
        rig_send(client, "x", 1);
        rig_expect(server, "x", 1);
    }
    rig_expect_end(client);
    CHECK(rig_clock_ns() - begin >= QUICK - 10 * MS);
    close(client);
    close(server);
    CHECK_EQ(rig_record(&rig).end, COREIO_PROXY_END_LIFETIME);
    rig_end(&rig);
}

TEST(a_header_says_where_a_client_comes_from)
{
    struct rig rig;
    const struct coreio_proxy_options options = quick();
    rig_start(&rig, &options, COREIO_PROXY_LISTEN_HEADER, COREIO_PROXY_SEND_V1);
    static const char header[] = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";
    /* In one piece with what follows, and byte by byte. */
    for (int32_t pieces = 0; pieces < 2; pieces++) {
        const int32_t client = rig_client(&rig);
        if (pieces == 0)
            rig_send(client, "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nGET", sizeof header - 1 + 3);
        for (size_t i = 0; pieces == 1 && i < sizeof header - 1; i++)
            rig_send(client, header + i, 1);
        if (pieces == 1)
            rig_send(client, "GET", 3);
        const int32_t server = rig_accept(rig.upstream);
        rig_expect(server, header, sizeof header - 1);
        rig_expect(server, "GET", 3);
        close(client);
        close(server);
        const struct coreio_proxy_record record = rig_record(&rig);
        CHECK_EQ(record.source_port, 56324);
        CHECK_EQ(record.target_port, 443);
        CHECK_EQ(record.bytes_in, 3);
    }
    /* None, a wrong one, and one that stops in the middle. */
    int32_t client = rig_client(&rig);
    rig_expect_end(client);
    close(client);
    CHECK_EQ(rig_record(&rig).end, COREIO_PROXY_END_HEADER_TIMEOUT);
    client = rig_client(&rig);
    rig_send(client, "GET / HTTP/1.1\r\n", 16);
    rig_expect_reset(client);
    close(client);
    CHECK_EQ(rig_record(&rig).end, COREIO_PROXY_END_BAD_HEADER);
    client = rig_client(&rig);
    rig_send(client, header, 10);
    CHECK_EQ(shutdown(client, SHUT_WR), 0);
    uint8_t byte;
    CHECK(recv(client, &byte, 1, 0) <= 0);
    close(client);
    CHECK_EQ(rig_record(&rig).end, COREIO_PROXY_END_BAD_HEADER);
    client = rig_client(&rig);
    close(client);
    CHECK_EQ(rig_record(&rig).end, COREIO_PROXY_END_CLIENT_GONE);
    rig_end(&rig);
}

TEST(an_upstream_is_told_where_a_client_comes_from)
{
    for (uint32_t flags = COREIO_PROXY_SEND_V1; flags <= COREIO_PROXY_SEND_V2; flags <<= 1) {
        struct rig rig;
        rig_start(&rig, NULL, 0, flags);
        int32_t client;
        int32_t server;
        rig_pair(&rig, &client, &server);
        struct sockaddr_storage own = {0};
        struct sockaddr_storage peer = {0};
        socklen_t length = sizeof own;
        CHECK_EQ(getsockname(client, (struct sockaddr *)&own, &length), 0);
        length = sizeof peer;
        CHECK_EQ(getpeername(client, (struct sockaddr *)&peer, &length), 0);
        const struct coreio__endpoint source = coreio__endpoint_of(&own);
        const struct coreio__endpoint target = coreio__endpoint_of(&peer);
        uint8_t header[COREIO__HEADER_WRITTEN_MAX];
        const int32_t size = coreio__header_write(flags == COREIO_PROXY_SEND_V1 ? 1 : 2, &source, &target, header);
        rig_expect(server, header, size);
        rig_send(client, "x", 1);
        rig_expect(server, "x", 1);
        close(client);
        close(server);
        rig_end(&rig);
    }
}

/* A ClientHello that names `name`, nine bytes. */
static int32_t hello(uint8_t *bytes, const char *name)
{
    static const uint8_t front[] = {22, 3, 1, 0, 65, 1, 0, 0, 61, 3, 3};
    static const uint8_t middle[] = {0, 0, 2, 0x13, 1, 1, 0, 0, 18, 0, 0, 0, 14, 0, 12, 0, 0, 9};
    memset(bytes, 7, 70);
    memcpy(bytes, front, sizeof front);
    memcpy(bytes + sizeof front + 32, middle, sizeof middle);
    memcpy(bytes + sizeof front + 32 + sizeof middle, name, 9);
    return 70;
}

TEST(names_lead_to_groups)
{
    struct coreio_proxy_address addresses[3];
    int32_t listeners[3];
    for (int32_t i = 0; i < 3; i++)
        listeners[i] = rig_listen(8, &addresses[i]);
    const struct coreio_proxy_options options = quick();
    struct rig rig;
    prepare(&rig, &options, COREIO_PROXY_LISTEN_NAMES, addresses, 3);
    CHECK_EQ(coreio_proxy_route(rig.proxy, (const uint8_t *)"a.example", 9, 1), 0);
    CHECK_EQ(coreio_proxy_route(rig.proxy, (const uint8_t *)"*.example", 9, 2), 0);
    CHECK_EQ(coreio_proxy_start(rig.proxy), 0);
    static const char *const names[] = {"nonsense!", "A.Example", "b.example"};
    for (int32_t i = 0; i < 3; i++) {
        uint8_t bytes[128];
        const int32_t length = hello(bytes, names[i]);
        const int32_t client = rig_client(&rig);
        for (int32_t cut = 0; cut < length; cut += 10)
            rig_send(client, bytes + cut, length - cut < 10 ? length - cut : 10);
        const int32_t server = rig_accept(listeners[i]);
        rig_expect(server, bytes, length);
        close(client);
        close(server);
        CHECK_EQ(rig_record(&rig).upstream, i);
    }
    /* What is no TLS goes where names that are not known go. */
    const int32_t client = rig_client(&rig);
    rig_send(client, "GET / HTTP/1.1\r\n", 16);
    const int32_t server = rig_accept(listeners[0]);
    rig_expect(server, "GET / HTTP/1.1\r\n", 16);
    close(client);
    close(server);
    coreio_proxy_destroy(rig.proxy);
    for (int32_t i = 0; i < 3; i++)
        close(listeners[i]);
}

TEST(a_name_without_a_route_has_no_upstream)
{
    struct coreio_proxy_address address;
    const int32_t listener = rig_listen(8, &address);
    struct coreio_proxy_options options = quick();
    options.flags = COREIO_PROXY_JOURNAL;
    struct rig rig;
    CHECK_EQ(coreio_proxy_create(&options, &rig.proxy), 0);
    const struct coreio_proxy_listener front = {
        .size = sizeof front, .flags = COREIO_PROXY_LISTEN_NAMES, .address = rig_address(0)};
    const struct coreio_proxy_upstream upstream = {.size = sizeof upstream, .address = address, .group = 1};
    CHECK_EQ(coreio_proxy_listen(rig.proxy, &front), 0);
    CHECK_EQ(coreio_proxy_upstream(rig.proxy, &upstream), 0);
    CHECK_EQ(coreio_proxy_route(rig.proxy, (const uint8_t *)"a.example", 9, 1), 0);
    CHECK_EQ(coreio_proxy_bound(rig.proxy, 0, &rig.front), 0);
    CHECK_EQ(coreio_proxy_start(rig.proxy), 0);
    uint8_t bytes[128];
    const int32_t length = hello(bytes, "b.example");
    int32_t client = rig_client(&rig);
    rig_send(client, bytes, length);
    CHECK_EQ(rig_record(&rig).end, COREIO_PROXY_END_NO_UPSTREAM);
    close(client);
    client = rig_client(&rig);
    rig_send(client, "GET / HTTP/1.1\r\n", 16);
    CHECK_EQ(rig_record(&rig).end, COREIO_PROXY_END_BAD_HEADER);
    close(client);
    coreio_proxy_destroy(rig.proxy);
    close(listener);
}

TEST(a_name_behind_a_header)
{
    struct coreio_proxy_address addresses[2];
    const int32_t listeners[2] = {rig_listen(8, &addresses[0]), rig_listen(8, &addresses[1])};
    const struct coreio_proxy_options options = quick();
    struct rig rig;
    prepare(&rig, &options, COREIO_PROXY_LISTEN_NAMES | COREIO_PROXY_LISTEN_HEADER, addresses, 2);
    CHECK_EQ(coreio_proxy_route(rig.proxy, (const uint8_t *)"a.example", 9, 1), 0);
    CHECK_EQ(coreio_proxy_start(rig.proxy), 0);
    uint8_t bytes[128];
    const int32_t length = hello(bytes, "a.example");
    const int32_t client = rig_client(&rig);
    rig_send(client, "PROXY TCP4 192.0.2.1 198.51.100.2 5 443\r\n", 41);
    rig_send(client, bytes, length);
    const int32_t server = rig_accept(listeners[1]);
    rig_expect(server, bytes, length);
    close(client);
    close(server);
    CHECK_EQ(rig_record(&rig).source_port, 5);
    coreio_proxy_destroy(rig.proxy);
    close(listeners[0]);
    close(listeners[1]);
}

TEST(unix_sockets_on_both_sides)
{
    const char *folder = check_directory();
    char path[2][128];
    (void)strcat(strcpy(path[0], folder), "/front");
    (void)strcat(strcpy(path[1], folder), "/back");
    const struct coreio_proxy_address back = rig_unix(path[1]);
    const int32_t upstream = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(bind(upstream, (const struct sockaddr *)back.bytes, back.length), 0);
    CHECK_EQ(listen(upstream, 8), 0);
    for (int32_t splice = COREIO_PROXY_SPLICE_AUTO; splice <= COREIO_PROXY_SPLICE_ALWAYS; splice++) {
        struct coreio_proxy_options options = quick();
        options.splice = splice;
        struct coreio_proxy *proxy;
        CHECK_EQ(coreio_proxy_create(&options, &proxy), 0);
        const struct coreio_proxy_listener listener = {.size = sizeof listener, .address = rig_unix(path[0])};
        const struct coreio_proxy_upstream to = {.size = sizeof to, .address = back, .flags = COREIO_PROXY_SEND_V1};
        CHECK_EQ(coreio_proxy_listen(proxy, &listener), 0);
        CHECK_EQ(coreio_proxy_upstream(proxy, &to), 0);
        CHECK_EQ(coreio_proxy_start(proxy), 0);
        const int32_t client = rig_connect(&listener.address);
        const int32_t server = rig_accept(upstream);
        rig_expect(server, "PROXY UNKNOWN\r\n", 15);
        for (int32_t i = 0; i < 100; i++) {
            rig_send(client, "question", 8);
            rig_expect(server, "question", 8);
            rig_send(server, "answer", 6);
            rig_expect(client, "answer", 6);
        }
        close(server);
        rig_expect_end(client);
        close(client);
        coreio_proxy_destroy(proxy);
        /* The path is gone with the proxy. */
        CHECK_EQ(access(path[0], F_OK), -1);
    }
    close(upstream);
}
