/* What describes, changes and removes a System V queue, held against the kernel's own list. */
#include "check.h"

#include "queues.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define SYSV_OR_SKIP()                                                                                                 \
    do {                                                                                                               \
        if (queues_lack(COREIO_MQ_SYSV) != NULL)                                                                       \
            SKIP(queues_lack(COREIO_MQ_SYSV));                                                                         \
    } while (0)

static int32_t stat_of(int32_t queue, struct coreio_mq_sysv_status *status)
{
    return coreio_mq_sysv_stat(queue, COREIO_MQ_SYSV_STAT, status);
}

static void send_bytes(int32_t queue, int64_t length)
{
    uint8_t message[COREIO_MQ_SYSV_HEAD + QUEUES_SIZE] = {0};
    const int64_t type = 1;
    memcpy(message, &type, sizeof type);
    CHECK_EQ(coreio_mq_sysv_send(queue, message, length, 0, NULL), 0);
}

static int64_t receive_from(const void *argument)
{
    const struct queues_op op = {.call = QUEUES_RECEIVE, .family = COREIO_MQ_SYSV, .queue = *(const int32_t *)argument};
    return queues_do(&op) >= 0 ? getpid() : -1;
}

TEST(a_queue_tells_all_about_itself)
{
    SYSV_OR_SKIP();
    const int64_t began = time(NULL);
    const int32_t key = 0x434e0000 | (getpid() & 0xffff);
    const int32_t queue = coreio_mq_sysv_get(key, IPC_CREAT | IPC_EXCL | 0640);
    REQUIRE(queue >= 0);
    struct coreio_mq_sysv_status status;
    memset(&status, 0xff, sizeof status);
    CHECK_EQ(stat_of(queue, &status), queue);
    CHECK_EQ(status.id, queue);
    CHECK_EQ(status.key, key);
    CHECK_EQ(status.uid, geteuid());
    CHECK_EQ(status.gid, getegid());
    CHECK_EQ(status.creator_uid, geteuid());
    CHECK_EQ(status.creator_gid, getegid());
    CHECK_EQ(status.mode, 0640);
    CHECK_EQ(status.send_time, 0);
    CHECK_EQ(status.receive_time, 0);
    CHECK(status.change_time >= began && status.change_time <= time(NULL));
    CHECK_EQ(status.bytes, 0);
    CHECK_EQ(status.messages, 0);
    CHECK_EQ(status.max_bytes, 16384);
    CHECK_EQ(status.last_sender, 0);
    CHECK_EQ(status.last_receiver, 0);
    send_bytes(queue, 3);
    send_bytes(queue, 5);
    CHECK_EQ(stat_of(queue, &status), queue);
    CHECK_EQ(status.bytes, 8);
    CHECK_EQ(status.messages, 2);
    CHECK_EQ(status.last_sender, getpid());
    CHECK_EQ(status.last_receiver, 0);
    CHECK(status.send_time >= began && status.send_time <= time(NULL));
    const struct queues_op op = {.call = QUEUES_OTHER, .other = receive_from, .argument = &queue};
    const int64_t receiver = queues_run(&op);
    CHECK_EQ(stat_of(queue, &status), queue);
    CHECK_EQ(status.bytes, 5);
    CHECK_EQ(status.messages, 1);
    /* qemu's user emulation, which has no filters either, forgets it. */
    if (status.last_receiver != 0 || queues_no_filter() == NULL)
        CHECK_EQ(status.last_receiver, receiver);
    CHECK(status.receive_time >= began && status.receive_time <= time(NULL));
    CHECK_EQ(coreio_mq_sysv_remove(queue), 0);
    CHECK_EQ(stat_of(queue, &status), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_remove(queue), -EINVAL);
    /* The place of a queue is used again, with another sequence number. */
    const int32_t other = coreio_mq_sysv_get(key, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(other != queue);
    CHECK_EQ(coreio_mq_sysv_remove(other), 0);
}

struct setting {
    int32_t queue;
    struct coreio_mq_sysv_change change;
};

static int64_t set_it(const void *argument)
{
    const struct setting *setting = argument;
    return coreio_mq_sysv_set(setting->queue, &setting->change);
}

static int64_t stat_it(const void *argument)
{
    struct coreio_mq_sysv_status status;
    return stat_of(*(const int32_t *)argument, &status);
}

static int64_t remove_it(const void *argument)
{
    return coreio_mq_sysv_remove(*(const int32_t *)argument);
}

TEST(owner_mode_and_room_are_changed)
{
    SYSV_OR_SKIP();
    if (queues_no_other_user() != NULL)
        SKIP(queues_no_other_user());
    const int32_t queue = queues_make(COREIO_MQ_SYSV, 0);
    struct setting setting = {queue, {.uid = 12, .gid = 34, .mode = 07604, .max_bytes = 100}};
    CHECK_EQ(set_it(&setting), 0);
    struct coreio_mq_sysv_status status;
    CHECK_EQ(stat_of(queue, &status), queue);
    CHECK_EQ(status.uid, 12);
    CHECK_EQ(status.gid, 34);
    CHECK_EQ(status.creator_uid, 0);
    CHECK_EQ(status.mode, 0604);
    CHECK_EQ(status.max_bytes, 100);
    CHECK_EQ(queues_fill(COREIO_MQ_SYSV, queue, 60), 1);
    /* The new owner may, others may not; and more room than the limit is for neither. */
    struct queues_op op = {.call = QUEUES_OTHER, .other = set_it, .argument = &setting, .nobody = 1};
    CHECK_EQ(queues_run(&op), -EPERM);
    op.other = remove_it;
    op.argument = &queue;
    CHECK_EQ(queues_run(&op), -EPERM);
    setting.change.uid = 65534;
    setting.change.mode = 0600;
    CHECK_EQ(set_it(&setting), 0);
    setting.change.max_bytes = 16385;
    op.other = set_it;
    op.argument = &setting;
    CHECK_EQ(queues_run(&op), -EPERM);
    setting.change.max_bytes = 16384;
    setting.change.uid = 0;
    CHECK_EQ(queues_run(&op), 0);
    /* Neither owner nor creator now, and the mode lets nobody read. */
    op.other = stat_it;
    op.argument = &queue;
    CHECK_EQ(queues_run(&op), -EACCES);
    CHECK_EQ(coreio_mq_sysv_set(queue, NULL), -EFAULT);
    setting.queue = -1;
    CHECK_EQ(set_it(&setting), -EINVAL);
    queues_drop(COREIO_MQ_SYSV, queue);
}

TEST(errors_of_the_kernel_are_passed_on)
{
    SYSV_OR_SKIP();
    if (queues_no_filter() != NULL)
        SKIP(queues_no_filter());
    const int32_t queue = queues_make(COREIO_MQ_SYSV, 0);
    struct setting setting = {queue, {.mode = 0600, .max_bytes = 100}};
    struct queues_op op = {.call = QUEUES_OTHER, .other = set_it, .argument = &setting, .refused = SYS_msgctl};
    op.error = EIDRM; /* removed between two looks of the kernel */
    CHECK_EQ(queues_run(&op), -EIDRM);
    op.error = EACCES;
    CHECK_EQ(queues_run(&op), -EACCES);
    op.other = stat_it;
    op.argument = &queue;
    op.error = EIDRM;
    CHECK_EQ(queues_run(&op), -EIDRM);
    op.other = remove_it;
    CHECK_EQ(queues_run(&op), -EIDRM);
    queues_drop(COREIO_MQ_SYSV, queue);
}

/* A line of the kernel's list for a queue, in the fields that this library has, too. */
static int32_t find_line(int32_t id, struct coreio_mq_sysv_status *line)
{
    FILE *file = fopen("/proc/sysvipc/msg", "re");
    if (file == NULL)
        return 0;
    char text[512];
    int32_t found = 0;
    while (!found && fgets(text, sizeof text, file) != NULL) {
        long long n[13];
        unsigned int mode;
        found = sscanf(text, "%lld %lld %o %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld", &n[0], &n[1], &mode,
                    &n[2], &n[3], &n[4], &n[5], &n[6], &n[7], &n[8], &n[9], &n[10], &n[11], &n[12]) == 14 &&
                n[1] == id;
        *line = (struct coreio_mq_sysv_status){.key = (int32_t)n[0],
            .id = (int32_t)n[1],
            .mode = mode & 0777,
            .bytes = (uint64_t)n[2],
            .messages = (uint64_t)n[3],
            .last_sender = (int32_t)n[4],
            .last_receiver = (int32_t)n[5],
            .uid = (uint32_t)n[6],
            .gid = (uint32_t)n[7],
            .creator_uid = (uint32_t)n[8],
            .creator_gid = (uint32_t)n[9],
            .send_time = n[10],
            .receive_time = n[11],
            .change_time = n[12]};
    }
    fclose(file);
    return found;
}

struct listing {
    int32_t kind;
    int32_t id;
};

/* Finds a queue by going through the indices. Returns its index, or the last error. */
static int64_t find_index(const void *argument)
{
    const struct listing *listing = argument;
    struct coreio_mq_sysv_info info;
    const int32_t highest = coreio_mq_sysv_info(COREIO_MQ_SYSV_LIMITS, &info);
    int64_t last = highest;
    for (int32_t i = 0; i <= highest; i++) {
        struct coreio_mq_sysv_status status;
        last = coreio_mq_sysv_stat(i, listing->kind, &status);
        if (last == listing->id)
            return i;
    }
    return last;
}

TEST(what_is_listed_agrees_with_the_kernels_list)
{
    SYSV_OR_SKIP();
    const int32_t first = queues_make(COREIO_MQ_SYSV, 0);
    const int32_t second = queues_make(COREIO_MQ_SYSV, 0);
    send_bytes(second, 7);
    static const int32_t kinds[] = {COREIO_MQ_SYSV_STAT_INDEX, COREIO_MQ_SYSV_STAT_ANY_INDEX};
    for (size_t i = 0; i < 2; i++) {
        const struct listing listing = {kinds[i], second};
        const int64_t index = find_index(&listing);
        if (index == -EINVAL && kinds[i] == COREIO_MQ_SYSV_STAT_ANY_INDEX)
            continue; /* an emulator may not have it */
        CHECK(index >= 0);
        struct coreio_mq_sysv_status status;
        struct coreio_mq_sysv_status line;
        CHECK_EQ(coreio_mq_sysv_stat((int32_t)index, kinds[i], &status), second);
        REQUIRE(find_line(second, &line));
        line.sequence = status.sequence;
        line.max_bytes = status.max_bytes;
        CHECK_BYTES(&status, sizeof status, &line, sizeof line);
        /* Whether a queue may be read matters to one kind alone. */
        if (queues_no_other_user() == NULL) {
            const struct queues_op op = {.call = QUEUES_OTHER, .other = find_index, .argument = &listing, .nobody = 1};
            CHECK_EQ(queues_run(&op), kinds[i] == COREIO_MQ_SYSV_STAT_INDEX ? -EACCES : index);
        }
    }
    struct coreio_mq_sysv_status status;
    CHECK_EQ(coreio_mq_sysv_stat(32767, COREIO_MQ_SYSV_STAT_INDEX, &status), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_stat(first, -1, &status), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_stat(first, COREIO_MQ_SYSV_STAT_ANY_INDEX + 1, &status), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_stat(first, COREIO_MQ_SYSV_STAT, NULL), -EFAULT);
    queues_drop(COREIO_MQ_SYSV, first);
    queues_drop(COREIO_MQ_SYSV, second);
}

static int64_t number_in(const char *path)
{
    FILE *file = fopen(path, "re");
    long long number = -1;
    if (file == NULL || fscanf(file, "%lld", &number) != 1)
        number = -1;
    if (file != NULL)
        fclose(file);
    return number;
}

TEST(limits_and_usage)
{
    SYSV_OR_SKIP();
    struct coreio_mq_sysv_info limits;
    memset(&limits, 0xff, sizeof limits);
    CHECK(coreio_mq_sysv_info(COREIO_MQ_SYSV_LIMITS, &limits) >= 0);
    CHECK_EQ(limits.max, number_in("/proc/sys/kernel/msgmax"));
    CHECK_EQ(limits.mnb, number_in("/proc/sys/kernel/msgmnb"));
    CHECK_EQ(limits.mni, number_in("/proc/sys/kernel/msgmni"));
    CHECK(limits.pool > 0 && limits.map > 0 && limits.ssz > 0 && limits.tql > 0 && limits.seg > 0);
    CHECK_EQ(coreio_mq_sysv_info(-1, &limits), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_info(2, &limits), -EINVAL);
    CHECK_EQ(coreio_mq_sysv_info(COREIO_MQ_SYSV_LIMITS, NULL), -EINVAL);
    if (queues_not_alone() != NULL)
        SKIP(queues_not_alone());
    const int32_t first = queues_make(COREIO_MQ_SYSV, 0);
    const int32_t second = queues_make(COREIO_MQ_SYSV, 0);
    send_bytes(first, 7);
    send_bytes(second, 9);
    send_bytes(second, 0);
    struct coreio_mq_sysv_info usage;
    CHECK(coreio_mq_sysv_info(COREIO_MQ_SYSV_USAGE, &usage) >= 1);
    CHECK_EQ(usage.pool, 2);
    CHECK_EQ(usage.map, 3);
    CHECK_EQ(usage.tql, 16);
    CHECK_EQ(usage.max, limits.max);
    queues_drop(COREIO_MQ_SYSV, first);
    queues_drop(COREIO_MQ_SYSV, second);
}
