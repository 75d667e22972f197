/* POSIX queues: every status of each call, order, sizes, attributes, names, batches, and who may do what. */
#include "check.h"

#include "queues.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BAD ((uint8_t *)(intptr_t)8) /* no page is there */
#define PRIORITIES 32768

#define POSIX_OR_SKIP()                                                                                                \
    do {                                                                                                               \
        if (queues_lack(COREIO_MQ_POSIX) != NULL)                                                                      \
            SKIP(queues_lack(COREIO_MQ_POSIX));                                                                        \
    } while (0)

static const struct coreio_mq_wait once = {.size = sizeof once, .flags = COREIO_MQ_TIMED};
static const struct coreio_mq_posix_attributes small = {.max_messages = QUEUES_DEPTH, .message_size = QUEUES_SIZE};

static int32_t make(int32_t flags)
{
    return queues_make(COREIO_MQ_POSIX, flags);
}

static void drop(int32_t queue)
{
    queues_drop(COREIO_MQ_POSIX, queue);
}

static int32_t send_text(int32_t queue, const char *text, uint32_t priority)
{
    return coreio_mq_posix_send(queue, (const uint8_t *)text, (int64_t)strlen(text), priority, &once);
}

static int64_t receive_once(int32_t queue, uint8_t bytes[QUEUES_SIZE], uint32_t *priority)
{
    return coreio_mq_posix_receive(queue, bytes, QUEUES_SIZE, priority, &once);
}

/* Opens are tried in children that differ in rights and limits; a child's queue goes with it. */
struct opening {
    const uint8_t *name;
    int32_t flags;
    uint32_t mode;
    const struct coreio_mq_posix_attributes *attributes;
};

static int64_t open_it(const void *argument)
{
    const struct opening *opening = argument;
    const int32_t queue = coreio_mq_posix_open(opening->name, opening->flags, opening->mode, opening->attributes);
    return queue < 0 ? queue : 0;
}

static int64_t unlink_it(const void *argument)
{
    return coreio_mq_posix_unlink(argument);
}

TEST(names_are_told_from_one_another)
{
    POSIX_OR_SKIP();
    const int32_t create = O_RDWR | O_CREAT;
    static const struct {
        const char *name;
        int32_t status;
    } cases[] = {{"x", -EINVAL}, {"", -EINVAL}, {"/", -ENOENT}, {"/a/b", -EACCES}, {"//x", -EACCES}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_context("%s", cases[i].name);
        CHECK_EQ(coreio_mq_posix_open((const uint8_t *)cases[i].name, create, 0600, &small), cases[i].status);
        const int32_t gone = coreio_mq_posix_unlink((const uint8_t *)cases[i].name);
        CHECK(gone < 0);
    }
    check_context(NULL);
    CHECK_EQ(coreio_mq_posix_open(NULL, create, 0600, &small), -EINVAL);
    CHECK_EQ(coreio_mq_posix_unlink(NULL), -EINVAL);
    CHECK_EQ(coreio_mq_posix_unlink((const uint8_t *)"x"), -EINVAL);

    char name[NAME_MAX + 3] = "/";
    memset(name + 1, 'n', NAME_MAX + 1);
    snprintf(name + 1, 32, "coreio-test-%d", (int)getpid());
    name[strlen(name)] = 'n';
    CHECK_EQ(coreio_mq_posix_open((const uint8_t *)name, create, 0600, &small), -ENAMETOOLONG);
    CHECK_EQ(coreio_mq_posix_unlink((const uint8_t *)name), -ENAMETOOLONG);
    name[NAME_MAX + 1] = '\0';
    const int32_t queue = coreio_mq_posix_open((const uint8_t *)name, create, 0600, &small);
    CHECK(queue >= 0);
    CHECK_EQ(coreio_mq_posix_unlink((const uint8_t *)name), 0);
    CHECK_EQ(coreio_mq_posix_close(queue), 0);
}

TEST(a_queue_is_made_found_and_refused)
{
    POSIX_OR_SKIP();
    const uint8_t *name = queues_name();
    CHECK_EQ(coreio_mq_posix_open(name, O_RDWR, 0, NULL), -ENOENT);
    CHECK_EQ(coreio_mq_posix_unlink(name), -ENOENT);
    const int32_t queue = coreio_mq_posix_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &small);
    CHECK(queue >= 0);
    CHECK_EQ(coreio_mq_posix_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &small), -EEXIST);
    /* Attributes matter to the one who makes it alone. */
    const struct coreio_mq_posix_attributes other = {.max_messages = 1, .message_size = 1};
    const int32_t again = coreio_mq_posix_open(name, O_RDONLY | O_CREAT | O_NONBLOCK, 0600, &other);
    CHECK(again >= 0 && again != queue);
    struct coreio_mq_posix_attributes attributes;
    CHECK_EQ(coreio_mq_posix_attributes(again, &attributes), 0);
    CHECK_EQ(attributes.flags, O_NONBLOCK);
    CHECK_EQ(attributes.max_messages, QUEUES_DEPTH);
    CHECK_EQ(attributes.message_size, QUEUES_SIZE);
    CHECK_EQ(attributes.messages, 0);
    /* One side may be closed to a descriptor. */
    uint8_t bytes[QUEUES_SIZE];
    CHECK_EQ(send_text(again, "x", 0), -EBADF);
    CHECK_EQ(coreio_mq_posix_close(again), 0);
    const int32_t writer = coreio_mq_posix_open(name, O_WRONLY, 0, NULL);
    CHECK_EQ(send_text(writer, "x", 0), 0);
    CHECK_EQ(receive_once(writer, bytes, NULL), -EBADF);
    CHECK_EQ(coreio_mq_posix_close(writer), 0);
    CHECK_EQ(receive_once(queue, bytes, NULL), 1);
    /* Close-on-exec without being asked. */
    CHECK_EQ(fcntl(queue, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(coreio_mq_posix_unlink(name), 0);
    CHECK_EQ(coreio_mq_posix_close(queue), 0);
    CHECK_EQ(coreio_mq_posix_close(queue), -EBADF);
    CHECK_EQ(coreio_mq_posix_close(-1), -EBADF);
}

TEST(an_unlinked_queue_goes_on_and_its_name_is_free)
{
    POSIX_OR_SKIP();
    const uint8_t *name = queues_name();
    const int32_t old = coreio_mq_posix_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &small);
    CHECK_EQ(send_text(old, "old", 1), 0);
    CHECK_EQ(coreio_mq_posix_unlink(name), 0);
    CHECK_EQ(coreio_mq_posix_open(name, O_RDWR, 0, NULL), -ENOENT);
    const int32_t new = coreio_mq_posix_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &small);
    CHECK(new >= 0);
    uint8_t bytes[QUEUES_SIZE];
    CHECK_EQ(receive_once(new, bytes, NULL), -EAGAIN);
    CHECK_EQ(receive_once(old, bytes, NULL), 3);
    CHECK_TEXT(bytes, 3, "old");
    drop(old);
    drop(new);
}

TEST(limits_of_a_new_queue)
{
    POSIX_OR_SKIP();
    const uint8_t *name = queues_name();
    static const struct coreio_mq_posix_attributes wrong[] = {
        {.max_messages = 0, .message_size = 1},
        {.max_messages = 1, .message_size = 0},
        {.max_messages = -1, .message_size = 1},
        {.max_messages = 1, .message_size = -1},
        {.max_messages = INT32_MAX, .message_size = 1},
        {.max_messages = 1, .message_size = INT64_MAX},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        check_context("attributes %zu", i);
        CHECK_EQ(coreio_mq_posix_open(name, O_RDWR | O_CREAT, 0600, &wrong[i]), -EINVAL);
    }
    check_context(NULL);
    if (queues_not_alone() != NULL)
        SKIP(queues_not_alone());
    /* The defaults are those of the namespace, and what is above the limit is had once the limit is raised. */
    CHECK_EQ(queues_limit("/proc/sys/fs/mqueue/msg_default", 3), 10);
    CHECK_EQ(queues_limit("/proc/sys/fs/mqueue/msgsize_default", 200), 8192);
    int32_t queue = coreio_mq_posix_open(name, O_RDWR | O_CREAT, 0600, NULL);
    struct coreio_mq_posix_attributes attributes;
    CHECK_EQ(coreio_mq_posix_attributes(queue, &attributes), 0);
    CHECK_EQ(attributes.max_messages, 3);
    CHECK_EQ(attributes.message_size, 200);
    CHECK_EQ(coreio_mq_posix_unlink(name), 0);
    drop(queue);
    queues_limit("/proc/sys/fs/mqueue/msg_default", 10);
    queues_limit("/proc/sys/fs/mqueue/msgsize_default", 8192);
    const struct coreio_mq_posix_attributes large = {.max_messages = 20, .message_size = 16384};
    struct opening opening = {name, O_RDWR | O_CREAT, 0600, &large};
    struct queues_op op = {.call = QUEUES_OTHER, .other = open_it, .argument = &opening, .nobody = 1};
    if (queues_no_other_user() == NULL)
        CHECK_EQ(queues_run(&op), -EINVAL);
    CHECK_EQ(queues_limit("/proc/sys/fs/mqueue/msg_max", 300), 10);
    CHECK_EQ(queues_limit("/proc/sys/fs/mqueue/msgsize_max", 65536), 8192);
    queue = coreio_mq_posix_open(name, O_RDWR | O_CREAT, 0600, &large);
    CHECK(queue >= 0);
    CHECK_EQ(coreio_mq_posix_unlink(name), 0);
    drop(queue);
    /* Bytes of all queues of a user: EMFILE, though no descriptor is missing. */
    const struct coreio_mq_posix_attributes huge = {.max_messages = 64, .message_size = 65536};
    opening.attributes = &huge;
    CHECK_EQ(open_it(&opening), -EMFILE);
    queues_limit("/proc/sys/fs/mqueue/msg_max", 10);
    queues_limit("/proc/sys/fs/mqueue/msgsize_max", 8192);
}

TEST(queues_and_descriptors_run_out)
{
    POSIX_OR_SKIP();
    struct opening opening = {queues_name(), O_RDWR | O_CREAT, 0600, &small};
    struct queues_op op = {.call = QUEUES_OTHER, .other = open_it, .argument = &opening, .descriptors = 3};
    CHECK_EQ(queues_run(&op), -EMFILE);
    op.descriptors = 0;
    if (queues_no_filter() == NULL) {
        /* What takes the whole machine's descriptors or memory to see. */
        op.refused = SYS_mq_open;
        op.error = ENFILE;
        CHECK_EQ(queues_run(&op), -ENFILE);
        op.error = ENOMEM;
        CHECK_EQ(queues_run(&op), -ENOMEM);
        op.error = 0;
    }
    if (queues_not_alone() != NULL)
        SKIP(queues_not_alone());
    if (queues_no_other_user() != NULL)
        SKIP(queues_no_other_user());
    CHECK_EQ(queues_limit("/proc/sys/fs/mqueue/queues_max", 0), 256);
    op.nobody = 1;
    CHECK_EQ(queues_run(&op), -ENOSPC);
    queues_limit("/proc/sys/fs/mqueue/queues_max", 256);
    CHECK_EQ(queues_run(&op), 0);
    coreio_mq_posix_unlink(opening.name);
}

TEST(another_user_is_kept_out)
{
    POSIX_OR_SKIP();
    if (queues_no_other_user() != NULL)
        SKIP(queues_no_other_user());
    const uint8_t *name = queues_name();
    const int32_t queue = coreio_mq_posix_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &small);
    CHECK(queue >= 0);
    struct opening opening = {name, O_RDONLY, 0, NULL};
    const struct queues_op open = {.call = QUEUES_OTHER, .other = open_it, .argument = &opening, .nobody = 1};
    CHECK_EQ(queues_run(&open), -EACCES);
    opening.flags = O_WRONLY;
    CHECK_EQ(queues_run(&open), -EACCES);
    opening.flags = O_RDWR | O_CREAT;
    CHECK_EQ(queues_run(&open), -EACCES);
    const struct queues_op unlink = {.call = QUEUES_OTHER, .other = unlink_it, .argument = name, .nobody = 1};
    CHECK_EQ(queues_run(&unlink), -EACCES);
    /* The umask takes bits off the mode; what is left is what others may. */
    CHECK_EQ(coreio_mq_posix_unlink(name), 0);
    drop(queue);
    const mode_t before = umask(0026);
    const int32_t open_queue = coreio_mq_posix_open(name, O_RDWR | O_CREAT | O_EXCL, 0666, &small);
    umask(before);
    struct stat status;
    CHECK_EQ(fstat(open_queue, &status), 0);
    CHECK_EQ(status.st_mode & 0777, 0640);
    CHECK_EQ(fchmod(open_queue, 0604), 0);
    CHECK_EQ(queues_run(&open), -EACCES);
    opening.flags = O_RDONLY;
    CHECK_EQ(queues_run(&open), 0);
    CHECK_EQ(coreio_mq_posix_unlink(name), 0);
    drop(open_queue);
}

TEST(sizes_and_priorities_to_their_ends)
{
    POSIX_OR_SKIP();
    const int32_t queue = make(0);
    uint8_t bytes[QUEUES_SIZE];
    uint8_t got[QUEUES_SIZE + 1];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37);
    static const int64_t lengths[] = {0, 1, QUEUES_SIZE};
    static const uint32_t priorities[] = {0, 1, PRIORITIES - 1};
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            uint32_t priority = 99;
            CHECK_EQ(coreio_mq_posix_send(queue, bytes, lengths[i], priorities[j], NULL), 0);
            CHECK_EQ(coreio_mq_posix_receive(queue, got, sizeof got, &priority, NULL), lengths[i]);
            CHECK_BYTES(got, lengths[i], bytes, lengths[i]);
            CHECK_EQ(priority, priorities[j]);
        }
    }
    CHECK_EQ(coreio_mq_posix_send(queue, NULL, 0, 0, NULL), 0);
    CHECK_EQ(coreio_mq_posix_receive(queue, got, QUEUES_SIZE, NULL, NULL), 0);
    CHECK_EQ(coreio_mq_posix_send_until(queue, NULL, 0, 0, 0, 0), 0);
    CHECK_EQ(coreio_mq_posix_receive_until(queue, got, QUEUES_SIZE, NULL, 0, 0), 0);
    drop(queue);
}

/* The same rows by each of the three ways to send; a plain send has room, so it never waits. */
TEST(what_cannot_be_sent)
{
    POSIX_OR_SKIP();
    const int32_t queue = make(0);
    const int32_t root = open("/", O_RDONLY | O_CLOEXEC);
    uint8_t bytes[QUEUES_SIZE + 1] = {0};
    const struct {
        int32_t queue;
        const uint8_t *bytes;
        int64_t length;
        uint32_t priority;
        int32_t status;
    } cases[] = {
        {queue, bytes, QUEUES_SIZE + 1, 0, -EMSGSIZE},
        {queue, bytes, -1, 0, -EMSGSIZE},
        {queue, bytes, 1, PRIORITIES, -EINVAL},
        {queue, bytes, 1, UINT32_MAX, -EINVAL},
        {-1, bytes, 1, 0, -EBADF},
        {INT32_MAX, bytes, 1, 0, -EBADF},
        {root, bytes, 1, 0, -EBADF},
        {queue, NULL, 1, 0, -EFAULT},
        {queue, BAD, 1, 0, -EFAULT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_context("row %zu", i);
        const int32_t status = cases[i].status;
        const uint8_t *from = cases[i].bytes;
        CHECK_EQ(coreio_mq_posix_send(cases[i].queue, from, cases[i].length, cases[i].priority, NULL), status);
        CHECK_EQ(coreio_mq_posix_send(cases[i].queue, from, cases[i].length, cases[i].priority, &once), status);
        CHECK_EQ(coreio_mq_posix_send_until(cases[i].queue, from, cases[i].length, cases[i].priority, 0, 0), status);
    }
    check_context(NULL);
    uint8_t got[QUEUES_SIZE];
    CHECK_EQ(receive_once(queue, got, NULL), -EAGAIN);
    close(root);
    drop(queue);
}

TEST(what_cannot_be_received)
{
    POSIX_OR_SKIP();
    const int32_t queue = make(0);
    const int32_t root = open("/", O_RDONLY | O_CLOEXEC);
    uint8_t bytes[QUEUES_SIZE];
    const struct {
        int32_t queue;
        uint8_t *bytes;
        int64_t capacity;
        int32_t status;
    } cases[] = {
        /* Two bytes are in the queue, and all the same the buffer has to hold the longest. */
        {queue, bytes, QUEUES_SIZE - 1, -EMSGSIZE},
        {queue, bytes, 0, -EMSGSIZE},
        {queue, bytes, -1, -EMSGSIZE},
        {-1, bytes, QUEUES_SIZE, -EBADF},
        {INT32_MAX, bytes, QUEUES_SIZE, -EBADF},
        {root, bytes, QUEUES_SIZE, -EBADF},
        {queue, NULL, QUEUES_SIZE, -EFAULT},
    };
    CHECK_EQ(send_text(queue, "hi", 3), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_context("row %zu", i);
        const int32_t status = cases[i].status;
        uint32_t priority;
        CHECK_EQ(coreio_mq_posix_receive(cases[i].queue, cases[i].bytes, cases[i].capacity, &priority, NULL), status);
        CHECK_EQ(coreio_mq_posix_receive(cases[i].queue, cases[i].bytes, cases[i].capacity, &priority, &once), status);
        CHECK_EQ(
            coreio_mq_posix_receive_until(cases[i].queue, cases[i].bytes, cases[i].capacity, &priority, 0, 0), status);
    }
    check_context(NULL);
    /* None of them took the message. */
    CHECK_EQ(receive_once(queue, bytes, NULL), 2);
    CHECK_TEXT(bytes, 2, "hi");
    /* This one does, in the kernel: the address is found wrong behind it. */
    CHECK_EQ(send_text(queue, "hi", 3), 0);
    CHECK_EQ(coreio_mq_posix_receive(queue, BAD, QUEUES_SIZE, NULL, NULL), -EFAULT);
    close(root);
    drop(queue);
}

TEST(the_highest_priority_goes_first_and_the_oldest_of_it)
{
    POSIX_OR_SKIP();
    const int32_t queue = make(0);
    CHECK_EQ(send_text(queue, "low", 0), 0);
    CHECK_EQ(send_text(queue, "high 1", 9), 0);
    CHECK_EQ(send_text(queue, "high 2", 9), 0);
    CHECK_EQ(send_text(queue, "highest", PRIORITIES - 1), 0);
    CHECK_EQ(send_text(queue, "no room", 1), -EAGAIN);
    static const char *const order[] = {"highest", "high 1", "high 2", "low"};
    static const uint32_t priorities[] = {PRIORITIES - 1, 9, 9, 0};
    for (size_t i = 0; i < 4; i++) {
        uint8_t bytes[QUEUES_SIZE];
        uint32_t priority;
        const int64_t length = receive_once(queue, bytes, &priority);
        CHECK_BYTES(bytes, length, order[i], strlen(order[i]));
        CHECK_EQ(priority, priorities[i]);
    }
    drop(queue);
}

TEST(only_the_flag_of_a_queue_is_set)
{
    POSIX_OR_SKIP();
    const int32_t queue = make(0);
    CHECK_EQ(send_text(queue, "x", 0), 0);
    struct coreio_mq_posix_attributes before = {0};
    struct coreio_mq_posix_attributes wanted = {
        .flags = O_NONBLOCK, .max_messages = 1, .message_size = 1, .messages = 9};
    CHECK_EQ(coreio_mq_posix_set(queue, &wanted, &before), 0);
    CHECK_EQ(before.flags, 0);
    CHECK_EQ(before.max_messages, QUEUES_DEPTH);
    CHECK_EQ(before.message_size, QUEUES_SIZE);
    CHECK_EQ(before.messages, 1);
    struct coreio_mq_posix_attributes now;
    CHECK_EQ(coreio_mq_posix_attributes(queue, &now), 0);
    CHECK_EQ(now.flags, O_NONBLOCK);
    CHECK_EQ(now.max_messages, QUEUES_DEPTH);
    CHECK_EQ(now.message_size, QUEUES_SIZE);
    CHECK_EQ(now.messages, 1);
    /* The open queue has it, so a second descriptor of it has it, too. */
    const int32_t twin = fcntl(queue, F_DUPFD_CLOEXEC, 0);
    wanted.flags = 0;
    CHECK_EQ(coreio_mq_posix_set(twin, &wanted, NULL), 0);
    CHECK_EQ(coreio_mq_posix_attributes(queue, &now), 0);
    CHECK_EQ(now.flags, 0);
    wanted.flags = O_APPEND;
    CHECK_EQ(coreio_mq_posix_set(queue, &wanted, &before), -EINVAL);
    CHECK_EQ(coreio_mq_posix_set(queue, NULL, &before), -EINVAL);
    CHECK_EQ(coreio_mq_posix_attributes(queue, NULL), -EINVAL);
    wanted.flags = 0;
    const struct coreio_mq_posix_attributes untouched = {1, 2, 3, 4};
    before = now = untouched;
    CHECK_EQ(coreio_mq_posix_set(-1, &wanted, &before), -EBADF);
    CHECK_EQ(coreio_mq_posix_attributes(-1, &now), -EBADF);
    CHECK_BYTES((const uint8_t *)&before, sizeof before, (const uint8_t *)&untouched, sizeof untouched);
    CHECK_BYTES((const uint8_t *)&now, sizeof now, (const uint8_t *)&untouched, sizeof untouched);
    close(twin);
    drop(queue);
}

TEST(a_queue_that_does_not_block_says_so)
{
    POSIX_OR_SKIP();
    const int32_t queue = make(O_NONBLOCK);
    uint8_t bytes[QUEUES_SIZE];
    CHECK_EQ(coreio_mq_posix_receive(queue, bytes, sizeof bytes, NULL, NULL), -EAGAIN);
    CHECK_EQ(coreio_mq_posix_receive_until(queue, bytes, sizeof bytes, NULL, INT32_MAX, 0), -EAGAIN);
    CHECK_EQ(queues_fill(COREIO_MQ_POSIX, queue, 1), QUEUES_DEPTH);
    CHECK_EQ(coreio_mq_posix_send(queue, bytes, 1, 0, NULL), -EAGAIN);
    CHECK_EQ(coreio_mq_posix_send_until(queue, bytes, 1, 0, INT32_MAX, 0), -EAGAIN);
    drop(queue);
}

/* The deadlines of the standard, as the kernel has them. */
TEST(deadlines_of_the_standard)
{
    POSIX_OR_SKIP();
    const int32_t queue = make(0);
    uint8_t bytes[QUEUES_SIZE];
    struct timespec now;
    CHECK_EQ(clock_gettime(CLOCK_REALTIME, &now), 0);
    CHECK_EQ(coreio_mq_posix_receive_until(queue, bytes, sizeof bytes, NULL, now.tv_sec - 1, 0), -ETIMEDOUT);
    const int64_t began = queues_now_ns();
    CHECK_EQ(coreio_mq_posix_receive_until(queue, bytes, sizeof bytes, NULL, now.tv_sec + 1, 0), -ETIMEDOUT);
    CHECK(queues_now_ns() - began < 5000000000);
    /* What is ready is had, however late; but a deadline that is none is told first. */
    CHECK_EQ(coreio_mq_posix_send_until(queue, bytes, 1, 0, 0, 0), 0);
    CHECK_EQ(coreio_mq_posix_receive_until(queue, bytes, sizeof bytes, NULL, 0, -1), -EINVAL);
    CHECK_EQ(coreio_mq_posix_receive_until(queue, bytes, sizeof bytes, NULL, 0, 1000000000), -EINVAL);
    CHECK_EQ(coreio_mq_posix_receive_until(queue, bytes, sizeof bytes, NULL, -1, 0), -EINVAL);
    CHECK_EQ(coreio_mq_posix_send_until(queue, bytes, 1, 0, 0, -1), -EINVAL);
    CHECK_EQ(coreio_mq_posix_send_until(queue, bytes, 1, 0, 0, 1000000000), -EINVAL);
    CHECK_EQ(coreio_mq_posix_send_until(queue, bytes, 1, 0, -1, 0), -EINVAL);
    CHECK_EQ(coreio_mq_posix_receive_until(queue, bytes, sizeof bytes, NULL, 0, 999999999), 1);
    queues_fill(COREIO_MQ_POSIX, queue, 1);
    CHECK_EQ(coreio_mq_posix_send_until(queue, bytes, 1, 0, now.tv_sec - 1, 0), -ETIMEDOUT);
    drop(queue);
}

static int64_t receive_until_late(const void *argument)
{
    uint8_t bytes[QUEUES_SIZE];
    return coreio_mq_posix_receive_until(*(const int32_t *)argument, bytes, sizeof bytes, NULL, INT32_MAX, 0);
}

static int64_t send_until_late(const void *argument)
{
    return coreio_mq_posix_send_until(*(const int32_t *)argument, NULL, 0, 0, INT32_MAX, 0);
}

TEST(a_signal_ends_a_call_with_a_deadline)
{
    POSIX_OR_SKIP();
    const int32_t queue = make(0);
    struct queues_op op = {.call = QUEUES_OTHER, .other = receive_until_late, .argument = &queue, .signal = SIGUSR1};
    struct queues_child child = queues_start(&op);
    queues_until_asleep(child);
    CHECK_EQ(kill(child.pid, SIGUSR1), 0);
    CHECK_EQ(queues_join(child), -EINTR);
    queues_fill(COREIO_MQ_POSIX, queue, 1);
    op.other = send_until_late;
    child = queues_start(&op);
    queues_until_asleep(child);
    CHECK_EQ(kill(child.pid, SIGUSR1), 0);
    CHECK_EQ(queues_join(child), -EINTR);
    drop(queue);
}

/* Readiness as epoll(7) tells it: an edge for each message, and only room or only messages at the ends. */
TEST(a_queue_is_a_descriptor_to_poll)
{
    POSIX_OR_SKIP();
    const int32_t queue = make(0);
    const int poll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.fd = queue};
    CHECK_EQ(epoll_ctl(poll, EPOLL_CTL_ADD, queue, &event), 0);
    CHECK_EQ(epoll_wait(poll, &event, 1, 0), 1);
    CHECK_EQ(event.events, EPOLLOUT);
    CHECK_EQ(epoll_wait(poll, &event, 1, 0), 0);
    for (int32_t i = 1; i <= QUEUES_DEPTH; i++) {
        CHECK_EQ(send_text(queue, "x", 0), 0);
        CHECK_EQ(epoll_wait(poll, &event, 1, 0), 1);
        CHECK_EQ(event.events, i < QUEUES_DEPTH ? EPOLLIN | EPOLLOUT : EPOLLIN);
        CHECK_EQ(epoll_wait(poll, &event, 1, 0), 0);
    }
    uint8_t bytes[QUEUES_SIZE];
    CHECK_EQ(receive_once(queue, bytes, NULL), 1);
    CHECK_EQ(epoll_wait(poll, &event, 1, 0), 1);
    CHECK_EQ(event.events, EPOLLIN | EPOLLOUT);
    close(poll);
    drop(queue);
}

TEST(a_batch_goes_in_order_and_comes_back)
{
    POSIX_OR_SKIP();
    const int32_t queue = make(0);
    static const uint8_t bytes[] = "onetwothree";
    const struct coreio_mq_message out[] = {{3, 3, 5}, {0, 3, 5}, {6, 5, 6}, {11, 0, 0}, {0, 1, 0}};
    CHECK_EQ(coreio_mq_posix_send_many(queue, bytes, out, 0, NULL), 0);
    CHECK_EQ(coreio_mq_posix_send_many(queue, NULL, NULL, 0, NULL), 0);
    CHECK_EQ(coreio_mq_posix_send_many(queue, bytes, out, 5, &once), 4);
    CHECK_EQ(coreio_mq_posix_send_many(queue, bytes, out, 5, &once), -EAGAIN);
    uint8_t got[4 * QUEUES_SIZE];
    struct coreio_mq_message in[8];
    CHECK_EQ(coreio_mq_posix_receive_many(queue, got, sizeof got, QUEUES_SIZE, in, 8, NULL), 4);
    CHECK_TEXT(got, in[3].offset, "threetwoone");
    static const struct coreio_mq_message expected[] = {{0, 5, 6}, {5, 3, 5}, {8, 3, 5}, {11, 0, 0}};
    CHECK_BYTES(in, sizeof expected, expected, sizeof expected);
    CHECK_EQ(coreio_mq_posix_receive_many(queue, got, sizeof got, QUEUES_SIZE, in, 8, &once), -EAGAIN);
    /* It ends where the longest message may not fit any more, and at the count. */
    CHECK_EQ(coreio_mq_posix_send_many(queue, bytes, out, 4, &once), 4);
    CHECK_EQ(coreio_mq_posix_receive_many(queue, got, QUEUES_SIZE, QUEUES_SIZE, in, 8, &once), 1);
    CHECK_EQ(coreio_mq_posix_receive_many(queue, got, QUEUES_SIZE + 3, QUEUES_SIZE, in, 8, &once), 2);
    CHECK_EQ(coreio_mq_posix_receive_many(queue, got, sizeof got, QUEUES_SIZE, in, 1, NULL), 1);
    drop(queue);
}

TEST(what_a_batch_refuses)
{
    POSIX_OR_SKIP();
    const int32_t queue = make(0);
    uint8_t bytes[QUEUES_SIZE] = {0};
    struct coreio_mq_message messages[2] = {{0, 1, 0}, {0, QUEUES_SIZE + 1, 0}};
    const struct coreio_mq_wait bad = {.size = 1};
    CHECK_EQ(coreio_mq_posix_send_many(queue, bytes, messages, -1, &once), -EINVAL);
    CHECK_EQ(coreio_mq_posix_send_many(queue, bytes, NULL, 1, &once), -EINVAL);
    CHECK_EQ(coreio_mq_posix_send_many(queue, NULL, messages, 1, &once), -EFAULT);
    CHECK_EQ(coreio_mq_posix_send_many(queue, bytes, messages, 1, &bad), -EINVAL);
    CHECK_EQ(coreio_mq_posix_send_many(-1, bytes, messages, 1, &once), -EBADF);
    /* The first is sent, and the error of the second is that of the next call. */
    CHECK_EQ(coreio_mq_posix_send_many(queue, bytes, messages, 2, &once), 1);
    CHECK_EQ(coreio_mq_posix_send_many(queue, bytes, messages + 1, 1, &once), -EMSGSIZE);
    static const struct coreio_mq_message wrong[] = {{-1, 1, 0}, {0, 1, -1}, {0, 1, PRIORITIES}, {0, 1, 1LL << 32}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK_EQ(coreio_mq_posix_send_many(queue, bytes, &wrong[i], 1, &once), -EINVAL);
    CHECK_EQ(coreio_mq_posix_receive_many(queue, bytes, QUEUES_SIZE, QUEUES_SIZE, messages, 0, &once), -EINVAL);
    CHECK_EQ(coreio_mq_posix_receive_many(queue, bytes, QUEUES_SIZE, QUEUES_SIZE, NULL, 1, &once), -EINVAL);
    CHECK_EQ(coreio_mq_posix_receive_many(queue, bytes, QUEUES_SIZE, 0, messages, 1, &once), -EINVAL);
    CHECK_EQ(coreio_mq_posix_receive_many(queue, NULL, QUEUES_SIZE, QUEUES_SIZE, messages, 1, &once), -EFAULT);
    CHECK_EQ(coreio_mq_posix_receive_many(queue, bytes, QUEUES_SIZE - 1, QUEUES_SIZE, messages, 1, &once), -EMSGSIZE);
    CHECK_EQ(coreio_mq_posix_receive_many(queue, bytes, QUEUES_SIZE, QUEUES_SIZE, messages, 1, &bad), -EINVAL);
    CHECK_EQ(coreio_mq_posix_receive_many(-1, bytes, QUEUES_SIZE, QUEUES_SIZE, messages, 1, &once), -EBADF);
    CHECK_EQ(coreio_mq_posix_receive_many(queue, bytes, QUEUES_SIZE, QUEUES_SIZE, messages, 2, &once), 1);
    drop(queue);
}

/* The time of a batch is that of all its messages, not of each. */
TEST(a_batch_waits_once)
{
    POSIX_OR_SKIP();
    const int32_t queue = make(0);
    const struct coreio_mq_wait wait = {.size = sizeof wait, .flags = COREIO_MQ_TIMED, .timeout_ns = 30000000};
    struct coreio_mq_message messages[QUEUES_DEPTH + 2] = {{0, 0, 0}};
    uint8_t bytes[QUEUES_SIZE];
    CHECK_EQ(coreio_mq_posix_send_many(queue, bytes, messages, QUEUES_DEPTH + 2, &wait), QUEUES_DEPTH);
    const int64_t began = queues_now_ns();
    CHECK_EQ(coreio_mq_posix_send_many(queue, bytes, messages, QUEUES_DEPTH + 2, &wait), -ETIMEDOUT);
    CHECK(queues_now_ns() - began >= 30000000);
    drop(queue);
}
