/* Bounded pieces of work with the plain calls of the C library, so that a measured figure can be told from the limit of
 * the machine.
 *
 * The ends of a floor are processes, as what is held against it. They share the queues and a mapping, of which both
 * look at the turn of COREIO_MQ_FLOOR_FUTEX alone while they work. The loops hold no allocation and no lock, and call
 * nothing that the child of a program with threads may not.
 *
 * Two ends that wait for each other never wait for ever: what could fail is tried before they begin, a lack of memory
 * in the kernel is waited out, and where one ends early the other is killed. A process between them and the caller
 * sees to that, for whom the caller waits alone: a program may ignore SIGCHLD, or wait for all its children elsewhere.
 * All three are killed with the thread that called.
 */
#include <coreio/mq.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/clock.h"

#define MAX_COUNT 10000000

/* Pairs that are timed together: the clock is read in 2 to 4 % of the time of one, and in nothing of that of 64. */
#define BATCH 64

/* Rounds before the first that is timed: the CPUs are at their speed and the kernel's paths in the caches. */
#define WARM_UP 200

/* Hand-overs of a futex that are tried at most for each that is wanted, and how long the first end leaves the other
 * alone after one in which not both slept. */
#define MOST_TRIES 10
#define PAUSE_NS 50000

/* Messages a queue holds: what an unprivileged process may ask for on every system that nobody has changed. */
#define DEPTH 10

#define HEAD COREIO_MQ_SYSV_HEAD

/* The turn of nobody: hand-overs have ended. */
#define OVER 2

/* What both ends and their caller see. */
struct shared {
    atomic_int turn;   /* of the futex: the end that may go on, or OVER */
    int32_t slept;     /* whether the end that answers did before it had its turn; the turn's */
    int32_t status[2]; /* of each end; -ECHILD until it is done */
    int32_t whole;     /* of both, likewise */
    int64_t elapsed_ns;
    int64_t times[]; /* of the samples */
};

/* Each end has its own copy of this, and of the message. */
struct floor {
    int32_t work;
    int32_t family;
    size_t bytes;     /* of a message */
    int64_t count;    /* of samples, or of messages one way */
    int32_t there;    /* queue of what is asked */
    int32_t back;     /* queue of the answers; `there` for pairs */
    uint8_t *message; /* a type and bytes */
    struct shared *shared;
    size_t shared_bytes;
};

/* Whether a call is to be made again: a queue that is empty is what spinning is about. */
static int32_t again(void)
{
    if (errno == ENOMEM)
        (void)sched_yield();
    return errno == EINTR || errno == ETIMEDOUT || errno == ENOMSG || errno == ENOMEM;
}

static int32_t put(const struct floor *floor, int32_t queue)
{
    for (;;) {
        const int sent = floor->family == COREIO_MQ_POSIX
                             ? mq_send(queue, (char *)floor->message + HEAD, floor->bytes, 0)
                             : msgsnd(queue, floor->message, floor->bytes, 0);
        if (sent == 0)
            return 0;
        if (!again())
            return -errno;
    }
}

/* As mq_receive(3), or a try: one with a deadline in the past is sooner over than one of a queue that does not block.
 */
static ssize_t take_posix(const struct floor *floor, int32_t queue)
{
    const struct timespec past = {.tv_sec = 0, .tv_nsec = 0};
    char *bytes = (char *)floor->message + HEAD;
    const size_t capacity = floor->bytes > 0 ? floor->bytes : 1;
    return floor->work == COREIO_MQ_FLOOR_SPIN ? mq_timedreceive(queue, bytes, capacity, NULL, &past)
                                               : mq_receive(queue, bytes, capacity, NULL);
}

static ssize_t take_sysv(const struct floor *floor, int32_t queue)
{
    return msgrcv(queue, floor->message, floor->bytes, 0, floor->work == COREIO_MQ_FLOOR_SPIN ? IPC_NOWAIT : 0);
}

static int32_t take(const struct floor *floor, int32_t queue)
{
    for (;;) {
        const ssize_t got = floor->family == COREIO_MQ_POSIX ? take_posix(floor, queue) : take_sysv(floor, queue);
        if (got >= 0)
            return 0;
        if (!again())
            return -errno;
    }
}

/* Waits while it is the other end's turn; returns whether it slept meanwhile. */
static int32_t wait_turn(struct shared *shared, int32_t others)
{
    int32_t slept = 0;
    while (atomic_load(&shared->turn) == others)
        slept |= syscall(SYS_futex, &shared->turn, FUTEX_WAIT, others, NULL, NULL, 0) == 0;
    return slept;
}

static void give_turn(struct shared *shared, int32_t other)
{
    atomic_store(&shared->turn, other);
    (void)syscall(SYS_futex, &shared->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static int32_t ask(const struct floor *floor)
{
    const int32_t status = put(floor, floor->there);
    return status < 0 ? status : take(floor, floor->back);
}

static int32_t answer(const struct floor *floor)
{
    const int32_t status = take(floor, floor->there);
    return status < 0 ? status : put(floor, floor->back);
}

/* Asks `rounds` times for each sample. */
static int32_t run_asking(const struct floor *floor, int32_t rounds)
{
    int32_t status = 0;
    for (int32_t i = 0; i < WARM_UP && status == 0; i++)
        status = ask(floor);
    const int64_t began = coreio__clock_ns(CLOCK_MONOTONIC);
    int64_t before = began;
    for (int64_t i = 0; i < floor->count && status == 0; i++) {
        for (int32_t round = 0; round < rounds && status == 0; round++)
            status = ask(floor);
        const int64_t now = coreio__clock_ns(CLOCK_MONOTONIC);
        floor->shared->times[i] = (now - before) / rounds;
        before = now;
    }
    floor->shared->elapsed_ns = before - began;
    return status;
}

static int32_t run_answering(const struct floor *floor)
{
    int32_t status = 0;
    for (int64_t i = 0; i < WARM_UP + floor->count && status == 0; i++)
        status = answer(floor);
    return status;
}

/* Hands the turn over and back. A hand-over counts when both ends slept before they were woken: two that are in step
 * find the turn theirs before they would sleep, for thousands of times in a row and a hundredth of the time, and no CPU
 * wakes another. Where the first end then sleeps a moment, the other one does, too. After too many tries all count. */
static void hand_over(const struct floor *floor)
{
    struct shared *shared = floor->shared;
    int64_t taken = -WARM_UP;
    for (int64_t tries = 0; taken < floor->count; tries++) {
        const int64_t began = coreio__clock_ns(CLOCK_MONOTONIC);
        give_turn(shared, 1);
        const int32_t slept = wait_turn(shared, 1);
        const int64_t took = coreio__clock_ns(CLOCK_MONOTONIC) - began;
        if (taken >= 0 && (!slept || !shared->slept) && tries < MOST_TRIES * floor->count) {
            (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
            continue;
        }
        if (taken >= 0) {
            shared->times[taken] = took;
            shared->elapsed_ns += took;
        }
        taken++;
    }
    give_turn(shared, OVER);
}

static void hand_back(struct shared *shared)
{
    for (;;) {
        const int32_t slept = wait_turn(shared, 0);
        if (atomic_load(&shared->turn) == OVER)
            return;
        shared->slept = slept;
        give_turn(shared, 0);
    }
}

static int32_t run_sending(const struct floor *floor)
{
    int32_t status = 0;
    for (int64_t i = 0; i < WARM_UP + floor->count && status == 0; i++)
        status = put(floor, floor->there);
    return status;
}

static int32_t run_receiving(const struct floor *floor)
{
    int32_t status = 0;
    for (int32_t i = 0; i < WARM_UP && status == 0; i++)
        status = take(floor, floor->there);
    const int64_t began = coreio__clock_ns(CLOCK_MONOTONIC);
    for (int64_t i = 0; i < floor->count && status == 0; i++)
        status = take(floor, floor->there);
    floor->shared->elapsed_ns = coreio__clock_ns(CLOCK_MONOTONIC) - began;
    return status;
}

static int32_t run_end(const struct floor *floor, int32_t number)
{
    switch (floor->work) {
    case COREIO_MQ_FLOOR_FUTEX:
        if (number == 0)
            hand_over(floor);
        else
            hand_back(floor->shared);
        return 0;
    case COREIO_MQ_FLOOR_ONE_WAY:
        return number == 0 ? run_sending(floor) : run_receiving(floor);
    case COREIO_MQ_FLOOR_PAIR:
        return run_asking(floor, BATCH);
    default:
        return number == 0 ? run_asking(floor, 1) : run_answering(floor);
    }
}

/* Begins a process that is killed when the thread that made it ends. Returns 0 or -errno. */
static int32_t begin(const char *name, pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || prctl(PR_SET_NAME, name) == -1)
        return -errno;
    /* It ended before. A parent in another namespace of processes has no number here. */
    const pid_t now = getppid();
    return now == parent || now == 0 ? 0 : -ECHILD;
}

static int32_t pin(int32_t cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) == 0)
        return 0;
    /* EINVAL is how the kernel says that the CPU does not exist, is not online or not in the cpuset. */
    return errno == EINVAL ? COREIO_ECPU : -errno;
}

static _Noreturn void be_end(const struct floor *floor, int32_t number, int32_t cpu, pid_t parent)
{
    int32_t status = begin(number == 0 ? "coreio-floor-0" : "coreio-floor-1", parent);
    if (status == 0 && cpu >= 0)
        status = pin(cpu);
    floor->shared->status[number] = status < 0 ? status : run_end(floor, number);
    _exit(0);
}

/* Starts the ends and waits for them. The first that fails decides; the other would wait for ever and is killed. */
static int32_t run_ends(const struct floor *floor, const int32_t cpus[2])
{
    const int32_t count = floor->work == COREIO_MQ_FLOOR_PAIR ? 1 : 2;
    const pid_t parent = getpid();
    pid_t ends[2] = {0, 0};
    int32_t started = 0;
    int32_t status = 0;
    while (started < count && status == 0) {
        ends[started] = fork();
        if (ends[started] == 0)
            be_end(floor, started, cpus[started], parent);
        status = ends[started] == -1 ? -errno : 0;
        started += status == 0;
    }
    while (started > 0) {
        /* Of those that are left, which nobody else waits for. */
        for (int32_t i = 0; i < 2 && status < 0; i++) {
            if (ends[i] > 0)
                (void)kill(ends[i], SIGKILL);
        }
        const int32_t number = waitpid(-1, NULL, 0) == ends[1];
        ends[number] = 0;
        started--;
        if (status == 0)
            status = floor->shared->status[number];
    }
    return status;
}

/* The process between the ends and the caller. It has a group of its own, so that no signal of a terminal comes to it
 * and to the ends. */
static _Noreturn void be_between(const struct floor *floor, const int32_t cpus[2], pid_t parent)
{
    (void)signal(SIGCHLD, SIG_DFL);
    (void)setpgid(0, 0);
    const int32_t status = begin("coreio-floor", parent);
    floor->shared->whole = status < 0 ? status : run_ends(floor, cpus);
    _exit(0);
}

/* Runs the ends, to which no signal of the caller's comes. */
static int32_t run(const struct floor *floor, const int32_t cpus[2])
{
    const pid_t parent = getpid();
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    const int32_t status = -pthread_sigmask(SIG_SETMASK, &all, &before);
    if (status < 0)
        return status;
    const pid_t between = fork();
    if (between == 0)
        be_between(floor, cpus, parent);
    const int32_t failed = between == -1 ? -errno : 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed < 0)
        return failed;
    /* Until it has ended, whoever is told: ECHILD says so, too. */
    while (waitpid(between, NULL, 0) == -1 && errno == EINTR)
        continue;
    return floor->shared->whole;
}

/* Opens a queue that has no name when this returns. */
static int32_t open_posix(const struct floor *floor)
{
    const int32_t limit = coreio__read_number("/proc/sys/fs/mqueue/msg_max");
    struct mq_attr attributes = {
        .mq_maxmsg = limit > 0 && limit < DEPTH ? limit : DEPTH,
        .mq_msgsize = floor->bytes > 0 ? (long)floor->bytes : 1,
    };
    for (int32_t number = 0;; number++) {
        char name[64];
        snprintf(name, sizeof name, "/coreio-floor-%d-%d", (int)getpid(), (int)number);
        const mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
        if (queue != -1) {
            (void)mq_unlink(name);
            return queue;
        }
        /* Another process of this number, in another namespace, is as far. */
        if (errno != EEXIST)
            return -errno;
    }
}

static int32_t open_queue(const struct floor *floor)
{
    if (floor->family == COREIO_MQ_POSIX)
        return open_posix(floor);
    const int queue = msgget(IPC_PRIVATE, 0600);
    return queue == -1 ? -errno : queue;
}

static void close_queue(const struct floor *floor, int32_t queue)
{
    if (queue >= 0 && floor->family == COREIO_MQ_POSIX)
        (void)mq_close(queue);
    else if (queue >= 0)
        (void)msgctl(queue, IPC_RMID, NULL);
}

/* Sends one message through an empty queue, so that nothing but a lack of memory can fail later. A message larger than
 * the queue would block. */
static int32_t try_queue(const struct floor *floor, int32_t queue)
{
    if (floor->family == COREIO_MQ_SYSV && msgsnd(queue, floor->message, floor->bytes, IPC_NOWAIT) == -1)
        return -errno;
    if (floor->family == COREIO_MQ_POSIX) {
        const int32_t status = put(floor, queue);
        if (status < 0)
            return status;
    }
    return take(floor, queue);
}

static int compare(const void *a, const void *b)
{
    const int64_t left = *(const int64_t *)a;
    const int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void summarise(const struct floor *floor, struct coreio_mq_floor_result *result)
{
    result->count = floor->count * (floor->work == COREIO_MQ_FLOOR_PAIR ? BATCH : 1);
    result->elapsed_ns = floor->shared->elapsed_ns;
    if (floor->work == COREIO_MQ_FLOOR_ONE_WAY)
        return;
    int64_t *times = floor->shared->times;
    qsort(times, (size_t)floor->count, sizeof *times, compare);
    result->min_ns = times[0];
    result->median_ns = times[floor->count / 2];
    result->p99_ns = times[floor->count * 99 / 100];
    result->max_ns = times[floor->count - 1];
}

/* Makes room for a message and the times. */
static int32_t make_room(struct floor *floor)
{
    floor->message = calloc(1, HEAD + floor->bytes + 1);
    if (floor->message == NULL)
        return -ENOMEM;
    const int64_t type = 1;
    memcpy(floor->message, &type, HEAD);
    floor->shared_bytes = sizeof *floor->shared + (size_t)floor->count * sizeof *floor->shared->times;
    void *shared = mmap(NULL, floor->shared_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return -errno;
    floor->shared = shared;
    floor->shared->status[0] = -ECHILD;
    floor->shared->status[1] = -ECHILD;
    floor->shared->whole = -ECHILD;
    return 0;
}

/* Makes the queues and tries them. */
static int32_t make_queues(struct floor *floor)
{
    floor->there = open_queue(floor);
    if (floor->there < 0)
        return floor->there;
    const int32_t status = try_queue(floor, floor->there);
    if (status < 0)
        return status;
    floor->back = floor->work == COREIO_MQ_FLOOR_PAIR ? floor->there : open_queue(floor);
    return floor->back < 0 ? floor->back : 0;
}

static int32_t valid(int32_t work, int32_t family, int64_t message_bytes, int64_t count)
{
    if (work < COREIO_MQ_FLOOR_PAIR || work > COREIO_MQ_FLOOR_FUTEX || count < 1 || count > MAX_COUNT)
        return 0;
    if (work == COREIO_MQ_FLOOR_FUTEX)
        return 1;
    return (family == COREIO_MQ_POSIX || family == COREIO_MQ_SYSV) && message_bytes >= 0 && message_bytes <= INT32_MAX;
}

int32_t coreio_mq_floor(int32_t work, int32_t family, int64_t message_bytes, int64_t count, int32_t cpu,
    int32_t peer_cpu, struct coreio_mq_floor_result *result)
{
    if (result == NULL || !valid(work, family, message_bytes, count) || cpu < -1 || peer_cpu < -1)
        return -EINVAL;
    if (cpu >= CPU_SETSIZE || peer_cpu >= CPU_SETSIZE)
        return COREIO_ECPU;
    memset(result, 0, sizeof *result);
    struct floor floor = {
        .work = work,
        .family = family,
        .bytes = work == COREIO_MQ_FLOOR_FUTEX ? 0 : (size_t)message_bytes,
        .count = work == COREIO_MQ_FLOOR_PAIR ? (count + BATCH - 1) / BATCH : count,
        .there = -1,
        .back = -1,
    };
    const int32_t cpus[2] = {cpu, peer_cpu};
    int32_t status = make_room(&floor);
    if (status == 0 && work != COREIO_MQ_FLOOR_FUTEX)
        status = make_queues(&floor);
    if (status == 0)
        status = run(&floor, cpus);
    if (status == 0)
        summarise(&floor, result);
    if (floor.back != floor.there)
        close_queue(&floor, floor.back);
    close_queue(&floor, floor.there);
    if (floor.shared != NULL)
        (void)munmap(floor.shared, floor.shared_bytes);
    free(floor.message);
    return status;
}
