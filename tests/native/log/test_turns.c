/* Which buffer comes next: all in turn where that is faster, else the same again. */
#include "check.h"

#include "log/turns.h"

#define BLOCK 262144
/* Blocks until it is decided, and those of one kind in a row, the first half of which does not count. */
#define TRIED 64
#define ROW 8

/* Tries both kinds: a block takes `one` or `several` ns, but where it does not count; there all take `first`. */
static void try_both(struct coreio__turns *turns, int64_t one, int64_t several, int64_t first)
{
    for (int32_t i = 0; i < TRIED; i++) {
        const int32_t before = turns->at;
        const int32_t is_several = i / ROW % 2;
        const int32_t at = coreio__turns_next(turns);
        check_context("block %d", i);
        CHECK_EQ(at, is_several ? (before + 1) % turns->count : before);
        coreio__turns_took(turns, i % ROW < ROW / 2 ? first : is_several ? several + i : one + 2 * i);
    }
}

static int32_t stays(struct coreio__turns *turns)
{
    const int32_t before = turns->at;
    int32_t same = 0;
    for (int32_t i = 0; i < 20; i++) {
        same += coreio__turns_next(turns) == before;
        /* What is decided is decided. */
        coreio__turns_took(turns, i % 2 ? 1 : 1000000);
    }
    return same == 20;
}

TEST(the_faster_kind_is_kept)
{
    struct coreio__turns turns = coreio__turns_make(BLOCK);
    try_both(&turns, 3000, 3500, 9000);
    CHECK(stays(&turns));
    turns = coreio__turns_make(BLOCK);
    try_both(&turns, 3500, 3000, 9000);
    CHECK(!stays(&turns));
    for (int32_t i = 0; i < 20; i++) {
        const int32_t before = turns.at;
        CHECK_EQ(coreio__turns_next(&turns), (before + 1) % COREIO__TURNS);
    }
}

TEST(what_finds_the_caches_of_the_other_kind_does_not_count)
{
    struct coreio__turns turns = coreio__turns_make(BLOCK);
    try_both(&turns, 3000, 3500, 1);
    CHECK(stays(&turns));
    turns = coreio__turns_make(BLOCK);
    try_both(&turns, 3500, 3000, 1);
    CHECK(!stays(&turns));
}

TEST(equal_kinds_are_one_buffer)
{
    struct coreio__turns turns = coreio__turns_make(BLOCK);
    for (int32_t i = 0; i < TRIED; i++) {
        (void)coreio__turns_next(&turns);
        coreio__turns_took(&turns, 5000);
    }
    CHECK(stays(&turns));
}

TEST(all_buffers_together_are_small)
{
    static const int64_t sizes[][2] = {{4096, 4}, {BLOCK, 4}, {BLOCK + 1, 3}, {524288, 2}, {1048576, 1}, {16777216, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct coreio__turns turns = coreio__turns_make(sizes[i][0]);
        check_context("%d bytes", (int)sizes[i][0]);
        CHECK_EQ(turns.count, sizes[i][1]);
        try_both(&turns, 3500, 3000, 9000);
    }
}
