/* Several senders and receivers on one queue; see traffic.h.
 *
 * Each message names its sender and its number, has a length and bytes that follow from both, and a sum over them. A
 * receiver sees the messages of one sender in ascending order; all receivers together see each message once.
 */
#include "traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "queues.h"

#define PROCESSES 16
#define BATCH 16

/* Longer than any run; what hangs fails by it, as does a child that waits without a timeout by its alarm. */
#define SECONDS 200

#define STOP PROCESSES

struct packet {
    int64_t type; /* of System V; not sent otherwise */
    int32_t sender;
    int32_t number;
    uint32_t sum;
    uint8_t bytes[QUEUES_SIZE - 12];
};

#define FIXED 12

/* What a receiver saw, in memory that its parent shares. */
struct tally {
    int64_t messages;
    int64_t numbers; /* their sum */
    int32_t wrong;   /* messages that are not as they were sent, or late */
    int32_t status;  /* that ended it, 0 for the message that says so */
};

struct line {
    const struct traffic *traffic;
    int32_t queue;
    int32_t poll; /* epoll(7), for edges */
};

static const struct coreio_mq_wait timed = {
    .size = sizeof timed, .flags = COREIO_MQ_TIMED, .timeout_ns = (int64_t)SECONDS * 1000000000};

static const struct coreio_mq_wait *wait_of(const struct line *line)
{
    return line->traffic->wait == TRAFFIC_TIMED ? &timed : NULL;
}

/* A small generator: the same bytes for the same sender and number. */
static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static int64_t fill(struct packet *packet, int32_t sender, int32_t number)
{
    uint32_t state = (uint32_t)sender * 7919u + (uint32_t)number;
    const uint32_t length = next_random(&state) % sizeof packet->bytes;
    packet->type = sender + 1;
    packet->sender = sender;
    packet->number = number;
    packet->sum = length;
    for (uint32_t i = 0; i < length; i++) {
        packet->bytes[i] = (uint8_t)next_random(&state);
        packet->sum = packet->sum * 31 + packet->bytes[i];
    }
    return FIXED + length;
}

static int32_t is_whole(const struct packet *packet, int64_t length)
{
    if (length < FIXED)
        return 0;
    uint32_t sum = (uint32_t)(length - FIXED);
    for (int64_t i = 0; i < length - FIXED; i++)
        sum = sum * 31 + packet->bytes[i];
    return sum == packet->sum && packet->sender >= 0 && packet->sender <= STOP;
}

static const uint8_t *start_of(const struct line *line, const struct packet *packet)
{
    return line->traffic->family == COREIO_MQ_POSIX ? (const uint8_t *)&packet->sender : (const uint8_t *)packet;
}

/* The queue changes its state with each call of somebody: an edge comes for each. */
static int32_t next_edge(const struct line *line)
{
    struct epoll_event event;
    const int count = epoll_wait(line->poll, &event, 1, SECONDS * 1000);
    return count == 1 || (count == -1 && errno == EINTR) ? 0 : -ETIMEDOUT;
}

static int32_t send_packet(const struct line *line, const struct packet *packet, int64_t length)
{
    for (;;) {
        const uint8_t *start = start_of(line, packet);
        const int32_t status = line->traffic->family == COREIO_MQ_POSIX
                                   ? coreio_mq_posix_send(line->queue, start, length, 0, wait_of(line))
                                   : coreio_mq_sysv_send(line->queue, start, length, 0, wait_of(line));
        if (line->traffic->wait != TRAFFIC_EDGES || status != -EAGAIN)
            return status;
        const int32_t edge = next_edge(line);
        if (edge < 0)
            return edge;
    }
}

static int64_t receive_packet(const struct line *line, struct packet *packet)
{
    for (;;) {
        uint8_t *start = (uint8_t *)(uintptr_t)start_of(line, packet);
        const int64_t got = line->traffic->family == COREIO_MQ_POSIX
                                ? coreio_mq_posix_receive(line->queue, start, QUEUES_SIZE, NULL, wait_of(line))
                                : coreio_mq_sysv_receive(line->queue, start, QUEUES_SIZE, 0, 0, wait_of(line));
        if (line->traffic->wait != TRAFFIC_EDGES || got != -EAGAIN)
            return got;
        const int32_t edge = next_edge(line);
        if (edge < 0)
            return edge;
    }
}

static int32_t send_batches(const struct line *line, int32_t sender)
{
    struct packet packets[BATCH];
    struct coreio_mq_message messages[BATCH];
    for (int32_t number = 0; number < line->traffic->messages;) {
        int32_t count = 0;
        for (; count < BATCH && number + count < line->traffic->messages; count++) {
            messages[count].length = fill(&packets[count], sender, number + count);
            messages[count].offset = (int64_t)((size_t)count * sizeof packets[0] + offsetof(struct packet, sender));
            messages[count].type = line->traffic->family == COREIO_MQ_POSIX ? 0 : sender + 1;
        }
        const int32_t sent = line->traffic->family == COREIO_MQ_POSIX
                                 ? coreio_mq_posix_send_many(line->queue, (uint8_t *)packets, messages, count, NULL)
                                 : coreio_mq_sysv_send_many(line->queue, (uint8_t *)packets, messages, count, NULL);
        if (sent < 0)
            return sent;
        number += sent;
    }
    return 0;
}

static int32_t send_all(const struct line *line, int32_t sender)
{
    if (line->traffic->wait == TRAFFIC_BATCHES)
        return send_batches(line, sender);
    int32_t status = 0;
    for (int32_t number = 0; number < line->traffic->messages && status == 0; number++) {
        struct packet packet;
        const int64_t length = fill(&packet, sender, number);
        status = send_packet(line, &packet, length);
    }
    return status;
}

/* Counts one message. Returns whether it was the last. */
static int32_t count_packet(struct tally *tally, int32_t last[], const struct packet *packet, int64_t length)
{
    if (!is_whole(packet, length)) {
        tally->wrong++;
        return 0;
    }
    if (packet->sender == STOP)
        return 1;
    tally->wrong += packet->number <= last[packet->sender];
    last[packet->sender] = packet->number;
    tally->messages++;
    tally->numbers += packet->number;
    return 0;
}

static int64_t receive_batch(const struct line *line, struct packet packets[], struct coreio_mq_message messages[])
{
    uint8_t bytes[BATCH * sizeof(struct packet)];
    const int32_t got =
        line->traffic->family == COREIO_MQ_POSIX
            ? coreio_mq_posix_receive_many(line->queue, bytes, sizeof bytes, QUEUES_SIZE, messages, BATCH, NULL)
            : coreio_mq_sysv_receive_many(line->queue, bytes, sizeof bytes, QUEUES_SIZE, 0, 0, messages, BATCH, NULL);
    for (int32_t i = 0; i < got; i++) {
        packets[i].type = messages[i].type;
        memcpy(&packets[i].sender, bytes + messages[i].offset, (size_t)messages[i].length);
    }
    return got;
}

static void receive_all(const struct line *line, struct tally *tally)
{
    int32_t last[PROCESSES];
    memset(last, -1, sizeof last);
    struct packet packets[BATCH];
    struct coreio_mq_message messages[BATCH];
    for (int32_t ended = 0; ended == 0;) {
        int64_t got = 1;
        if (line->traffic->wait == TRAFFIC_BATCHES)
            got = receive_batch(line, packets, messages);
        else
            messages[0].length = receive_packet(line, &packets[0]);
        if (got < 0 || messages[0].length < 0) {
            tally->status = (int32_t)(got < 0 ? got : messages[0].length);
            return;
        }
        for (int64_t i = 0; i < got; i++) {
            const int32_t stop = count_packet(tally, last, &packets[i], messages[i].length);
            /* A second word to stop was another's. */
            if (stop && ended)
                tally->status = send_packet(line, &packets[i], messages[i].length);
            ended |= stop;
        }
    }
}

static pid_t start(const struct line *line, int32_t sender, struct tally *tally)
{
    const pid_t pid = fork();
    if (pid != 0)
        return pid;
    alarm(SECONDS);
    struct line own = *line;
    if (own.traffic->wait == TRAFFIC_EDGES) {
        /* Each process has its own edges. */
        own.poll = epoll_create1(EPOLL_CLOEXEC);
        struct epoll_event event = {.events = (uint32_t)(sender >= 0 ? EPOLLOUT : EPOLLIN) | EPOLLET};
        if (epoll_ctl(own.poll, EPOLL_CTL_ADD, own.queue, &event) == -1)
            _exit(1);
    }
    if (sender >= 0)
        _exit(send_all(&own, sender) == 0 ? 0 : 1);
    receive_all(&own, tally);
    _exit(0);
}

static void join(pid_t pid)
{
    int status = -1;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(status, 0);
}

void traffic_run(const struct traffic *traffic)
{
    struct line line = {traffic, queues_make(traffic->family, traffic->wait == TRAFFIC_EDGES ? O_NONBLOCK : 0), -1};
    const size_t room = PROCESSES * sizeof(struct tally);
    struct tally *tallies = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(line.queue >= 0 && tallies != MAP_FAILED);
    pid_t pids[2 * PROCESSES];
    for (int32_t i = 0; i < traffic->receivers; i++)
        pids[i] = start(&line, -1, &tallies[i]);
    for (int32_t i = 0; i < traffic->senders; i++)
        pids[traffic->receivers + i] = start(&line, i, NULL);
    for (int32_t i = 0; i < traffic->senders; i++)
        join(pids[traffic->receivers + i]);
    /* The words to stop are behind all that was sent. This process waits for room in the plain way. */
    const struct traffic plain = {.family = traffic->family, .wait = TRAFFIC_TIMED};
    const struct line own = {&plain, line.queue, -1};
    for (int32_t i = 0; i < traffic->receivers; i++) {
        const struct packet stop = {.type = STOP + 1, .sender = STOP};
        CHECK_EQ(send_packet(&own, &stop, FIXED), 0);
    }
    struct tally all = {0};
    for (int32_t i = 0; i < traffic->receivers; i++) {
        join(pids[i]);
        CHECK_EQ(tallies[i].status, 0);
        CHECK_EQ(tallies[i].wrong, 0);
        all.messages += tallies[i].messages;
        all.numbers += tallies[i].numbers;
    }
    const int64_t each = traffic->messages;
    CHECK_EQ(all.messages, traffic->senders * each);
    CHECK_EQ(all.numbers, traffic->senders * (each * (each - 1) / 2));
    munmap(tallies, room);
    queues_drop(traffic->family, line.queue);
}
