/* System V queues: what msgctl(2) describes, changes and removes. */
#include <coreio/mq.h>

#include <errno.h>
#include <stddef.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#include "call.h"

/* A queue is written by the kernel over the whole of this. */
_Static_assert(sizeof(struct msqid_ds) == 120, "struct msqid_ds is 120 bytes");
_Static_assert(sizeof(struct msginfo) == 32, "struct msginfo is seven ints and a short");

/* The bits of a mode that are permissions. */
#define PERMISSIONS 0777u

/* As msgctl(2), whose structures are the kernel's where a long has 64 bits. */
static int32_t control(int32_t queue, int32_t command, void *data)
{
    return (int32_t)coreio__mq_call(SYS_msgctl, queue, command, (intptr_t)data, 0, 0);
}

int32_t coreio_mq_sysv_stat(int32_t queue, int32_t kind, struct coreio_mq_sysv_status *status)
{
    static const int commands[] = {
        [COREIO_MQ_SYSV_STAT] = IPC_STAT,
        [COREIO_MQ_SYSV_STAT_INDEX] = MSG_STAT,
        [COREIO_MQ_SYSV_STAT_ANY_INDEX] = MSG_STAT_ANY,
    };
    if (kind < COREIO_MQ_SYSV_STAT || kind > COREIO_MQ_SYSV_STAT_ANY_INDEX)
        return -EINVAL;
    if (status == NULL)
        return -EFAULT;
    struct msqid_ds now;
    const int32_t found = control(queue, commands[kind], &now);
    if (found < 0)
        return found;
    *status = (struct coreio_mq_sysv_status){
        /* IPC_STAT returns 0, the others return the id. */
        .id = kind == COREIO_MQ_SYSV_STAT ? queue : found,
        .key = now.msg_perm.__key,
        .uid = now.msg_perm.uid,
        .gid = now.msg_perm.gid,
        .creator_uid = now.msg_perm.cuid,
        .creator_gid = now.msg_perm.cgid,
        .mode = now.msg_perm.mode & PERMISSIONS,
        .sequence = now.msg_perm.__seq,
        .send_time = now.msg_stime,
        .receive_time = now.msg_rtime,
        .change_time = now.msg_ctime,
        .bytes = now.__msg_cbytes,
        .messages = now.msg_qnum,
        .max_bytes = now.msg_qbytes,
        .last_sender = now.msg_lspid,
        .last_receiver = now.msg_lrpid,
    };
    return status->id;
}

int32_t coreio_mq_sysv_set(int32_t queue, const struct coreio_mq_sysv_change *change)
{
    if (change == NULL)
        return -EFAULT;
    struct msqid_ds wanted = {0};
    wanted.msg_perm.uid = change->uid;
    wanted.msg_perm.gid = change->gid;
    wanted.msg_perm.mode = change->mode & PERMISSIONS;
    wanted.msg_qbytes = change->max_bytes;
    return control(queue, IPC_SET, &wanted);
}

int32_t coreio_mq_sysv_remove(int32_t queue)
{
    return control(queue, IPC_RMID, NULL);
}

int32_t coreio_mq_sysv_info(int32_t kind, struct coreio_mq_sysv_info *info)
{
    if ((kind != COREIO_MQ_SYSV_LIMITS && kind != COREIO_MQ_SYSV_USAGE) || info == NULL)
        return -EINVAL;
    struct msginfo now;
    const int command = kind == COREIO_MQ_SYSV_LIMITS ? IPC_INFO : MSG_INFO;
    const int32_t highest = control(0, command, &now);
    if (highest < 0)
        return highest;
    *info = (struct coreio_mq_sysv_info){
        .pool = now.msgpool,
        .map = now.msgmap,
        .max = now.msgmax,
        .mnb = now.msgmnb,
        .mni = now.msgmni,
        .ssz = now.msgssz,
        .tql = now.msgtql,
        .seg = now.msgseg,
    };
    return highest;
}
