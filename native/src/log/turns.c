/* Chooses buffers; see turns.h. */
#include "turns.h"

/* Blocks in a row of one kind, of which the first ones, which find what the kind before left, do not count; and how
 * many rows of each there are. */
#define ROW 8
#define UNCOUNTED 4
#define ROWS 4

/* The kind of the next block: 1 for several buffers. */
static int32_t kind_of(const struct coreio__turns *turns)
{
    if (turns->tried < 2 * ROWS * ROW)
        return turns->tried / ROW % 2;
    return turns->best[1] < turns->best[0];
}

struct coreio__turns coreio__turns_make(int64_t block_bytes)
{
    const int64_t fit = COREIO__TURNS_BYTES / block_bytes;
    return (struct coreio__turns){.count = fit < 1 ? 1 : fit > COREIO__TURNS ? COREIO__TURNS : (int32_t)fit};
}

int32_t coreio__turns_next(struct coreio__turns *turns)
{
    if (kind_of(turns))
        turns->at = (turns->at + 1) % turns->count;
    return turns->at;
}

void coreio__turns_took(struct coreio__turns *turns, int64_t ns)
{
    if (turns->tried == 2 * ROWS * ROW)
        return;
    int64_t *best = &turns->best[kind_of(turns)];
    if (turns->tried % ROW >= UNCOUNTED && (*best == 0 || ns < *best))
        *best = ns;
    turns->tried++;
}
