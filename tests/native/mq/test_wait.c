/* Waits of both families: options, deadlines, cancelling, signals and spins; and that no step of the clock matters. */
#include "check.h"

#include "queues.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000LL
#define HOUR 3600

/* Stands before the C library's function of the same name: what clocks the library asks for. The clock that may be
 * stepped is an hour ahead of the kernel's once `stepped` is set. */
static atomic_int other_clocks;
static atomic_int stepped;

int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (clock != CLOCK_MONOTONIC)
        atomic_fetch_add(&other_clocks, 1);
    const int status = (int)syscall(SYS_clock_gettime, clock, time);
    if (clock == CLOCK_REALTIME && atomic_load(&stepped))
        time->tv_sec += HOUR;
    return status;
}

static const int32_t families[] = {COREIO_MQ_POSIX, COREIO_MQ_SYSV};

/* The cases run for both families, and for both calls: a queue is full for senders and empty for receivers. */
struct trial {
    int32_t family;
    int32_t queue;
    int32_t call;
    int32_t refused; /* what a call that does not wait returns */
};

static int begin(struct trial *trial, int32_t number, int32_t flags)
{
    trial->family = families[number / 2];
    trial->call = number % 2 == 0 ? QUEUES_SEND : QUEUES_RECEIVE;
    trial->refused = trial->family == COREIO_MQ_SYSV && trial->call == QUEUES_RECEIVE ? -ENOMSG : -EAGAIN;
    check_context(
        "%s %s", trial->family == COREIO_MQ_POSIX ? "posix" : "sysv", trial->call == QUEUES_SEND ? "send" : "receive");
    const char *lack = queues_lack(trial->family);
    if (lack != NULL) {
        check_skip(lack);
        return 0;
    }
    trial->queue = queues_make(trial->family, flags);
    CHECK(trial->queue >= 0);
    if (trial->call == QUEUES_SEND)
        CHECK(queues_fill(trial->family, trial->queue, QUEUES_SIZE) > 0);
    return 1;
}

static struct queues_op op_of(const struct trial *trial, const struct coreio_mq_wait *wait)
{
    return (struct queues_op){.call = trial->call, .family = trial->family, .queue = trial->queue, .wait = wait};
}

static int64_t do_trial(const struct trial *trial, const struct coreio_mq_wait *wait)
{
    const struct queues_op op = op_of(trial, wait);
    return queues_do(&op);
}

/* Makes the queue ready for one call of the trial's kind. */
static void make_ready(const struct trial *trial)
{
    struct trial other = *trial;
    other.call = trial->call == QUEUES_SEND ? QUEUES_RECEIVE : QUEUES_SEND;
    CHECK(do_trial(&other, NULL) >= 0);
}

static int64_t success(const struct trial *trial)
{
    return trial->call == QUEUES_SEND ? 0 : QUEUES_SIZE;
}

#define EACH_TRIAL(trial, flags)                                                                                       \
    struct trial trial;                                                                                                \
    for (int32_t number_ = 0; number_ < 4; number_++)                                                                  \
        for (int once_ = begin(&trial, number_, flags); once_; once_ = 0, queues_drop(trial.family, trial.queue))

TEST(what_is_asked_of_a_wait_is_checked)
{
    struct {
        struct coreio_mq_wait wait;
        uint8_t more[8];
    } longer = {.wait = {.size = sizeof longer, .flags = COREIO_MQ_TIMED}};
    struct coreio_mq_wait wait = {.size = sizeof wait, .flags = COREIO_MQ_TIMED};
    EACH_TRIAL(trial, 0)
    {
        wait = (struct coreio_mq_wait){.size = sizeof wait, .flags = COREIO_MQ_TIMED};
        CHECK_EQ(do_trial(&trial, &wait), trial.refused);
        wait.size = 8; /* and what is beyond is not read */
        wait.timeout_ns = INT64_MAX;
        CHECK_EQ(do_trial(&trial, &wait), trial.refused);
        wait.size = 3;
        CHECK_EQ(do_trial(&trial, &wait), -EINVAL);
        wait.size = 0;
        CHECK_EQ(do_trial(&trial, &wait), -EINVAL);
        longer.more[7] = 0;
        CHECK_EQ(do_trial(&trial, &longer.wait), trial.refused);
        longer.more[7] = 1;
        CHECK_EQ(do_trial(&trial, &longer.wait), COREIO_EABI);
        wait = (struct coreio_mq_wait){.size = sizeof wait, .flags = 1u << 3};
        CHECK_EQ(do_trial(&trial, &wait), -EINVAL);
        wait = (struct coreio_mq_wait){.size = sizeof wait, .flags = COREIO_MQ_TIMED, .spin_ns = -1};
        CHECK_EQ(do_trial(&trial, &wait), -EINVAL);
        wait = (struct coreio_mq_wait){.size = sizeof wait, .flags = COREIO_MQ_CANCELLABLE, .cancel_fd = -1};
        CHECK_EQ(do_trial(&trial, &wait), -EBADF);
        wait.cancel_fd = INT32_MAX;
        CHECK_EQ(do_trial(&trial, &wait), -EBADF);
    }
}

TEST(a_wait_that_asks_for_nothing_is_a_plain_call)
{
    const struct coreio_mq_wait wait = {.size = sizeof wait};
    EACH_TRIAL(trial, 0)
    {
        make_ready(&trial);
        CHECK_EQ(do_trial(&trial, &wait), success(&trial));
        const struct queues_op op = op_of(&trial, &wait);
        const struct queues_child child = queues_start(&op);
        queues_until_asleep(child);
        make_ready(&trial);
        CHECK_EQ(queues_join(child), success(&trial));
    }
}

TEST(no_time_is_one_try)
{
    const struct coreio_mq_wait waits[] = {
        {.size = sizeof waits[0], .flags = COREIO_MQ_TIMED, .timeout_ns = 0},
        {.size = sizeof waits[0], .flags = COREIO_MQ_TIMED, .timeout_ns = INT64_MIN},
        {.size = sizeof waits[0], .flags = COREIO_MQ_TIMED, .timeout_ns = -1, .spin_ns = INT64_MAX},
    };
    EACH_TRIAL(trial, 0)
    {
        for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
            CHECK_EQ(do_trial(&trial, &waits[i]), trial.refused);
            make_ready(&trial);
            CHECK_EQ(do_trial(&trial, &waits[i]), success(&trial));
        }
    }
}

/* Also on a queue that does not block by itself: the wait is the caller's explicit wish. */
TEST(a_time_that_is_over_ends_the_wait)
{
    static const int32_t flags[] = {0, O_NONBLOCK};
    for (size_t i = 0; i < 2; i++) {
        EACH_TRIAL(trial, flags[i])
        {
            for (int64_t spin = 0; spin <= 40; spin += 10) {
                const struct coreio_mq_wait wait = {
                    .size = sizeof wait, .flags = COREIO_MQ_TIMED, .timeout_ns = 20 * MS, .spin_ns = spin * MS};
                const int64_t began = queues_now_ns();
                CHECK_EQ(do_trial(&trial, &wait), -ETIMEDOUT);
                const int64_t took = queues_now_ns() - began;
                CHECK(took >= 20 * MS);
                /* A busy machine is late, but not by seconds. */
                CHECK(took < 5000 * MS);
            }
        }
    }
}

TEST(a_timed_wait_ends_with_the_message)
{
    const struct coreio_mq_wait wait = {.size = sizeof wait, .flags = COREIO_MQ_TIMED, .timeout_ns = INT64_MAX};
    EACH_TRIAL(trial, 0)
    {
        make_ready(&trial);
        CHECK_EQ(do_trial(&trial, &wait), success(&trial));
        const struct queues_op op = op_of(&trial, &wait);
        const struct queues_child child = queues_start(&op);
        queues_until_asleep(child);
        make_ready(&trial);
        CHECK_EQ(queues_join(child), success(&trial));
    }
}

TEST(what_can_be_read_cancels_but_a_ready_message_goes_first)
{
    EACH_TRIAL(trial, 0)
    {
        int ends[2];
        REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
        const struct coreio_mq_wait wait = {.size = sizeof wait, .flags = COREIO_MQ_CANCELLABLE, .cancel_fd = ends[0]};
        const struct queues_op op = op_of(&trial, &wait);
        const struct queues_child child = queues_start(&op);
        queues_until_asleep(child);
        REQUIRE(write(ends[1], "x", 1) == 1);
        CHECK_EQ(queues_join(child), -ECANCELED);
        CHECK_EQ(do_trial(&trial, &wait), -ECANCELED);
        make_ready(&trial);
        CHECK_EQ(do_trial(&trial, &wait), success(&trial));
        /* A spin does not pass over it, and a time that is not over does not either. */
        struct coreio_mq_wait spin = wait;
        spin.spin_ns = INT64_MAX;
        CHECK_EQ(do_trial(&trial, &spin), -ECANCELED);
        spin.flags |= COREIO_MQ_TIMED;
        spin.timeout_ns = INT64_MAX;
        spin.spin_ns = 0;
        CHECK_EQ(do_trial(&trial, &spin), -ECANCELED);
        /* Nobody has read it. */
        char byte = 0;
        CHECK_EQ(read(ends[0], &byte, 1), 1);
        /* The end of what can be read can be read, too. */
        close(ends[1]);
        CHECK_EQ(do_trial(&trial, &wait), -ECANCELED);
        close(ends[0]);
    }
}

static void *cancel_later(void *argument)
{
    usleep(20000);
    const uint64_t one = 1;
    (void)!write(*(int *)argument, &one, sizeof one);
    return NULL;
}

TEST(another_thread_cancels_a_spin)
{
    EACH_TRIAL(trial, 0)
    {
        int fd = eventfd(0, EFD_CLOEXEC);
        REQUIRE(fd >= 0);
        pthread_t thread;
        REQUIRE(pthread_create(&thread, NULL, cancel_later, &fd) == 0);
        const struct coreio_mq_wait wait = {
            .size = sizeof wait, .flags = COREIO_MQ_CANCELLABLE, .cancel_fd = fd, .spin_ns = INT64_MAX};
        CHECK_EQ(do_trial(&trial, &wait), -ECANCELED);
        REQUIRE(pthread_join(thread, NULL) == 0);
        close(fd);
    }
}

TEST(a_signal_ends_a_wait_only_when_asked_for)
{
    struct coreio_mq_wait waits[] = {
        {.size = sizeof waits[0]},
        {.size = sizeof waits[0], .flags = COREIO_MQ_TIMED, .timeout_ns = INT64_MAX},
        {.size = sizeof waits[0], .flags = COREIO_MQ_CANCELLABLE},
    };
    EACH_TRIAL(trial, 0)
    {
        waits[2].cancel_fd = eventfd(0, EFD_CLOEXEC);
        for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
            struct coreio_mq_wait wait = waits[i];
            struct queues_op op = op_of(&trial, &wait);
            op.signal = SIGUSR1;
            struct queues_child child = queues_start(&op);
            for (int32_t times = 0; times < 3; times++) {
                queues_until_asleep(child);
                REQUIRE(kill(child.pid, SIGUSR1) == 0);
            }
            queues_until_asleep(child);
            make_ready(&trial);
            CHECK_EQ(queues_join(child), success(&trial));
            wait.flags |= COREIO_MQ_INTERRUPTIBLE;
            child = queues_start(&op);
            queues_until_asleep(child);
            REQUIRE(kill(child.pid, SIGUSR1) == 0);
            CHECK_EQ(queues_join(child), -EINTR);
        }
        close(waits[2].cancel_fd);
    }
}

TEST(signals_do_not_lengthen_a_timed_wait)
{
    const struct coreio_mq_wait wait = {.size = sizeof wait, .flags = COREIO_MQ_TIMED, .timeout_ns = 100 * MS};
    EACH_TRIAL(trial, 0)
    {
        struct queues_op op = op_of(&trial, &wait);
        op.signal = SIGUSR1;
        const int64_t began = queues_now_ns();
        const struct queues_child child = queues_start(&op);
        queues_until_asleep(child);
        /* Signals until it ends: a wait that began anew with each would outlast them. */
        siginfo_t end = {0};
        while (waitid(P_PID, (id_t)child.pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid == 0 &&
               queues_now_ns() - began < 5000 * MS) {
            (void)kill(child.pid, SIGUSR1);
            usleep(10000);
        }
        const int64_t took = queues_now_ns() - began;
        CHECK_EQ(queues_join(child), -ETIMEDOUT);
        CHECK(took < 1000 * MS);
    }
}

TEST(a_spin_finds_the_message_and_else_blocks)
{
    const struct coreio_mq_wait spin = {.size = sizeof spin, .spin_ns = INT64_MAX};
    const struct coreio_mq_wait short_spin = {.size = sizeof short_spin, .spin_ns = MS};
    EACH_TRIAL(trial, 0)
    {
        struct queues_op op = op_of(&trial, &spin);
        struct queues_child child = queues_start(&op);
        usleep(5000);
        make_ready(&trial);
        CHECK_EQ(queues_join(child), success(&trial));
        op.wait = &short_spin;
        child = queues_start(&op);
        queues_until_asleep(child);
        make_ready(&trial);
        CHECK_EQ(queues_join(child), success(&trial));
    }
}

TEST(a_spin_on_a_queue_that_does_not_block_ends_with_a_refusal)
{
    if (queues_lack(COREIO_MQ_POSIX) != NULL)
        SKIP(queues_lack(COREIO_MQ_POSIX));
    const struct coreio_mq_wait wait = {.size = sizeof wait, .spin_ns = 10 * MS};
    const int32_t queue = queues_make(COREIO_MQ_POSIX, O_NONBLOCK);
    uint8_t bytes[QUEUES_SIZE];
    const int64_t began = queues_now_ns();
    CHECK_EQ(coreio_mq_posix_receive(queue, bytes, sizeof bytes, NULL, &wait), -EAGAIN);
    CHECK(queues_now_ns() - began >= 10 * MS);
    queues_drop(COREIO_MQ_POSIX, queue);
}

/* IPC_NOWAIT of a call is stronger than its wait. */
TEST(a_call_that_does_not_wait_does_not_wait)
{
    if (queues_lack(COREIO_MQ_SYSV) != NULL)
        SKIP(queues_lack(COREIO_MQ_SYSV));
    const struct coreio_mq_wait wait = {.size = sizeof wait, .flags = COREIO_MQ_TIMED, .timeout_ns = INT64_MAX};
    const int32_t queue = queues_make(COREIO_MQ_SYSV, 0);
    struct {
        int64_t type;
        uint8_t bytes[8192];
    } message = {.type = 1};
    CHECK_EQ(coreio_mq_sysv_receive(queue, (uint8_t *)&message, 8192, 0, 04000, &wait), -ENOMSG);
    queues_fill(COREIO_MQ_SYSV, queue, 8192);
    CHECK_EQ(coreio_mq_sysv_send(queue, (uint8_t *)&message, 8192, 04000, &wait), -EAGAIN);
    queues_drop(COREIO_MQ_SYSV, queue);
}

/* The number /proc has of the system call a child sleeps in, or 0 where it does not tell. */
static long asleep_in(struct queues_child child)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/syscall", child.pid);
    long number = 0;
    /* It may run just now, for a System V queue is tried again and again, or wait for a page (-1). */
    for (int tries = 0; tries < 200 && number <= 0; tries++) {
        FILE *file = fopen(path, "r");
        if (file == NULL || fscanf(file, "%ld", &number) != 1)
            number = 0;
        if (file != NULL)
            (void)fclose(file);
        if (number <= 0)
            usleep(500);
    }
    return number > 0 ? number : 0;
}

static int64_t sleep_in_ppoll(const void *argument)
{
    struct pollfd end = {.fd = *(const int *)argument, .events = POLLIN};
    return ppoll(&end, 1, NULL, NULL);
}

/* The library asks no clock that may be stepped. */
TEST(no_step_of_the_clock_can_matter)
{
    atomic_store(&stepped, 1);
    EACH_TRIAL(trial, 0)
    {
        const int fd = eventfd(0, EFD_CLOEXEC);
        const struct coreio_mq_wait wait = {.size = sizeof wait,
            .flags = COREIO_MQ_TIMED | COREIO_MQ_CANCELLABLE,
            .timeout_ns = 20 * MS,
            .spin_ns = MS,
            .cancel_fd = fd};
        atomic_store(&other_clocks, 0);
        const int64_t began = queues_now_ns();
        CHECK_EQ(do_trial(&trial, &wait), -ETIMEDOUT);
        CHECK(queues_now_ns() - began >= 20 * MS);
        CHECK(queues_now_ns() - began < HOUR / 2 * 1000 * MS);
        CHECK_EQ(atomic_load(&other_clocks), 0);
        close(fd);
    }
    atomic_store(&stepped, 0);
}

/* The kernel's own deadlines of queues are on the clock that may be stepped, so a wait sleeps in ppoll(2), which is
 * told how long. What that is called here, under an emulator too, is seen from a child that does nothing else. */
TEST(a_timed_wait_sleeps_without_a_deadline_of_the_queue)
{
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    const struct queues_op sleeper = {.call = QUEUES_OTHER, .other = sleep_in_ppoll, .argument = &ends[0]};
    struct queues_child child = queues_start(&sleeper);
    queues_until_asleep(child);
    const long expected = asleep_in(child);
    CHECK_EQ(write(ends[1], "", 1), 1);
    CHECK_EQ(queues_join(child), 1);
    close(ends[0]);
    close(ends[1]);
    if (expected == 0)
        SKIP("/proc does not tell what a process sleeps in");
    EACH_TRIAL(trial, 0)
    {
        const struct coreio_mq_wait wait = {
            .size = sizeof wait, .flags = COREIO_MQ_TIMED, .timeout_ns = HOUR * 1000 * MS};
        const struct queues_op op = op_of(&trial, &wait);
        child = queues_start(&op);
        queues_until_asleep(child);
        CHECK_EQ(asleep_in(child), expected);
        make_ready(&trial);
        CHECK_EQ(queues_join(child), success(&trial));
    }
}
