/* The file system of queues on a mount of one's own: what it lists, who sees it, and why it may not be had. */
#include "check.h"

#include "queues.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int64_t mount_it(const void *argument)
{
    (void)argument;
    const int32_t root = coreio_mq_posix_mount();
    return root < 0 ? root : 0;
}

/* Mounts of the file system that this process sees. */
static int32_t queue_mounts(void)
{
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    if (mounts == NULL)
        return -1;
    char line[4096];
    int32_t count = 0;
    while (fgets(line, sizeof line, mounts) != NULL)
        count += strstr(line, " - mqueue ") != NULL;
    fclose(mounts);
    return count;
}

TEST(a_mount_lists_the_queues_of_the_namespace)
{
    const int32_t before = queue_mounts();
    const int32_t root = coreio_mq_posix_mount();
    if (root == -EPERM || root == -ENOSYS)
        SKIP(root == -EPERM ? "mounting is not allowed here (EPERM)" : "no mounts by descriptor here (ENOSYS)");
    REQUIRE(root >= 0);
    CHECK_EQ(fcntl(root, F_GETFD), FD_CLOEXEC);
    const uint8_t *name = queues_name();
    const struct coreio_mq_posix_attributes attributes = {.max_messages = 2, .message_size = 8};
    const int32_t queue = coreio_mq_posix_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
    CHECK(queue >= 0);
    CHECK_EQ(coreio_mq_posix_send(queue, (const uint8_t *)"12345", 5, 0, NULL), 0);
    const int directory = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(directory >= 0);
    DIR *list = fdopendir(directory);
    REQUIRE(list != NULL);
    int32_t found = 0;
    const struct dirent *entry;
    while ((entry = readdir(list)) != NULL)
        found += strcmp(entry->d_name, (const char *)name + 1) == 0;
    CHECK_EQ(found, 1);
    closedir(list);
    char text[128] = "";
    const int file = openat(root, (const char *)name + 1, O_RDONLY | O_CLOEXEC);
    CHECK(file >= 0);
    CHECK(read(file, text, sizeof text - 1) > 0);
    CHECK_EQ(strncmp(text, "QSIZE:5 ", 8), 0);
    close(file);
    CHECK_EQ(queue_mounts(), before);
    CHECK_EQ(coreio_mq_posix_unlink(name), 0);
    CHECK_EQ(coreio_mq_posix_close(queue), 0);
    CHECK_EQ(close(root), 0);
}

TEST(why_it_may_not_be_had)
{
    if (queues_no_filter() != NULL)
        SKIP(queues_no_filter());
    struct queues_op op = {.call = QUEUES_OTHER, .other = mount_it, .refused = SYS_fsopen, .error = ENOSYS};
    CHECK_EQ(queues_run(&op), -ENOSYS);
    op.error = ENODEV;
    CHECK_EQ(queues_run(&op), -ENODEV);
    op.error = 0;
    if (queues_no_other_user() != NULL)
        SKIP(queues_no_other_user());
    op.nobody = 1;
    CHECK_EQ(queues_run(&op), -EPERM);
}

#define LEFT_BEHIND 1000000

/* The lowest free descriptor is the same before and after: a mount that is had lies above its context. */
static int64_t mount_and_look(const void *argument)
{
    (void)argument;
    const int before = dup(0);
    close(before);
    const int32_t root = coreio_mq_posix_mount();
    return dup(0) == before ? root : LEFT_BEHIND;
}

TEST(the_context_is_closed_whatever_fails_behind_it)
{
    if (queues_no_filter() != NULL)
        SKIP(queues_no_filter());
    struct queues_op op = {.call = QUEUES_OTHER, .other = mount_and_look};
    const int64_t root = queues_run(&op);
    if (root == -EPERM || root == -ENOSYS)
        SKIP(root == -EPERM ? "mounting is not allowed here (EPERM)" : "no mounts by descriptor here (ENOSYS)");
    CHECK(root > 0 && root < LEFT_BEHIND);
    op.error = EIO;
    op.refused = SYS_fsconfig;
    CHECK_EQ(queues_run(&op), -EIO);
    op.refused = SYS_fsmount;
    CHECK_EQ(queues_run(&op), -EIO);
}
