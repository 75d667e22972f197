/* Loops as a whole: made and ended, timers, wakes from other threads, a loop that is watched by another. */
#include "check.h"

#include "allocations.h"

#include <coreio/loop.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define IN ((uint32_t)EPOLLIN)
#define MS 1000000LL
#define SECOND 1000000000LL

static struct coreio_loop *new_loop(void)
{
    struct coreio_loop *loop;
    CHECK_EQ(coreio_loop_create(NULL, &loop), 0);
    return loop;
}

static int64_t clock_ns(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * SECOND + time.tv_nsec;
}

static struct coreio_loop_counters counters_of(struct coreio_loop *loop)
{
    struct coreio_loop_counters counters;
    CHECK_EQ(coreio_loop_counters(loop, &counters), 0);
    return counters;
}

static int32_t open_descriptors(void)
{
    int32_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

TEST(options_are_read_as_those_of_any_version)
{
    struct coreio_loop *loop;
    struct {
        struct coreio_loop_options options;
        uint32_t later[2];
    } longer = {.options.size = sizeof longer};
    CHECK_EQ(coreio_loop_create(&longer.options, &loop), 0);
    coreio_loop_destroy(loop);
    longer.later[1] = 1;
    CHECK_EQ(coreio_loop_create(&longer.options, &loop), COREIO_EABI);
    CHECK(loop == NULL);
    const struct coreio_loop_options flags = {.size = sizeof flags, .flags = 1u << 31};
    CHECK_EQ(coreio_loop_create(&flags, &loop), -EINVAL);
    const struct coreio_loop_options small = {.size = 1};
    CHECK_EQ(coreio_loop_create(&small, &loop), -EINVAL);
    coreio_loop_destroy(NULL);
}

TEST(a_loop_that_cannot_be_made_leaves_nothing_behind)
{
    const int32_t before = open_descriptors();
    allocations_refuse_after(0);
    struct coreio_loop *loop;
    CHECK_EQ(coreio_loop_create(NULL, &loop), -ENOMEM);
    allocations_refuse_after(-1);
    CHECK(loop == NULL);
    struct rlimit limit;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    /* Room for no descriptor at all, and for the first of the two. */
    const int32_t lowest = dup(0);
    close(lowest);
    for (int32_t room = 0; room < 2; room++) {
        const struct rlimit tight = {.rlim_cur = (rlim_t)(lowest + room), .rlim_max = limit.rlim_max};
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
        CHECK_EQ(coreio_loop_create(NULL, &loop), -EMFILE);
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
        CHECK(loop == NULL);
    }
    loop = new_loop();
    const int32_t inner = dup(0);
    close(inner);
    const struct rlimit tight = {.rlim_cur = (rlim_t)inner, .rlim_max = limit.rlim_max};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
    CHECK_EQ(coreio_loop_descriptor(loop), -EMFILE);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    coreio_loop_destroy(loop);
    CHECK_EQ(open_descriptors(), before);
}

TEST(timers_fire_in_time_and_in_order)
{
    struct coreio_loop *loop = new_loop();
    const int64_t delays[] = {30 * MS, 0, 10 * MS, 20 * MS};
    int64_t ids[4];
    const int64_t begin = coreio_loop_now(loop);
    for (uint64_t i = 0; i < 4; i++) {
        CHECK_EQ(coreio_loop_start(loop, delays[i], 0, i, &ids[i]), 0);
        CHECK_EQ(coreio_loop_holds(loop, ids[i]), 1);
    }
    const uint64_t order[] = {1, 2, 3, 0};
    for (int32_t i = 0; i < 4; i++) {
        struct coreio_loop_event event;
        CHECK_EQ(coreio_loop_wait(loop, &event, 1, -1), 1);
        CHECK_EQ(event.kind, COREIO_LOOP_TIMER);
        CHECK_EQ(event.data, order[i]);
        CHECK_EQ(event.id, ids[order[i]]);
        CHECK_EQ(event.events, 0);
        CHECK(clock_ns() - begin >= delays[order[i]]);
        CHECK_EQ(coreio_loop_holds(loop, event.id), 0);
        CHECK_EQ(coreio_loop_restart(loop, event.id, 0), -ENOENT);
        CHECK_EQ(coreio_loop_stop(loop, event.id), -ENOENT);
    }
    CHECK_EQ(counters_of(loop).timers, 0);
    CHECK_EQ(counters_of(loop).timers_fired, 4);
    int64_t id = 1;
    CHECK_EQ(coreio_loop_start(loop, -1, 0, 0, &id), -EINVAL);
    CHECK_EQ(id, 0);
    CHECK_EQ(coreio_loop_start(loop, 0, -1, 0, &id), -EINVAL);
    CHECK_EQ(coreio_loop_start(loop, INT64_MAX, 0, 0, &id), 0);
    CHECK_EQ(coreio_loop_restart(loop, id, -1), -EINVAL);
    CHECK_EQ(coreio_loop_stop(loop, id), 0);
    coreio_loop_destroy(loop);
}

TEST(a_timer_is_moved_and_ended)
{
    struct coreio_loop *loop = new_loop();
    int64_t moved;
    int64_t ended;
    int64_t nearer;
    CHECK_EQ(coreio_loop_start(loop, 5 * MS, 0, 1, &moved), 0);
    CHECK_EQ(coreio_loop_start(loop, 5 * MS, 0, 2, &ended), 0);
    CHECK_EQ(coreio_loop_start(loop, 3600 * SECOND, 0, 3, &nearer), 0);
    CHECK_EQ(coreio_loop_restart(loop, moved, 3600 * SECOND), 0);
    CHECK_EQ(coreio_loop_stop(loop, ended), 0);
    CHECK_EQ(coreio_loop_restart(loop, nearer, 10 * MS), 0);
    struct coreio_loop_event event;
    CHECK_EQ(coreio_loop_wait(loop, &event, 1, -1), 1);
    CHECK_EQ(event.id, nearer);
    CHECK_EQ(coreio_loop_wait(loop, &event, 1, 10 * MS), 0);
    /* A descriptor's identifier is no timer's. */
    CHECK_EQ(coreio_loop_stop(loop, moved & 0x7fffffff7fffffff), -ENOENT);
    CHECK_EQ(coreio_loop_stop(loop, moved), 0);
    coreio_loop_destroy(loop);
}

TEST(a_periodic_timer_fires_once_for_what_it_missed)
{
    struct coreio_loop *loop = new_loop();
    int64_t id;
    CHECK_EQ(coreio_loop_start(loop, 2 * MS, 2 * MS, 1, &id), 0);
    const int64_t begin = coreio_loop_now(loop);
    struct coreio_loop_event events[4];
    for (int32_t i = 0; i < 5; i++) {
        CHECK_EQ(coreio_loop_wait(loop, events, 4, -1), 1);
        CHECK_EQ(events[0].id, id);
        CHECK_EQ(coreio_loop_holds(loop, id), 1);
    }
    CHECK(clock_ns() - begin >= 10 * MS);
    const struct timespec pause = {.tv_nsec = 30 * MS};
    (void)nanosleep(&pause, NULL);
    CHECK_EQ(coreio_loop_wait(loop, events, 4, 0), 1);
    CHECK_EQ(coreio_loop_stop(loop, id), 0);
    CHECK_EQ(coreio_loop_wait(loop, events, 4, 5 * MS), 0);
    coreio_loop_destroy(loop);
}

TEST(a_million_timers)
{
    enum { COUNT = 1000000 };
    struct coreio_loop *loop = new_loop();
    int64_t *ids = malloc(COUNT * sizeof *ids);
    for (int32_t i = 0; i < COUNT; i++)
        REQUIRE(coreio_loop_start(loop, (1 + i % 100) * MS, 0, (uint64_t)i, &ids[i]) == 0);
    CHECK_EQ(counters_of(loop).timers, COUNT);
    /* A third is moved out of reach and ended later, a third is ended, a third fires. */
    const int64_t made = allocations_made();
    for (int32_t i = 0; i < COUNT; i++) {
        if (i % 3 == 0)
            REQUIRE(coreio_loop_restart(loop, ids[i], 3600 * SECOND) == 0);
        else if (i % 3 == 1)
            REQUIRE(coreio_loop_stop(loop, ids[i]) == 0);
    }
    int32_t fired = 0;
    int32_t wrong = 0;
    while (fired < COUNT / 3) {
        struct coreio_loop_event events[1000];
        const int32_t count = coreio_loop_wait(loop, events, 1000, 10 * SECOND);
        REQUIRE(count > 0);
        for (int32_t i = 0; i < count; i++)
            wrong += events[i].data % 3 != 2 || events[i].id != ids[events[i].data];
        fired += count;
    }
    CHECK_EQ(fired, COUNT / 3);
    CHECK_EQ(wrong, 0);
    for (int32_t i = 0; i < COUNT; i += 3)
        REQUIRE(coreio_loop_stop(loop, ids[i]) == 0);
    CHECK_EQ(counters_of(loop).timers, 0);
    CHECK_EQ(allocations_made(), made);
    free(ids);
    coreio_loop_destroy(loop);
}

TEST(refused_memory_starts_no_timer)
{
    struct coreio_loop *loop = new_loop();
    int64_t id;
    allocations_refuse_after(0);
    CHECK_EQ(coreio_loop_start(loop, 0, 0, 0, &id), -ENOMEM);
    allocations_refuse_after(-1);
    CHECK_EQ(id, 0);
    CHECK_EQ(coreio_loop_start(loop, 0, 0, 0, &id), 0);
    coreio_loop_destroy(loop);
}

/* Threads that each hand over numbers, and wake the loop for each. */
struct producers {
    struct coreio_loop *loop;
    atomic_int handed_over;
    int32_t each;
};

static void *produce(void *argument)
{
    struct producers *producers = argument;
    for (int32_t i = 0; i < producers->each; i++) {
        atomic_fetch_add_explicit(&producers->handed_over, 1, memory_order_relaxed);
        (void)coreio_loop_wake(producers->loop);
    }
    return NULL;
}

TEST(no_wake_is_lost)
{
    enum { THREADS = 4, EACH = 50000 };
    struct producers producers = {.loop = new_loop(), .each = EACH};
    pthread_t threads[THREADS];
    for (int32_t i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, produce, &producers) == 0);
    /* Each wait is for ever: with a wake lost after the last number, the loop would sleep beside it. */
    int32_t seen = 0;
    int32_t wakes = 0;
    while (seen < THREADS * EACH) {
        struct coreio_loop_event events[4];
        REQUIRE(coreio_loop_wait(producers.loop, events, 4, 60 * SECOND) == 1);
        CHECK_EQ(events[0].kind, COREIO_LOOP_WOKEN);
        CHECK_EQ(events[0].id, 0);
        seen = atomic_load_explicit(&producers.handed_over, memory_order_relaxed);
        wakes++;
    }
    for (int32_t i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK(wakes <= THREADS * EACH);
    /* One may be left from wakers that came after the last look; two are one. */
    struct coreio_loop_event events[4];
    CHECK(coreio_loop_wait(producers.loop, events, 4, 0) <= 1);
    CHECK_EQ(coreio_loop_wake(producers.loop), 0);
    CHECK_EQ(coreio_loop_wake(producers.loop), 0);
    CHECK_EQ(coreio_loop_wait(producers.loop, events, 4, 0), 1);
    CHECK_EQ(coreio_loop_wait(producers.loop, events, 4, 0), 0);
    coreio_loop_destroy(producers.loop);
}

static int32_t readable(int32_t fd, int32_t timeout_ms)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    return poll(&one, 1, timeout_ms);
}

TEST(the_descriptor_of_a_loop_is_readable_when_a_wait_would_return)
{
    struct coreio_loop *loop = new_loop();
    struct coreio_loop_event event;
    int64_t early;
    CHECK_EQ(coreio_loop_start(loop, 15 * MS, 0, 1, &early), 0);
    const int32_t fd = coreio_loop_descriptor(loop);
    REQUIRE(fd >= 0);
    CHECK_EQ(coreio_loop_descriptor(loop), fd);
    CHECK_EQ(readable(fd, 0), 0);
    /* A timer from before the first call. */
    CHECK_EQ(readable(fd, 5000), 1);
    CHECK_EQ(coreio_loop_wait(loop, &event, 1, 1000 * MS), 1);
    CHECK_EQ(event.id, early);
    CHECK_EQ(readable(fd, 0), 0);

    /* A nearer timer after a far one, then none. */
    int64_t far;
    int64_t near;
    CHECK_EQ(coreio_loop_start(loop, 3600 * SECOND, 0, 2, &far), 0);
    CHECK_EQ(coreio_loop_start(loop, 3600 * SECOND, 0, 3, &near), 0);
    CHECK_EQ(coreio_loop_restart(loop, near, 1), 0);
    CHECK_EQ(readable(fd, 5000), 1);
    CHECK_EQ(coreio_loop_wait(loop, &event, 1, 1000 * MS), 1);
    CHECK_EQ(event.id, near);
    CHECK_EQ(readable(fd, 0), 0);
    CHECK_EQ(coreio_loop_restart(loop, far, 0), 0);
    CHECK_EQ(coreio_loop_stop(loop, far), 0);
    CHECK_EQ(readable(fd, 0), 0);

    CHECK_EQ(coreio_loop_wake(loop), 0);
    CHECK_EQ(readable(fd, 0), 1);
    CHECK_EQ(coreio_loop_wait(loop, &event, 1, 0), 1);
    CHECK_EQ(readable(fd, 0), 0);

    /* A change of interest is known at once, and so is what is asked for again. */
    const int32_t ready = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    int64_t id;
    CHECK_EQ(coreio_loop_add(loop, ready, 0, 4, &id), 0);
    CHECK_EQ(readable(fd, 0), 0);
    CHECK_EQ(coreio_loop_modify(loop, id, IN), 0);
    CHECK_EQ(readable(fd, 0), 1);
    CHECK_EQ(coreio_loop_modify(loop, id, 0), 0);
    CHECK_EQ(readable(fd, 0), 0);
    CHECK_EQ(coreio_loop_again(loop, id, IN), 0);
    CHECK_EQ(readable(fd, 5000), 1);
    CHECK_EQ(coreio_loop_wait(loop, &event, 1, 0), 1);
    CHECK_EQ(event.id, id);
    CHECK_EQ(readable(fd, 0), 0);
    coreio_loop_destroy(loop);
    close(ready);
}

TEST(a_loop_leaves_no_descriptor_behind)
{
    const int32_t before = open_descriptors();
    for (int32_t i = 0; i < 10; i++) {
        struct coreio_loop *loop = new_loop();
        int64_t id;
        const int32_t event = eventfd(0, EFD_CLOEXEC);
        CHECK(coreio_loop_descriptor(loop) >= 0);
        CHECK_EQ(coreio_loop_add(loop, event, IN, 0, &id), 0);
        close(event);
        coreio_loop_destroy(loop);
    }
    CHECK_EQ(open_descriptors(), before);
}

TEST(an_idle_loop_uses_no_cpu)
{
    struct coreio_loop *loop = new_loop();
    int64_t id;
    CHECK_EQ(coreio_loop_start(loop, 86400 * SECOND, 0, 0, &id), 0);
    struct coreio_loop_event event;
    CHECK_EQ(coreio_loop_wait(loop, &event, 1, 200 * MS), 0);
    /* The wait itself, and a wheel that turned meanwhile. */
    CHECK(counters_of(loop).polls <= 3);
    coreio_loop_destroy(loop);
}
