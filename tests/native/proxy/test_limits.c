/* Limits: sources counted in and out against a plain array, and rates over a simulated clock. */
#include "check.h"

#include "allocations.h"
#include "proxy/limits.h"

#include <errno.h>
#include <stdlib.h>

TEST(a_source_has_as_many_as_it_may)
{
    struct coreio__sources sources;
    coreio__sources_start(&sources);
    CHECK_EQ(coreio__sources_enter(&sources, 7, 2), 1);
    CHECK_EQ(coreio__sources_enter(&sources, 7, 2), 1);
    CHECK_EQ(coreio__sources_enter(&sources, 7, 2), 0);
    CHECK_EQ(coreio__sources_enter(&sources, 8, 2), 1);
    coreio__sources_leave(&sources, 7);
    CHECK_EQ(coreio__sources_enter(&sources, 7, 2), 1);
    CHECK_EQ(coreio__sources_enter(&sources, 0, 0), 1);
    coreio__sources_leave(&sources, 0);
    CHECK_EQ(sources.used, 2);
    coreio__sources_end(&sources);
}

TEST(many_sources_come_and_go)
{
    enum { SOURCES = 3000, STEPS = 200000, MOST = 3 };
    static int32_t counts[SOURCES];
    struct coreio__sources sources;
    coreio__sources_start(&sources);
    srand(3);
    int64_t used = 0;
    for (int32_t i = 0; i < STEPS; i++) {
        const int32_t who = rand() % SOURCES;
        /* Few distinct homes, so that searches run into each other. */
        const uint64_t source = (uint64_t)who + 1;
        if (rand() % 2 == 0) {
            CHECK_EQ(coreio__sources_enter(&sources, source, MOST), counts[who] < MOST);
            if (counts[who] < MOST && counts[who]++ == 0)
                used++;
        } else if (counts[who] > 0) {
            coreio__sources_leave(&sources, source);
            if (--counts[who] == 0)
                used--;
        }
        if (i % 1000 == 0)
            CHECK_EQ(sources.used, used);
    }
    for (int32_t who = 0; who < SOURCES; who++) {
        while (counts[who]-- > 0)
            coreio__sources_leave(&sources, (uint64_t)who + 1);
    }
    CHECK_EQ(sources.used, 0);
    coreio__sources_end(&sources);
}

TEST(refused_memory_is_told)
{
    struct coreio__sources sources;
    coreio__sources_start(&sources);
    allocations_refuse_after(0);
    CHECK_EQ(coreio__sources_enter(&sources, 7, 1), -ENOMEM);
    allocations_refuse_after(-1);
    CHECK_EQ(sources.used, 0);
    CHECK_EQ(coreio__sources_enter(&sources, 7, 1), 1);
    coreio__sources_end(&sources);
}

TEST(a_rate_holds_over_any_second)
{
    enum { PER_SECOND = 100 };
    coreio__rate rate = 0;
    int64_t now = 123456789;
    int32_t taken = 0;
    const int64_t end = now + 10 * INT64_C(1000000000);
    while (now < end) {
        const int64_t wait = coreio__rate_take(&rate, PER_SECOND, now);
        if (wait == 0)
            taken++;
        else
            now += wait;
    }
    /* Ten seconds' worth, and what may come at once. */
    CHECK(taken >= 1000 && taken <= 1000 + PER_SECOND / 10 + 1);
    /* After a rest no more than that at once. */
    now += INT64_C(3600000000000);
    int32_t burst = 0;
    while (coreio__rate_take(&rate, PER_SECOND, now) == 0)
        burst++;
    CHECK_EQ(burst, PER_SECOND / 10);
    coreio__rate_give(&rate, PER_SECOND);
    CHECK_EQ(coreio__rate_take(&rate, PER_SECOND, now), 0);
    CHECK(coreio__rate_take(&rate, PER_SECOND, now) > 0);
}

TEST(a_rate_of_one_lets_one_pass)
{
    coreio__rate rate = 0;
    CHECK_EQ(coreio__rate_take(&rate, 1, 5000), 0);
    CHECK_EQ(coreio__rate_take(&rate, 1, 5000), 1000000000);
    CHECK_EQ(coreio__rate_take(&rate, 1, 5000 + 1000000000), 0);
}
