/* Batches of one line, for tests of what works on batches. */
#ifndef COREIO_TESTS_BATCHES_H
#define COREIO_TESTS_BATCHES_H

#include "log/measure.h"

#include <string.h>

#define BATCHES_MOST_TEXTS 8

/* What a batch of one line points to. */
struct batches_line {
    uint64_t hashes[BATCHES_MOST_TEXTS];
    uint8_t hashed[BATCHES_MOST_TEXTS];
};

/* The batch of one line with these numbers and texts, a column each. */
static inline struct coreio__batch batches_line(
    struct batches_line *room, const struct coreio__number *numbers, const struct coreio__text *texts)
{
    memset(room, 0, sizeof *room);
    return (struct coreio__batch){numbers, texts, room->hashes, room->hashed, 1, 1};
}

#endif
