/* Many processes on one queue, and processes that are killed on it. */
#include "check.h"

#include "queues.h"
#include "traffic.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGES 25000

static void run(int32_t family, int32_t wait)
{
    if (queues_lack(family) != NULL)
        SKIP(queues_lack(family));
    const struct traffic traffic = {family, wait, 4, 4, MESSAGES};
    traffic_run(&traffic);
}

TEST(posix_plain)
{
    run(COREIO_MQ_POSIX, TRAFFIC_PLAIN);
}

TEST(posix_timed)
{
    run(COREIO_MQ_POSIX, TRAFFIC_TIMED);
}

TEST(posix_edges)
{
    run(COREIO_MQ_POSIX, TRAFFIC_EDGES);
}

TEST(posix_batches)
{
    run(COREIO_MQ_POSIX, TRAFFIC_BATCHES);
}

TEST(sysv_plain)
{
    run(COREIO_MQ_SYSV, TRAFFIC_PLAIN);
}

TEST(sysv_timed)
{
    run(COREIO_MQ_SYSV, TRAFFIC_TIMED);
}

TEST(sysv_batches)
{
    run(COREIO_MQ_SYSV, TRAFFIC_BATCHES);
}

/* Whoever waits may be killed: the queue goes on, and the next message is the next one's. */
TEST(a_killed_waiter_leaves_the_queue_usable)
{
    static const struct coreio_mq_wait waits[] = {
        {.size = sizeof waits[0]},
        {.size = sizeof waits[0], .flags = COREIO_MQ_TIMED, .timeout_ns = INT64_MAX},
    };
    for (int32_t i = 0; i < 8; i++) {
        struct queues_op op = {.call = i % 2 == 0 ? QUEUES_RECEIVE : QUEUES_SEND,
            .family = i < 4 ? COREIO_MQ_POSIX : COREIO_MQ_SYSV,
            .wait = &waits[i / 2 % 2]};
        check_context("case %d", i);
        if (queues_lack(op.family) != NULL) {
            check_skip(queues_lack(op.family));
            continue;
        }
        op.queue = queues_make(op.family, 0);
        const int32_t full = op.call == QUEUES_SEND ? queues_fill(op.family, op.queue, QUEUES_SIZE) : 0;
        const struct queues_child child = queues_start(&op);
        queues_until_asleep(child);
        CHECK_EQ(kill(child.pid, SIGKILL), 0);
        CHECK_EQ(queues_join(child), INT64_MIN);
        struct queues_op own = {.call = QUEUES_RECEIVE, .family = op.family, .queue = op.queue};
        for (int32_t message = 0; message < full; message++)
            CHECK_EQ(queues_do(&own), QUEUES_SIZE);
        own.call = QUEUES_SEND;
        CHECK_EQ(queues_do(&own), 0);
        own.call = QUEUES_RECEIVE;
        CHECK_EQ(queues_do(&own), QUEUES_SIZE);
        /* What the killed sender had not sent is not there. */
        const struct coreio_mq_wait once = {.size = sizeof once, .flags = COREIO_MQ_TIMED};
        own.wait = &once;
        CHECK(queues_do(&own) < 0);
        queues_drop(op.family, op.queue);
    }
}

struct counted {
    int32_t family;
    int32_t queue;
    volatile int32_t *count; /* shared with the parent */
};

static int64_t receive_and_count(const void *argument)
{
    const struct counted *counted = argument;
    const struct queues_op op = {.call = QUEUES_RECEIVE, .family = counted->family, .queue = counted->queue};
    while (queues_do(&op) >= 0)
        ++*counted->count;
    return -1;
}

/* A receiver that is killed takes one message along at most: the one that the kernel had handed to it. */
TEST(a_killed_receiver_loses_one_message_at_most)
{
    volatile int32_t *count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(count != MAP_FAILED);
    for (int32_t round = 0; round < 40; round++) {
        const int32_t family = round % 2 == 0 ? COREIO_MQ_POSIX : COREIO_MQ_SYSV;
        if (queues_lack(family) != NULL) {
            check_skip(queues_lack(family));
            continue;
        }
        const struct counted counted = {family, queues_make(family, 0), count};
        *count = 0;
        const struct queues_op op = {.call = QUEUES_OTHER, .other = receive_and_count, .argument = &counted};
        const struct queues_child child = queues_start(&op);
        const struct coreio_mq_wait once = {.size = sizeof once, .flags = COREIO_MQ_TIMED};
        struct queues_op own = {.call = QUEUES_SEND, .family = family, .queue = counted.queue, .wait = &once};
        int32_t sent = 0;
        /* It is killed while messages come, after another number of them each time. */
        while (*count < 20 * round)
            sent += queues_do(&own) == 0;
        CHECK_EQ(kill(child.pid, SIGKILL), 0);
        CHECK_EQ(queues_join(child), INT64_MIN);
        own.call = QUEUES_RECEIVE;
        int32_t left = 0;
        while (queues_do(&own) >= 0)
            left++;
        check_context("round %d: %d sent, %d received, %d left", round, sent, *count, left);
        CHECK(sent - *count - left == 0 || sent - *count - left == 1);
        queues_drop(family, counted.queue);
    }
    munmap((void *)(uintptr_t)count, sizeof *count);
}
