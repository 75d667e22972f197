/* Accepting: spread over workers, limited, resting, and ended. */
#include "check.h"

#include "rig.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)

static struct coreio_proxy_options workers(int32_t count)
{
    return (struct coreio_proxy_options){.size = sizeof(struct coreio_proxy_options), .workers = count};
}

TEST(a_few_connections_are_spread_evenly)
{
    for (int32_t accept = COREIO_PROXY_REUSEPORT; accept <= COREIO_PROXY_SHARED; accept++) {
        check_context("accept %d", accept);
        struct coreio_proxy_options options = workers(4);
        options.accept = accept;
        struct rig rig;
        rig_start(&rig, &options, 0, 0);
        int32_t clients[16];
        int32_t servers[16];
        for (int32_t i = 0; i < 16; i++) {
            rig_pair(&rig, &clients[i], &servers[i]);
            rig_send(clients[i], "x", 1);
            rig_expect(servers[i], "x", 1);
        }
        struct coreio_proxy_worker all[4];
        CHECK_EQ(coreio_proxy_workers(rig.proxy, all, 4), 4);
        for (int32_t i = 0; i < 4; i++) {
            CHECK_EQ(all[i].live, 4);
            CHECK(all[i].thread_id > 0);
        }
        for (int32_t i = 0; i < 16; i++) {
            close(clients[i]);
            close(servers[i]);
        }
        rig_wait_live(&rig, 0);
        rig_end(&rig);
    }
    check_context(NULL);
}

TEST(connections_keep_their_place_when_asked)
{
    struct coreio_proxy_options options = workers(4);
    options.flags = COREIO_PROXY_KEEP_PLACE;
    struct rig rig;
    rig_start(&rig, &options, 0, 0);
    int32_t clients[16];
    int32_t servers[16];
    for (int32_t i = 0; i < 16; i++)
        rig_pair(&rig, &clients[i], &servers[i]);
    CHECK_EQ(rig_counters(&rig).handed_over, 0);
    for (int32_t i = 0; i < 16; i++) {
        close(clients[i]);
        close(servers[i]);
    }
    rig_end(&rig);
}

TEST(connections_over_the_limit_wait)
{
    struct coreio_proxy_options options = workers(2);
    options.max_connections = 3;
    struct rig rig;
    rig_start(&rig, &options, 0, 0);
    int32_t clients[5];
    int32_t servers[5];
    for (int32_t i = 0; i < 3; i++)
        rig_pair(&rig, &clients[i], &servers[i]);
    for (int32_t i = 3; i < 5; i++) {
        clients[i] = rig_client(&rig);
        const uint8_t own = (uint8_t)i;
        rig_send(clients[i], &own, 1);
    }
    struct pollfd waiting = {.fd = rig.upstream, .events = POLLIN};
    CHECK_EQ(poll(&waiting, 1, 100), 0);
    CHECK_EQ(rig_counters(&rig).live, 3);
    /* One leaves, one comes, whichever worker has it in its backlog. */
    int32_t seen = 0;
    for (int32_t i = 3; i < 5; i++) {
        close(clients[i - 3]);
        close(servers[i - 3]);
        servers[i] = rig_accept(rig.upstream);
        uint8_t who = 0;
        CHECK(rig_receive(servers[i], &who, 1));
        seen |= 1 << who;
        CHECK_EQ(poll(&waiting, 1, 20), 0);
    }
    CHECK_EQ(seen, 1 << 3 | 1 << 4);
    for (int32_t i = 2; i < 5; i++) {
        close(clients[i]);
        close(servers[i]);
    }
    rig_wait_live(&rig, 0);
    rig_end(&rig);
}

TEST(too_many_of_one_source_are_closed)
{
    struct coreio_proxy_options options = workers(2);
    options.max_per_source = 2;
    struct rig rig;
    rig_start(&rig, &options, 0, 0);
    int32_t clients[3];
    int32_t servers[3];
    for (int32_t i = 0; i < 2; i++)
        rig_pair(&rig, &clients[i], &servers[i]);
    clients[2] = rig_client(&rig);
    rig_expect_end(clients[2]);
    close(clients[2]);
    CHECK_EQ(rig_record(&rig).end, COREIO_PROXY_END_LIMIT);
    CHECK_EQ(rig_counters(&rig).over_limit, 1);
    close(clients[0]);
    close(servers[0]);
    rig_wait_live(&rig, 1);
    rig_pair(&rig, &clients[2], &servers[2]);
    rig_send(clients[2], "x", 1);
    rig_expect(servers[2], "x", 1);
    for (int32_t i = 1; i < 3; i++) {
        close(clients[i]);
        close(servers[i]);
    }
    rig_end(&rig);
}

TEST(new_connections_come_at_the_rate)
{
    struct coreio_proxy_options options = workers(2);
    options.rate = 50;
    struct rig rig;
    rig_start(&rig, &options, 0, 0);
    const int64_t begin = rig_clock_ns();
    int32_t clients[25];
    int32_t servers[25];
    for (int32_t i = 0; i < 25; i++)
        clients[i] = rig_client(&rig);
    for (int32_t i = 0; i < 25; i++)
        servers[i] = rig_accept(rig.upstream);
    const int64_t took = rig_clock_ns() - begin;
    /* Five may come at once; the others take 20 ms each. */
    CHECK(took >= 380 * MS && took < 5000 * MS);
    for (int32_t i = 0; i < 25; i++) {
        close(clients[i]);
        close(servers[i]);
    }
    rig_end(&rig);
}

TEST(running_out_of_descriptors_is_no_spin_and_passes)
{
    struct coreio_proxy_options options = workers(1);
    struct rig rig;
    rig_start(&rig, &options, 0, 0);
    struct rlimit limit;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    int32_t clients[3];
    for (int32_t i = 0; i < 3; i++)
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int32_t lowest = dup(0);
    close(lowest);
    /* Room for nothing: every number below the limit is taken. */
    const struct rlimit tight = {.rlim_cur = (rlim_t)lowest, .rlim_max = limit.rlim_max};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
    for (int32_t i = 0; i < 3; i++)
        CHECK_EQ(connect(clients[i], (struct sockaddr *)rig.front.bytes, rig.front.length), 0);
    const struct timespec pause = {.tv_nsec = 350 * MS};
    (void)nanosleep(&pause, NULL);
    struct coreio_proxy_worker worker;
    CHECK_EQ(coreio_proxy_workers(rig.proxy, &worker, 1), 1);
    const struct coreio_proxy_counters counters = rig_counters(&rig);
    CHECK(counters.accept_failures >= 2 && counters.accept_failures <= 8);
    CHECK(worker.waits < 40);
    CHECK_EQ(counters.accepted, 0);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int32_t i = 0; i < 3; i++) {
        const int32_t server = rig_accept(rig.upstream);
        close(server);
    }
    for (int32_t i = 0; i < 3; i++) {
        rig_expect_end(clients[i]);
        close(clients[i]);
    }
    rig_wait_live(&rig, 0);
    rig_end(&rig);
}

TEST(idle_connections_cost_neither_cpu_nor_buffers)
{
    enum { COUNT = 200 };
    struct coreio_proxy_options options = workers(1);
    options.idle_timeout_ns = INT64_C(3600000000000);
    struct rig rig;
    rig_start(&rig, &options, 0, 0);
    int32_t clients[COUNT];
    int32_t servers[COUNT];
    for (int32_t i = 0; i < COUNT; i++) {
        rig_pair(&rig, &clients[i], &servers[i]);
        rig_send(clients[i], "x", 1);
        rig_expect(servers[i], "x", 1);
    }
    struct coreio_proxy_worker before;
    struct coreio_proxy_worker after;
    CHECK_EQ(coreio_proxy_workers(rig.proxy, &before, 1), 1);
    const struct timespec pause = {.tv_nsec = 300 * MS};
    (void)nanosleep(&pause, NULL);
    CHECK_EQ(coreio_proxy_workers(rig.proxy, &after, 1), 1);
    CHECK(after.waits - before.waits <= 2);
    CHECK(before.cpu_time_ns > 0);
    CHECK(after.cpu_time_ns - before.cpu_time_ns < 50 * MS);
    CHECK_EQ(rig_counters(&rig).buffers, 0);
    CHECK_EQ(rig_counters(&rig).pipes, 0);
    for (int32_t i = 0; i < COUNT; i++) {
        close(clients[i]);
        close(servers[i]);
    }
    rig_end(&rig);
}
