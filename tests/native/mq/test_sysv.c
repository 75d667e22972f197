/* System V queues: keys, creating, each status of sending and receiving, types, flags and batches. */
#include "check.h"

#include "queues.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BAD ((uint8_t *)(intptr_t)8) /* no page is there */
#define HEAD COREIO_MQ_SYSV_HEAD

#define SYSV_OR_SKIP()                                                                                                 \
    do {                                                                                                               \
        if (queues_lack(COREIO_MQ_SYSV) != NULL)                                                                       \
            SKIP(queues_lack(COREIO_MQ_SYSV));                                                                         \
    } while (0)

/* A message as these calls have it. */
struct message {
    int64_t type;
    uint8_t bytes[8200];
};

static int32_t make(void)
{
    return queues_make(COREIO_MQ_SYSV, 0);
}

static void drop(int32_t queue)
{
    queues_drop(COREIO_MQ_SYSV, queue);
}

static int32_t send_text(int32_t queue, int64_t type, const char *text)
{
    struct message message = {.type = type};
    memcpy(message.bytes, text, strlen(text));
    return coreio_mq_sysv_send(queue, (const uint8_t *)&message, (int64_t)strlen(text), IPC_NOWAIT, NULL);
}

static int64_t receive(int32_t queue, struct message *message, int64_t capacity, int64_t type, int32_t flags)
{
    return coreio_mq_sysv_receive(queue, (uint8_t *)message, capacity, type, flags | IPC_NOWAIT, NULL);
}

/* Receives and compares text and type. */
static void expect(int32_t queue, int64_t wanted, int32_t flags, const char *text, int64_t type)
{
    struct message message;
    const int64_t length = receive(queue, &message, QUEUES_SIZE, wanted, flags);
    CHECK_BYTES(message.bytes, length, text, strlen(text));
    CHECK_EQ(message.type, type);
}

TEST(a_key_is_made_of_a_file)
{
    const char *directory = check_directory();
    const uint8_t *path = (const uint8_t *)check_write(directory, "key", "", 0);
    struct stat status;
    REQUIRE(stat((const char *)path, &status) == 0);
    const uint32_t expected = 7u << 24 | (uint32_t)(status.st_dev & 0xff) << 16 | (uint32_t)(status.st_ino & 0xffff);
    int32_t key = 0;
    CHECK_EQ(coreio_mq_sysv_key(path, 7, &key), 0);
    CHECK_EQ((uint32_t)key, expected);
    /* Eight bits of the project count. */
    int32_t again = 0;
    CHECK_EQ(coreio_mq_sysv_key(path, 7 + 256, &again), 0);
    CHECK_EQ(again, key);
    /* An error that was there before is none of this call. */
    errno = ENOENT;
    CHECK_EQ(coreio_mq_sysv_key(path, 255, &again), 0);
    CHECK_EQ((uint32_t)again >> 24, 255);

    char name[PATH_MAX + 2];
    snprintf(name, sizeof name, "%s/none", directory);
    CHECK_EQ(coreio_mq_sysv_key((const uint8_t *)name, 1, &key), -ENOENT);
    snprintf(name, sizeof name, "%s/key/x", directory);
    CHECK_EQ(coreio_mq_sysv_key((const uint8_t *)name, 1, &key), -ENOTDIR);
    snprintf(name, sizeof name, "%s/loop", directory);
    REQUIRE(symlink(name, name) == 0);
    CHECK_EQ(coreio_mq_sysv_key((const uint8_t *)name, 1, &key), -ELOOP);
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CHECK_EQ(coreio_mq_sysv_key((const uint8_t *)name, 1, &key), -ENAMETOOLONG);
    CHECK_EQ(coreio_mq_sysv_key(NULL, 1, &key), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_key(path, 1, NULL), -EINVAL);
}

static int64_t key_of(const void *argument)
{
    int32_t key;
    return coreio_mq_sysv_key(argument, 1, &key);
}

TEST(a_key_of_a_file_that_may_not_be_seen)
{
    if (queues_no_other_user() != NULL)
        SKIP(queues_no_other_user());
    /* The directory is its maker's alone. */
    const char *path = check_write(check_directory(), "key", "", 0);
    const struct queues_op op = {.call = QUEUES_OTHER, .other = key_of, .argument = path, .nobody = 1};
    CHECK_EQ(queues_run(&op), -EACCES);
}

struct getting {
    int32_t key;
    int32_t flags;
};

static int64_t get_it(const void *argument)
{
    const struct getting *getting = argument;
    const int32_t queue = coreio_mq_sysv_get(getting->key, getting->flags);
    return queue < 0 ? queue : 0;
}

TEST(a_queue_is_made_found_and_refused)
{
    SYSV_OR_SKIP();
    const int32_t key = 0x434f0000 | (getpid() & 0xffff);
    CHECK_EQ(coreio_mq_sysv_get(key, 0600), -ENOENT);
    const int32_t queue = coreio_mq_sysv_get(key, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(queue >= 0);
    CHECK_EQ(coreio_mq_sysv_get(key, IPC_CREAT | IPC_EXCL | 0600), -EEXIST);
    CHECK_EQ(coreio_mq_sysv_get(key, IPC_CREAT | 0600), queue);
    CHECK_EQ(coreio_mq_sysv_get(key, 0), queue);
    if (queues_no_other_user() == NULL) {
        /* Reading, writing and both, of a queue of mode 0600. */
        static const int32_t modes[] = {0400, 0200, 0600};
        for (size_t i = 0; i < 3; i++) {
            const struct getting getting = {key, modes[i]};
            const struct queues_op op = {.call = QUEUES_OTHER, .other = get_it, .argument = &getting, .nobody = 1};
            CHECK_EQ(queues_run(&op), -EACCES);
        }
    }
    CHECK_EQ(coreio_mq_sysv_remove(queue), 0);
    CHECK_EQ(coreio_mq_sysv_get(key, 0600), -ENOENT);
    /* Each queue without a key is another one. */
    const int32_t first = make();
    const int32_t second = make();
    CHECK(first >= 0 && second >= 0 && first != second);
    drop(first);
    drop(second);
}

TEST(queues_run_out)
{
    SYSV_OR_SKIP();
    if (queues_not_alone() != NULL)
        SKIP(queues_not_alone());
    const int32_t queue = make();
    const int64_t before = queues_limit("/proc/sys/kernel/msgmni", 1);
    CHECK(before > 1);
    CHECK_EQ(make(), -ENOSPC);
    queues_limit("/proc/sys/kernel/msgmni", before);
    drop(queue);
    if (queues_no_filter() == NULL) {
        const struct getting getting = {IPC_PRIVATE, 0600};
        const struct queues_op op = {
            .call = QUEUES_OTHER, .other = get_it, .argument = &getting, .refused = SYS_msgget, .error = ENOMEM};
        CHECK_EQ(queues_run(&op), -ENOMEM);
    }
}

TEST(an_id_that_was_asked_for_is_given)
{
    SYSV_OR_SKIP();
    if (queues_not_alone() != NULL)
        SKIP(queues_not_alone());
    const int32_t first = make();
    if (queues_limit("/proc/sys/kernel/msg_next_id", first + 1) == INT64_MIN) {
        drop(first);
        SKIP("no msg_next_id here (CONFIG_CHECKPOINT_RESTORE)");
    }
    const int32_t second = make();
    CHECK_EQ(second, first + 1);
    /* One that is in use is passed over. */
    queues_limit("/proc/sys/kernel/msg_next_id", first);
    const int32_t third = make();
    CHECK(third >= 0 && third != first && third != second);
    drop(first);
    drop(second);
    drop(third);
}

TEST(what_cannot_be_sent)
{
    SYSV_OR_SKIP();
    const int32_t queue = make();
    struct message message = {.type = 1};
    struct message typeless = {.type = 0};
    struct message negative = {.type = -1};
    const struct {
        int32_t queue;
        const void *message;
        int64_t length;
        int32_t status;
    } cases[] = {
        {-1, &message, 1, -EINVAL},
        {INT32_MAX, &message, 1, -EINVAL},
        {queue, &typeless, 1, -EINVAL},
        {queue, &negative, 1, -EINVAL},
        {queue, &message, -1, -EINVAL},
        {queue, &message, 8193, -EINVAL},
        {queue, NULL, 1, -EFAULT},
        {queue, BAD, 1, -EFAULT},
    };
    static const struct coreio_mq_wait once = {.size = sizeof once, .flags = COREIO_MQ_TIMED};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_context("row %zu", i);
        CHECK_EQ(coreio_mq_sysv_send(cases[i].queue, cases[i].message, cases[i].length, 0, NULL), cases[i].status);
        CHECK_EQ(coreio_mq_sysv_send(cases[i].queue, cases[i].message, cases[i].length, 0, &once), cases[i].status);
    }
    check_context(NULL);
    CHECK_EQ(receive(queue, &message, QUEUES_SIZE, 0, 0), -ENOMSG);
    /* Full by bytes, and by count where messages have none. */
    CHECK_EQ(queues_fill(COREIO_MQ_SYSV, queue, 8192), 2);
    CHECK_EQ(coreio_mq_sysv_send(queue, (const uint8_t *)&message, 1, IPC_NOWAIT, NULL), -EAGAIN);
    CHECK_EQ(receive(queue, &message, 8192, 0, 0), 8192);
    CHECK_EQ(receive(queue, &message, 8192, 0, 0), 8192);
    CHECK_EQ(queues_fill(COREIO_MQ_SYSV, queue, 0), 16384);
    drop(queue);
}

TEST(what_cannot_be_received)
{
    SYSV_OR_SKIP();
    const int32_t queue = make();
    struct message message;
    static const struct coreio_mq_wait once = {.size = sizeof once, .flags = COREIO_MQ_TIMED};
    CHECK_EQ(receive(queue, &message, QUEUES_SIZE, 0, 0), -ENOMSG);
    CHECK_EQ(send_text(queue, 2, "hello"), 0);
    CHECK_EQ(receive(queue, &message, QUEUES_SIZE, 1, 0), -ENOMSG);
    CHECK_EQ(receive(queue, &message, QUEUES_SIZE, -1, 0), -ENOMSG);
    CHECK_EQ(receive(queue, &message, QUEUES_SIZE, 2, MSG_EXCEPT), -ENOMSG);
    const struct {
        int32_t queue;
        void *message;
        int64_t capacity;
        int32_t status;
    } cases[] = {
        {-1, &message, QUEUES_SIZE, -EINVAL},
        {INT32_MAX, &message, QUEUES_SIZE, -EINVAL},
        {queue, &message, -1, -EINVAL},
        {queue, &message, 4, -E2BIG},
        {queue, NULL, QUEUES_SIZE, -EFAULT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_context("row %zu", i);
        CHECK_EQ(
            coreio_mq_sysv_receive(cases[i].queue, cases[i].message, cases[i].capacity, 0, 0, NULL), cases[i].status);
        CHECK_EQ(
            coreio_mq_sysv_receive(cases[i].queue, cases[i].message, cases[i].capacity, 0, 0, &once), cases[i].status);
    }
    check_context(NULL);
    /* None of them took the message; this one may, in the kernel. */
    CHECK_EQ(coreio_mq_sysv_receive(queue, BAD, QUEUES_SIZE, 0, 0, NULL), -EFAULT);
    (void)receive(queue, &message, QUEUES_SIZE, 0, 0);
    /* Cut, where that is asked for. */
    CHECK_EQ(send_text(queue, 2, "hello"), 0);
    CHECK_EQ(receive(queue, &message, 4, 0, MSG_NOERROR), 4);
    CHECK_TEXT(message.bytes, 4, "hell");
    CHECK_EQ(receive(queue, &message, QUEUES_SIZE, 0, 0), -ENOMSG);
    drop(queue);
}

TEST(another_user_is_kept_out)
{
    SYSV_OR_SKIP();
    if (queues_no_other_user() != NULL)
        SKIP(queues_no_other_user());
    const int32_t queue = make();
    CHECK_EQ(send_text(queue, 1, "x"), 0);
    struct queues_op op = {.call = QUEUES_SEND, .family = COREIO_MQ_SYSV, .queue = queue, .nobody = 1};
    CHECK_EQ(queues_run(&op), -EACCES);
    op.call = QUEUES_RECEIVE;
    CHECK_EQ(queues_run(&op), -EACCES);
    op.nobody = 0;
    CHECK_EQ(queues_run(&op), 1);
    if (queues_no_filter() == NULL) {
        op.refused = SYS_msgsnd;
        op.error = ENOMEM;
        op.call = QUEUES_SEND;
        CHECK_EQ(queues_run(&op), -ENOMEM);
    }
    drop(queue);
}

TEST(the_end_of_a_queue_wakes_who_waits)
{
    SYSV_OR_SKIP();
    static const struct coreio_mq_wait waits[] = {
        {.size = sizeof waits[0]},
        {.size = sizeof waits[0], .flags = COREIO_MQ_TIMED, .timeout_ns = INT64_MAX},
        {.size = sizeof waits[0], .spin_ns = INT64_MAX},
    };
    for (int32_t i = 0; i < 6; i++) {
        check_context("wait %d", i);
        const int32_t queue = make();
        struct queues_op op = {.call = i % 2 == 0 ? QUEUES_RECEIVE : QUEUES_SEND,
            .family = COREIO_MQ_SYSV,
            .queue = queue,
            .wait = &waits[i / 2]};
        if (op.call == QUEUES_SEND)
            queues_fill(COREIO_MQ_SYSV, queue, QUEUES_SIZE);
        const struct queues_child child = queues_start(&op);
        if (waits[i / 2].spin_ns == 0)
            queues_until_asleep(child);
        else
            queues_until_spinning(child);
        CHECK_EQ(coreio_mq_sysv_remove(queue), 0);
        CHECK_EQ(queues_join(child), -EIDRM);
        drop(queue);
        CHECK_EQ(send_text(queue, 1, "x"), -EINVAL);
    }
}

TEST(types_choose_what_is_received)
{
    SYSV_OR_SKIP();
    const int32_t queue = make();
    CHECK_EQ(send_text(queue, 4, "four"), 0);
    CHECK_EQ(send_text(queue, 3, "three"), 0);
    CHECK_EQ(send_text(queue, 2, "two"), 0);
    CHECK_EQ(send_text(queue, 1, "one"), 0);
    CHECK_EQ(send_text(queue, 1, "one again"), 0);
    CHECK_EQ(send_text(queue, INT64_MAX, ""), 0);
    expect(queue, -2, 0, "one", 1);
    expect(queue, 3, 0, "three", 3);
    expect(queue, 4, MSG_EXCEPT, "two", 2);
    expect(queue, 0, 0, "four", 4);
    expect(queue, INT64_MIN, 0, "one again", 1);
    expect(queue, INT64_MAX, 0, "", INT64_MAX);
    CHECK_EQ(send_text(queue, 5, "five"), 0);
    struct message message;
    CHECK_EQ(receive(queue, &message, QUEUES_SIZE, -4, 0), -ENOMSG);
    drop(queue);
}

TEST(a_copy_leaves_the_message)
{
    SYSV_OR_SKIP();
    const int32_t queue = make();
    struct message message;
    CHECK_EQ(send_text(queue, 5, "first"), 0);
    CHECK_EQ(send_text(queue, 6, "second"), 0);
    const int64_t length = receive(queue, &message, QUEUES_SIZE, 1, MSG_COPY);
    if (length == -ENOSYS) {
        drop(queue);
        SKIP("no MSG_COPY here (CONFIG_CHECKPOINT_RESTORE)");
    }
    CHECK_TEXT(message.bytes, length, "second");
    CHECK_EQ(message.type, 6);
    /* The type is the index of the message. */
    expect(queue, 0, MSG_COPY, "first", 5);
    CHECK_EQ(receive(queue, &message, QUEUES_SIZE, 2, MSG_COPY), -ENOMSG);
    CHECK_EQ(receive(queue, &message, 3, 0, MSG_COPY), -E2BIG);
    CHECK_EQ(receive(queue, &message, QUEUES_SIZE, 0, MSG_COPY | MSG_EXCEPT), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_receive(queue, (uint8_t *)&message, QUEUES_SIZE, 0, MSG_COPY, NULL), -EINVAL);
    expect(queue, 0, 0, "first", 5);
    expect(queue, 0, 0, "second", 6);
    if (queues_no_filter() == NULL) {
        const struct queues_op op = {
            .call = QUEUES_RECEIVE, .family = COREIO_MQ_SYSV, .queue = queue, .refused = SYS_msgrcv, .error = ENOSYS};
        CHECK_EQ(queues_run(&op), -ENOSYS);
    }
    drop(queue);
}

TEST(every_byte_comes_through)
{
    SYSV_OR_SKIP();
    const int32_t queue = make();
    struct message out = {.type = 77};
    struct message in;
    for (size_t i = 0; i < sizeof out.bytes; i++)
        out.bytes[i] = (uint8_t)(i * 131 >> 3);
    static const int64_t lengths[] = {0, 1, 8, 4047, 4048, 4049, 8192};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        CHECK_EQ(coreio_mq_sysv_send(queue, (const uint8_t *)&out, lengths[i], 0, NULL), 0);
        CHECK_EQ(coreio_mq_sysv_receive(queue, (uint8_t *)&in, 8192, 0, 0, NULL), lengths[i]);
        CHECK_BYTES(in.bytes, lengths[i], out.bytes, lengths[i]);
        CHECK_EQ(in.type, 77);
    }
    drop(queue);
}

TEST(a_batch_goes_in_order_and_comes_back)
{
    SYSV_OR_SKIP();
    const int32_t queue = make();
    uint8_t bytes[64] = "........one.....two.............three";
    static const struct coreio_mq_message out[] = {{8, 3, 1}, {16, 3, 2}, {32, 5, 1}, {8, 0, 1}, {7, 1, 1}};
    static const struct coreio_mq_wait once = {.size = sizeof once, .flags = COREIO_MQ_TIMED};
    CHECK_EQ(coreio_mq_sysv_send_many(queue, NULL, NULL, 0, NULL), 0);
    CHECK_EQ(coreio_mq_sysv_send_many(queue, bytes, out, 5, NULL), 4);
    CHECK_EQ(coreio_mq_sysv_send_many(queue, bytes, out + 4, 1, NULL), -EINVAL);
    uint8_t got[128];
    struct coreio_mq_message in[8];
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, got, sizeof got, 8, 1, 0, in, 8, NULL), 3);
    static const struct coreio_mq_message expected[] = {{8, 3, 1}, {24, 5, 1}, {40, 0, 1}};
    CHECK_BYTES(in, sizeof expected, expected, sizeof expected);
    CHECK_TEXT(got + 8, 3, "one");
    CHECK_TEXT(got + 24, 5, "three");
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, got, sizeof got, 8, 1, 0, in, 8, &once), -ENOMSG);
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, got, sizeof got, 8, 1, IPC_NOWAIT, in, 8, NULL), -ENOMSG);
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, got, sizeof got, 8, 1, MSG_EXCEPT, in, 8, NULL), 1);
    CHECK_EQ(in[0].type, 2);
    /* It ends where the longest message may not fit any more, at the count, and before one that is longer. */
    CHECK_EQ(coreio_mq_sysv_send_many(queue, bytes, out, 4, NULL), 4);
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, got, 16, 8, 0, 0, in, 8, NULL), 1);
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, got, sizeof got, 3, 0, 0, in, 8, NULL), 1);
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, got, sizeof got, 3, 0, 0, in, 8, NULL), -E2BIG);
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, got, sizeof got, 3, 0, MSG_NOERROR, in, 1, NULL), 1);
    CHECK_EQ(in[0].length, 3);
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, got, 8, 0, 0, 0, in, 8, NULL), 1);
    drop(queue);
}

TEST(what_a_batch_refuses)
{
    SYSV_OR_SKIP();
    const int32_t queue = make();
    uint8_t bytes[64] = {0};
    struct coreio_mq_message messages[2] = {{8, 1, 1}, {8, 1, 0}};
    static const struct coreio_mq_wait once = {.size = sizeof once, .flags = COREIO_MQ_TIMED};
    static const struct coreio_mq_wait bad = {.size = 1};
    CHECK_EQ(coreio_mq_sysv_send_many(queue, bytes, messages, -1, &once), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_send_many(queue, bytes, NULL, 1, &once), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_send_many(queue, NULL, messages, 1, &once), -EFAULT);
    CHECK_EQ(coreio_mq_sysv_send_many(queue, bytes, messages, 1, &bad), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_send_many(-1, bytes, messages, 1, &once), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_send_many(queue, bytes, messages, 2, &once), 1);
    CHECK_EQ(coreio_mq_sysv_send_many(queue, bytes, messages + 1, 1, &once), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, bytes, 64, 8, 0, 0, messages, 0, &once), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, bytes, 64, 8, 0, 0, NULL, 1, &once), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, bytes, 64, -1, 0, 0, messages, 1, &once), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, bytes, 15, 8, 0, 0, messages, 1, &once), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, bytes, INT64_MIN, 8, 0, 0, messages, 1, &once), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, bytes, 64, 8, 0, MSG_COPY | IPC_NOWAIT, messages, 1, &once), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, NULL, 64, 8, 0, 0, messages, 1, &once), -EFAULT);
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, bytes, 64, 8, 0, 0, messages, 1, &bad), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_receive_many(-1, bytes, 64, 8, 0, 0, messages, 1, &once), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_receive_many(queue, bytes, 64, 8, 0, 0, messages, 2, &once), 1);
    drop(queue);
}
