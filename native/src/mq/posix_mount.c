/* The file system of POSIX queues, mounted where only the holder of a descriptor sees it.
 *
 * By system calls: the C library has names for them only since glibc 2.36.
 */
#include <coreio/mq.h>

#include <errno.h>
#include <linux/mount.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

int32_t coreio_mq_posix_mount(void)
{
    const int context = (int)syscall(SYS_fsopen, "mqueue", FSOPEN_CLOEXEC);
    if (context == -1)
        return -errno;
    int32_t root = -1;
    if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        root = (int32_t)syscall(
            SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    const int32_t status = root == -1 ? -errno : root;
    /* The context has done its work, and holds nothing that could be lost. */
    (void)close(context);
    return status;
}
