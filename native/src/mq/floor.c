/* Bounded pieces of work with the plain calls of the C library, so that a measured figure can be told from the limit of
 * the machine.
 *
 * Threads of a floor share the queues and nothing else that changes; with COREIO_MQ_FLOOR_FUTEX, one word. The loops
 * hold no allocation and no lock. Two ends that wait for each other never wait for ever: what could fail is tried
 * before the threads begin, a lack of memory in the kernel is waited out, and who removes a System V queue wakes both.
 */
#include <coreio/mq.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/syscall.h>
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

struct floor {
    int32_t work;
    int32_t family;
    size_t bytes;    /* of a message */
    int64_t count;   /* of samples, or of messages one way */
    int64_t *times;  /* of the samples */
    int32_t there;   /* queue of what is asked */
    int32_t back;    /* queue of the answers; `there` for pairs */
    int32_t no_wait; /* IPC_NOWAIT, or 0 */
    atomic_int turn; /* of the futex: the end that may go on, or OVER */
    int32_t slept;   /* whether the end that answers did before it had its turn; the turn's */
    int64_t elapsed_ns;
    pthread_mutex_t gate; /* closed until both threads are there */
    int32_t cancelled;    /* under the gate */
};

/* The turn of nobody: hand-overs have ended. */
#define OVER 2

struct end {
    struct floor *floor;
    pthread_t thread;
    int32_t number; /* 0 asks, 1 answers */
    int32_t status;
    uint8_t *message; /* a type and bytes */
};

/* Whether a call is to be made again: a queue that is full or empty is what spinning is about. */
static int32_t again(void)
{
    if (errno == ENOMEM)
        (void)sched_yield();
    return errno == EINTR || errno == EAGAIN || errno == ENOMSG || errno == ENOMEM;
}

static int32_t put(struct end *end, int32_t queue)
{
    const struct floor *floor = end->floor;
    for (;;) {
        const int sent = floor->family == COREIO_MQ_POSIX ? mq_send(queue, (char *)end->message + HEAD, floor->bytes, 0)
                                                          : msgsnd(queue, end->message, floor->bytes, floor->no_wait);
        if (sent == 0)
            return 0;
        if (!again())
            return -errno;
    }
}

static int32_t take(struct end *end, int32_t queue)
{
    const struct floor *floor = end->floor;
    for (;;) {
        const ssize_t got =
            floor->family == COREIO_MQ_POSIX
                ? mq_receive(queue, (char *)end->message + HEAD, floor->bytes > 0 ? floor->bytes : 1, NULL)
                : msgrcv(queue, end->message, floor->bytes, 0, floor->no_wait);
        if (got >= 0)
            return 0;
        if (!again())
            return -errno;
    }
}

/* Waits while it is the other end's turn; returns whether it slept meanwhile. */
static int32_t wait_turn(struct floor *floor, int32_t others)
{
    int32_t slept = 0;
    while (atomic_load(&floor->turn) == others)
        slept |= syscall(SYS_futex, &floor->turn, FUTEX_WAIT_PRIVATE, others, NULL, NULL, 0) == 0;
    return slept;
}

static void give_turn(struct floor *floor, int32_t other)
{
    atomic_store(&floor->turn, other);
    (void)syscall(SYS_futex, &floor->turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static int32_t ask(struct end *end)
{
    const int32_t status = put(end, end->floor->there);
    return status < 0 ? status : take(end, end->floor->back);
}

static int32_t answer(struct end *end)
{
    const int32_t status = take(end, end->floor->there);
    return status < 0 ? status : put(end, end->floor->back);
}

/* Asks `rounds` times for each sample. */
static int32_t run_asking(struct end *end, int32_t rounds)
{
    struct floor *floor = end->floor;
    int32_t status = 0;
    for (int32_t i = 0; i < WARM_UP && status == 0; i++)
        status = ask(end);
    const int64_t began = coreio__clock_ns(CLOCK_MONOTONIC);
    int64_t before = began;
    for (int64_t i = 0; i < floor->count && status == 0; i++) {
        for (int32_t round = 0; round < rounds && status == 0; round++)
            status = ask(end);
        const int64_t now = coreio__clock_ns(CLOCK_MONOTONIC);
        floor->times[i] = (now - before) / rounds;
        before = now;
    }
    floor->elapsed_ns = before - began;
    return status;
}

static int32_t run_answering(struct end *end)
{
    int32_t status = 0;
    for (int64_t i = 0; i < WARM_UP + end->floor->count && status == 0; i++)
        status = answer(end);
    return status;
}

/* Hands the turn over and back. A hand-over counts when both ends slept before they were woken: two that are in step
 * find the turn theirs before they would sleep, for thousands of times in a row and a hundredth of the time, and no CPU
 * wakes another. Where the first end then sleeps a moment, the other one does, too. After too many tries all count. */
static void hand_over(struct floor *floor)
{
    int64_t taken = -WARM_UP;
    for (int64_t tries = 0; taken < floor->count; tries++) {
        const int64_t began = coreio__clock_ns(CLOCK_MONOTONIC);
        give_turn(floor, 1);
        const int32_t slept = wait_turn(floor, 1);
        const int64_t took = coreio__clock_ns(CLOCK_MONOTONIC) - began;
        if (taken >= 0 && (!slept || !floor->slept) && tries < MOST_TRIES * floor->count) {
            (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
            continue;
        }
        if (taken >= 0) {
            floor->times[taken] = took;
            floor->elapsed_ns += took;
        }
        taken++;
    }
    give_turn(floor, OVER);
}

static void hand_back(struct floor *floor)
{
    for (;;) {
        const int32_t slept = wait_turn(floor, 0);
        if (atomic_load(&floor->turn) == OVER)
            return;
        floor->slept = slept;
        give_turn(floor, 0);
    }
}

static int32_t run_sending(struct end *end)
{
    int32_t status = 0;
    for (int64_t i = 0; i < WARM_UP + end->floor->count && status == 0; i++)
        status = put(end, end->floor->there);
    return status;
}

static int32_t run_receiving(struct end *end)
{
    struct floor *floor = end->floor;
    int32_t status = 0;
    for (int32_t i = 0; i < WARM_UP && status == 0; i++)
        status = take(end, floor->there);
    const int64_t began = coreio__clock_ns(CLOCK_MONOTONIC);
    for (int64_t i = 0; i < floor->count && status == 0; i++)
        status = take(end, floor->there);
    floor->elapsed_ns = coreio__clock_ns(CLOCK_MONOTONIC) - began;
    return status;
}

static void *run_end(void *argument)
{
    struct end *end = argument;
    struct floor *floor = end->floor;
    char name[16]; /* the kernel's limit */
    snprintf(name, sizeof name, "coreio-floor-%d", (int)end->number);
    pthread_setname_np(pthread_self(), name);
    pthread_mutex_lock(&floor->gate);
    const int32_t cancelled = floor->cancelled;
    pthread_mutex_unlock(&floor->gate);
    if (cancelled)
        return NULL;
    if (floor->work == COREIO_MQ_FLOOR_FUTEX && end->number == 0)
        hand_over(floor);
    else if (floor->work == COREIO_MQ_FLOOR_FUTEX)
        hand_back(floor);
    else if (floor->work == COREIO_MQ_FLOOR_ONE_WAY)
        end->status = end->number == 0 ? run_sending(end) : run_receiving(end);
    else if (floor->work == COREIO_MQ_FLOOR_PAIR)
        end->status = run_asking(end, BATCH);
    else
        end->status = end->number == 0 ? run_asking(end, 1) : run_answering(end);
    return NULL;
}

/* Starts the thread of an end on a CPU. Returns 0, COREIO_ECPU or -errno. */
static int32_t start(struct end *end, int32_t cpu)
{
    pthread_attr_t attributes;
    int status = pthread_attr_init(&attributes);
    if (status != 0)
        return -status;
    if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)cpu, &set);
        status = pthread_attr_setaffinity_np(&attributes, sizeof set, &set);
    }
    if (status == 0)
        status = pthread_create(&end->thread, &attributes, run_end, end);
    pthread_attr_destroy(&attributes);
    /* EINVAL is how the kernel says that the CPU does not exist, is not online or not in the cpuset. */
    return status == EINVAL && cpu >= 0 ? COREIO_ECPU : -status;
}

/* Runs the ends, each in its thread. */
static int32_t run(struct floor *floor, struct end ends[2], const int32_t cpus[2])
{
    const int32_t count = floor->work == COREIO_MQ_FLOOR_PAIR ? 1 : 2;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    int32_t status = -pthread_sigmask(SIG_SETMASK, &all, &before);
    if (status < 0)
        return status;
    pthread_mutex_lock(&floor->gate);
    int32_t started = 0;
    while (started < count && status == 0) {
        status = start(&ends[started], cpus[started]);
        started += status == 0;
    }
    floor->cancelled = status < 0;
    pthread_mutex_unlock(&floor->gate);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    for (int32_t i = 0; i < started; i++) {
        pthread_join(ends[i].thread, NULL);
        if (status == 0)
            status = ends[i].status;
    }
    return status;
}

/* Opens a queue that has no name when this returns. */
static int32_t open_posix(const struct floor *floor)
{
    const int32_t limit = coreio__read_number("/proc/sys/fs/mqueue/msg_max");
    struct mq_attr attributes = {
        .mq_maxmsg = limit > 0 && limit < DEPTH ? limit : DEPTH,
        .mq_msgsize = floor->bytes > 0 ? (long)floor->bytes : 1,
    };
    const int flags = O_RDWR | O_CREAT | O_EXCL | (floor->work == COREIO_MQ_FLOOR_SPIN ? O_NONBLOCK : 0);
    for (int32_t number = 0;; number++) {
        char name[64];
        snprintf(name, sizeof name, "/coreio-floor-%d-%d", (int)getpid(), (int)number);
        const mqd_t queue = mq_open(name, flags, 0600, &attributes);
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
static int32_t try_queue(struct end *end, int32_t queue)
{
    if (end->floor->family == COREIO_MQ_SYSV && msgsnd(queue, end->message, end->floor->bytes, IPC_NOWAIT) == -1)
        return -errno;
    if (end->floor->family == COREIO_MQ_POSIX) {
        const int32_t status = put(end, queue);
        if (status < 0)
            return status;
    }
    return take(end, queue);
}

static int compare(const void *a, const void *b)
{
    const int64_t left = *(const int64_t *)a;
    const int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void summarise(struct floor *floor, struct coreio_mq_floor_result *result)
{
    result->count = floor->count * (floor->work == COREIO_MQ_FLOOR_PAIR ? BATCH : 1);
    result->elapsed_ns = floor->elapsed_ns;
    if (floor->work == COREIO_MQ_FLOOR_ONE_WAY)
        return;
    qsort(floor->times, (size_t)floor->count, sizeof *floor->times, compare);
    result->min_ns = floor->times[0];
    result->median_ns = floor->times[floor->count / 2];
    result->p99_ns = floor->times[floor->count * 99 / 100];
    result->max_ns = floor->times[floor->count - 1];
}

/* Makes queues, buffers and room for the times, and tries the queues. */
static int32_t prepare(struct floor *floor, struct end ends[2])
{
    floor->times = malloc((size_t)floor->count * sizeof *floor->times);
    if (floor->times == NULL)
        return -ENOMEM;
    for (int32_t i = 0; i < 2; i++) {
        ends[i].message = calloc(1, HEAD + floor->bytes + 1);
        if (ends[i].message == NULL)
            return -ENOMEM;
        const int64_t type = 1;
        memcpy(ends[i].message, &type, HEAD);
    }
    if (floor->work == COREIO_MQ_FLOOR_FUTEX)
        return 0;
    floor->there = open_queue(floor);
    if (floor->there < 0)
        return floor->there;
    const int32_t status = try_queue(&ends[0], floor->there);
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
        .no_wait = work == COREIO_MQ_FLOOR_SPIN ? IPC_NOWAIT : 0,
    };
    pthread_mutex_init(&floor.gate, NULL);
    struct end ends[2] = {{.floor = &floor, .number = 0}, {.floor = &floor, .number = 1}};
    const int32_t cpus[2] = {cpu, peer_cpu};
    int32_t status = prepare(&floor, ends);
    if (status == 0)
        status = run(&floor, ends, cpus);
    if (status == 0)
        summarise(&floor, result);
    if (floor.back != floor.there)
        close_queue(&floor, floor.back);
    close_queue(&floor, floor.there);
    pthread_mutex_destroy(&floor.gate);
    free(ends[1].message);
    free(ends[0].message);
    free(floor.times);
    return status;
}
