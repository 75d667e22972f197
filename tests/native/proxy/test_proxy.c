/* A proxy as a whole: what it refuses, how it drains, hands over and stops, and that it leaves nothing behind. */
#include "check.h"

#include "allocations.h"
#include "rig.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS INT64_C(1000000)

static int32_t create(const struct coreio_proxy_options *options)
{
    struct coreio_proxy *proxy;
    const int32_t status = coreio_proxy_create(options, &proxy);
    CHECK((status == 0) == (proxy != NULL));
    coreio_proxy_destroy(proxy);
    return status;
}

TEST(options_out_of_range_are_refused)
{
    CHECK_EQ(create(NULL), 0);
    coreio_proxy_destroy(NULL);
#define REFUSED(member, value)                                                                                         \
    do {                                                                                                               \
        struct coreio_proxy_options options = {.size = sizeof options, .workers = 1};                                  \
        options.member = (value);                                                                                      \
        check_context(#member);                                                                                        \
        CHECK_EQ(create(&options), -EINVAL);                                                                           \
    } while (0)
    REFUSED(flags, 1u << 31);
    REFUSED(workers, -1);
    REFUSED(workers, 5000);
    REFUSED(accept, 3);
    REFUSED(balance, -1);
    REFUSED(splice, 3);
    REFUSED(cpu_count, 1);
    REFUSED(connect_tries, 65);
    REFUSED(max_connections, -1);
    REFUSED(max_per_source, -1);
    REFUSED(rate, -1);
    REFUSED(backlog, -1);
    REFUSED(bandwidth, -1);
    REFUSED(pipe_bytes, -1);
    REFUSED(pipes, -1);
    REFUSED(journal_capacity, (1 << 24) + 1);
    REFUSED(fall, -1);
    REFUSED(rise, -1);
    REFUSED(reserved, 1);
    REFUSED(congestion[15], 'x');
    REFUSED(size, 2);
    check_context(NULL);
    const int32_t cpu = 4095;
    const struct coreio_proxy_options pinned = {
        .size = sizeof pinned, .flags = COREIO_PROXY_PIN, .cpus = &cpu, .cpu_count = 1};
    CHECK_EQ(create(&pinned), COREIO_ECPU);
}

TEST(parts_that_make_no_sense_are_refused)
{
    struct coreio_proxy *proxy;
    CHECK_EQ(coreio_proxy_create(NULL, &proxy), 0);
    CHECK_EQ(coreio_proxy_start(proxy), -EINVAL);
    CHECK_EQ(coreio_proxy_drain(proxy, 0), -EINVAL);
    CHECK_EQ(coreio_proxy_hand_over(proxy, 0), -EINVAL);
    CHECK_EQ(coreio_proxy_stop(proxy), 0);
    struct coreio_proxy_listener listener = {.size = sizeof listener, .address = rig_address(0)};
    listener.flags = COREIO_PROXY_LISTEN_TRANSPARENT | COREIO_PROXY_LISTEN_REDIRECTED;
    CHECK_EQ(coreio_proxy_listen(proxy, &listener), -EINVAL);
    listener.flags = 1u << 30;
    CHECK_EQ(coreio_proxy_listen(proxy, &listener), -EINVAL);
    listener.flags = 0;
    listener.group = -1;
    CHECK_EQ(coreio_proxy_listen(proxy, &listener), -EINVAL);
    listener.group = 0;
    listener.address.length = 3;
    CHECK_EQ(coreio_proxy_listen(proxy, &listener), -EINVAL);
    listener.address = rig_address(0);
    CHECK_EQ(coreio_proxy_listen(proxy, &listener), 0);
    struct coreio_proxy_address taken;
    const int32_t other = rig_listen(1, &taken);
    struct coreio_proxy_listener second = {.size = sizeof second, .address = taken};
    CHECK_EQ(coreio_proxy_listen(proxy, &second), -EADDRINUSE);
    close(other);
    /* No upstream yet. */
    CHECK_EQ(coreio_proxy_start(proxy), -EINVAL);
    struct coreio_proxy_upstream upstream = {.size = sizeof upstream, .address = rig_address(1), .weight = 257};
    CHECK_EQ(coreio_proxy_upstream(proxy, &upstream), -EINVAL);
    upstream.weight = 0;
    upstream.flags = COREIO_PROXY_SEND_V1 | COREIO_PROXY_SEND_V2;
    CHECK_EQ(coreio_proxy_upstream(proxy, &upstream), -EINVAL);
    upstream.flags = 0;
    upstream.group = 1;
    CHECK_EQ(coreio_proxy_upstream(proxy, &upstream), 0);
    CHECK_EQ(coreio_proxy_start(proxy), -EINVAL);
    upstream.group = 0;
    CHECK_EQ(coreio_proxy_upstream(proxy, &upstream), 1);
    CHECK_EQ(coreio_proxy_route(proxy, (const uint8_t *)"a", 1, 7), 0);
    CHECK_EQ(coreio_proxy_start(proxy), -EINVAL);
    CHECK_EQ(coreio_proxy_route(proxy, (const uint8_t *)"b", 1, -1), -EINVAL);
    struct coreio_proxy_address address;
    CHECK_EQ(coreio_proxy_bound(proxy, 1, &address), -EINVAL);
    CHECK_EQ(coreio_proxy_descriptors(proxy, -1, NULL, 0), -EINVAL);
    coreio_proxy_destroy(proxy);
}

TEST(nothing_is_added_after_the_start)
{
    struct rig rig;
    rig_start(&rig, NULL, 0, 0);
    const struct coreio_proxy_listener listener = {.size = sizeof listener, .address = rig_address(0)};
    const struct coreio_proxy_upstream upstream = {.size = sizeof upstream, .address = rig_address(1)};
    CHECK_EQ(coreio_proxy_listen(rig.proxy, &listener), -EBUSY);
    CHECK_EQ(coreio_proxy_upstream(rig.proxy, &upstream), -EBUSY);
    CHECK_EQ(coreio_proxy_route(rig.proxy, (const uint8_t *)"a", 1, 0), -EBUSY);
    CHECK_EQ(coreio_proxy_start(rig.proxy), -EBUSY);
    CHECK_EQ(coreio_proxy_hand_over(rig.proxy, -1), -EINVAL);
    CHECK_EQ(coreio_proxy_hand_over(rig.proxy, 1), -EINVAL);
    CHECK_EQ(coreio_proxy_stop(rig.proxy), 0);
    CHECK_EQ(coreio_proxy_stop(rig.proxy), 0);
    CHECK_EQ(coreio_proxy_drain(rig.proxy, 0), COREIO_ECLOSED);
    CHECK_EQ(coreio_proxy_hand_over(rig.proxy, 0), COREIO_ECLOSED);
    rig_end(&rig);
}

TEST(a_drain_lets_connections_go_on_and_takes_what_is_queued)
{
    const struct coreio_proxy_options options = {.size = sizeof options, .workers = 2};
    struct rig rig;
    rig_start(&rig, &options, 0, 0);
    int32_t client;
    int32_t server;
    rig_pair(&rig, &client, &server);
    const int32_t late = rig_client(&rig);
    CHECK_EQ(coreio_proxy_drain(rig.proxy, -1), 0);
    const int32_t late_server = rig_accept(rig.upstream);
    rig_send(late, "late", 4);
    rig_expect(late_server, "late", 4);
    rig_send(client, "x", 1);
    rig_expect(server, "x", 1);
    /* Nobody new: the sockets are closed. */
    const int64_t end = rig_clock_ns() + 10000 * MS;
    int refused = 0;
    while (!refused && rig_clock_ns() < end) {
        const int32_t fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        refused = connect(fd, (struct sockaddr *)rig.front.bytes, rig.front.length) != 0 && errno == ECONNREFUSED;
        close(fd);
        (void)poll(NULL, 0, 1);
    }
    CHECK(refused);
    close(late);
    close(late_server);
    close(client);
    close(server);
    rig_wait_live(&rig, 0);
    rig_end(&rig);
}

TEST(a_drain_takes_a_whole_backlog)
{
    /* The one connection that may live keeps the others queued: the kernel takes one more than the backlog. */
    enum { QUEUED = 3 };
    const struct coreio_proxy_options options = {
        .size = sizeof options, .workers = 1, .max_connections = 1, .backlog = QUEUED - 1};
    struct rig rig;
    rig_start(&rig, &options, 0, 0);
    int32_t client;
    int32_t server;
    rig_pair(&rig, &client, &server);
    int32_t queued[QUEUED];
    for (int32_t i = 0; i < QUEUED; i++)
        queued[i] = rig_client(&rig);
    CHECK_EQ(coreio_proxy_drain(rig.proxy, -1), 0);
    CHECK_EQ(rig_counters(&rig).accepted, QUEUED + 1);
    for (int32_t i = 0; i < QUEUED; i++) {
        const int32_t late = rig_accept(rig.upstream);
        rig_send(late, "late", 4);
        close(late);
    }
    for (int32_t i = 0; i < QUEUED; i++) {
        rig_expect(queued[i], "late", 4);
        close(queued[i]);
    }
    close(client);
    close(server);
    rig_wait_live(&rig, 0);
    rig_end(&rig);
}

TEST(a_drain_ends_what_is_left_after_its_time)
{
    struct rig rig;
    rig_start(&rig, NULL, 0, 0);
    int32_t client;
    int32_t server;
    rig_pair(&rig, &client, &server);
    rig_send(client, "x", 1);
    rig_expect(server, "x", 1);
    CHECK_EQ(coreio_proxy_drain(rig.proxy, -1), 0);
    CHECK_EQ(coreio_proxy_drain(rig.proxy, 50 * MS), 0);
    rig_expect_end(client);
    close(client);
    close(server);
    CHECK_EQ(rig_record(&rig).end, COREIO_PROXY_END_STOPPED);
    rig_end(&rig);
}

TEST(a_stop_ends_everything_and_the_journal_stays)
{
    const int32_t before = rig_open_descriptors();
    const struct coreio_proxy_options options = {
        .size = sizeof options, .workers = 1, .splice = COREIO_PROXY_SPLICE_ALWAYS};
    struct rig rig;
    rig_start(&rig, &options, 0, 0);
    int32_t client;
    int32_t server;
    rig_pair(&rig, &client, &server);
    rig_send(client, "x", 1);
    rig_expect(server, "x", 1);
    CHECK_EQ(coreio_proxy_stop(rig.proxy), 0);
    rig_expect_end(client);
    close(client);
    close(server);
    CHECK_EQ(rig_record(&rig).end, COREIO_PROXY_END_STOPPED);
    CHECK_EQ(rig_counters(&rig).ends[COREIO_PROXY_END_STOPPED], 1);
    CHECK_EQ(rig_counters(&rig).pipes, 0);
    struct coreio_proxy_worker worker;
    CHECK_EQ(coreio_proxy_workers(rig.proxy, &worker, 1), 1);
    rig_end(&rig);
    CHECK_EQ(rig_open_descriptors(), before);
}

/* Connects, asks and reads the answer, again and again; counts what failed. */
struct load {
    struct coreio_proxy_address front;
    atomic_int end;
    atomic_int failed;
    atomic_int served;
};

static void *ask(void *argument)
{
    struct load *load = argument;
    while (!atomic_load(&load->end)) {
        const int32_t fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        char answer[6];
        int ok = connect(fd, (struct sockaddr *)load->front.bytes, load->front.length) == 0 &&
                 send(fd, "x", 1, MSG_NOSIGNAL) == 1;
        ok = ok && recv(fd, answer, sizeof answer, MSG_WAITALL) == (ssize_t)sizeof answer;
        atomic_fetch_add(ok ? &load->served : &load->failed, 1);
        close(fd);
    }
    return NULL;
}

/* Answers whoever connects, until the socket is shut down. */
static void *answer(void *argument)
{
    const int32_t listener = *(const int32_t *)argument;
    for (;;) {
        const int32_t fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        char byte;
        if (fd < 0)
            return NULL;
        if (recv(fd, &byte, 1, 0) == 1)
            (void)send(fd, "answer", 6, MSG_NOSIGNAL);
        close(fd);
    }
}

TEST(a_successor_takes_over_under_load_and_nobody_is_refused)
{
    enum { THREADS = 4, TIMES = 5 };
    const int32_t before = rig_open_descriptors();
    const struct coreio_proxy_options options = {.size = sizeof options, .workers = 2};
    struct rig rig;
    rig_start(&rig, &options, 0, 0);
    struct load load = {.front = rig.front};
    pthread_t threads[THREADS];
    pthread_t server;
    REQUIRE(pthread_create(&server, NULL, answer, &rig.upstream) == 0);
    for (int32_t i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, ask, &load) == 0);
    for (int32_t time = 0; time < TIMES; time++) {
        const int32_t enough = atomic_load(&load.served) + 200;
        while (atomic_load(&load.served) < enough && atomic_load(&load.failed) == 0)
            (void)poll(NULL, 0, 1);
        int32_t fds[8];
        const int32_t count = coreio_proxy_descriptors(rig.proxy, 0, fds, 8);
        CHECK_EQ(count, 2);
        for (int32_t i = 0; i < count; i++)
            fds[i] = dup(fds[i]);
        struct coreio_proxy *next;
        CHECK_EQ(coreio_proxy_create(&options, &next), 0);
        const struct coreio_proxy_listener listener = {
            .size = sizeof listener, .address = rig.front, .fds = fds, .fd_count = count};
        const struct coreio_proxy_upstream upstream = {.size = sizeof upstream, .address = rig.back};
        CHECK_EQ(coreio_proxy_listen(next, &listener), 0);
        CHECK_EQ(coreio_proxy_upstream(next, &upstream), 0);
        CHECK_EQ(coreio_proxy_start(next), 0);
        CHECK_EQ(coreio_proxy_hand_over(rig.proxy, 0), 0);
        CHECK_EQ(coreio_proxy_drain(rig.proxy, -1), 0);
        rig_wait_live(&rig, 0);
        coreio_proxy_destroy(rig.proxy);
        rig.proxy = next;
    }
    atomic_store(&load.end, 1);
    for (int32_t i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(atomic_load(&load.failed), 0);
    CHECK(atomic_load(&load.served) >= 200 * TIMES);
    CHECK_EQ(shutdown(rig.upstream, SHUT_RDWR), 0);
    CHECK_EQ(pthread_join(server, NULL), 0);
    rig_end(&rig);
    CHECK_EQ(rig_open_descriptors(), before);
}

TEST(sockets_that_were_passed_stay_the_caller_s_without_a_start)
{
    const char *folder = check_directory();
    char path[128];
    (void)strcat(strcpy(path, folder), "/socket");
    const struct coreio_proxy_address addresses[] = {rig_unix(path), rig_address(0)};
    for (int32_t i = 0; i < 2; i++) {
        check_context("address %d", i);
        struct coreio_proxy *first;
        CHECK_EQ(coreio_proxy_create(NULL, &first), 0);
        struct coreio_proxy_listener listener = {.size = sizeof listener, .address = addresses[i]};
        CHECK_EQ(coreio_proxy_listen(first, &listener), 0);
        int32_t fds[256];
        const int32_t count = coreio_proxy_descriptors(first, 0, fds, 256);
        REQUIRE(count >= 1);
        /* A successor that gets them, and then an address that is taken. */
        struct coreio_proxy_address taken;
        const int32_t other = rig_listen(1, &taken);
        const int32_t before = rig_open_descriptors();
        struct coreio_proxy *second;
        CHECK_EQ(coreio_proxy_create(NULL, &second), 0);
        CHECK_EQ(coreio_proxy_bound(first, 0, &listener.address), 0);
        listener.fds = fds;
        listener.fd_count = count;
        CHECK_EQ(coreio_proxy_listen(second, &listener), 0);
        const struct coreio_proxy_listener refused = {.size = sizeof refused, .address = taken};
        CHECK_EQ(coreio_proxy_listen(second, &refused), -EADDRINUSE);
        coreio_proxy_destroy(second);
        CHECK_EQ(rig_open_descriptors(), before);
        close(rig_connect(&listener.address));
        close(other);
        coreio_proxy_destroy(first);
    }
    check_context(NULL);
    CHECK_EQ(access(path, F_OK), -1);
}

TEST(many_connections_leave_nothing_behind)
{
    enum { THREADS = 4 };
    const struct coreio_proxy_options options = {.size = sizeof options, .workers = 2};
    struct rig rig;
    rig_start(&rig, &options, 0, 0);
    struct load load = {.front = rig.front};
    pthread_t threads[THREADS];
    pthread_t server;
    REQUIRE(pthread_create(&server, NULL, answer, &rig.upstream) == 0);
    const int32_t before = rig_open_descriptors();
    for (int32_t i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, ask, &load) == 0);
    while (atomic_load(&load.served) < 5000 && atomic_load(&load.failed) == 0)
        (void)poll(NULL, 0, 1);
    atomic_store(&load.end, 1);
    for (int32_t i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    rig_wait_live(&rig, 0);
    CHECK_EQ(atomic_load(&load.failed), 0);
    const struct coreio_proxy_counters counters = rig_counters(&rig);
    CHECK_EQ(counters.accepted, counters.ended);
    CHECK_EQ(counters.accepted, atomic_load(&load.served));
    CHECK_EQ(counters.bytes_to_client, 6 * counters.accepted);
    CHECK_EQ(counters.buffers, 0);
    struct coreio_proxy_upstream_state state;
    CHECK_EQ(coreio_proxy_upstreams(rig.proxy, &state, 1), 1);
    CHECK_EQ(state.live, 0);
    CHECK_EQ(state.connects, counters.accepted);
    CHECK_EQ(state.bytes_in, counters.bytes_to_client);
    CHECK_EQ(rig_open_descriptors(), before);
    CHECK_EQ(shutdown(rig.upstream, SHUT_RDWR), 0);
    CHECK_EQ(pthread_join(server, NULL), 0);
    rig_end(&rig);
}

TEST(a_proxy_that_cannot_start_leaves_nothing_behind)
{
    const int32_t before = rig_open_descriptors();
    const struct coreio_proxy_options options = {
        .size = sizeof options, .workers = 3, .check_interval_ns = INT64_C(3600000000000)};
    struct coreio_proxy_address back;
    int32_t upstream_fd = rig_listen(8, &back);
    for (int32_t passed = 0;; passed++) {
        struct coreio_proxy *proxy;
        CHECK_EQ(coreio_proxy_create(&options, &proxy), 0);
        const struct coreio_proxy_listener listener = {.size = sizeof listener, .address = rig_address(0)};
        const struct coreio_proxy_upstream upstream = {.size = sizeof upstream, .address = back};
        CHECK_EQ(coreio_proxy_listen(proxy, &listener), 0);
        CHECK_EQ(coreio_proxy_upstream(proxy, &upstream), 0);
        allocations_refuse_after(passed);
        const int32_t status = coreio_proxy_start(proxy);
        const int refused = allocations_refused();
        allocations_refuse_after(-1);
        CHECK(refused ? status == -ENOMEM || status == 0 : status == 0);
        coreio_proxy_destroy(proxy);
        CHECK_EQ(rig_open_descriptors(), before + 1);
        if (!refused) {
            CHECK(passed > 5);
            break;
        }
    }
    /* Without checks, whose connections the upstream would see, too, and an upstream that has seen none. */
    close(upstream_fd);
    upstream_fd = rig_listen(8, &back);
    const struct coreio_proxy_options plain = {.size = sizeof plain, .workers = 3};
    for (int32_t passed = 0; passed < 3; passed++) {
        struct coreio_proxy *proxy;
        CHECK_EQ(coreio_proxy_create(&plain, &proxy), 0);
        const struct coreio_proxy_listener listener = {.size = sizeof listener, .address = rig_address(0)};
        const struct coreio_proxy_upstream upstream = {.size = sizeof upstream, .address = back};
        CHECK_EQ(coreio_proxy_listen(proxy, &listener), 0);
        CHECK_EQ(coreio_proxy_upstream(proxy, &upstream), 0);
        threads_refuse_after(passed);
        CHECK_EQ(coreio_proxy_start(proxy), -EAGAIN);
        threads_refuse_after(-1);
        /* The sockets are as they were, and it starts the next time. */
        int32_t fds[3];
        CHECK_EQ(coreio_proxy_descriptors(proxy, 0, fds, 3), 3);
        CHECK_EQ(coreio_proxy_start(proxy), 0);
        struct coreio_proxy_address front;
        CHECK_EQ(coreio_proxy_bound(proxy, 0, &front), 0);
        const int32_t client = rig_connect(&front);
        const int32_t server = rig_accept(upstream_fd);
        rig_send(client, "x", 1);
        rig_expect(server, "x", 1);
        close(client);
        close(server);
        coreio_proxy_destroy(proxy);
    }
    for (int32_t passed = 0; passed < 6; passed++) {
        struct coreio_proxy *proxy;
        allocations_refuse_after(passed);
        const int32_t status = coreio_proxy_create(&options, &proxy);
        const struct coreio_proxy_listener listener = {.size = sizeof listener, .address = rig_address(0)};
        const int32_t listened = status == 0 ? coreio_proxy_listen(proxy, &listener) : status;
        allocations_refuse_after(-1);
        CHECK(listened == 0 || listened == -ENOMEM);
        coreio_proxy_destroy(proxy);
        CHECK_EQ(rig_open_descriptors(), before + 1);
    }
    close(upstream_fd);
    CHECK_EQ(rig_open_descriptors(), before);
}
