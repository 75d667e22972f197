/* System V queues: keys, messages, waits and batches; sysv_control.c has what describes and changes a queue.
 *
 * A call without a wait is the system call and nothing else. The kernel gives these queues neither a descriptor
 * nor a timeout, so a wait of another kind tries with IPC_NOWAIT and pauses between the tries.
 */
#include <coreio/mq.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#include "call.h"
#include "wait.h"

_Static_assert(offsetof(struct msgbuf, mtext) == COREIO_MQ_SYSV_HEAD, "the type of a message is eight bytes");
_Static_assert(sizeof(long) == sizeof(int64_t), "the type of a message is eight bytes");
_Static_assert(sizeof(key_t) == sizeof(int32_t), "a key is four bytes");

#define HEAD COREIO_MQ_SYSV_HEAD

static int32_t send_plain(int32_t queue, const void *message, size_t length, int32_t flags)
{
    return (int32_t)coreio__mq_call(SYS_msgsnd, queue, (intptr_t)message, (int64_t)length, flags, 0);
}

static int64_t receive_plain(int32_t queue, void *message, size_t capacity, int64_t type, int32_t flags)
{
    return coreio__mq_call(SYS_msgrcv, queue, (intptr_t)message, (int64_t)capacity, type, flags);
}

static int32_t send_blocking(
    int32_t queue, const void *message, size_t length, int32_t flags, const struct coreio__mq_wait *wait)
{
    int32_t status;
    do {
        status = send_plain(queue, message, length, flags);
    } while (status == -EINTR && !coreio__mq_interruptible(wait));
    return status;
}

static int64_t receive_blocking(
    int32_t queue, void *message, size_t capacity, int64_t type, int32_t flags, const struct coreio__mq_wait *wait)
{
    int64_t got;
    do {
        got = receive_plain(queue, message, capacity, type, flags);
    } while (got == -EINTR && !coreio__mq_interruptible(wait));
    return got;
}

/* IPC_NOWAIT of the call is stronger than any wait. A call with it is never interrupted. */
static int32_t first_step(struct coreio__mq_wait *wait, int32_t flags)
{
    const int32_t step = coreio__mq_wait_begin(wait);
    return (flags & IPC_NOWAIT) != 0 ? COREIO__MQ_BLOCK : step;
}

/* What a call returned. A queue that a try before has found and that is no more was removed in between, which is what a
 * blocked call would be told, too. */
static int64_t outcome(int64_t status, int32_t tries)
{
    return status == -EINVAL && tries > 0 ? -EIDRM : status;
}

static int32_t send_one(int32_t queue, const void *message, size_t length, int32_t flags, struct coreio__mq_wait *wait)
{
    int32_t step = first_step(wait, flags);
    int32_t tries = 0;
    for (; step == COREIO__MQ_TRY; tries = 1) {
        const int32_t status = send_plain(queue, message, length, flags | IPC_NOWAIT);
        if (status != -EAGAIN)
            return (int32_t)outcome(status, tries);
        step = coreio__mq_wait_next(wait, -EAGAIN, -1, 0);
    }
    return step == COREIO__MQ_BLOCK ? (int32_t)outcome(send_blocking(queue, message, length, flags, wait), tries)
                                    : step;
}

static int64_t receive_one(
    int32_t queue, void *message, size_t capacity, int64_t type, int32_t flags, struct coreio__mq_wait *wait)
{
    int32_t step = first_step(wait, flags);
    int32_t tries = 0;
    for (; step == COREIO__MQ_TRY; tries = 1) {
        const int64_t got = receive_plain(queue, message, capacity, type, flags | IPC_NOWAIT);
        if (got != -ENOMSG)
            return outcome(got, tries);
        step = coreio__mq_wait_next(wait, -ENOMSG, -1, 0);
    }
    return step == COREIO__MQ_BLOCK ? outcome(receive_blocking(queue, message, capacity, type, flags, wait), tries)
                                    : step;
}

int32_t coreio_mq_sysv_key(const uint8_t *path, int32_t project, int32_t *key)
{
    if (path == NULL || key == NULL)
        return -EINVAL;
    /* -1 is also the key of some file; only an error touches errno. */
    errno = 0;
    const key_t made = ftok((const char *)path, project);
    if (made == -1 && errno != 0)
        return -errno;
    *key = made;
    return 0;
}

int32_t coreio_mq_sysv_get(int32_t key, int32_t flags)
{
    return (int32_t)coreio__mq_call(SYS_msgget, key, flags, 0, 0, 0);
}

int32_t coreio_mq_sysv_send(
    int32_t queue, const uint8_t *message, int64_t length, int32_t flags, const struct coreio_mq_wait *wait)
{
    if (wait == NULL)
        return send_blocking(queue, message, (size_t)length, flags, NULL);
    struct coreio__mq_wait own;
    const int32_t status = coreio__mq_wait_start(&own, wait);
    return status < 0 ? status : send_one(queue, message, (size_t)length, flags, &own);
}

int64_t coreio_mq_sysv_receive(
    int32_t queue, uint8_t *message, int64_t capacity, int64_t type, int32_t flags, const struct coreio_mq_wait *wait)
{
    /* The kernel would take the message before it finds that there is nowhere to put it. */
    if (message == NULL)
        return -EFAULT;
    if (wait == NULL)
        return receive_blocking(queue, message, (size_t)capacity, type, flags, NULL);
    struct coreio__mq_wait own;
    const int32_t status = coreio__mq_wait_start(&own, wait);
    return status < 0 ? status : receive_one(queue, message, (size_t)capacity, type, flags, &own);
}

int32_t coreio_mq_sysv_send_many(int32_t queue, uint8_t *bytes, const struct coreio_mq_message *messages, int32_t count,
    const struct coreio_mq_wait *wait)
{
    if (count < 0 || (messages == NULL && count > 0))
        return -EINVAL;
    if (bytes == NULL && count > 0)
        return -EFAULT;
    struct coreio__mq_wait own;
    int32_t status = coreio__mq_wait_start(&own, wait);
    if (status < 0)
        return status;
    /* One system call a message, and nothing else unless the queue is full. */
    for (int32_t i = 0; i < count; i++) {
        const struct coreio_mq_message *message = &messages[i];
        if (message->offset < HEAD) {
            status = -EINVAL;
        } else {
            uint8_t *start = bytes + message->offset - HEAD;
            memcpy(start, &message->type, HEAD);
            status = send_one(queue, start, (size_t)message->length, 0, &own);
        }
        if (status < 0)
            return i > 0 ? i : status;
    }
    return count;
}

int32_t coreio_mq_sysv_receive_many(int32_t queue, uint8_t *bytes, int64_t capacity, int64_t message_size, int64_t type,
    int32_t flags, struct coreio_mq_message *messages, int32_t count, const struct coreio_mq_wait *wait)
{
    /* A copy stays in the queue, and the next one would be another copy of it. */
    if (count < 1 || messages == NULL || (flags & MSG_COPY) != 0)
        return -EINVAL;
    if (message_size < 0 || capacity < HEAD || capacity - HEAD < message_size)
        return -EINVAL;
    if (bytes == NULL)
        return -EFAULT;
    struct coreio__mq_wait own;
    const int32_t status = coreio__mq_wait_start(&own, wait);
    if (status < 0)
        return status;
    int64_t at = 0;
    int32_t done = 0;
    while (done < count && capacity - at - HEAD >= message_size) {
        const int64_t got = receive_one(queue, bytes + at, (size_t)message_size, type, flags, &own);
        if (got < 0)
            return done > 0 ? done : (int32_t)got;
        struct coreio_mq_message *message = &messages[done++];
        message->offset = at + HEAD;
        message->length = got;
        memcpy(&message->type, bytes + at, HEAD);
        at += HEAD + (got + HEAD - 1) / HEAD * HEAD;
        /* What is not there after the first is not waited for. */
        flags |= IPC_NOWAIT;
    }
    return done;
}
