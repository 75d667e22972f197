/* Waits: batches, fairness, timeouts, signals, and what an owner asks for again. */
#include "check.h"

#include "allocations.h"

#include <coreio/loop.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IN ((uint32_t)EPOLLIN)
#define OUT ((uint32_t)EPOLLOUT)
#define ET ((uint32_t)EPOLLET)
#define MS 1000000LL

static struct coreio_loop *new_loop(uint32_t flags)
{
    const struct coreio_loop_options options = {.size = sizeof options, .flags = flags};
    struct coreio_loop *loop;
    CHECK_EQ(coreio_loop_create(&options, &loop), 0);
    return loop;
}

static int32_t ready_event(void)
{
    return eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
}

static int64_t clock_ns(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

TEST(a_wait_ends_after_its_timeout)
{
    struct coreio_loop *loop = new_loop(0);
    struct coreio_loop_event event;
    const int64_t timeouts[] = {0, 1, 300000, 20 * MS};
    for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
        const int64_t begin = clock_ns();
        CHECK_EQ(coreio_loop_wait(loop, &event, 1, timeouts[i]), 0);
        CHECK(clock_ns() - begin >= timeouts[i]);
        CHECK(coreio_loop_now(loop) >= begin + timeouts[i]);
    }
    CHECK_EQ(coreio_loop_wait(loop, &event, 0, 0), -EINVAL);
    CHECK_EQ(coreio_loop_wait(loop, &event, -1, 0), -EINVAL);
    coreio_loop_destroy(loop);
}

TEST(a_small_batch_starves_nobody)
{
    /* More ready descriptors, owners who ask again and timers that are always due than the batch has room for. */
    enum { DESCRIPTORS = 20, AGAIN = 3, TIMERS = 3 };
    for (int32_t capacity = 1; capacity <= 5; capacity++) {
        struct coreio_loop *loop = new_loop(0);
        int32_t fds[DESCRIPTORS + AGAIN];
        int32_t counts[DESCRIPTORS + AGAIN + TIMERS] = {0};
        int64_t ids[DESCRIPTORS + AGAIN];
        for (int32_t i = 0; i < DESCRIPTORS + AGAIN; i++) {
            fds[i] = ready_event();
            CHECK_EQ(coreio_loop_add(loop, fds[i], i < DESCRIPTORS ? IN : 0, (uint64_t)i, &ids[i]), 0);
            if (i >= DESCRIPTORS)
                CHECK_EQ(coreio_loop_again(loop, ids[i], IN), 0);
        }
        for (int32_t i = 0; i < TIMERS; i++) {
            int64_t id;
            CHECK_EQ(coreio_loop_start(loop, 0, 0, (uint64_t)(DESCRIPTORS + AGAIN + i), &id), 0);
        }
        for (int32_t wait = 0; wait < 600; wait++) {
            struct coreio_loop_event events[5];
            const int32_t count = coreio_loop_wait(loop, events, capacity, -1);
            REQUIRE(count >= 1 && count <= capacity);
            for (int32_t i = 0; i < count; i++) {
                const int32_t who = (int32_t)events[i].data;
                counts[who]++;
                int64_t id;
                if (who >= DESCRIPTORS + AGAIN)
                    CHECK_EQ(coreio_loop_start(loop, 0, 0, (uint64_t)who, &id), 0);
                else if (who >= DESCRIPTORS)
                    CHECK_EQ(coreio_loop_again(loop, ids[who], IN), 0);
            }
        }
        for (int32_t i = 0; i < DESCRIPTORS + AGAIN + TIMERS; i++) {
            check_context("capacity %d, owner %d", capacity, i);
            CHECK(counts[i] >= 600 / 3 / DESCRIPTORS);
        }
        check_context(NULL);
        coreio_loop_destroy(loop);
        for (int32_t i = 0; i < DESCRIPTORS + AGAIN; i++)
            close(fds[i]);
    }
}

TEST(an_edge_that_was_left_comes_again_when_asked_for)
{
    struct coreio_loop *loop = new_loop(0);
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    int64_t id;
    CHECK_EQ(coreio_loop_add(loop, ends[0], IN | ET, 9, &id), 0);
    char bytes[100] = {0};
    CHECK_EQ(write(ends[1], bytes, sizeof bytes), (int64_t)sizeof bytes);
    struct coreio_loop_event events[4];
    int32_t left = (int32_t)sizeof bytes;
    for (int32_t turn = 0; left > 0; turn++) {
        /* Waits for ever, so an edge that is lost hangs the test. */
        REQUIRE(coreio_loop_wait(loop, events, 4, -1) == 1);
        CHECK_EQ(events[0].id, id);
        CHECK_EQ(events[0].data, 9);
        CHECK_EQ(events[0].events, IN);
        left -= (int32_t)read(ends[0], bytes, 30);
        if (left > 0)
            CHECK_EQ(coreio_loop_again(loop, id, IN), 0);
    }
    CHECK_EQ(coreio_loop_wait(loop, events, 4, 0), 0);
    struct coreio_loop_counters counters;
    CHECK_EQ(coreio_loop_counters(loop, &counters), 0);
    CHECK_EQ(counters.again, 3);
    /* Removed while it waits for its turn. */
    CHECK_EQ(coreio_loop_again(loop, id, IN), 0);
    CHECK_EQ(coreio_loop_remove(loop, id, 0), 0);
    CHECK_EQ(coreio_loop_wait(loop, events, 4, 0), 0);
    coreio_loop_destroy(loop);
    close(ends[0]);
    close(ends[1]);
}

TEST(events_asked_for_again_and_new_ones_are_one)
{
    struct coreio_loop *loop = new_loop(0);
    const int32_t fd = ready_event();
    int64_t id;
    CHECK_EQ(coreio_loop_add(loop, fd, IN, 0, &id), 0);
    struct coreio_loop_event events[4];
    for (int32_t i = 0; i < 6; i++) {
        CHECK_EQ(coreio_loop_again(loop, id, OUT), 0);
        const int32_t count = coreio_loop_wait(loop, events, 4, 0);
        /* One event when the kernel is asked first, two when the list is. */
        REQUIRE(count == 1 || count == 2);
        uint32_t all = 0;
        for (int32_t j = 0; j < count; j++)
            all |= events[j].events;
        CHECK_EQ(all, IN | OUT);
    }
    coreio_loop_destroy(loop);
    close(fd);
}

static void nothing(int signal)
{
    (void)signal;
}

struct shower {
    pthread_t target;
    atomic_int end;
};

static void *rain(void *argument)
{
    struct shower *shower = argument;
    while (!atomic_load(&shower->end)) {
        (void)pthread_kill(shower->target, SIGUSR2);
        const struct timespec pause = {.tv_nsec = 200000};
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

TEST(signals_neither_end_nor_stretch_a_wait)
{
    const struct sigaction action = {.sa_handler = nothing};
    struct sigaction before;
    CHECK_EQ(sigaction(SIGUSR2, &action, &before), 0);
    struct shower shower = {.target = pthread_self()};
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, rain, &shower) == 0);
    struct coreio_loop *loop = new_loop(0);
    struct coreio_loop_event event;
    const int64_t begin = clock_ns();
    CHECK_EQ(coreio_loop_wait(loop, &event, 1, 50 * MS), 0);
    const int64_t took = clock_ns() - begin;
    CHECK(took >= 50 * MS && took < 5000 * MS);
    int64_t id;
    CHECK_EQ(coreio_loop_start(loop, 20 * MS, 0, 5, &id), 0);
    CHECK_EQ(coreio_loop_wait(loop, &event, 1, -1), 1);
    CHECK_EQ(event.data, 5);
    coreio_loop_destroy(loop);

    loop = new_loop(COREIO_LOOP_INTERRUPTIBLE);
    CHECK_EQ(coreio_loop_wait(loop, &event, 1, -1), -EINTR);
    coreio_loop_destroy(loop);
    atomic_store(&shower.end, 1);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(sigaction(SIGUSR2, &before, NULL), 0);
}

TEST(twenty_thousand_descriptors)
{
    enum { COUNT = 20000, STEP = 997 };
    struct rlimit limit;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const struct rlimit before = limit;
    limit.rlim_cur = limit.rlim_max < COUNT + 100 ? limit.rlim_max : COUNT + 100;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    /* As many as the limit allows; some stay free for the test itself. */
    const int32_t count = limit.rlim_cur < COUNT + 100 ? (int32_t)limit.rlim_cur - 100 : COUNT;
    REQUIRE(count >= 900);
    struct coreio_loop *loop = new_loop(0);
    int32_t *fds = malloc((size_t)count * sizeof *fds);
    int64_t *ids = malloc((size_t)count * sizeof *ids);
    for (int32_t i = 0; i < count; i++) {
        fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        REQUIRE(fds[i] >= 0);
        CHECK_EQ(coreio_loop_add(loop, fds[i], IN, (uint64_t)i, &ids[i]), 0);
    }
    const int64_t made = allocations_made();
    const uint64_t one = 1;
    int32_t expected = 0;
    for (int32_t i = 0; i < count; i += STEP, expected++)
        CHECK_EQ(write(fds[i], &one, sizeof one), (int64_t)sizeof one);
    struct coreio_loop_event events[100];
    const int32_t got = coreio_loop_wait(loop, events, 100, -1);
    CHECK_EQ(got, expected);
    for (int32_t i = 0; i < got; i++) {
        CHECK_EQ(events[i].data % STEP, 0);
        CHECK_EQ(events[i].id, ids[events[i].data]);
    }
    CHECK_EQ(allocations_made(), made);
    /* Half of them go, one way or the other, and none of their events comes. */
    for (int32_t i = 0; i < count; i += 2) {
        CHECK_EQ(coreio_loop_remove(loop, ids[i], i % 4 == 0 ? COREIO_LOOP_CLOSING : 0), 0);
        close(fds[i]);
    }
    for (int32_t i = 0; i < count; i++) {
        if (i % 2 == 1)
            CHECK_EQ(write(fds[i], &one, sizeof one), (int64_t)sizeof one);
    }
    /* Level-triggered, so each comes again; a bit for each shows that all do. */
    uint8_t *seen = calloc((size_t)count, 1);
    int32_t distinct = 0;
    for (int32_t wait = 0; wait < 2000 && distinct < count / 2; wait++) {
        const int32_t batch = coreio_loop_wait(loop, events, 100, 0);
        for (int32_t i = 0; i < batch; i++) {
            CHECK_EQ(events[i].data % 2, 1);
            distinct += seen[events[i].data] == 0;
            seen[events[i].data] = 1;
        }
    }
    CHECK_EQ(distinct, count / 2);
    struct coreio_loop_counters counters;
    CHECK_EQ(coreio_loop_counters(loop, &counters), 0);
    CHECK_EQ(counters.descriptors, count / 2);
    CHECK_EQ(counters.stale, 0);
    coreio_loop_destroy(loop);
    for (int32_t i = 1; i < count; i += 2)
        close(fds[i]);
    free(seen);
    free(ids);
    free(fds);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}
