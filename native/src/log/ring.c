/* The ring of blocks; see ring.h. */
#include "ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* To wake a worker costs the reader a system call and, where the worker's CPU is idle, an interrupt of that CPU: 6 us
 * on a virtual machine, for a block that a decompressor fills in 200 us. So a worker that is out of blocks first naps
 * and looks again. The three other blocks of the ring last longer than a nap, and after some naps in vain it sleeps
 * until it is woken. */
#define NAP_NS 100000
#define NAPS 8

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) < 0 && errno == EINTR)
        continue;
}

void coreio__ring_init(struct coreio__ring *ring)
{
    memset(ring, 0, sizeof *ring);
    sem_init(&ring->filled, 0, 0);
    sem_init(&ring->empty, 0, COREIO__RING_BLOCKS);
}

void coreio__ring_clear(struct coreio__ring *ring)
{
    for (int32_t i = 0; i < COREIO__RING_BLOCKS; i++)
        free(ring->blocks[i].bytes);
    sem_destroy(&ring->filled);
    sem_destroy(&ring->empty);
}

struct coreio__block *coreio__ring_reserve(struct coreio__ring *ring)
{
    wait_for(&ring->empty);
    return &ring->blocks[ring->head++ % COREIO__RING_BLOCKS];
}

int32_t coreio__ring_room(struct coreio__ring *ring)
{
    int room = 0;
    sem_getvalue(&ring->empty, &room);
    return room;
}

void coreio__ring_publish(struct coreio__ring *ring)
{
    sem_post(&ring->filled);
}

struct coreio__block *coreio__ring_take(struct coreio__ring *ring)
{
    const struct timespec nap = {0, NAP_NS};
    int32_t naps = 0;
    while (sem_trywait(&ring->filled) < 0) {
        if (naps++ == NAPS) {
            wait_for(&ring->filled);
            break;
        }
        nanosleep(&nap, NULL);
    }
    return &ring->blocks[ring->tail % COREIO__RING_BLOCKS];
}

void coreio__ring_release(struct coreio__ring *ring)
{
    ring->tail++;
    sem_post(&ring->empty);
}
