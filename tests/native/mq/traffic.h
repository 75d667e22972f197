/* Several senders and receivers on one queue: nothing is lost, doubled, changed or reordered. */
#ifndef COREIO_TESTS_TRAFFIC_H
#define COREIO_TESTS_TRAFFIC_H

#include <stdint.h>

/* How both ends wait. */
enum traffic_wait {
    TRAFFIC_PLAIN,
    TRAFFIC_TIMED,
    TRAFFIC_EDGES, /* epoll(7) with EPOLLET on a queue that does not block; POSIX alone */
    TRAFFIC_BATCHES
};

struct traffic {
    int32_t family;
    int32_t wait; /* traffic_wait */
    int32_t senders;
    int32_t receivers;
    int32_t messages; /* of each sender */
};

/* Runs processes of each kind, and checks what came. */
void traffic_run(const struct traffic *traffic);

#endif
