/* A ring of blocks from the reader of a stream to one worker: one producer, one consumer.
 *
 * The blocks are buffers that go round: the reader fills the one at the head in place, the worker works on the
 * one at the tail in place. Two semaphores count filled and empty ones; they are the only thing both touch, once
 * a block.
 */
#ifndef COREIO_LOG_RING_H
#define COREIO_LOG_RING_H

#include <semaphore.h>
#include <stddef.h>
#include <stdint.h>

#define COREIO__RING_BLOCKS 4

struct coreio__block {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
    int64_t offset; /* in the stream */
    int64_t number;
    int32_t is_end; /* no bytes, and none follow */
};

struct coreio__ring {
    struct coreio__block blocks[COREIO__RING_BLOCKS];
    sem_t filled;
    sem_t empty;
    uint32_t head; /* the reader's: the next block to reserve */
    uint32_t tail; /* the worker's */
};

void coreio__ring_init(struct coreio__ring *ring);
void coreio__ring_clear(struct coreio__ring *ring);

/* The next block to fill; waits for an empty one. More than one may be reserved, for the bytes that one block does not
 * take go into the next one; with one worker both are of the same ring. */
struct coreio__block *coreio__ring_reserve(struct coreio__ring *ring);

/* Blocks that can be reserved without waiting; more may be by the time of the answer. The producer's. */
int32_t coreio__ring_room(struct coreio__ring *ring);

/* Hands the block that was reserved first to the worker. */
void coreio__ring_publish(struct coreio__ring *ring);

/* The next block to work on; waits for a filled one. */
struct coreio__block *coreio__ring_take(struct coreio__ring *ring);

/* Gives the taken block back. */
void coreio__ring_release(struct coreio__ring *ring);

#endif
