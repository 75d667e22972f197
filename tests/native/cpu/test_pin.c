/* Affinity: what is allowed, pinning to each CPU, and every refusal. */
#include "check.h"

#include "cpu/cpu.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Stands before libc's function of the same name: -errno to fail with, or 0 to ask the kernel. */
static _Thread_local int refuse_getaffinity;

int sched_getaffinity(pid_t thread, size_t size, cpu_set_t *mask)
{
    if (refuse_getaffinity != 0) {
        errno = -refuse_getaffinity;
        return -1;
    }
    memset(mask, 0, size);
    return syscall(SYS_sched_getaffinity, thread, size, mask) < 0 ? -1 : 0;
}

/* Runs a check in a thread of its own, as a pin outlives the call and must not reach the other cases. */
static void in_thread(void *(*body)(void *))
{
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, body, NULL) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);
}

TEST(arguments_are_checked)
{
    int32_t cpu;
    struct coreio_cpu_place place;
    CHECK_EQ(coreio_cpu_allowed(NULL, 1), -EINVAL);
    CHECK_EQ(coreio_cpu_allowed(&cpu, -1), -EINVAL);
    CHECK_EQ(coreio_cpu_pin(-1, &place), -EINVAL);
    CHECK_EQ(coreio_cpu_pin(0, NULL), -EINVAL);
    CHECK_EQ(coreio_cpu_where(NULL), -EINVAL);
}

TEST(the_kernels_error_comes_back_unchanged)
{
    int32_t cpu;
    struct coreio_cpu_place place;
    struct coreio_cpu_core core;
    refuse_getaffinity = -EPERM;
    CHECK_EQ(coreio_cpu_allowed(&cpu, 1), -EPERM);
    CHECK_EQ(coreio_cpu_where(&place), -EPERM);
    CHECK_EQ(coreio_cpu_topology(&core, 1), -EPERM);
    refuse_getaffinity = 0;
}

TEST(allowed_cpus_ascend_and_a_small_buffer_gets_the_count)
{
    static int32_t cpus[COREIO_CPU_LIMIT];
    const int32_t count = coreio_cpu_allowed(cpus, COREIO_CPU_LIMIT);
    REQUIRE(count > 0);
    for (int32_t i = 1; i < count; i++) {
        CHECK(cpus[i] > cpus[i - 1]);
    }
    cpu_set_t set;
    REQUIRE(sched_getaffinity(0, sizeof set, &set) == 0);
    CHECK_EQ(count, CPU_COUNT(&set));
    int32_t first[2] = {-7, -7};
    CHECK_EQ(coreio_cpu_allowed(NULL, 0), count);
    CHECK_EQ(coreio_cpu_allowed(first, 1), count);
    CHECK_EQ(first[0], cpus[0]);
    CHECK_EQ(first[1], -7);
}

static void *pin_to_each(void *unused)
{
    static int32_t cpus[COREIO_CPU_LIMIT];
    const int32_t count = coreio_cpu_allowed(cpus, COREIO_CPU_LIMIT);
    for (int32_t i = 0; i < count; i++) {
        struct coreio_cpu_place place;
        check_context("cpu %d", cpus[i]);
        CHECK_EQ(coreio_cpu_pin(cpus[i], &place), COREIO_OK);
        CHECK_EQ(place.cpu, cpus[i]);
        CHECK_EQ(place.pinned, 1);
        CHECK_EQ(place.thread_id, gettid());
        CHECK(place.thread_id != getpid());
        CHECK_EQ(sched_getcpu(), cpus[i]);

        int32_t alone = -1;
        CHECK_EQ(coreio_cpu_allowed(&alone, 1), 1);
        CHECK_EQ(alone, cpus[i]);
        struct coreio_cpu_place again;
        CHECK_EQ(coreio_cpu_where(&again), COREIO_OK);
        CHECK_EQ(memcmp(&place, &again, sizeof place), 0);
    }
    return unused;
}

TEST(a_pinned_thread_runs_where_it_was_pinned)
{
    in_thread(pin_to_each);
}

static void *pin_nowhere(void *unused)
{
    struct coreio_cpu_place place;
    CHECK_EQ(coreio_cpu_pin(COREIO_CPU_LIMIT, &place), COREIO_ECPU);
    CHECK_EQ(coreio_cpu_pin(INT32_MAX, &place), COREIO_ECPU);
    const long configured = sysconf(_SC_NPROCESSORS_CONF);
    if (configured < COREIO_CPU_LIMIT) {
        CHECK_EQ(coreio_cpu_pin((int32_t)configured, &place), COREIO_ECPU);
    }
    /* A refused pin leaves the thread where it was. */
    CHECK_EQ(coreio_cpu_where(&place), COREIO_OK);
    CHECK_EQ(place.pinned, coreio_cpu_allowed(NULL, 0) == 1);
    return unused;
}

TEST(a_cpu_that_is_not_there_is_refused)
{
    in_thread(pin_nowhere);
}

TEST(a_thread_that_is_not_pinned_says_so)
{
    struct coreio_cpu_place place;
    REQUIRE(coreio_cpu_where(&place) == COREIO_OK);
    CHECK_EQ(place.thread_id, gettid());
    CHECK_EQ(place.pinned, coreio_cpu_allowed(NULL, 0) == 1);
    CHECK(place.cpu >= 0);
    CHECK(place.node >= 0);
}
