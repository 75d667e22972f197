/* POSIX queues: the calls of mq_overview(7), waits and batches.
 *
 * A call without a wait is the system call and nothing else. A wait of another kind tries with a deadline in the
 * past, for which the kernel delivers what is ready and sets no timer, and polls the queue between the tries: the
 * kernel's own deadlines are on CLOCK_REALTIME, which may be stepped.
 */
#include <coreio/mq.h>

#include <errno.h>
#include <mqueue.h>
#include <poll.h>
#include <time.h>

#include "call.h"
#include "wait.h"

_Static_assert(sizeof(struct mq_attr) == 64, "struct mq_attr is eight longs");
_Static_assert(sizeof(mqd_t) == sizeof(int32_t), "a queue is a descriptor");
_Static_assert(sizeof(unsigned int) == sizeof(uint32_t), "a priority is 32 bits");

static void write_attributes(struct coreio_mq_posix_attributes *to, const struct mq_attr *from)
{
    *to = (struct coreio_mq_posix_attributes){
        .flags = from->mq_flags,
        .max_messages = from->mq_maxmsg,
        .message_size = from->mq_msgsize,
        .messages = from->mq_curmsgs,
    };
}

/* As mq_timedsend(3); NULL is no deadline. */
static int32_t send_until(
    int32_t queue, const char *bytes, size_t length, uint32_t priority, const struct timespec *deadline)
{
    return (int32_t)coreio__mq_call(
        SYS_mq_timedsend, queue, (intptr_t)bytes, (int64_t)length, priority, (intptr_t)deadline);
}

static int64_t receive_until(
    int32_t queue, char *bytes, size_t capacity, uint32_t *priority, const struct timespec *deadline)
{
    return coreio__mq_call(
        SYS_mq_timedreceive, queue, (intptr_t)bytes, (int64_t)capacity, (intptr_t)priority, (intptr_t)deadline);
}

/* As mq_send(3) until it is not interrupted, or once if a signal is to end it. */
static int32_t send_blocking(
    int32_t queue, const char *bytes, size_t length, uint32_t priority, const struct coreio__mq_wait *wait)
{
    int32_t status;
    do {
        status = send_until(queue, bytes, length, priority, NULL);
    } while (status == -EINTR && !coreio__mq_interruptible(wait));
    return status;
}

static int64_t receive_blocking(
    int32_t queue, char *bytes, size_t capacity, uint32_t *priority, const struct coreio__mq_wait *wait)
{
    int64_t got;
    do {
        got = receive_until(queue, bytes, capacity, priority, NULL);
    } while (got == -EINTR && !coreio__mq_interruptible(wait));
    return got;
}

/* What an error of a call with a deadline in the past means, where -EAGAIN says that it would have waited, and
 * COREIO__MQ_TRY that it is to be made again. */
static int32_t refusal(int32_t status, const struct coreio__mq_wait *wait)
{
    if (status == -ETIMEDOUT)
        return -EAGAIN;
    return status == -EINTR && !coreio__mq_interruptible(wait) ? COREIO__MQ_TRY : status;
}

static int32_t send_one(
    int32_t queue, const char *bytes, size_t length, uint32_t priority, struct coreio__mq_wait *wait)
{
    /* On the stack, as qemu's user emulation writes it back. */
    const struct timespec past = {.tv_sec = 0, .tv_nsec = 0};
    int32_t step = coreio__mq_wait_begin(wait);
    while (step == COREIO__MQ_TRY) {
        const int32_t status = send_until(queue, bytes, length, priority, &past);
        if (status == 0)
            return 0;
        const int32_t refused = refusal(status, wait);
        if (refused != COREIO__MQ_TRY && refused != -EAGAIN)
            return refused;
        if (refused == -EAGAIN)
            step = coreio__mq_wait_next(wait, refused, queue, POLLOUT);
    }
    return step == COREIO__MQ_BLOCK ? send_blocking(queue, bytes, length, priority, wait) : step;
}

static int64_t receive_one(
    int32_t queue, char *bytes, size_t capacity, uint32_t *priority, struct coreio__mq_wait *wait)
{
    const struct timespec past = {.tv_sec = 0, .tv_nsec = 0};
    int32_t step = coreio__mq_wait_begin(wait);
    while (step == COREIO__MQ_TRY) {
        const int64_t got = receive_until(queue, bytes, capacity, priority, &past);
        if (got >= 0)
            return got;
        const int32_t refused = refusal((int32_t)got, wait);
        if (refused != COREIO__MQ_TRY && refused != -EAGAIN)
            return refused;
        if (refused == -EAGAIN)
            step = coreio__mq_wait_next(wait, refused, queue, POLLIN);
    }
    return step == COREIO__MQ_BLOCK ? receive_blocking(queue, bytes, capacity, priority, wait) : step;
}

/* The bytes to send as the C library declares them, never NULL: an empty message needs no buffer. NULL if there has to
 * be one. */
static const char *to_send(const uint8_t *bytes, int64_t length)
{
    return bytes == NULL && length == 0 ? "" : (const char *)bytes;
}

/* One of a batch. */
static int32_t send_message(
    int32_t queue, const uint8_t *bytes, const struct coreio_mq_message *message, struct coreio__mq_wait *wait)
{
    if (message->offset < 0 || message->type < 0 || message->type > UINT32_MAX)
        return -EINVAL;
    const char *text = to_send(bytes == NULL ? NULL : bytes + message->offset, message->length);
    return text == NULL ? -EFAULT : send_one(queue, text, (size_t)message->length, (uint32_t)message->type, wait);
}

int32_t coreio_mq_posix_open(
    const uint8_t *name, int32_t flags, uint32_t mode, const struct coreio_mq_posix_attributes *attributes)
{
    if (name == NULL || *name != '/')
        return -EINVAL;
    struct mq_attr own = {0};
    if (attributes != NULL) {
        own.mq_maxmsg = attributes->max_messages;
        own.mq_msgsize = attributes->message_size;
    }
    const intptr_t given = attributes != NULL ? (intptr_t)&own : 0;
    return (int32_t)coreio__mq_call(SYS_mq_open, (intptr_t)(name + 1), flags, mode, given, 0);
}

int32_t coreio_mq_posix_close(int32_t queue)
{
    return (int32_t)coreio__mq_call(SYS_close, queue, 0, 0, 0, 0);
}

int32_t coreio_mq_posix_unlink(const uint8_t *name)
{
    if (name == NULL || *name != '/')
        return -EINVAL;
    const int32_t status = (int32_t)coreio__mq_call(SYS_mq_unlink, (intptr_t)(name + 1), 0, 0, 0, 0);
    /* The standard knows only the one. */
    return status == -EPERM ? -EACCES : status;
}

int32_t coreio_mq_posix_attributes(int32_t queue, struct coreio_mq_posix_attributes *attributes)
{
    if (attributes == NULL)
        return -EINVAL;
    struct mq_attr now;
    const int32_t status = (int32_t)coreio__mq_call(SYS_mq_getsetattr, queue, 0, (intptr_t)&now, 0, 0);
    if (status == 0)
        write_attributes(attributes, &now);
    return status;
}

int32_t coreio_mq_posix_set(
    int32_t queue, const struct coreio_mq_posix_attributes *attributes, struct coreio_mq_posix_attributes *before)
{
    if (attributes == NULL)
        return -EINVAL;
    const struct mq_attr own = {.mq_flags = attributes->flags};
    struct mq_attr old;
    const int32_t status = (int32_t)coreio__mq_call(SYS_mq_getsetattr, queue, (intptr_t)&own, (intptr_t)&old, 0, 0);
    if (status == 0 && before != NULL)
        write_attributes(before, &old);
    return status;
}

int32_t coreio_mq_posix_send(
    int32_t queue, const uint8_t *bytes, int64_t length, uint32_t priority, const struct coreio_mq_wait *wait)
{
    const char *text = to_send(bytes, length);
    if (text == NULL)
        return -EFAULT;
    if (wait == NULL)
        return send_blocking(queue, text, (size_t)length, priority, NULL);
    struct coreio__mq_wait own;
    const int32_t status = coreio__mq_wait_start(&own, wait);
    return status < 0 ? status : send_one(queue, text, (size_t)length, priority, &own);
}

int64_t coreio_mq_posix_receive(
    int32_t queue, uint8_t *bytes, int64_t capacity, uint32_t *priority, const struct coreio_mq_wait *wait)
{
    /* The kernel would take the message before it finds that there is nowhere to put it. */
    if (bytes == NULL)
        return -EFAULT;
    if (capacity < 0)
        return -EMSGSIZE;
    if (wait == NULL)
        return receive_blocking(queue, (char *)bytes, (size_t)capacity, priority, NULL);
    struct coreio__mq_wait own;
    const int32_t status = coreio__mq_wait_start(&own, wait);
    return status < 0 ? status : receive_one(queue, (char *)bytes, (size_t)capacity, priority, &own);
}

int32_t coreio_mq_posix_send_until(
    int32_t queue, const uint8_t *bytes, int64_t length, uint32_t priority, int64_t seconds, int64_t nanoseconds)
{
    const char *text = to_send(bytes, length);
    if (text == NULL)
        return -EFAULT;
    const struct timespec deadline = {.tv_sec = seconds, .tv_nsec = nanoseconds};
    return send_until(queue, text, (size_t)length, priority, &deadline);
}

int64_t coreio_mq_posix_receive_until(
    int32_t queue, uint8_t *bytes, int64_t capacity, uint32_t *priority, int64_t seconds, int64_t nanoseconds)
{
    if (bytes == NULL)
        return -EFAULT;
    if (capacity < 0)
        return -EMSGSIZE;
    const struct timespec deadline = {.tv_sec = seconds, .tv_nsec = nanoseconds};
    return receive_until(queue, (char *)bytes, (size_t)capacity, priority, &deadline);
}

int32_t coreio_mq_posix_send_many(int32_t queue, const uint8_t *bytes, const struct coreio_mq_message *messages,
    int32_t count, const struct coreio_mq_wait *wait)
{
    if (count < 0 || (messages == NULL && count > 0))
        return -EINVAL;
    struct coreio__mq_wait own;
    int32_t status = coreio__mq_wait_start(&own, wait);
    if (status < 0)
        return status;
    /* One system call a message, and nothing else unless the queue is full. */
    for (int32_t i = 0; i < count; i++) {
        status = send_message(queue, bytes, &messages[i], &own);
        if (status < 0)
            return i > 0 ? i : status;
    }
    return count;
}

int32_t coreio_mq_posix_receive_many(int32_t queue, uint8_t *bytes, int64_t capacity, int64_t message_size,
    struct coreio_mq_message *messages, int32_t count, const struct coreio_mq_wait *wait)
{
    if (count < 1 || messages == NULL || message_size < 1)
        return -EINVAL;
    if (bytes == NULL)
        return -EFAULT;
    if (capacity < message_size)
        return -EMSGSIZE;
    struct coreio__mq_wait own;
    const int32_t status = coreio__mq_wait_start(&own, wait);
    if (status < 0)
        return status;
    int64_t at = 0;
    int32_t done = 0;
    while (done < count && capacity - at >= message_size) {
        uint32_t priority;
        const int64_t got = receive_one(queue, (char *)bytes + at, (size_t)(capacity - at), &priority, &own);
        if (got < 0)
            return done > 0 ? done : (int32_t)got;
        messages[done++] = (struct coreio_mq_message){.offset = at, .length = got, .type = priority};
        at += got;
        /* What is not there after the first is not waited for. */
        own.flags |= COREIO_MQ_TIMED;
        own.once = 1;
    }
    return done;
}
