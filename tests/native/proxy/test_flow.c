/* The path of the bytes: exact in both directions, whatever their sizes; ends and resets passed on; a peer that does
 * not read stops the other and nothing else. */
#include "check.h"

#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS INT64_C(1000000)

static const struct coreio_proxy_options modes[] = {
    {.size = sizeof(struct coreio_proxy_options), .workers = 1, .splice = COREIO_PROXY_SPLICE_NEVER},
    {.size = sizeof(struct coreio_proxy_options), .workers = 1, .splice = COREIO_PROXY_SPLICE_ALWAYS},
    {.size = sizeof(struct coreio_proxy_options), .workers = 1, .splice = COREIO_PROXY_SPLICE_AUTO},
    {.size = sizeof(struct coreio_proxy_options),
        .workers = 1,
        .splice = COREIO_PROXY_SPLICE_ALWAYS,
        .pipe_bytes = 4096},
    {.size = sizeof(struct coreio_proxy_options), .workers = 1, .splice = COREIO_PROXY_SPLICE_ALWAYS, .pipes = 1},
};
#define MODES ((int32_t)(sizeof modes / sizeof modes[0]))

/* One end of a stream of numbers: what it has sent and received. */
struct end {
    int32_t fd;
    uint64_t sends;
    uint64_t receives;
    int64_t sent;
    int64_t received;
    int32_t ended;
};

static uint8_t next_byte(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint8_t)(*state >> 56);
}

/* Sends up to `length` more bytes of its stream, in a write of a random size; ends it when all is sent. */
static void send_some(struct end *end, int64_t length)
{
    static uint8_t bytes[200000];
    if (end->sent == length)
        return;
    int64_t size = 1 + rand() % (rand() % 3 == 0 ? (int)sizeof bytes : 100);
    if (size > length - end->sent)
        size = length - end->sent;
    uint64_t state = end->sends;
    for (int64_t i = 0; i < size; i++)
        bytes[i] = next_byte(&state);
    const ssize_t sent = send(end->fd, bytes, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0)
        return;
    for (ssize_t i = 0; i < sent; i++)
        (void)next_byte(&end->sends);
    end->sent += sent;
    if (end->sent == length)
        CHECK_EQ(shutdown(end->fd, SHUT_WR), 0);
}

/* Reads some of the other's stream and compares it; returns how many bytes were wrong. */
static int32_t receive_some(struct end *end)
{
    static uint8_t bytes[200000];
    const size_t size = 1 + (size_t)rand() % (rand() % 3 == 0 ? sizeof bytes : 1000);
    const ssize_t count = recv(end->fd, bytes, size, MSG_DONTWAIT);
    int32_t wrong = 0;
    for (ssize_t i = 0; i < count; i++)
        wrong += bytes[i] != next_byte(&end->receives);
    if (count > 0)
        end->received += count;
    end->ended |= count == 0;
    return wrong;
}

TEST(random_streams_go_both_ways_at_once_exactly)
{
    for (int32_t mode = 0; mode < MODES; mode++) {
        check_context("mode %d", mode);
        struct rig rig;
        rig_start(&rig, &modes[mode], 0, 0);
        srand(17 + (unsigned)mode);
        for (int32_t round = 0; round < 6; round++) {
            int32_t client;
            int32_t server;
            rig_pair(&rig, &client, &server);
            struct end ends[2] = {{.fd = client, .sends = 1, .receives = 2}, {.fd = server, .sends = 2, .receives = 1}};
            const int64_t lengths[2] = {1 + rand() % 3000000, 1 + rand() % 3000000};
            int32_t wrong = 0;
            const int64_t limit = rig_clock_ns() + 30000 * MS;
            while ((!ends[0].ended || !ends[1].ended) && rig_clock_ns() < limit) {
                for (int32_t i = 0; i < 2; i++) {
                    send_some(&ends[i], lengths[i]);
                    wrong += receive_some(&ends[i]);
                }
            }
            CHECK_EQ(wrong, 0);
            CHECK_EQ(ends[0].received, lengths[1]);
            CHECK_EQ(ends[1].received, lengths[0]);
            close(client);
            close(server);
            const struct coreio_proxy_record record = rig_record(&rig);
            CHECK_EQ(record.end, COREIO_PROXY_END_DONE);
            CHECK_EQ(record.bytes_in, lengths[0]);
            CHECK_EQ(record.bytes_out, lengths[1]);
        }
        rig_wait_live(&rig, 0);
        CHECK_EQ(rig_counters(&rig).buffers, 0);
        rig_end(&rig);
    }
    check_context(NULL);
}

TEST(one_byte_at_a_time)
{
    for (int32_t mode = 0; mode < 2; mode++) {
        struct rig rig;
        rig_start(&rig, &modes[mode], 0, 0);
        int32_t client;
        int32_t server;
        rig_pair(&rig, &client, &server);
        for (int32_t i = 0; i < 500; i++) {
            const uint8_t byte = (uint8_t)i;
            rig_send(client, &byte, 1);
            rig_expect(server, &byte, 1);
            rig_send(server, &byte, 1);
            rig_expect(client, &byte, 1);
        }
        close(client);
        close(server);
        rig_wait_live(&rig, 0);
        rig_end(&rig);
    }
}

TEST(either_side_may_end_first_and_the_other_goes_on)
{
    for (int32_t mode = 0; mode < MODES; mode++) {
        struct rig rig;
        rig_start(&rig, &modes[mode], 0, 0);
        static uint8_t much[1 << 20];
        memset(much, 'm', sizeof much);
        for (int32_t server_first = 0; server_first < 2; server_first++) {
            check_context("mode %d, server first %d", mode, server_first);
            int32_t ends[2];
            rig_pair(&rig, &ends[0], &ends[1]);
            const int32_t first = ends[server_first];
            const int32_t second = ends[1 - server_first];
            rig_send(first, "question", 8);
            CHECK_EQ(shutdown(first, SHUT_WR), 0);
            rig_expect(second, "question", 8);
            rig_expect_end(second);
            for (int32_t i = 0; i < 3; i++) {
                int32_t sent = 0;
                /* More than the sockets hold, so writer and reader take turns. */
                while (sent < (int32_t)sizeof much) {
                    const ssize_t now = send(second, much + sent, sizeof much - (size_t)sent, MSG_DONTWAIT);
                    if (now > 0)
                        sent += (int32_t)now;
                    uint8_t bytes[65536];
                    const ssize_t got = recv(first, bytes, sizeof bytes, now > 0 ? MSG_DONTWAIT : 0);
                    REQUIRE(got > 0 || errno == EAGAIN);
                    (void)got;
                }
            }
            CHECK_EQ(shutdown(second, SHUT_WR), 0);
            uint8_t bytes[65536];
            ssize_t got;
            while ((got = recv(first, bytes, sizeof bytes, 0)) > 0)
                CHECK_EQ(bytes[got - 1], 'm');
            CHECK_EQ(got, 0);
            close(first);
            close(second);
            const struct coreio_proxy_record record = rig_record(&rig);
            CHECK_EQ(record.end, COREIO_PROXY_END_DONE);
            CHECK_EQ(record.bytes_in, server_first ? 3 * (int64_t)sizeof much : 8);
            CHECK_EQ(record.bytes_out, server_first ? 8 : 3 * (int64_t)sizeof much);
        }
        check_context(NULL);
        rig_end(&rig);
    }
}

TEST(an_end_without_a_byte_is_passed_on)
{
    struct rig rig;
    rig_start(&rig, NULL, 0, 0);
    int32_t client = rig_client(&rig);
    CHECK_EQ(shutdown(client, SHUT_WR), 0);
    const int32_t server = rig_accept(rig.upstream);
    rig_expect_end(server);
    rig_send(server, "Thu Nov 26\n", 11);
    rig_expect(client, "Thu Nov 26\n", 11);
    close(server);
    rig_expect_end(client);
    close(client);
    CHECK_EQ(rig_record(&rig).end, COREIO_PROXY_END_DONE);
    rig_end(&rig);
}

TEST(a_reset_is_passed_on_after_what_came_before_it)
{
    for (int32_t mode = 0; mode < 2; mode++) {
        for (int32_t server_first = 0; server_first < 2; server_first++) {
            check_context("mode %d, server first %d", mode, server_first);
            struct rig rig;
            rig_start(&rig, &modes[mode], 0, 0);
            int32_t ends[2];
            rig_pair(&rig, &ends[0], &ends[1]);
            rig_send(ends[server_first], "before", 6);
            rig_expect(ends[1 - server_first], "before", 6);
            rig_reset(ends[server_first]);
            rig_expect_reset(ends[1 - server_first]);
            close(ends[1 - server_first]);
            const struct coreio_proxy_record record = rig_record(&rig);
            CHECK_EQ(record.end, server_first ? COREIO_PROXY_END_UPSTREAM_RESET : COREIO_PROXY_END_CLIENT_RESET);
            CHECK_EQ(record.error, ECONNRESET);
            rig_end(&rig);
        }
    }
    check_context(NULL);
    /* As an end, when asked for. */
    const struct coreio_proxy_options options = {.size = sizeof options, .workers = 1, .flags = COREIO_PROXY_NO_RESET};
    struct rig rig;
    rig_start(&rig, &options, 0, 0);
    int32_t client;
    int32_t server;
    rig_pair(&rig, &client, &server);
    rig_send(client, "x", 1);
    rig_expect(server, "x", 1);
    rig_reset(client);
    rig_expect_end(server);
    close(server);
    CHECK_EQ(rig_record(&rig).end, COREIO_PROXY_END_CLIENT_RESET);
    rig_end(&rig);
}

/* Writes without waiting until nothing is taken for a while; returns the bytes. */
static int64_t fill(int32_t fd)
{
    static const uint8_t bytes[65536];
    int64_t sent = 0;
    int32_t refused = 0;
    while (refused < 50) {
        const ssize_t now = send(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (now > 0) {
            sent += now;
            refused = 0;
        } else {
            refused++;
            (void)poll(NULL, 0, 2);
        }
    }
    return sent;
}

TEST(a_peer_that_does_not_read_stops_the_other_and_nothing_else)
{
    for (int32_t mode = 0; mode < MODES; mode++) {
        check_context("mode %d", mode);
        struct rig rig;
        rig_start(&rig, &modes[mode], 0, 0);
        int32_t client;
        int32_t server;
        rig_pair(&rig, &client, &server);
        const int64_t sent = fill(client);
        /* The windows are full: what is held beside them is less than one read, or one pipe. */
        const struct coreio_proxy_counters counters = rig_counters(&rig);
        CHECK(counters.buffers <= 65536);
        CHECK(counters.bytes_to_upstream <= sent);
        /* The other direction is free, and so are other connections. */
        rig_send(server, "free", 4);
        rig_expect(client, "free", 4);
        int32_t others[2];
        rig_pair(&rig, &others[0], &others[1]);
        rig_send(others[0], "free", 4);
        rig_expect(others[1], "free", 4);
        close(others[0]);
        close(others[1]);
        /* Once it reads, everything comes, without another word of the client. */
        static uint8_t bytes[65536];
        int64_t received = 0;
        ssize_t now = 1;
        int64_t stall = 0;
        while (received < sent && (now = recv(server, bytes, sizeof bytes, 0)) > 0) {
            received += now;
            /* With the rest at the proxy it stalls now and then: no event tells the proxy any more that there is a
             * rest. */
            int unsent = 0;
            if (received >= stall && ioctl(client, SIOCOUTQ, &unsent) == 0 && unsent == 0) {
                stall = received + 1000000;
                (void)poll(NULL, 0, 20);
            }
        }
        CHECK_EQ(received, sent);
        CHECK_EQ(shutdown(client, SHUT_WR), 0);
        CHECK_EQ(recv(server, bytes, sizeof bytes, 0), 0);
        close(client);
        close(server);
        rig_wait_live(&rig, 0);
        CHECK_EQ(rig_counters(&rig).buffers, 0);
        rig_end(&rig);
    }
    check_context(NULL);
}

TEST(a_source_that_nobody_reads_wakes_nobody)
{
    for (int32_t mode = 0; mode < 3; mode++) {
        check_context("mode %d", mode);
        struct rig rig;
        rig_start(&rig, &modes[mode], 0, 0);
        int32_t client;
        int32_t server;
        rig_pair(&rig, &client, &server);
        /* Until the server's side is full; the client's has room. */
        static uint8_t bytes[65536];
        int64_t sent = 0;
        for (int32_t full = 0; !full;) {
            sent += send(client, bytes, sizeof bytes, MSG_NOSIGNAL);
            const int64_t limit = rig_clock_ns() + 100 * MS;
            while (rig_counters(&rig).bytes_to_upstream < sent && rig_clock_ns() < limit)
                (void)poll(NULL, 0, 1);
            full = rig_counters(&rig).bytes_to_upstream < sent;
        }
        struct coreio_proxy_worker before;
        struct coreio_proxy_worker after;
        CHECK_EQ(coreio_proxy_workers(rig.proxy, &before, 1), 1);
        for (int32_t i = 0; i < 200; i++) {
            sent += send(client, bytes, 1, MSG_NOSIGNAL);
            (void)poll(NULL, 0, 1);
        }
        CHECK_EQ(coreio_proxy_workers(rig.proxy, &after, 1), 1);
        CHECK(after.waits - before.waits < 20);
        /* It is heard again: everything comes, what is sent while the server reads, too, and the end. */
        int64_t received = 0;
        ssize_t now = 1;
        while (received < sent && (now = recv(server, bytes, sizeof bytes, 0)) > 0) {
            received += now;
            if (sent % 3 != 0)
                sent += send(client, bytes, 1, MSG_NOSIGNAL);
        }
        CHECK_EQ(received, sent);
        rig_send(client, "more", 4);
        rig_expect(server, "more", 4);
        rig_send(server, "back", 4);
        rig_expect(client, "back", 4);
        CHECK_EQ(shutdown(client, SHUT_WR), 0);
        CHECK_EQ(recv(server, bytes, sizeof bytes, 0), 0);
        close(client);
        close(server);
        rig_wait_live(&rig, 0);
        rig_end(&rig);
    }
    check_context(NULL);
}

TEST(bulk_goes_through_a_pipe_and_little_does_not)
{
    struct rig rig;
    rig_start(&rig, NULL, 0, 0);
    int32_t client;
    int32_t server;
    rig_pair(&rig, &client, &server);
    for (int32_t i = 0; i < 100; i++) {
        rig_send(client, "little", 6);
        rig_expect(server, "little", 6);
    }
    CHECK_EQ(rig_counters(&rig).bytes_spliced, 0);
    static uint8_t bytes[65536];
    int64_t sent = 0;
    int64_t received = 0;
    while (received < INT64_C(64) << 20) {
        const ssize_t out = send(client, bytes, sizeof bytes, MSG_DONTWAIT);
        if (out > 0)
            sent += out;
        const ssize_t in = recv(server, bytes, sizeof bytes, out > 0 ? MSG_DONTWAIT : 0);
        if (in > 0)
            received += in;
        REQUIRE(in != 0);
    }
    CHECK(rig_counters(&rig).bytes_spliced > received / 2);
    while (received < sent) {
        const ssize_t in = recv(server, bytes, sizeof bytes, 0);
        REQUIRE(in > 0);
        received += in;
    }
    /* Back to copying after some small ones. */
    for (int32_t i = 0; i < 50; i++) {
        rig_send(client, "little", 6);
        rig_expect(server, "little", 6);
    }
    const int64_t spliced = rig_counters(&rig).bytes_spliced;
    rig_send(client, "little", 6);
    rig_expect(server, "little", 6);
    CHECK_EQ(rig_counters(&rig).bytes_spliced, spliced);
    close(client);
    close(server);
    rig_end(&rig);
}

TEST(bandwidth_is_kept)
{
    const struct coreio_proxy_options options = {.size = sizeof options, .workers = 1, .bandwidth = 1000000};
    struct rig rig;
    rig_start(&rig, &options, 0, 0);
    int32_t client;
    int32_t server;
    rig_pair(&rig, &client, &server);
    static uint8_t bytes[500000];
    const int64_t begin = rig_clock_ns();
    rig_send(client, bytes, sizeof bytes);
    CHECK(rig_receive(server, bytes, sizeof bytes));
    const int64_t took = rig_clock_ns() - begin;
    /* A tenth of a second's worth may come at once. */
    CHECK(took >= 350 * MS && took < 5000 * MS);
    close(client);
    close(server);
    rig_end(&rig);
}

TEST(urgent_data_stops_nothing)
{
    struct rig rig;
    rig_start(&rig, NULL, 0, 0);
    int32_t client;
    int32_t server;
    rig_pair(&rig, &client, &server);
    for (int32_t i = 0; i < 20; i++) {
        rig_send(client, "abc", 3);
        CHECK_EQ(send(client, "!", 1, MSG_OOB), 1);
        rig_send(client, "def", 3);
        uint8_t bytes[6];
        CHECK(rig_receive(server, bytes, sizeof bytes));
        CHECK_BYTES(bytes, 6, "abcdef", 6);
    }
    close(client);
    close(server);
    rig_end(&rig);
}
