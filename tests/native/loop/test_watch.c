/* Watching descriptors: kinds, interest, refusals, numbers that are used again, system calls that are not made. */
#include "check.h"

#include "allocations.h"

#include <coreio/loop.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define IN ((uint32_t)EPOLLIN)
#define OUT ((uint32_t)EPOLLOUT)
#define ET ((uint32_t)EPOLLET)
#define ONE_SHOT ((uint32_t)EPOLLONESHOT)

static struct coreio_loop *new_loop(void)
{
    struct coreio_loop *loop;
    CHECK_EQ(coreio_loop_create(NULL, &loop), 0);
    return loop;
}

static void pair(int32_t ends[2])
{
    int both[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, both), 0);
    ends[0] = both[0];
    ends[1] = both[1];
}

static struct coreio_loop_counters counters_of(struct coreio_loop *loop)
{
    struct coreio_loop_counters counters;
    CHECK_EQ(coreio_loop_counters(loop, &counters), 0);
    return counters;
}

/* The events of the one descriptor that is ready, 0 for none. */
static uint32_t events_now(struct coreio_loop *loop)
{
    struct coreio_loop_event events[8];
    const int32_t count = coreio_loop_wait(loop, events, 8, 0);
    CHECK(count == 0 || count == 1);
    return count == 1 ? events[0].events : 0;
}

TEST(an_event_bears_what_was_given_with_the_descriptor)
{
    struct coreio_loop *loop = new_loop();
    int32_t ends[2];
    pair(ends);
    int64_t id;
    CHECK_EQ(coreio_loop_add(loop, ends[0], IN, 4711, &id), 0);
    CHECK(id > 0);
    CHECK_EQ(coreio_loop_holds(loop, id), 1);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    struct coreio_loop_event event;
    CHECK_EQ(coreio_loop_wait(loop, &event, 1, -1), 1);
    CHECK_EQ(event.kind, COREIO_LOOP_DESCRIPTOR);
    CHECK_EQ(event.id, id);
    CHECK_EQ(event.data, 4711);
    CHECK_EQ(event.events, IN);
    CHECK_EQ(event.status, 0);
    CHECK_EQ(counters_of(loop).descriptors, 1);
    coreio_loop_destroy(loop);
    /* The loop leaves the descriptor open. */
    CHECK(fcntl(ends[0], F_GETFD) >= 0);
    close(ends[0]);
    close(ends[1]);
}

TEST(a_level_comes_again_an_edge_does_not)
{
    struct coreio_loop *loop = new_loop();
    int32_t ends[2];
    pair(ends);
    int64_t id;
    CHECK_EQ(coreio_loop_add(loop, ends[0], IN, 0, &id), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(events_now(loop), IN);
    CHECK_EQ(events_now(loop), IN);
    CHECK_EQ(coreio_loop_modify(loop, id, IN | ET), 0);
    CHECK_EQ(events_now(loop), IN);
    CHECK_EQ(events_now(loop), 0);
    CHECK_EQ(write(ends[1], "y", 1), 1);
    CHECK_EQ(events_now(loop), IN);
    CHECK_EQ(events_now(loop), 0);
    CHECK_EQ(coreio_loop_modify(loop, id, 0), 0);
    CHECK_EQ(events_now(loop), 0);
    close(ends[1]);
    /* What comes unasked. */
    CHECK_EQ(events_now(loop), (uint32_t)EPOLLHUP);
    CHECK_EQ(coreio_loop_remove(loop, id, 0), 0);
    CHECK_EQ(events_now(loop), 0);
    close(ends[0]);
    coreio_loop_destroy(loop);
}

TEST(the_end_of_the_peer_s_sending_is_told)
{
    struct coreio_loop *loop = new_loop();
    int32_t ends[2];
    pair(ends);
    int64_t id;
    CHECK_EQ(coreio_loop_add(loop, ends[0], (uint32_t)EPOLLRDHUP | ET, 0, &id), 0);
    CHECK_EQ(events_now(loop), 0);
    CHECK_EQ(shutdown(ends[1], SHUT_WR), 0);
    CHECK_EQ(events_now(loop), (uint32_t)EPOLLRDHUP);
    coreio_loop_destroy(loop);
    close(ends[0]);
    close(ends[1]);
}

TEST(one_shot_watches_again_only_when_asked)
{
    struct coreio_loop *loop = new_loop();
    int32_t ends[2];
    pair(ends);
    int64_t id;
    CHECK_EQ(coreio_loop_add(loop, ends[0], IN | ONE_SHOT, 0, &id), 0);
    for (int32_t i = 0; i < 3; i++) {
        CHECK_EQ(write(ends[1], "x", 1), 1);
        CHECK_EQ(events_now(loop), IN);
        CHECK_EQ(write(ends[1], "y", 1), 1);
        CHECK_EQ(events_now(loop), 0);
        /* The same interest as before is a change: the kernel has none. */
        CHECK_EQ(coreio_loop_modify(loop, id, IN | ONE_SHOT), 0);
        CHECK_EQ(events_now(loop), IN);
        CHECK_EQ(coreio_loop_modify(loop, id, IN | ONE_SHOT), 0);
    }
    coreio_loop_destroy(loop);
    close(ends[0]);
    close(ends[1]);
}

TEST(changes_that_come_to_nothing_cost_no_system_call)
{
    struct coreio_loop *loop = new_loop();
    int32_t ends[2];
    pair(ends);
    int64_t id;
    CHECK_EQ(coreio_loop_add(loop, ends[0], IN, 0, &id), 0);
    CHECK_EQ(counters_of(loop).kernel_calls, 1);
    for (int32_t i = 0; i < 1000; i++) {
        CHECK_EQ(coreio_loop_modify(loop, id, IN | OUT), 0);
        CHECK_EQ(coreio_loop_modify(loop, id, 0), 0);
        CHECK_EQ(coreio_loop_modify(loop, id, IN), 0);
        CHECK_EQ(events_now(loop), 0);
    }
    CHECK_EQ(counters_of(loop).kernel_calls, 1);
    for (int32_t i = 0; i < 1000; i++)
        CHECK_EQ(coreio_loop_modify(loop, id, i % 2 == 0 ? IN : OUT), 0);
    CHECK_EQ(events_now(loop), OUT);
    CHECK_EQ(counters_of(loop).kernel_calls, 2);
    CHECK_EQ(coreio_loop_remove(loop, id, COREIO_LOOP_CLOSING), 0);
    CHECK_EQ(counters_of(loop).kernel_calls, 2);
    CHECK_EQ(counters_of(loop).changes, 1 + 3000 + 1000 + 1);
    coreio_loop_destroy(loop);
    close(ends[0]);
    close(ends[1]);
}

TEST(a_number_that_is_used_again_has_a_new_owner)
{
    struct coreio_loop *loop = new_loop();
    int32_t old[2];
    int32_t new[2];
    pair(old);
    pair(new);
    int64_t first;
    CHECK_EQ(coreio_loop_add(loop, old[0], IN, 1, &first), 0);
    /* The descriptor is closed without a word, and its number comes back with another socket behind it. */
    REQUIRE(dup2(new[0], old[0]) == old[0]);
    int64_t second;
    CHECK_EQ(coreio_loop_add(loop, old[0], IN, 2, &second), 0);
    CHECK(first != second);
    CHECK_EQ(write(new[1], "x", 1), 1);
    struct coreio_loop_event event;
    CHECK_EQ(coreio_loop_wait(loop, &event, 1, 0), 1);
    CHECK_EQ(event.id, second);
    CHECK_EQ(event.data, 2);
    /* Whoever held the number before cannot take it from its new owner. */
    CHECK_EQ(coreio_loop_modify(loop, first, OUT), 0);
    struct coreio_loop_event events[4];
    CHECK_EQ(coreio_loop_wait(loop, events, 4, 0), 2);
    int32_t lost = events[0].kind == COREIO_LOOP_LOST ? 0 : 1;
    CHECK_EQ(events[lost].kind, COREIO_LOOP_LOST);
    CHECK_EQ(events[lost].id, first);
    CHECK_EQ(events[lost].data, 1);
    CHECK_EQ(events[lost].status, -EBADF);
    CHECK_EQ(events[1 - lost].id, second);
    CHECK_EQ(coreio_loop_remove(loop, first, 0), 0);
    CHECK_EQ(coreio_loop_remove(loop, first, 0), -ENOENT);
    CHECK_EQ(coreio_loop_wait(loop, events, 4, 0), 1);
    CHECK_EQ(events[0].id, second);
    coreio_loop_destroy(loop);
    close(old[0]);
    close(old[1]);
    close(new[0]);
    close(new[1]);
}

TEST(what_the_kernel_tells_of_a_former_owner_reaches_nobody)
{
    struct coreio_loop *loop = new_loop();
    int32_t ends[2];
    pair(ends);
    int64_t id;
    CHECK_EQ(coreio_loop_add(loop, ends[0], IN, 1, &id), 0);
    /* A duplicate keeps the kernel's registration alive, although the caller said that there is none. */
    const int32_t duplicate = dup(ends[0]);
    CHECK_EQ(coreio_loop_remove(loop, id, COREIO_LOOP_CLOSING), 0);
    close(ends[0]);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    struct coreio_loop_event event;
    CHECK_EQ(coreio_loop_wait(loop, &event, 1, 0), 0);
    /* It was told twice: there might have been another in its place. */
    CHECK_EQ(counters_of(loop).stale, 2);
    CHECK_EQ(coreio_loop_holds(loop, id), 0);
    close(duplicate);
    close(ends[1]);
    coreio_loop_destroy(loop);
}

/* However small the room, and whatever comes before: those that are told of in vain, and one that is not. */
TEST(what_reaches_nobody_hides_nothing)
{
    enum { STALE = 5 };
    struct coreio_loop *loop = new_loop();
    int32_t ends[STALE + 1][2];
    int32_t duplicates[STALE];
    int64_t ids[STALE + 1];
    for (int32_t i = 0; i <= STALE; i++) {
        pair(ends[i]);
        CHECK_EQ(coreio_loop_add(loop, ends[i][0], IN, (uint64_t)i, &ids[i]), 0);
        CHECK_EQ(write(ends[i][1], "x", 1), 1);
    }
    struct coreio_loop_event events[STALE + 1];
    CHECK_EQ(coreio_loop_wait(loop, events, STALE + 1, 0), STALE + 1);
    for (int32_t i = 0; i < STALE; i++) {
        duplicates[i] = dup(ends[i][0]);
        CHECK_EQ(coreio_loop_remove(loop, ids[i], COREIO_LOOP_CLOSING), 0);
        close(ends[i][0]);
    }
    for (int32_t wait = 0; wait < 20; wait++) {
        const int32_t capacity = 1 + wait % STALE;
        check_context("room for %d", capacity);
        REQUIRE(coreio_loop_wait(loop, events, capacity, 0) == 1);
        CHECK_EQ(events[0].id, ids[STALE]);
    }
    /* Without it, the wait ends after one turn. */
    CHECK_EQ(coreio_loop_remove(loop, ids[STALE], 0), 0);
    const int64_t before = counters_of(loop).stale;
    CHECK_EQ(coreio_loop_wait(loop, events, 1, 0), 0);
    CHECK(counters_of(loop).stale - before <= STALE + 1);
    coreio_loop_destroy(loop);
    for (int32_t i = 0; i <= STALE; i++) {
        close(i < STALE ? duplicates[i] : ends[i][0]);
        close(ends[i][1]);
    }
}

TEST(closing_during_dispatch_is_seen)
{
    /* Two descriptors in one batch; the owner of the first closes the second, and its number is used again. */
    struct coreio_loop *loop = new_loop();
    int32_t first[2];
    int32_t second[2];
    int32_t third[2];
    pair(first);
    pair(second);
    int64_t ids[3];
    CHECK_EQ(coreio_loop_add(loop, first[0], IN, 0, &ids[0]), 0);
    CHECK_EQ(coreio_loop_add(loop, second[0], IN, 1, &ids[1]), 0);
    CHECK_EQ(write(first[1], "x", 1), 1);
    CHECK_EQ(write(second[1], "x", 1), 1);
    struct coreio_loop_event events[4];
    REQUIRE(coreio_loop_wait(loop, events, 4, 0) == 2);
    CHECK_EQ(coreio_loop_remove(loop, ids[1], COREIO_LOOP_CLOSING), 0);
    close(second[0]);
    pair(third);
    CHECK_EQ(third[0], second[0]);
    CHECK_EQ(coreio_loop_add(loop, third[0], IN, 2, &ids[2]), 0);
    for (int32_t i = 0; i < 2; i++)
        CHECK_EQ(coreio_loop_holds(loop, events[i].id), events[i].data == 0);
    CHECK_EQ(coreio_loop_wait(loop, events, 4, 0), 1);
    CHECK_EQ(events[0].id, ids[0]);
    coreio_loop_destroy(loop);
    const int32_t all[] = {first[0], first[1], second[1], third[0], third[1]};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        close(all[i]);
}

TEST(refusals_are_those_of_the_kernel)
{
    struct coreio_loop *loop = new_loop();
    int64_t id = 1;
    CHECK_EQ(coreio_loop_add(loop, -1, IN, 0, &id), -EBADF);
    CHECK_EQ(id, 0);
    CHECK_EQ(coreio_loop_add(loop, 999999, IN, 0, &id), -EBADF);
    const char *folder = check_directory();
    const int32_t file = open(check_write(folder, "regular", "x", 1), O_RDONLY | O_CLOEXEC);
    CHECK_EQ(coreio_loop_add(loop, file, IN, 0, &id), -EPERM);
    const int32_t directory = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    CHECK_EQ(coreio_loop_add(loop, directory, IN, 0, &id), -EPERM);
    int32_t ends[2];
    pair(ends);
    CHECK_EQ(coreio_loop_add(loop, ends[0], 1u << 27, 0, &id), -EINVAL);
    CHECK_EQ(coreio_loop_add(loop, ends[0], IN, 0, &id), 0);
    int64_t again;
    CHECK_EQ(coreio_loop_add(loop, ends[0], OUT, 0, &again), -EEXIST);
    CHECK_EQ(coreio_loop_modify(loop, id, 1u << 27), -EINVAL);
    CHECK_EQ(coreio_loop_modify(loop, 0, IN), -ENOENT);
    CHECK_EQ(coreio_loop_remove(loop, id, 2), -EINVAL);
    CHECK_EQ(coreio_loop_again(loop, id, 0), -EINVAL);
    CHECK_EQ(coreio_loop_again(loop, 0, IN), -ENOENT);
    CHECK_EQ(coreio_loop_holds(loop, 0), 0);
    CHECK_EQ(coreio_loop_holds(loop, -1), 0);
    /* A loop that would watch itself, by way of another. */
    struct coreio_loop *other = new_loop();
    CHECK_EQ(coreio_loop_add(loop, coreio_loop_descriptor(loop), IN, 0, &again), -EINVAL);
    CHECK_EQ(coreio_loop_add(loop, coreio_loop_descriptor(other), IN, 0, &again), 0);
    CHECK_EQ(coreio_loop_add(other, coreio_loop_descriptor(loop), IN, 0, &again), -ELOOP);
    coreio_loop_destroy(other);
    coreio_loop_destroy(loop);
    close(file);
    close(directory);
    close(ends[0]);
    close(ends[1]);
}

TEST(exclusive_interest_is_for_life)
{
    struct coreio_loop *loop = new_loop();
    int32_t ends[2];
    pair(ends);
    int64_t id;
    const uint32_t exclusive = (uint32_t)EPOLLEXCLUSIVE;
    CHECK_EQ(coreio_loop_add(loop, ends[0], IN | exclusive | ONE_SHOT, 0, &id), -EINVAL);
    CHECK_EQ(coreio_loop_add(loop, ends[0], IN | exclusive, 0, &id), 0);
    CHECK_EQ(coreio_loop_modify(loop, id, IN), -EINVAL);
    CHECK_EQ(coreio_loop_modify(loop, id, IN | exclusive), -EINVAL);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    CHECK_EQ(events_now(loop), IN);
    CHECK_EQ(coreio_loop_remove(loop, id, 0), 0);
    CHECK_EQ(coreio_loop_add(loop, ends[0], OUT, 0, &id), 0);
    CHECK_EQ(coreio_loop_modify(loop, id, IN | exclusive), -EINVAL);
    coreio_loop_destroy(loop);
    close(ends[0]);
    close(ends[1]);
}

/* A thread that waits on a loop of its own. */
struct waiter {
    struct coreio_loop *loop;
    pthread_t thread;
    atomic_int thread_id;
    uint32_t events; /* of the first event */
};

static void *wait_once(void *argument)
{
    struct waiter *waiter = argument;
    atomic_store(&waiter->thread_id, (int)gettid());
    struct coreio_loop_event event = {0};
    (void)coreio_loop_wait(waiter->loop, &event, 1, 60000000000);
    waiter->events = event.events;
    return NULL;
}

/* Whether the kernel shows a thread of this process asleep. */
static int asleep(int32_t thread)
{
    char path[64];
    char text[512] = {0};
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
    const int32_t fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    const char *state = length > 0 ? strrchr(text, ')') : NULL;
    return state != NULL && state[2] == 'S';
}

TEST(exclusive_interest_wakes_one_waiter_of_many)
{
    enum { WAITERS = 8 };
    struct waiter waiters[WAITERS] = {0};
    int32_t ends[2];
    pair(ends);
    for (int32_t i = 0; i < WAITERS; i++) {
        int64_t id;
        waiters[i].loop = new_loop();
        CHECK_EQ(coreio_loop_add(waiters[i].loop, ends[0], IN | ET | (uint32_t)EPOLLEXCLUSIVE, 0, &id), 0);
        REQUIRE(pthread_create(&waiters[i].thread, NULL, wait_once, &waiters[i]) == 0);
    }
    for (int32_t i = 0; i < WAITERS; i++) {
        while (atomic_load(&waiters[i].thread_id) == 0 || !asleep(atomic_load(&waiters[i].thread_id)))
            (void)sched_yield();
    }
    CHECK_EQ(write(ends[1], "x", 1), 1);
    for (int32_t i = 0; i < WAITERS; i++)
        CHECK_EQ(coreio_loop_wake(waiters[i].loop), 0);
    int32_t told = 0;
    for (int32_t i = 0; i < WAITERS; i++) {
        CHECK_EQ(pthread_join(waiters[i].thread, NULL), 0);
        told += waiters[i].events != 0;
        coreio_loop_destroy(waiters[i].loop);
    }
    /* "One or more" is what epoll_ctl(2) promises: never none, and not all. */
    CHECK(told >= 1 && told < WAITERS);
    close(ends[0]);
    close(ends[1]);
}

/* Makes a descriptor ready for reading. */
static void poke(int32_t fd)
{
    const uint64_t one = 1;
    CHECK_EQ(write(fd, &one, sizeof one), (int64_t)sizeof one);
}

TEST(every_kind_of_descriptor_can_be_watched)
{
    struct coreio_loop *loop = new_loop();
    struct coreio_loop *inner = new_loop();
    int pipes[2];
    REQUIRE(pipe2(pipes, O_CLOEXEC | O_NONBLOCK) == 0);
    const int32_t event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const int32_t timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    CHECK_EQ(sigprocmask(SIG_BLOCK, &signals, NULL), 0);
    const int32_t signal = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    const int32_t notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    const char *folder = check_directory();
    CHECK(inotify_add_watch(notify, folder, IN_CREATE) >= 0);
    const int32_t terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK_EQ(grantpt(terminal), 0);
    CHECK_EQ(unlockpt(terminal), 0);
    char slave_name[64];
    CHECK_EQ(ptsname_r(terminal, slave_name, sizeof slave_name), 0);
    const int32_t slave = open(slave_name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    char queue_name[64];
    (void)snprintf(queue_name, sizeof queue_name, "/coreio-watch-%d", (int)getpid());
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8};
    const mqd_t queue = mq_open(queue_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes);
    (void)mq_unlink(queue_name);
    CHECK(queue >= 0);

    const int32_t watched[] = {pipes[0], event, timer, signal, notify, terminal, queue, coreio_loop_descriptor(inner)};
    enum { KINDS = sizeof watched / sizeof watched[0] };
    for (int32_t i = 0; i < KINDS; i++) {
        int64_t id;
        check_context("kind %d", i);
        CHECK_EQ(coreio_loop_add(loop, watched[i], IN, (uint64_t)i, &id), 0);
    }
    struct coreio_loop_event events[2 * KINDS];
    check_context("before");
    CHECK_EQ(coreio_loop_wait(loop, events, 2 * KINDS, 0), 0);

    poke(pipes[1]);
    poke(event);
    const struct itimerspec soon = {.it_value.tv_nsec = 1};
    CHECK_EQ(timerfd_settime(timer, 0, &soon, NULL), 0);
    CHECK_EQ(raise(SIGUSR1), 0);
    (void)check_write(folder, "new", "x", 1);
    CHECK_EQ(write(slave, "line\n", 5), 5);
    CHECK_EQ(mq_send(queue, "x", 1, 0), 0);
    CHECK_EQ(coreio_loop_wake(inner), 0);
    int32_t seen = 0;
    /* What the terminal says comes by a worker of the kernel, a moment later. */
    const int64_t end = coreio_loop_now(loop) + INT64_C(10000000000);
    while (seen != (1 << KINDS) - 1 && coreio_loop_now(loop) < end) {
        const int32_t count = coreio_loop_wait(loop, events, 2 * KINDS, 10000000);
        for (int32_t i = 0; i < count; i++)
            seen |= 1 << events[i].data;
    }
    check_context("after");
    CHECK_EQ(seen, (1 << KINDS) - 1);
    check_context(NULL);

    coreio_loop_destroy(loop);
    coreio_loop_destroy(inner);
    const int32_t all[] = {pipes[0], pipes[1], event, timer, signal, notify, terminal, slave, queue};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        close(all[i]);
    const struct timespec none = {0};
    (void)sigtimedwait(&signals, NULL, &none);
    CHECK_EQ(sigprocmask(SIG_UNBLOCK, &signals, NULL), 0);
}

TEST(refused_memory_watches_nothing)
{
    int32_t ends[2];
    pair(ends);
    for (int32_t passed = 0;; passed++) {
        struct coreio_loop *loop = new_loop();
        int64_t id;
        allocations_refuse_after(passed);
        const int32_t status = coreio_loop_add(loop, ends[0], OUT, 0, &id);
        const int refused = allocations_refused();
        allocations_refuse_after(-1);
        if (refused) {
            CHECK_EQ(status, -ENOMEM);
            CHECK_EQ(counters_of(loop).descriptors, 0);
            CHECK_EQ(events_now(loop), 0);
            CHECK_EQ(coreio_loop_add(loop, ends[0], OUT, 0, &id), 0);
        } else {
            CHECK_EQ(status, 0);
        }
        coreio_loop_destroy(loop);
        if (!refused) {
            CHECK(passed > 1);
            break;
        }
    }
    close(ends[0]);
    close(ends[1]);
}
