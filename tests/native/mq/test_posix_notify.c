/* Word of a message in an empty queue: each kind, told once, asked for again, taken back; and every refusal. */
#include "check.h"

#include "queues.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define VALUE 0x1122334455667788

#define NOTIFY_OR_SKIP()                                                                                               \
    do {                                                                                                               \
        if (queues_lack(COREIO_MQ_POSIX) != NULL)                                                                      \
            SKIP(queues_lack(COREIO_MQ_POSIX));                                                                        \
        if (no_notify())                                                                                               \
            SKIP("no mq_notify here (ENOSYS)");                                                                        \
    } while (0)

static int32_t notify(int32_t queue, int32_t kind)
{
    return coreio_mq_posix_notify(queue, kind, SIGUSR1, VALUE);
}

static int no_notify(void)
{
    const int32_t queue = queues_make(COREIO_MQ_POSIX, 0);
    const int32_t status = notify(queue, COREIO_MQ_NOTIFY_NONE);
    queues_drop(COREIO_MQ_POSIX, queue);
    return status == -ENOSYS;
}

static void send_one(int32_t queue)
{
    CHECK_EQ(coreio_mq_posix_send(queue, (const uint8_t *)"x", 1, 0, NULL), 0);
}

static void receive_one(int32_t queue)
{
    uint8_t bytes[QUEUES_SIZE];
    CHECK_EQ(coreio_mq_posix_receive(queue, bytes, sizeof bytes, NULL, NULL), 1);
}

/* What the descriptor says: one of COREIO_MQ_NOTIFIED_, or 0 for nothing yet. Closes it when it has spoken. */
static int32_t word_of(int32_t fd)
{
    uint8_t bytes[COREIO_MQ_NOTIFY_BYTES + 1];
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    if (poll(&poll_fd, 1, 0) == 0)
        return 0;
    CHECK_EQ(read(fd, bytes, sizeof bytes), COREIO_MQ_NOTIFY_BYTES);
    close(fd);
    const int64_t value = VALUE;
    CHECK_BYTES(bytes, 8, &value, 8);
    return bytes[COREIO_MQ_NOTIFY_BYTES - 1];
}

TEST(a_descriptor_speaks_once_and_is_asked_again)
{
    NOTIFY_OR_SKIP();
    const int32_t queue = queues_make(COREIO_MQ_POSIX, 0);
    int32_t fd = notify(queue, COREIO_MQ_NOTIFY_DESCRIPTOR);
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(word_of(fd), 0);
    send_one(queue);
    CHECK_EQ(word_of(fd), COREIO_MQ_NOTIFIED_MESSAGE);
    /* A message that is there when it is asked again is not told, nor is one behind it: drain after asking. */
    fd = notify(queue, COREIO_MQ_NOTIFY_DESCRIPTOR);
    CHECK(fd >= 0);
    send_one(queue);
    CHECK_EQ(word_of(fd), 0);
    receive_one(queue);
    receive_one(queue);
    send_one(queue);
    CHECK_EQ(word_of(fd), COREIO_MQ_NOTIFIED_MESSAGE);
    queues_drop(COREIO_MQ_POSIX, queue);
}

TEST(a_descriptor_is_told_of_the_end)
{
    NOTIFY_OR_SKIP();
    const int32_t queue = queues_make(COREIO_MQ_POSIX, 0);
    int32_t fd = notify(queue, COREIO_MQ_NOTIFY_DESCRIPTOR);
    CHECK_EQ(notify(queue, COREIO_MQ_NOTIFY_CANCEL), 0);
    CHECK_EQ(word_of(fd), COREIO_MQ_NOTIFIED_END);
    CHECK_EQ(notify(queue, COREIO_MQ_NOTIFY_CANCEL), 0);
    fd = notify(queue, COREIO_MQ_NOTIFY_DESCRIPTOR);
    CHECK_EQ(coreio_mq_posix_close(queue), 0);
    CHECK_EQ(word_of(fd), COREIO_MQ_NOTIFIED_END);
}

/* The registration outlives the descriptor, and a message then goes nowhere without harm. */
TEST(a_closed_descriptor_does_no_harm)
{
    NOTIFY_OR_SKIP();
    const int32_t queue = queues_make(COREIO_MQ_POSIX, 0);
    close(notify(queue, COREIO_MQ_NOTIFY_DESCRIPTOR));
    CHECK_EQ(notify(queue, COREIO_MQ_NOTIFY_NONE), -EBUSY);
    send_one(queue);
    CHECK_EQ(notify(queue, COREIO_MQ_NOTIFY_NONE), 0);
    CHECK_EQ(notify(queue, COREIO_MQ_NOTIFY_CANCEL), 0);
    close(notify(queue, COREIO_MQ_NOTIFY_DESCRIPTOR));
    queues_drop(COREIO_MQ_POSIX, queue);
}

TEST(a_signal_carries_its_value)
{
    NOTIFY_OR_SKIP();
    sigset_t set;
    sigset_t before;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    REQUIRE(sigprocmask(SIG_BLOCK, &set, &before) == 0);
    const int32_t queue = queues_make(COREIO_MQ_POSIX, 0);
    CHECK_EQ(notify(queue, COREIO_MQ_NOTIFY_SIGNAL), 0);
    send_one(queue);
    siginfo_t info;
    const struct timespec second = {.tv_sec = 5};
    CHECK_EQ(sigtimedwait(&set, &info, &second), SIGUSR1);
    CHECK_EQ(info.si_code, SI_MESGQ);
    CHECK_EQ((intptr_t)info.si_value.sival_ptr, VALUE);
    CHECK_EQ(info.si_pid, getpid());
    /* Once. */
    receive_one(queue);
    send_one(queue);
    const struct timespec none = {0};
    CHECK_EQ(sigtimedwait(&set, &info, &none), -1);
    queues_drop(COREIO_MQ_POSIX, queue);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static int64_t notify_elsewhere(const void *argument)
{
    return notify(*(const int32_t *)argument, COREIO_MQ_NOTIFY_NONE);
}

TEST(one_process_asks_at_a_time)
{
    NOTIFY_OR_SKIP();
    const int32_t queue = queues_make(COREIO_MQ_POSIX, 0);
    CHECK_EQ(notify(queue, COREIO_MQ_NOTIFY_NONE), 0);
    static const int32_t kinds[] = {COREIO_MQ_NOTIFY_NONE, COREIO_MQ_NOTIFY_SIGNAL, COREIO_MQ_NOTIFY_DESCRIPTOR};
    for (size_t i = 0; i < 3; i++)
        CHECK_EQ(notify(queue, kinds[i]), -EBUSY);
    const struct queues_op op = {.call = QUEUES_OTHER, .other = notify_elsewhere, .argument = &queue};
    CHECK_EQ(queues_run(&op), -EBUSY);
    /* NONE is used up by a message like the others. */
    send_one(queue);
    CHECK_EQ(queues_run(&op), 0);
    /* The child has gone, and its registration with it. */
    receive_one(queue);
    CHECK_EQ(notify(queue, COREIO_MQ_NOTIFY_NONE), 0);
    queues_drop(COREIO_MQ_POSIX, queue);
}

/* Who waits in a plain receive gets the message; the registration stays for the next one. */
TEST(a_blocked_receiver_goes_first)
{
    NOTIFY_OR_SKIP();
    const int32_t queue = queues_make(COREIO_MQ_POSIX, 0);
    const struct queues_op op = {.call = QUEUES_RECEIVE, .family = COREIO_MQ_POSIX, .queue = queue};
    const struct queues_child child = queues_start(&op);
    queues_until_asleep(child);
    const int32_t fd = notify(queue, COREIO_MQ_NOTIFY_DESCRIPTOR);
    send_one(queue);
    CHECK_EQ(queues_join(child), 1);
    CHECK_EQ(word_of(fd), 0);
    send_one(queue);
    CHECK_EQ(word_of(fd), COREIO_MQ_NOTIFIED_MESSAGE);
    queues_drop(COREIO_MQ_POSIX, queue);
}

/* A receiver with a timeout polls, and is none that waits to the kernel: both hear of the message. */
TEST(a_timed_receiver_is_no_blocked_receiver)
{
    NOTIFY_OR_SKIP();
    const int32_t queue = queues_make(COREIO_MQ_POSIX, 0);
    const struct coreio_mq_wait wait = {.size = sizeof wait, .flags = COREIO_MQ_TIMED, .timeout_ns = INT64_MAX};
    const struct queues_op op = {.call = QUEUES_RECEIVE, .family = COREIO_MQ_POSIX, .queue = queue, .wait = &wait};
    const struct queues_child child = queues_start(&op);
    queues_until_asleep(child);
    const int32_t fd = notify(queue, COREIO_MQ_NOTIFY_DESCRIPTOR);
    send_one(queue);
    CHECK_EQ(queues_join(child), 1);
    CHECK_EQ(word_of(fd), COREIO_MQ_NOTIFIED_MESSAGE);
    queues_drop(COREIO_MQ_POSIX, queue);
}

static int64_t notify_descriptor(const void *argument)
{
    const int32_t fd = notify(*(const int32_t *)argument, COREIO_MQ_NOTIFY_DESCRIPTOR);
    return fd < 0 ? fd : 0;
}

TEST(what_is_refused)
{
    NOTIFY_OR_SKIP();
    const int32_t queue = queues_make(COREIO_MQ_POSIX, 0);
    const int32_t root = open("/", O_RDONLY | O_CLOEXEC);
    const int32_t bad[] = {-1, INT32_MAX, root};
    const int32_t next = dup(root);
    close(next);
    for (int32_t kind = COREIO_MQ_NOTIFY_SIGNAL; kind <= COREIO_MQ_NOTIFY_CANCEL; kind++) {
        for (size_t i = 0; i < 3; i++) {
            check_context("kind %d of queue %d", kind, bad[i]);
            CHECK_EQ(notify(bad[i], kind), -EBADF);
        }
    }
    check_context(NULL);
    CHECK_EQ(notify(queue, -1), -EINVAL);
    CHECK_EQ(notify(queue, COREIO_MQ_NOTIFY_CANCEL + 1), -EINVAL);
    CHECK_EQ(coreio_mq_posix_notify(queue, COREIO_MQ_NOTIFY_SIGNAL, -1, 0), -EINVAL);
    CHECK_EQ(coreio_mq_posix_notify(queue, COREIO_MQ_NOTIFY_SIGNAL, SIGRTMAX + 1, 0), -EINVAL);
    struct queues_op op = {.call = QUEUES_OTHER, .other = notify_descriptor, .argument = &queue};
    op.descriptors = 3;
    CHECK_EQ(queues_run(&op), -EMFILE);
    op.descriptors = 0;
    if (queues_no_filter() == NULL) {
        op.refused = SYS_mq_notify;
        op.error = ENOMEM;
        CHECK_EQ(queues_run(&op), -ENOMEM);
    }
    /* No descriptor was left behind by what was refused. */
    const int32_t again = dup(root);
    CHECK_EQ(again, next);
    close(again);
    close(root);
    queues_drop(COREIO_MQ_POSIX, queue);
}
