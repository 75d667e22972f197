/* Floors: each kind counts and times what it says, gives back all it took, and tells what it cannot do. */
#include "check.h"

#include "allocations.h"
#include "queues.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT 200

static int32_t run(int32_t work, int32_t family, struct coreio_mq_floor_result *result)
{
    return coreio_mq_floor(work, family, 64, COUNT, -1, -1, result);
}

/* Queues and descriptors that are open. */
static int64_t held(void)
{
    struct coreio_mq_sysv_info usage = {0};
    (void)coreio_mq_sysv_info(COREIO_MQ_SYSV_USAGE, &usage);
    const int next = dup(0);
    close(next);
    return (int64_t)usage.pool << 32 | next;
}

TEST(each_work_is_timed)
{
    for (int32_t work = COREIO_MQ_FLOOR_PAIR; work <= COREIO_MQ_FLOOR_FUTEX; work++) {
        for (int32_t family = COREIO_MQ_POSIX; family <= COREIO_MQ_SYSV; family++) {
            check_context("work %d family %d", work, family);
            if (queues_lack(family) != NULL) {
                check_skip(queues_lack(family));
                continue;
            }
            const int64_t before = held();
            struct coreio_mq_floor_result result;
            memset(&result, 0xff, sizeof result);
            CHECK_EQ(run(work, family, &result), 0);
            /* Pairs are timed 64 at a time. */
            CHECK_EQ(result.count, work == COREIO_MQ_FLOOR_PAIR ? 256 : COUNT);
            CHECK(result.elapsed_ns > 0);
            if (work == COREIO_MQ_FLOOR_ONE_WAY) {
                CHECK_EQ(result.min_ns | result.median_ns | result.p99_ns | result.max_ns, 0);
            } else {
                CHECK(result.min_ns > 0 && result.min_ns <= result.median_ns);
                CHECK(result.median_ns <= result.p99_ns && result.p99_ns <= result.max_ns);
                CHECK(result.max_ns <= result.elapsed_ns);
                CHECK(result.min_ns * result.count <= result.elapsed_ns);
            }
            CHECK_EQ(held(), before);
        }
    }
}

/* A hand-over is timed where both ends sleep: each gives up its CPU once for it. */
TEST(a_futex_is_handed_over_by_sleepers)
{
    struct rusage before;
    struct rusage after;
    struct coreio_mq_floor_result result;
    CHECK_EQ(getrusage(RUSAGE_CHILDREN, &before), 0);
    CHECK_EQ(coreio_mq_floor(COREIO_MQ_FLOOR_FUTEX, 0, 0, 5000, -1, -1, &result), 0);
    CHECK_EQ(getrusage(RUSAGE_CHILDREN, &after), 0);
    CHECK_EQ(result.count, 5000);
    CHECK(after.ru_nvcsw - before.ru_nvcsw >= 2 * 5000);
}

TEST(messages_of_all_sizes_are_sent)
{
    static const int64_t sizes[] = {0, 1, 8192};
    for (int32_t family = COREIO_MQ_POSIX; family <= COREIO_MQ_SYSV; family++) {
        if (queues_lack(family) != NULL) {
            check_skip(queues_lack(family));
            continue;
        }
        for (size_t i = 0; i < 3; i++) {
            check_context("family %d bytes %d", family, (int)sizes[i]);
            struct coreio_mq_floor_result result;
            CHECK_EQ(coreio_mq_floor(COREIO_MQ_FLOOR_ONE_WAY, family, sizes[i], 20, -1, -1, &result), 0);
            CHECK_EQ(coreio_mq_floor(COREIO_MQ_FLOOR_SPIN, family, sizes[i], 20, -1, -1, &result), 0);
            CHECK_EQ(result.count, 20);
        }
    }
}

TEST(ends_run_where_they_are_told)
{
    struct coreio_mq_floor_result result;
    const int32_t status = coreio_mq_floor(COREIO_MQ_FLOOR_FUTEX, 0, 0, 10, 0, 0, &result);
    if (status == COREIO_ECPU)
        SKIP("CPU 0 is not allowed here");
    CHECK_EQ(status, 0);
    CHECK_EQ(coreio_mq_floor(COREIO_MQ_FLOOR_FUTEX, 0, 0, 10, 1000000, 0, &result), COREIO_ECPU);
    CHECK_EQ(coreio_mq_floor(COREIO_MQ_FLOOR_FUTEX, 0, 0, 10, 0, 1000000, &result), COREIO_ECPU);
    if (sysconf(_SC_NPROCESSORS_CONF) < 1000) {
        CHECK_EQ(coreio_mq_floor(COREIO_MQ_FLOOR_FUTEX, 0, 0, 10, 1000, 0, &result), COREIO_ECPU);
        CHECK_EQ(coreio_mq_floor(COREIO_MQ_FLOOR_FUTEX, 0, 0, 10, 0, 1000, &result), COREIO_ECPU);
    }
}

TEST(wrong_arguments_are_told)
{
    struct coreio_mq_floor_result result;
    const int32_t posix = COREIO_MQ_POSIX;
    const int32_t sysv = COREIO_MQ_SYSV;
    const int32_t pair = COREIO_MQ_FLOOR_PAIR;
    CHECK_EQ(coreio_mq_floor(0, posix, 64, 1, -1, -1, &result), -EINVAL);
    CHECK_EQ(coreio_mq_floor(COREIO_MQ_FLOOR_FUTEX + 1, posix, 64, 1, -1, -1, &result), -EINVAL);
    CHECK_EQ(coreio_mq_floor(pair, 0, 64, 1, -1, -1, &result), -EINVAL);
    CHECK_EQ(coreio_mq_floor(pair, 3, 64, 1, -1, -1, &result), -EINVAL);
    CHECK_EQ(coreio_mq_floor(pair, posix, -1, 1, -1, -1, &result), -EINVAL);
    CHECK_EQ(coreio_mq_floor(pair, posix, INT64_MAX, 1, -1, -1, &result), -EINVAL);
    CHECK_EQ(coreio_mq_floor(pair, posix, 64, 0, -1, -1, &result), -EINVAL);
    CHECK_EQ(coreio_mq_floor(pair, posix, 64, 10000001, -1, -1, &result), -EINVAL);
    CHECK_EQ(coreio_mq_floor(pair, posix, 64, 1, -2, -1, &result), -EINVAL);
    CHECK_EQ(coreio_mq_floor(pair, posix, 64, 1, -1, -2, &result), -EINVAL);
    CHECK_EQ(coreio_mq_floor(pair, posix, 64, 1, -1, -1, NULL), -EINVAL);
    if (queues_lack(posix) == NULL)
        CHECK_EQ(coreio_mq_floor(pair, posix, 1 << 25, 1, -1, -1, &result), -EINVAL);
    if (queues_lack(sysv) == NULL)
        CHECK_EQ(coreio_mq_floor(pair, sysv, 1 << 25, 1, -1, -1, &result), -EINVAL);
    if (queues_not_alone() != NULL)
        SKIP(queues_not_alone());
    /* What is allowed to be sent, and never fits. */
    const int64_t before = queues_limit("/proc/sys/kernel/msgmnb", 100);
    CHECK_EQ(coreio_mq_floor(pair, sysv, 101, 1, -1, -1, &result), -EAGAIN);
    CHECK_EQ(coreio_mq_floor(pair, sysv, 100, 1, -1, -1, &result), 0);
    queues_limit("/proc/sys/kernel/msgmnb", before);
    /* Fewer messages than it would like are enough. */
    if (queues_lack(posix) == NULL) {
        queues_limit("/proc/sys/fs/mqueue/msg_max", 1);
        CHECK_EQ(coreio_mq_floor(COREIO_MQ_FLOOR_ROUND_TRIP, posix, 64, 5, -1, -1, &result), 0);
        queues_limit("/proc/sys/fs/mqueue/msg_max", 10);
    }
}

TEST(memory_and_processes_may_fail)
{
    if (queues_lack(COREIO_MQ_SYSV) != NULL)
        SKIP(queues_lack(COREIO_MQ_SYSV));
    const int64_t before = held();
    int32_t refusals = 0;
    for (int32_t status = -ENOMEM; status == -ENOMEM; refusals++) {
        struct coreio_mq_floor_result result;
        allocations_refuse_after(refusals);
        status = run(COREIO_MQ_FLOOR_ROUND_TRIP, COREIO_MQ_SYSV, &result);
        allocations_refuse_after(-1);
        CHECK(status == -ENOMEM || status == 0);
    }
    CHECK_EQ(refusals, 2);
    for (int32_t passed = 0; passed < 3; passed++) {
        struct coreio_mq_floor_result result;
        threads_refuse_after(passed);
        CHECK_EQ(run(COREIO_MQ_FLOOR_ROUND_TRIP, COREIO_MQ_SYSV, &result), -EAGAIN);
        threads_refuse_after(-1);
    }
    CHECK_EQ(held(), before);
    CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
    CHECK_EQ(errno, ECHILD);
}

/* A child of a process with such a name; 0 for none. */
static pid_t child_named(pid_t parent, const char *wanted)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *children = fopen(path, "re");
    int found = 0;
    for (int child; found == 0 && children != NULL && fscanf(children, "%d", &child) == 1;) {
        char name[32] = "";
        snprintf(path, sizeof path, "/proc/%d/comm", child);
        FILE *comm = fopen(path, "re");
        if (comm != NULL && fgets(name, sizeof name, comm) != NULL && strcmp(name, wanted) == 0)
            found = child;
        if (comm != NULL)
            fclose(comm);
    }
    if (children != NULL)
        fclose(children);
    return found;
}

/* An end of the floor that a process runs; 0 for none. */
static pid_t end_of(pid_t caller, int32_t number)
{
    const pid_t between = child_named(caller, "coreio-floor\n");
    return between == 0 ? 0 : child_named(between, number == 0 ? "coreio-floor-0\n" : "coreio-floor-1\n");
}

static int32_t children_are_told(void)
{
    return access("/proc/thread-self/children", R_OK) == 0;
}

static void *kill_end(void *argument)
{
    const int32_t number = *(const int32_t *)argument;
    pid_t end = 0;
    for (int32_t i = 0; i < 10000 && end == 0; i++) {
        usleep(1000);
        end = end_of(getpid(), number);
    }
    if (end != 0)
        kill(end, SIGKILL);
    return NULL;
}

/* The other end would wait for ever. */
TEST(an_end_that_is_killed_ends_the_floor)
{
    if (!children_are_told())
        SKIP("this kernel does not tell the children of a process");
    if (queues_lack(COREIO_MQ_SYSV) != NULL)
        SKIP(queues_lack(COREIO_MQ_SYSV));
    for (int32_t work = COREIO_MQ_FLOOR_ROUND_TRIP; work <= COREIO_MQ_FLOOR_FUTEX; work++) {
        for (int32_t number = 0; number < 2; number++) {
            check_context("work %d end %d", work, number);
            const int64_t before = held();
            pthread_t killer;
            CHECK_EQ(pthread_create(&killer, NULL, kill_end, &number), 0);
            struct coreio_mq_floor_result result;
            alarm(60);
            CHECK_EQ(coreio_mq_floor(work, COREIO_MQ_SYSV, 64, 10000000, -1, -1, &result), -ECHILD);
            alarm(0);
            CHECK_EQ(pthread_join(killer, NULL), 0);
            CHECK_EQ(result.count, 0);
            CHECK_EQ(held(), before);
            CHECK_EQ(waitpid(-1, NULL, WNOHANG), -1);
        }
    }
}

/* All go with who called, which could not wait for them any more. */
TEST(ends_do_not_outlive_their_caller)
{
    if (!children_are_told())
        SKIP("this kernel does not tell the children of a process");
    int says[2];
    CHECK_EQ(pipe(says), 0);
    fflush(stdout);
    const pid_t caller = fork();
    if (caller == 0) {
        struct coreio_mq_floor_result result;
        (void)coreio_mq_floor(COREIO_MQ_FLOOR_FUTEX, 0, 0, 10000000, -1, -1, &result);
        _exit(0);
    }
    close(says[1]);
    /* The ends hold the pipe's other side as long as they are there. */
    for (int32_t i = 0; i < 10000 && end_of(caller, 1) == 0; i++)
        usleep(1000);
    CHECK(end_of(caller, 1) != 0);
    kill(caller, SIGKILL);
    CHECK_EQ(waitpid(caller, NULL, 0), caller);
    struct pollfd gone = {.fd = says[0]};
    CHECK_EQ(poll(&gone, 1, 30000), 1);
    CHECK_EQ(gone.revents, POLLHUP);
    close(says[0]);
}

/* What a floor of hand-overs returns in a program that ignores SIGCHLD, and so is not told who has ended. */
static int32_t without_word_of_children(int32_t cpu, int32_t peer_cpu)
{
    int told[2];
    int32_t status = INT32_MIN;
    if (pipe(told) != 0)
        return status;
    fflush(stdout);
    const pid_t caller = fork();
    if (caller == 0) {
        alarm(30);
        signal(SIGCHLD, SIG_IGN);
        struct coreio_mq_floor_result result;
        const int32_t own = coreio_mq_floor(COREIO_MQ_FLOOR_FUTEX, 0, 0, 20, cpu, peer_cpu, &result);
        const int32_t right = own < 0 || (result.count == 20 && result.min_ns > 0);
        _exit(right && write(told[1], &own, sizeof own) == sizeof own ? 0 : 1);
    }
    close(told[1]);
    if (read(told[0], &status, sizeof status) != sizeof status)
        status = INT32_MIN;
    close(told[0]);
    (void)waitpid(caller, NULL, 0);
    return status;
}

TEST(a_program_may_ignore_its_children)
{
    CHECK_EQ(without_word_of_children(-1, -1), 0);
    CHECK_EQ(without_word_of_children(1000, -1), COREIO_ECPU);
    CHECK_EQ(without_word_of_children(-1, 1000), COREIO_ECPU);
}

/* The mask of signals is the caller's again. */
TEST(signals_are_as_before)
{
    sigset_t before;
    sigset_t after;
    struct coreio_mq_floor_result result;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    CHECK_EQ(coreio_mq_floor(COREIO_MQ_FLOOR_FUTEX, 0, 0, 10, -1, -1, &result), 0);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (int signal = 1; signal < 32; signal++)
        CHECK_EQ(sigismember(&after, signal), sigismember(&before, signal));
}

static int64_t floor_without_queues(const void *argument)
{
    struct coreio_mq_floor_result result;
    return run(COREIO_MQ_FLOOR_ROUND_TRIP, *(const int32_t *)argument, &result);
}

TEST(queues_may_not_be_had)
{
    const int32_t family = COREIO_MQ_POSIX;
    if (queues_lack(family) != NULL)
        SKIP(queues_lack(family));
    const struct queues_op op = {
        .call = QUEUES_OTHER, .other = floor_without_queues, .argument = &family, .descriptors = 3};
    CHECK_EQ(queues_run(&op), -EMFILE);
}
