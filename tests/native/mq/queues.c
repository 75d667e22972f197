/* Queues of the tests; see queues.h. */
#include "queues.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT 256
#define NOBODY 65534

static pid_t owner; /* children leave what is not theirs */
static int alone;
static char names[LIMIT][64];
static int32_t name_count;
static int32_t queues[LIMIT];
static int32_t queue_count;
static int64_t *results; /* of the children, in shared memory */
static int32_t result_count;

static void remove_all(void)
{
    if (getpid() != owner)
        return;
    for (int32_t i = 0; i < name_count; i++)
        (void)coreio_mq_posix_unlink((const uint8_t *)names[i]);
    for (int32_t i = 0; i < queue_count; i++)
        (void)coreio_mq_sysv_remove(queues[i]);
}

__attribute__((constructor)) static void begin(void)
{
    owner = getpid();
    alone = unshare(CLONE_NEWIPC) == 0;
    results = mmap(NULL, LIMIT * sizeof *results, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (results == MAP_FAILED || atexit(remove_all) != 0)
        abort();
}

const char *queues_lack(int32_t family)
{
    const int32_t queue = queues_make(family, 0);
    queues_drop(family, queue);
    if (queue == -ENOSYS)
        return family == COREIO_MQ_POSIX ? "no POSIX queues here (ENOSYS)" : "no System V queues here (ENOSYS)";
    return NULL;
}

const char *queues_not_alone(void)
{
    return alone ? NULL : "may not leave the IPC namespace, so limits stay as they are (unshare)";
}

int64_t queues_limit(const char *path, int64_t value)
{
    char text[32] = "";
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd == -1)
        return INT64_MIN;
    const ssize_t length = read(fd, text, sizeof text - 1);
    const int64_t before = length > 0 ? atoll(text) : INT64_MIN;
    const int written = snprintf(text, sizeof text, "%lld\n", (long long)value);
    const int done = pwrite(fd, text, (size_t)written, 0) == written;
    close(fd);
    return done ? before : INT64_MIN;
}

const uint8_t *queues_name(void)
{
    if (name_count == LIMIT)
        abort();
    char *name = names[name_count++];
    snprintf(name, sizeof names[0], "/coreio-test-%d-%d", (int)owner, (int)name_count);
    return (const uint8_t *)name;
}

int32_t queues_make(int32_t family, int32_t flags)
{
    if (family == COREIO_MQ_SYSV) {
        const int32_t queue = coreio_mq_sysv_get(IPC_PRIVATE, 0600);
        if (queue >= 0 && queue_count < LIMIT)
            queues[queue_count++] = queue;
        return queue;
    }
    const uint8_t *name = queues_name();
    const struct coreio_mq_posix_attributes attributes = {.max_messages = QUEUES_DEPTH, .message_size = QUEUES_SIZE};
    const int32_t queue = coreio_mq_posix_open(name, O_RDWR | O_CREAT | O_EXCL | flags, 0600, &attributes);
    (void)coreio_mq_posix_unlink(name);
    name_count--;
    return queue;
}

void queues_drop(int32_t family, int32_t queue)
{
    if (queue < 0)
        return;
    if (family == COREIO_MQ_POSIX) {
        (void)coreio_mq_posix_close(queue);
        return;
    }
    (void)coreio_mq_sysv_remove(queue);
    for (int32_t i = 0; i < queue_count; i++) {
        if (queues[i] == queue)
            queues[i] = queues[--queue_count];
    }
}

int32_t queues_fill(int32_t family, int32_t queue, int64_t length)
{
    static const uint8_t zeros[16384];
    static struct {
        int64_t type;
        uint8_t bytes[16384];
    } message = {.type = 1};
    const struct coreio_mq_wait once = {.size = sizeof once, .flags = COREIO_MQ_TIMED};
    int32_t count = 0;
    while ((family == COREIO_MQ_POSIX ? coreio_mq_posix_send(queue, zeros, length, 0, &once)
                                      : coreio_mq_sysv_send(queue, (const uint8_t *)&message, length, 0, &once)) == 0)
        count++;
    return count;
}

int64_t queues_do(const struct queues_op *op)
{
    struct {
        int64_t type;
        uint8_t bytes[QUEUES_SIZE];
    } message = {.type = 1};
    if (op->call == QUEUES_OTHER)
        return op->other(op->argument);
    if (op->family == COREIO_MQ_POSIX)
        return op->call == QUEUES_SEND ? coreio_mq_posix_send(op->queue, message.bytes, QUEUES_SIZE, 0, op->wait)
                                       : coreio_mq_posix_receive(op->queue, message.bytes, QUEUES_SIZE, NULL, op->wait);
    return op->call == QUEUES_SEND
               ? coreio_mq_sysv_send(op->queue, (const uint8_t *)&message, QUEUES_SIZE, 0, op->wait)
               : coreio_mq_sysv_receive(op->queue, (uint8_t *)&message, QUEUES_SIZE, 0, 0, op->wait);
}

/* From here on the kernel answers one system call with an error, and does not make it. */
static int refuse(int32_t number, int32_t error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int become_nobody(void)
{
    return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

static void do_nothing(int number)
{
    (void)number;
}

/* The child has nothing of its parent's but memory: what it prints is printed by the parent, from its status. */
__attribute__((noreturn)) static void run_child(const struct queues_op *op, int32_t slot)
{
    const struct sigaction action = {.sa_handler = do_nothing};
    const struct rlimit descriptors = {(rlim_t)op->descriptors, (rlim_t)op->descriptors};
    int ready = op->signal == 0 || sigaction(op->signal, &action, NULL) == 0;
    ready = ready && (op->descriptors == 0 || setrlimit(RLIMIT_NOFILE, &descriptors) == 0);
    ready = ready && (!op->nobody || become_nobody());
    ready = ready && (op->error == 0 || refuse(op->refused, op->error));
    if (ready)
        results[slot] = queues_do(op);
    _exit(0);
}

struct queues_child queues_start(const struct queues_op *op)
{
    /* What a child that never came to its call leaves. */
    const int32_t slot = result_count++ % LIMIT;
    results[slot] = INT64_MIN;
    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0)
        run_child(op, slot);
    return (struct queues_child){pid, slot};
}

int64_t queues_join(struct queues_child child)
{
    int status;
    if (waitpid(child.pid, &status, 0) != child.pid)
        return INT64_MIN;
    return results[child.slot];
}

int64_t queues_run(const struct queues_op *op)
{
    return queues_join(queues_start(op));
}

/* The state of a process and the ticks it has run, as proc(5) tells; 'Z' once it is gone. */
static char state_of(struct queues_child child, unsigned long *ticks)
{
    char path[64];
    char text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)child.pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1 || read(fd, text, sizeof text - 1) <= 0)
        text[0] = '\0';
    if (fd != -1)
        close(fd);
    const char *behind = strrchr(text, ')');
    char state = 'Z';
    unsigned long user = 0;
    unsigned long kernel = 0;
    if (behind != NULL &&
        sscanf(behind + 2, "%c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &state, &user, &kernel) < 3)
        state = 'Z';
    *ticks = user + kernel;
    return state;
}

void queues_until_asleep(struct queues_child child)
{
    /* Asleep twice with a while between is asleep for good: what it does before it waits takes less. */
    for (int seen = 0; seen < 2;) {
        unsigned long ticks;
        const char state = state_of(child, &ticks);
        if (state == 'Z')
            return;
        seen = state == 'S' ? seen + 1 : 0;
        usleep(5000);
    }
}

void queues_until_spinning(struct queues_child child)
{
    /* A tenth of a second: an emulator takes a while to begin. */
    for (unsigned long ticks = 0; ticks < (unsigned long)sysconf(_SC_CLK_TCK) / 10;) {
        if (state_of(child, &ticks) == 'Z')
            return;
        usleep(5000);
    }
}

const char *queues_no_other_user(void)
{
    return geteuid() == 0 ? NULL : "only root becomes another user";
}

static int64_t nothing(const void *argument)
{
    (void)argument;
    return 0;
}

const char *queues_no_filter(void)
{
    /* No system call has this number. */
    const struct queues_op op = {.call = QUEUES_OTHER, .other = nothing, .refused = 0x7fff, .error = EPERM};
    return queues_run(&op) == 0 ? NULL : "system calls cannot be filtered here (seccomp)";
}

int64_t queues_now_ns(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}
