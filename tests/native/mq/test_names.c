/* A program may define mq_send(3) and its like by calls of this library. So the library itself, but for its floors,
 * must not use these names: here they count who does. */
#include "check.h"

#include "queues.h"

#include <errno.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <time.h>
#include <unistd.h>

static int32_t strays;

/* clang-format off */
#define NAME(name)                                                                                                     \
    int64_t stray_##name(void) __asm__(#name);                                                                         \
    int64_t stray_##name(void) { strays++; errno = EIO; return -1; }
/* clang-format on */

NAME(mq_open)
NAME(__mq_open_2)
NAME(mq_close)
NAME(mq_unlink)
NAME(mq_getattr)
NAME(mq_setattr)
NAME(mq_send)
NAME(mq_receive)
NAME(mq_timedsend)
NAME(mq_timedreceive)
NAME(mq_notify)
NAME(msgget)
NAME(msgsnd)
NAME(msgrcv)
NAME(msgctl)

#define TYPE 7

static const struct coreio_mq_wait waits[] = {
    {.size = sizeof waits[0]},
    {.size = sizeof waits[0], .flags = COREIO_MQ_INTERRUPTIBLE},
    {.size = sizeof waits[0], .flags = COREIO_MQ_TIMED, .timeout_ns = 1000000},
    {.size = sizeof waits[0], .spin_ns = 1000000},
};

#define WAITS (int32_t)(sizeof waits / sizeof *waits)

TEST(posix_queues_do_not_go_through_the_standard_names)
{
    if (queues_lack(COREIO_MQ_POSIX) != NULL)
        SKIP(queues_lack(COREIO_MQ_POSIX));
    const int32_t queue = queues_make(COREIO_MQ_POSIX, 0);
    CHECK(queue >= 0);
    struct coreio_mq_posix_attributes attributes;
    CHECK_EQ(coreio_mq_posix_attributes(queue, &attributes), 0);
    CHECK_EQ(attributes.message_size, QUEUES_SIZE);
    CHECK_EQ(coreio_mq_posix_set(queue, &attributes, NULL), 0);
    uint8_t bytes[QUEUES_SIZE] = "hello";
    struct coreio_mq_message message = {.length = 5};
    for (int32_t i = 0; i < WAITS; i++) {
        CHECK_EQ(coreio_mq_posix_send(queue, bytes, 5, 0, &waits[i]), 0);
        CHECK_EQ(coreio_mq_posix_receive(queue, bytes, sizeof bytes, NULL, &waits[i]), 5);
        CHECK_EQ(coreio_mq_posix_send_many(queue, bytes, &message, 1, &waits[i]), 1);
        CHECK_EQ(coreio_mq_posix_receive_many(queue, bytes, sizeof bytes, sizeof bytes, &message, 1, &waits[i]), 1);
    }
    CHECK_EQ(coreio_mq_posix_receive(queue, bytes, sizeof bytes, NULL, &waits[2]), -ETIMEDOUT);
    const int64_t soon = time(NULL) + 100;
    CHECK_EQ(coreio_mq_posix_send_until(queue, bytes, 5, 0, soon, 0), 0);
    CHECK_EQ(coreio_mq_posix_receive_until(queue, bytes, sizeof bytes, NULL, soon, 0), 5);
    for (int32_t kind = COREIO_MQ_NOTIFY_SIGNAL; kind <= COREIO_MQ_NOTIFY_DESCRIPTOR; kind++) {
        const int32_t status = coreio_mq_posix_notify(queue, kind, SIGUSR1, 0);
        CHECK(status >= 0 || status == -ENOSYS);
        if (status > 0)
            close(status);
        (void)coreio_mq_posix_notify(queue, COREIO_MQ_NOTIFY_CANCEL, 0, 0);
    }
    queues_drop(COREIO_MQ_POSIX, queue);
    CHECK_EQ(coreio_mq_posix_unlink((const uint8_t *)"/coreio-no-such-queue"), -ENOENT);
    CHECK_EQ(strays, 0);
}

TEST(system_v_queues_do_not_go_through_the_standard_names)
{
    if (queues_lack(COREIO_MQ_SYSV) != NULL)
        SKIP(queues_lack(COREIO_MQ_SYSV));
    const int32_t queue = queues_make(COREIO_MQ_SYSV, 0);
    CHECK(queue >= 0);
    struct coreio_mq_sysv_status status;
    CHECK_EQ(coreio_mq_sysv_stat(queue, COREIO_MQ_SYSV_STAT, &status), queue);
    const struct coreio_mq_sysv_change change = {
        .uid = status.uid, .gid = status.gid, .mode = status.mode, .max_bytes = status.max_bytes};
    CHECK_EQ(coreio_mq_sysv_set(queue, &change), 0);
    struct coreio_mq_sysv_info info;
    CHECK(coreio_mq_sysv_info(COREIO_MQ_SYSV_USAGE, &info) >= 0);
    _Alignas(int64_t) uint8_t bytes[COREIO_MQ_SYSV_HEAD + QUEUES_SIZE] = {TYPE, 0, 0, 0, 0, 0, 0, TYPE};
    struct coreio_mq_message message = {.offset = COREIO_MQ_SYSV_HEAD, .length = 5, .type = TYPE};
    for (int32_t i = 0; i < WAITS; i++) {
        CHECK_EQ(coreio_mq_sysv_send(queue, bytes, 5, 0, &waits[i]), 0);
        CHECK_EQ(coreio_mq_sysv_receive(queue, bytes, QUEUES_SIZE, 0, 0, &waits[i]), 5);
        CHECK_EQ(coreio_mq_sysv_send_many(queue, bytes, &message, 1, &waits[i]), 1);
        CHECK_EQ(coreio_mq_sysv_receive_many(queue, bytes, sizeof bytes, QUEUES_SIZE, 0, 0, &message, 1, &waits[i]), 1);
    }
    CHECK_EQ(coreio_mq_sysv_receive(queue, bytes, QUEUES_SIZE, 0, 0, &waits[2]), -ETIMEDOUT);
    queues_drop(COREIO_MQ_SYSV, queue);
    CHECK_EQ(coreio_mq_sysv_stat(queue, COREIO_MQ_SYSV_STAT, &status), -EINVAL);
    CHECK_EQ(strays, 0);
}
