/* Message queues: POSIX (mq_overview(7)) and System V (sysvipc(7)), every call, flag and error of the manual pages.
 *
 * What the kernel gives is passed on unchanged: flags are those of fcntl.h, sys/ipc.h and sys/msg.h, a POSIX queue is
 * a descriptor that poll(2) and epoll(7) take, a System V queue is an identifier. What is added is the wait: relative
 * and on the monotonic clock, ended by a descriptor, with an optional spin before it blocks; and batches, one call for
 * many messages. A signal does not end a call unless COREIO_MQ_INTERRUPTIBLE asks for it.
 *
 * Nothing here but coreio_mq_floor allocates, copies a message or keeps state. Names and paths are NUL-terminated
 * bytes. Of a wait only its sleep is a cancellation point of pthread_cancel(3): end it by its cancel descriptor.
 * A program may define mq_send(3) and its like by these calls: but for coreio_mq_floor none goes through those names.
 */
#ifndef COREIO_MQ_H
#define COREIO_MQ_H

#include <coreio/base.h>

/* Flags of a wait. */
#define COREIO_MQ_TIMED (1u << 0)         /* timeout_ns counts */
#define COREIO_MQ_CANCELLABLE (1u << 1)   /* cancel_fd counts */
#define COREIO_MQ_INTERRUPTIBLE (1u << 2) /* a signal ends the call with -EINTR */

/* Bytes of the type in front of a System V message. */
#define COREIO_MQ_SYSV_HEAD 8

/* Bytes to read from the descriptor of a notification: the first eight are its value, the last is one of these. */
#define COREIO_MQ_NOTIFY_BYTES 32
#define COREIO_MQ_NOTIFIED_MESSAGE 1 /* a message came into the empty queue */
#define COREIO_MQ_NOTIFIED_END 2     /* the registration ended otherwise: it was taken back, or the queue was closed */

/* How coreio_mq_posix_notify tells that a message came into an empty queue. */
enum coreio_mq_notify_kind {
    COREIO_MQ_NOTIFY_SIGNAL = 0,     /* as SIGEV_SIGNAL: `signal` with `value` is queued to the process */
    COREIO_MQ_NOTIFY_NONE = 1,       /* as SIGEV_NONE: the registration is taken, and nothing is told */
    COREIO_MQ_NOTIFY_DESCRIPTOR = 2, /* a descriptor becomes readable; what SIGEV_THREAD is made of */
    COREIO_MQ_NOTIFY_CANCEL = 3      /* takes the registration of this process back */
};

/* Which queue coreio_mq_sysv_stat describes. */
enum coreio_mq_sysv_stat_kind {
    COREIO_MQ_SYSV_STAT = 0,          /* IPC_STAT: the queue with this id */
    COREIO_MQ_SYSV_STAT_INDEX = 1,    /* MSG_STAT: the queue at this index of the kernel's table */
    COREIO_MQ_SYSV_STAT_ANY_INDEX = 2 /* MSG_STAT_ANY: likewise, whether or not it may be read */
};

/* What coreio_mq_sysv_info tells. */
enum coreio_mq_sysv_info_kind {
    COREIO_MQ_SYSV_LIMITS = 0, /* IPC_INFO */
    COREIO_MQ_SYSV_USAGE = 1   /* MSG_INFO: pool counts queues, map counts messages, tql counts bytes */
};

/* The families, where a function is for both. */
enum coreio_mq_family { COREIO_MQ_POSIX = 1, COREIO_MQ_SYSV = 2 };

/* What coreio_mq_floor does, with the calls of the C library and nothing around them. */
enum coreio_mq_floor_work {
    COREIO_MQ_FLOOR_PAIR = 1,       /* one process sends a message and receives it */
    COREIO_MQ_FLOOR_ROUND_TRIP = 2, /* a process sends, another answers; both block */
    COREIO_MQ_FLOOR_SPIN = 3,       /* the same with receives that do not block, made again and again */
    COREIO_MQ_FLOOR_ONE_WAY = 4,    /* a process sends, another receives; both block */
    COREIO_MQ_FLOOR_FUTEX = 5       /* two processes that sleep wake each other by futex(2); no queue is there */
};

/* How long a call may wait, and what ends the wait. NULL, or all zero behind the size, waits as the queue says: for
 * ever, or not at all where the queue or the call is non-blocking. */
struct coreio_mq_wait {
    uint32_t size; /* of this structure */
    uint32_t flags;
    int64_t timeout_ns; /* from now, on CLOCK_MONOTONIC; 0 or less does not wait, and gives -EAGAIN, not -ETIMEDOUT */
    int64_t spin_ns;    /* tries again and again for this long before it blocks: a core for the price of a wake-up */
    int32_t cancel_fd;  /* borrowed; when it can be read the wait ends with -ECANCELED; it is not read */
    int32_t reserved;
};

/* As struct mq_attr. */
struct coreio_mq_posix_attributes {
    int64_t flags;        /* O_NONBLOCK or 0 */
    int64_t max_messages; /* the queue holds */
    int64_t message_size; /* bytes a message may have, and a buffer to receive must have */
    int64_t messages;     /* in the queue now */
};

/* One message of a batch: `length` bytes from `offset` of the bytes that are passed beside it. */
struct coreio_mq_message {
    int64_t offset;
    int64_t length;
    int64_t type; /* the priority of a POSIX message, the type of a System V message */
};

/* As struct msqid_ds. Times are seconds since 1970, 0 for never. */
struct coreio_mq_sysv_status {
    int32_t id;
    int32_t key; /* 0 (IPC_PRIVATE) for a queue without a key */
    uint32_t uid;
    uint32_t gid;
    uint32_t creator_uid;
    uint32_t creator_gid;
    uint32_t mode; /* the lower nine bits */
    uint32_t sequence;
    int64_t send_time;
    int64_t receive_time;
    int64_t change_time;
    uint64_t bytes;
    uint64_t messages;
    uint64_t max_bytes;
    int32_t last_sender;   /* process id, 0 for none */
    int32_t last_receiver; /* process id, 0 for none */
};

/* What IPC_SET changes. */
struct coreio_mq_sysv_change {
    uint32_t uid;
    uint32_t gid;
    uint32_t mode; /* the lower nine bits count */
    uint32_t reserved;
    uint64_t max_bytes; /* above msgmnb only with CAP_SYS_RESOURCE */
};

/* As struct msginfo; what the kernel does not use is what it says all the same. */
struct coreio_mq_sysv_info {
    int32_t pool; /* KiB of message pool; with COREIO_MQ_SYSV_USAGE the queues there are */
    int32_t map;  /* entries of the message map; with COREIO_MQ_SYSV_USAGE the messages in all queues */
    int32_t max;  /* msgmax: bytes of one message */
    int32_t mnb;  /* msgmnb: bytes of one queue, to begin with */
    int32_t mni;  /* msgmni: queues */
    int32_t ssz;  /* size of a segment */
    int32_t tql;  /* messages in all; with COREIO_MQ_SYSV_USAGE the bytes in all queues */
    int32_t seg;  /* segments */
};

/* What a floor took. A time of a pair is the mean of 64 of them, as one is too short for the clock; one-way has none.
 */
struct coreio_mq_floor_result {
    int64_t count;      /* pairs, round trips or messages that were timed */
    int64_t elapsed_ns; /* all of them */
    int64_t min_ns;     /* of one */
    int64_t median_ns;
    int64_t p99_ns;
    int64_t max_ns;
};

/* Opens or creates a POSIX queue, as mq_open(3), and returns its descriptor, which is close-on-exec.
 *
 * `flags` are O_RDONLY, O_WRONLY or O_RDWR, with O_CREAT, O_EXCL and O_NONBLOCK. `mode` and `attributes` matter when a
 * queue is created; the umask takes bits off `mode`; NULL is the system's defaults. Of `attributes` only max_messages
 * and message_size are used.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EINVAL (a name without a slash at its beginning, limits of 0 or above those of the system), -ENOENT,
 *          -EEXIST, -EACCES, -ENAMETOOLONG, -EMFILE (descriptors, or RLIMIT_MSGQUEUE), -ENFILE, -ENOSPC, -ENOMEM
 * Owns:    the caller, who closes the descriptor
 * Since:   1
 */
COREIO_API int32_t coreio_mq_posix_open(
    const uint8_t *name, int32_t flags, uint32_t mode, const struct coreio_mq_posix_attributes *attributes);

/* Closes a descriptor, as mq_close(3).
 *
 * A notification that this process registered for the queue is taken back, through whichever descriptor it did so: the
 * kernel does that when the process closes any descriptor of the queue, also one that only looked at it.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EBADF
 * Since:   1
 */
COREIO_API int32_t coreio_mq_posix_close(int32_t queue);

/* Takes the name of a queue away, as mq_unlink(3); who holds it open goes on, and the name is free at once.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -ENOENT, -EACCES, -ENAMETOOLONG, -EINVAL
 * Since:   1
 */
COREIO_API int32_t coreio_mq_posix_unlink(const uint8_t *name);

/* Writes the attributes of a queue, as mq_getattr(3).
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EBADF, -EINVAL
 * Since:   1
 */
COREIO_API int32_t coreio_mq_posix_attributes(int32_t queue, struct coreio_mq_posix_attributes *attributes);

/* Sets or clears O_NONBLOCK, as mq_setattr(3), and writes what the attributes were unless `before` is NULL.
 *
 * The flag belongs to the open queue: descriptors made by dup(2) and fork(2) share it. The kernel leaves the other
 * attributes as they are.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EBADF, -EINVAL (another flag)
 * Since:   1
 */
COREIO_API int32_t coreio_mq_posix_set(
    int32_t queue, const struct coreio_mq_posix_attributes *attributes, struct coreio_mq_posix_attributes *before);

/* Sends a message, as mq_send(3). `priority` is 0 to 32767; the highest is received first.
 *
 * A wait with a timeout or a cancel descriptor waits by poll(2), so a step of the system's clock neither shortens nor
 * lengthens it. The kernel serves who blocks in a plain call first: beside such a one it may wait in vain.
 *
 * Threads: any
 * Blocks:  up to wait, while the queue is full
 * Errors:  -EAGAIN, -ETIMEDOUT, -ECANCELED, -EINTR (when asked for), -EMSGSIZE, -EINVAL, -EBADF, -EFAULT, COREIO_EABI
 * Since:   1
 */
COREIO_API int32_t coreio_mq_posix_send(
    int32_t queue, const uint8_t *bytes, int64_t length, uint32_t priority, const struct coreio_mq_wait *wait);

/* Receives the oldest message of the highest priority, as mq_receive(3), and returns its length.
 *
 * `capacity` is at least the message_size of the queue, however short the message. `priority` may be NULL. A wait with
 * a timeout or a cancel descriptor is as for coreio_mq_posix_send; it is no "blocked receiver" to a notification.
 *
 * Threads: any
 * Blocks:  up to wait, while the queue is empty
 * Errors:  -EAGAIN, -ETIMEDOUT, -ECANCELED, -EINTR (when asked for), -EMSGSIZE, -EINVAL, -EBADF, -EFAULT, COREIO_EABI
 * Since:   1
 */
COREIO_API int64_t coreio_mq_posix_receive(
    int32_t queue, uint8_t *bytes, int64_t capacity, uint32_t *priority, const struct coreio_mq_wait *wait);

/* Sends with the standard's own deadline, as mq_timedsend(3): a time on CLOCK_REALTIME, which may be stepped. A signal
 * ends it.
 *
 * Threads: any
 * Blocks:  up to the deadline, while the queue is full
 * Errors:  as mq_timedsend(3): -EAGAIN, -ETIMEDOUT, -EINTR, -EMSGSIZE, -EINVAL, -EBADF, -EFAULT
 * Since:   1
 */
COREIO_API int32_t coreio_mq_posix_send_until(
    int32_t queue, const uint8_t *bytes, int64_t length, uint32_t priority, int64_t seconds, int64_t nanoseconds);

/* Receives with the standard's own deadline, as mq_timedreceive(3).
 *
 * Threads: any
 * Blocks:  up to the deadline, while the queue is empty
 * Errors:  as mq_timedreceive(3): -EAGAIN, -ETIMEDOUT, -EINTR, -EMSGSIZE, -EINVAL, -EBADF, -EFAULT
 * Since:   1
 */
COREIO_API int64_t coreio_mq_posix_receive_until(
    int32_t queue, uint8_t *bytes, int64_t capacity, uint32_t *priority, int64_t seconds, int64_t nanoseconds);

/* Sends messages in order and returns how many were sent: all, unless an error or the end of the wait came between.
 *
 * The wait counts for the whole batch. An error on the first message is returned; later ones are those of the next
 * call.
 *
 * Threads: any
 * Blocks:  up to wait, while the queue is full
 * Errors:  as coreio_mq_posix_send; -EINVAL for a negative count
 * Since:   1
 */
COREIO_API int32_t coreio_mq_posix_send_many(int32_t queue, const uint8_t *bytes,
    const struct coreio_mq_message *messages, int32_t count, const struct coreio_mq_wait *wait);

/* Receives what is there, up to `count` messages, and returns how many; waits for the first alone.
 *
 * Messages are written one behind the other into `bytes`; it ends when less than `message_size` (that of the queue) of
 * `capacity` is left.
 *
 * Threads: any
 * Blocks:  up to wait, while the queue is empty
 * Errors:  as coreio_mq_posix_receive; -EINVAL for a count below 1; -EMSGSIZE for a capacity below message_size
 * Since:   1
 */
COREIO_API int32_t coreio_mq_posix_receive_many(int32_t queue, uint8_t *bytes, int64_t capacity, int64_t message_size,
    struct coreio_mq_message *messages, int32_t count, const struct coreio_mq_wait *wait);

/* Asks to be told once when a message comes into the empty queue, as mq_notify(3); one process may ask at a time.
 *
 * Told once: to be told again ask again, and then take what is in the queue, for a message that came between is not
 * told. COREIO_MQ_NOTIFY_DESCRIPTOR returns a descriptor (close-on-exec) that becomes readable with the message, and
 * also when the registration ends otherwise: COREIO_MQ_NOTIFY_BYTES are read from it. Closing it does not take the
 * registration back. The others return 0.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EBUSY, -EBADF, -EINVAL (kind or signal), -ENOMEM, -EMFILE
 * Owns:    the caller, who closes the descriptor
 * Since:   1
 */
COREIO_API int32_t coreio_mq_posix_notify(int32_t queue, int32_t kind, int32_t signal, int64_t value);

/* Mounts the file system of POSIX queues where nobody else sees it, and returns a descriptor of its root, which lists
 * the queues of this IPC namespace. Closing it unmounts.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EPERM (needs CAP_SYS_ADMIN), -ENOSYS (before Linux 5.2), -ENODEV
 * Owns:    the caller, who closes the descriptor
 * Since:   1
 */
COREIO_API int32_t coreio_mq_posix_mount(void);

/* Makes a key of a file and the lower eight bits of `project`, as ftok(3).
 *
 * The key holds 16 bits of the file's inode and 8 of its device: different files may have the same key.
 *
 * Threads: any
 * Blocks:  until the file system answers
 * Errors:  -ENOENT, -EACCES, -ENOTDIR, -ELOOP, -ENAMETOOLONG, -EINVAL
 * Since:   1
 */
COREIO_API int32_t coreio_mq_sysv_key(const uint8_t *path, int32_t project, int32_t *key);

/* Finds or creates the queue of a key, as msgget(2), and returns its identifier. Key 0 (IPC_PRIVATE) always creates.
 *
 * `flags` are IPC_CREAT, IPC_EXCL and nine bits of mode.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -ENOENT, -EEXIST, -EACCES, -ENOSPC (msgmni), -ENOMEM
 * Since:   1
 */
COREIO_API int32_t coreio_mq_sysv_get(int32_t key, int32_t flags);

/* Sends a message, as msgsnd(2): `message` is its type, COREIO_MQ_SYSV_HEAD bytes in the order of the machine and above
 * 0, and `length` bytes behind it.
 *
 * System V queues have no descriptor and no timeout: a wait with a timeout or a cancel descriptor tries again, first at
 * once and then every millisecond; a plain wait blocks in the kernel.
 *
 * Threads: any
 * Blocks:  up to wait, while the queue is full; not with IPC_NOWAIT
 * Errors:  -EAGAIN, -ETIMEDOUT, -ECANCELED, -EINTR (when asked for), -EIDRM, -EACCES, -EINVAL, -EFAULT, -ENOMEM,
 *          COREIO_EABI
 * Since:   1
 */
COREIO_API int32_t coreio_mq_sysv_send(
    int32_t queue, const uint8_t *message, int64_t length, int32_t flags, const struct coreio_mq_wait *wait);

/* Receives a message, as msgrcv(2), and returns its length without the head.
 *
 * `message` has room for the head and `capacity` bytes. `type` is 0 for the oldest, above 0 for the oldest of this type
 * (with MSG_EXCEPT: of any other), below 0 for the lowest type up to -type. `flags` are IPC_NOWAIT, MSG_NOERROR,
 * MSG_EXCEPT and MSG_COPY. Waits are as for coreio_mq_sysv_send.
 *
 * Threads: any
 * Blocks:  up to wait, while no such message is there; not with IPC_NOWAIT
 * Errors:  -ENOMSG (does not wait), -ETIMEDOUT, -ECANCELED, -EINTR (when asked for), -E2BIG, -EIDRM, -EACCES, -EINVAL,
 *          -EFAULT, -ENOSYS (MSG_COPY), COREIO_EABI
 * Since:   1
 */
COREIO_API int64_t coreio_mq_sysv_receive(
    int32_t queue, uint8_t *message, int64_t capacity, int64_t type, int32_t flags, const struct coreio_mq_wait *wait);

/* Sends messages in order and returns how many were sent, as coreio_mq_posix_send_many.
 *
 * Before the bytes of each message are COREIO_MQ_SYSV_HEAD bytes of room, where its type is written: `offset` is that
 * of the message's own bytes.
 *
 * Threads: any
 * Blocks:  up to wait, while the queue is full
 * Errors:  as coreio_mq_sysv_send; -EINVAL for a negative count or an offset without room before it
 * Since:   1
 */
COREIO_API int32_t coreio_mq_sysv_send_many(int32_t queue, uint8_t *bytes, const struct coreio_mq_message *messages,
    int32_t count, const struct coreio_mq_wait *wait);

/* Receives what is there of a type, up to `count` messages, and returns how many; waits for the first alone.
 *
 * Each is written behind COREIO_MQ_SYSV_HEAD bytes of its own, at a multiple of eight; it ends when less than
 * COREIO_MQ_SYSV_HEAD and `message_size` (the most a message is expected to have) of `capacity` is left. A longer
 * message that is first is -E2BIG and stays in the queue.
 *
 * Threads: any
 * Blocks:  up to wait, while no such message is there
 * Errors:  as coreio_mq_sysv_receive; -EINVAL for a count below 1, no room for one message, or MSG_COPY
 * Since:   1
 */
COREIO_API int32_t coreio_mq_sysv_receive_many(int32_t queue, uint8_t *bytes, int64_t capacity, int64_t message_size,
    int64_t type, int32_t flags, struct coreio_mq_message *messages, int32_t count, const struct coreio_mq_wait *wait);

/* Describes a queue by its id, or by an index from 0 to what coreio_mq_sysv_info returned, and returns its id.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EACCES, -EINVAL (no queue there), -EIDRM, -EFAULT
 * Since:   1
 */
COREIO_API int32_t coreio_mq_sysv_stat(int32_t queue, int32_t kind, struct coreio_mq_sysv_status *status);

/* Changes owner, mode and room of a queue, as msgctl(2) with IPC_SET.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EPERM, -EACCES, -EINVAL, -EIDRM, -EFAULT
 * Since:   1
 */
COREIO_API int32_t coreio_mq_sysv_set(int32_t queue, const struct coreio_mq_sysv_change *change);

/* Removes a queue with its messages at once, as msgctl(2) with IPC_RMID; who waits on it gets -EIDRM.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EPERM, -EINVAL, -EIDRM
 * Since:   1
 */
COREIO_API int32_t coreio_mq_sysv_remove(int32_t queue);

/* Writes limits or usage, and returns the highest index in use in the kernel's table of queues.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EINVAL
 * Since:   1
 */
COREIO_API int32_t coreio_mq_sysv_info(int32_t kind, struct coreio_mq_sysv_info *info);

/* Does one bounded piece of work with the plain calls of the C library: what a figure of this library, or of a caller
 * of it, is held against.
 *
 * Each end is a process (fork(2)), pinned to `cpu` (sends first) or `peer_cpu` (answers; not used for pairs), or where
 * the system likes for -1. They are children of one that is a child of the caller; all three are gone when this
 * returns, and are killed with the thread that called. They are a process group of their own, so that no signal of a
 * terminal comes to them; one SIGCHLD comes to the caller. Until then they hold copies of all its descriptors.
 *
 * Queues of its own, which hold ten messages of `message_bytes`, or what the system allows at most; nobody else sees
 * those of POSIX. `family` and `message_bytes` do not count for COREIO_MQ_FLOOR_FUTEX, of which only hand-overs
 * count in which both ends slept, as long as one in ten does; between them it may pause. A warm-up goes before what is
 * timed.
 *
 * Threads: any
 * Blocks:  until the work is done
 * Errors:  -EINVAL (also a message size above the limit, and a count above 10000000), COREIO_ECPU, -ENOMEM, -EAGAIN
 *          (no process, or a message larger than a queue), -ECHILD (an end was killed), and those of
 *          coreio_mq_posix_open and coreio_mq_sysv_get
 * Since:   1
 */
COREIO_API int32_t coreio_mq_floor(int32_t work, int32_t family, int64_t message_bytes, int64_t count, int32_t cpu,
    int32_t peer_cpu, struct coreio_mq_floor_result *result);

#endif
