/* The ring of blocks; see ring.h. */
#include "ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
    wait_for(&ring->filled);
    return &ring->blocks[ring->tail % COREIO__RING_BLOCKS];
}

void coreio__ring_release(struct coreio__ring *ring)
{
    ring->tail++;
    sem_post(&ring->empty);
}
