/* Blocks that go round between the reader of a stream and a worker. */
#include "check.h"

#include "log/ring.h"

#include <pthread.h>
#include <stdlib.h>

TEST(blocks_come_out_as_they_went_in)
{
    struct coreio__ring ring;
    coreio__ring_init(&ring);
    for (int64_t number = 0; number < 10; number++) {
        CHECK_EQ(coreio__ring_room(&ring), COREIO__RING_BLOCKS);
        coreio__ring_reserve(&ring)->number = number;
        CHECK_EQ(coreio__ring_room(&ring), COREIO__RING_BLOCKS - 1);
        coreio__ring_publish(&ring);
        CHECK_EQ(coreio__ring_take(&ring)->number, number);
        coreio__ring_release(&ring);
    }
    coreio__ring_clear(&ring);
}

TEST(blocks_reserved_together_are_different)
{
    struct coreio__ring ring;
    coreio__ring_init(&ring);
    struct coreio__block *blocks[COREIO__RING_BLOCKS];
    for (int i = 0; i < COREIO__RING_BLOCKS; i++) {
        blocks[i] = coreio__ring_reserve(&ring);
        blocks[i]->number = i;
        for (int j = 0; j < i; j++)
            CHECK(blocks[i] != blocks[j]);
    }
    for (int i = 0; i < COREIO__RING_BLOCKS; i++) {
        coreio__ring_publish(&ring);
        CHECK(coreio__ring_take(&ring) == blocks[i]);
        CHECK_EQ(blocks[i]->number, i);
        coreio__ring_release(&ring);
    }
    coreio__ring_clear(&ring);
}

#define ROUNDS 20000

static void *sum_blocks(void *argument)
{
    struct coreio__ring *ring = argument;
    int64_t *sum = calloc(1, sizeof *sum);
    for (int64_t expected = 0;; expected++) {
        struct coreio__block *block = coreio__ring_take(ring);
        const int end = block->is_end;
        CHECK_EQ(block->number, expected);
        *sum += block->number;
        coreio__ring_release(ring);
        if (end)
            return sum;
    }
}

TEST(a_reader_and_a_worker_never_hold_the_same_block)
{
    struct coreio__ring ring;
    pthread_t worker;
    coreio__ring_init(&ring);
    REQUIRE(pthread_create(&worker, NULL, sum_blocks, &ring) == 0);
    /* Two blocks are held while one is dealt, as a stream does with one worker. */
    struct coreio__block *held = coreio__ring_reserve(&ring);
    held->number = 0;
    held->is_end = 0;
    for (int64_t number = 1; number < ROUNDS; number++) {
        struct coreio__block *next = coreio__ring_reserve(&ring);
        next->number = number;
        next->is_end = number == ROUNDS - 1;
        coreio__ring_publish(&ring);
        held = next;
    }
    CHECK_EQ(held->number, ROUNDS - 1);
    coreio__ring_publish(&ring);
    void *sum;
    pthread_join(worker, &sum);
    CHECK_EQ(*(int64_t *)sum, (int64_t)ROUNDS * (ROUNDS - 1) / 2);
    free(sum);
    coreio__ring_clear(&ring);
}
