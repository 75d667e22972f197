/* Choosing an upstream: turns by weight, the fewest connections, the same one for a source; up, down and tried again.
 */
#include "check.h"

#include "allocations.h"
#include "proxy/upstream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

static void start(struct coreio__upstreams *upstreams, int32_t balance)
{
    *upstreams = (struct coreio__upstreams){.balance = balance, .fall = 3, .rise = 2, .retry_ns = SECOND};
}

static int32_t add(struct coreio__upstreams *upstreams, uint16_t port, int32_t group, int32_t weight, uint32_t flags)
{
    const struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct coreio_proxy_upstream upstream = {
        .size = sizeof upstream, .group = group, .weight = weight, .flags = flags, .address.length = sizeof in};
    memcpy(upstream.address.bytes, &in, sizeof in);
    return coreio__upstreams_add(upstreams, &upstream);
}

TEST(turns_go_by_weight_and_are_spread)
{
    struct coreio__upstreams upstreams;
    struct coreio__turns turns;
    start(&upstreams, COREIO_PROXY_ROUND_ROBIN);
    CHECK_EQ(add(&upstreams, 1, 0, 5, 0), 0);
    CHECK_EQ(add(&upstreams, 2, 0, 1, 0), 1);
    CHECK_EQ(add(&upstreams, 3, 0, 1, 0), 2);
    CHECK_EQ(add(&upstreams, 4, 1, 1, 0), 3);
    REQUIRE(coreio__turns_start(&turns, &upstreams, 0) == 0);
    int32_t counts[4] = {0};
    int32_t in_a_row = 0;
    int32_t last = -1;
    for (int32_t i = 0; i < 700; i++) {
        const int32_t index = coreio__upstreams_choose(&upstreams, &turns, 0, 0, 0, 0);
        REQUIRE(index >= 0 && index < 3);
        counts[index]++;
        in_a_row = index == last ? in_a_row + 1 : 1;
        last = index;
        /* Not five of one, then the others. */
        CHECK(in_a_row <= 4);
    }
    CHECK_EQ(counts[0], 500);
    CHECK_EQ(counts[1], 100);
    CHECK_EQ(counts[2], 100);
    CHECK_EQ(coreio__upstreams_choose(&upstreams, &turns, 1, 0, 0, 0), 3);
    CHECK_EQ(coreio__upstreams_choose(&upstreams, &turns, 2, 0, 0, 0), -1);
    coreio__turns_end(&turns);
    coreio__upstreams_end(&upstreams);
}

TEST(workers_begin_with_different_upstreams)
{
    struct coreio__upstreams upstreams;
    start(&upstreams, COREIO_PROXY_ROUND_ROBIN);
    for (uint16_t i = 0; i < 4; i++)
        CHECK_EQ(add(&upstreams, i, 0, 0, 0), i);
    for (int32_t worker = 0; worker < 6; worker++) {
        struct coreio__turns turns;
        REQUIRE(coreio__turns_start(&turns, &upstreams, worker) == 0);
        for (int32_t i = 0; i < 8; i++)
            CHECK_EQ(coreio__upstreams_choose(&upstreams, &turns, 0, 0, 0, 0), (worker + i) % 4);
        coreio__turns_end(&turns);
    }
    coreio__upstreams_end(&upstreams);
}

TEST(the_fewest_connections_for_the_weight)
{
    struct coreio__upstreams upstreams;
    struct coreio__turns turns;
    start(&upstreams, COREIO_PROXY_LEAST);
    CHECK_EQ(add(&upstreams, 1, 0, 1, 0), 0);
    CHECK_EQ(add(&upstreams, 2, 0, 3, 0), 1);
    REQUIRE(coreio__turns_start(&turns, &upstreams, 0) == 0);
    for (int32_t i = 0; i < 400; i++) {
        const int32_t index = coreio__upstreams_choose(&upstreams, &turns, 0, 0, 0, 0);
        atomic_fetch_add(&upstreams.all[index].live, 1);
    }
    CHECK_EQ(atomic_load(&upstreams.all[0].live), 100);
    CHECK_EQ(atomic_load(&upstreams.all[1].live), 300);
    coreio__turns_end(&turns);
    coreio__upstreams_end(&upstreams);
}

TEST(a_source_keeps_its_upstream_and_few_move)
{
    enum { SOURCES = 10000 };
    static int32_t chosen[SOURCES];
    struct coreio__upstreams upstreams;
    struct coreio__turns turns;
    start(&upstreams, COREIO_PROXY_SOURCE);
    for (uint16_t i = 0; i < 5; i++)
        CHECK_EQ(add(&upstreams, i, 0, i == 4 ? 2 : 1, 0), i);
    REQUIRE(coreio__turns_start(&turns, &upstreams, 0) == 0);
    int32_t counts[5] = {0};
    for (int32_t i = 0; i < SOURCES; i++) {
        chosen[i] = coreio__upstreams_choose(&upstreams, &turns, 0, (uint64_t)i + 1, 0, 0);
        CHECK_EQ(coreio__upstreams_choose(&upstreams, &turns, 0, (uint64_t)i + 1, 0, 0), chosen[i]);
        counts[chosen[i]]++;
    }
    /* A sixth each, and a third for the one of weight 2; five standard deviations are 190. */
    for (int32_t i = 0; i < 5; i++)
        CHECK(counts[i] > (i == 4 ? 3333 : 1666) - 240 && counts[i] < (i == 4 ? 3333 : 1666) + 240);
    /* One that is down moves its own sources, and no others. */
    for (int32_t i = 0; i < 3; i++)
        coreio__upstream_failed(&upstreams, 1, 0, ECONNREFUSED, 0);
    for (int32_t i = 0; i < SOURCES; i++) {
        const int32_t now = coreio__upstreams_choose(&upstreams, &turns, 0, (uint64_t)i + 1, 0, 1);
        CHECK(chosen[i] == 1 ? now != 1 : now == chosen[i]);
    }
    coreio__turns_end(&turns);
    coreio__upstreams_end(&upstreams);
}

TEST(one_that_fails_is_left_alone_and_tried_again)
{
    struct coreio__upstreams upstreams;
    struct coreio__turns turns;
    start(&upstreams, COREIO_PROXY_ROUND_ROBIN);
    CHECK_EQ(add(&upstreams, 1, 0, 0, 0), 0);
    CHECK_EQ(add(&upstreams, 2, 0, 0, 0), 1);
    REQUIRE(coreio__turns_start(&turns, &upstreams, 0) == 0);
    for (int32_t i = 0; i < 2; i++)
        coreio__upstream_failed(&upstreams, 0, 0, ECONNREFUSED, 100);
    CHECK_EQ(atomic_load(&upstreams.all[0].up), 1);
    coreio__upstream_succeeded(&upstreams, 0, 0);
    for (int32_t i = 0; i < 2; i++)
        coreio__upstream_failed(&upstreams, 0, 0, ECONNREFUSED, 100);
    CHECK_EQ(atomic_load(&upstreams.all[0].up), 1);
    coreio__upstream_failed(&upstreams, 0, 0, ECONNREFUSED, 100);
    CHECK_EQ(atomic_load(&upstreams.all[0].up), 0);
    CHECK_EQ(atomic_load(&upstreams.all[0].last_error), ECONNREFUSED);
    for (int32_t i = 0; i < 10; i++)
        CHECK_EQ(coreio__upstreams_choose(&upstreams, &turns, 0, 0, 0, 200), 1);
    /* After its pause one connection tries it, and the next does not. */
    int32_t tries = 0;
    for (int32_t i = 0; i < 10; i++)
        tries += coreio__upstreams_choose(&upstreams, &turns, 0, 0, 0, 100 + SECOND) == 0;
    CHECK_EQ(tries, 1);
    coreio__upstream_succeeded(&upstreams, 0, 0);
    CHECK_EQ(atomic_load(&upstreams.all[0].up), 1);
    /* With all down, all are tried. */
    for (int32_t i = 0; i < 6; i++)
        coreio__upstream_failed(&upstreams, i % 2, 0, ECONNREFUSED, 100);
    int32_t counts[2] = {0};
    for (int32_t i = 0; i < 10; i++)
        counts[coreio__upstreams_choose(&upstreams, &turns, 0, 0, 0, 200)]++;
    CHECK(counts[0] == 5 && counts[1] == 5);
    coreio__turns_end(&turns);
    coreio__upstreams_end(&upstreams);
}

TEST(a_try_is_not_used_up_by_connections_that_go_elsewhere)
{
    struct coreio__upstreams upstreams;
    struct coreio__turns turns;
    start(&upstreams, COREIO_PROXY_SOURCE);
    for (uint16_t i = 0; i < 4; i++)
        CHECK_EQ(add(&upstreams, i, 0, 0, 0), i);
    REQUIRE(coreio__turns_start(&turns, &upstreams, 0) == 0);
    uint64_t own = 1;
    uint64_t other = 1;
    while (coreio__upstreams_choose(&upstreams, &turns, 0, own, 0, 0) != 1)
        own++;
    while (coreio__upstreams_choose(&upstreams, &turns, 0, other, 0, 0) == 1)
        other++;
    for (int32_t i = 0; i < 3; i++)
        coreio__upstream_failed(&upstreams, 1, 0, ECONNREFUSED, 0);
    CHECK(coreio__upstreams_choose(&upstreams, &turns, 0, own, 0, SECOND - 1) != 1);
    for (int32_t i = 0; i < 10; i++)
        CHECK(coreio__upstreams_choose(&upstreams, &turns, 0, other, 0, SECOND) != 1);
    CHECK_EQ(coreio__upstreams_choose(&upstreams, &turns, 0, own, 0, SECOND), 1);
    CHECK(coreio__upstreams_choose(&upstreams, &turns, 0, own, 0, SECOND) != 1);
    coreio__turns_end(&turns);
    coreio__upstreams_end(&upstreams);
}

TEST(one_that_is_never_tried_again_is_not)
{
    struct coreio__upstreams upstreams;
    struct coreio__turns turns;
    start(&upstreams, COREIO_PROXY_ROUND_ROBIN);
    upstreams.retry_ns = INT64_MAX;
    CHECK_EQ(add(&upstreams, 1, 0, 0, 0), 0);
    CHECK_EQ(add(&upstreams, 2, 0, 0, 0), 1);
    REQUIRE(coreio__turns_start(&turns, &upstreams, 0) == 0);
    for (int32_t i = 0; i < 3; i++)
        coreio__upstream_failed(&upstreams, 0, 0, ECONNREFUSED, SECOND);
    for (int32_t i = 0; i < 10; i++)
        CHECK_EQ(coreio__upstreams_choose(&upstreams, &turns, 0, 0, 0, (int64_t)i << 58), 1);
    coreio__turns_end(&turns);
    coreio__upstreams_end(&upstreams);
}

TEST(checks_bring_one_back_and_nothing_else_does)
{
    struct coreio__upstreams upstreams;
    struct coreio__turns turns;
    start(&upstreams, COREIO_PROXY_ROUND_ROBIN);
    upstreams.checked = 1;
    CHECK_EQ(add(&upstreams, 1, 0, 0, 0), 0);
    REQUIRE(coreio__turns_start(&turns, &upstreams, 0) == 0);
    for (int32_t i = 0; i < 3; i++)
        coreio__upstream_failed(&upstreams, 0, 1, ETIMEDOUT, 0);
    CHECK_EQ(coreio__upstreams_choose(&upstreams, &turns, 0, 0, 0, 100 * SECOND), -1);
    coreio__upstream_succeeded(&upstreams, 0, 1);
    coreio__upstream_failed(&upstreams, 0, 1, ETIMEDOUT, 0);
    coreio__upstream_succeeded(&upstreams, 0, 1);
    CHECK_EQ(coreio__upstreams_choose(&upstreams, &turns, 0, 0, 0, 0), -1);
    coreio__upstream_succeeded(&upstreams, 0, 1);
    CHECK_EQ(coreio__upstreams_choose(&upstreams, &turns, 0, 0, 0, 0), 0);
    CHECK_EQ(atomic_load(&upstreams.all[0].checks), 7);
    coreio__turns_end(&turns);
    coreio__upstreams_end(&upstreams);
}

TEST(a_backup_waits_until_the_others_are_down_or_tried)
{
    struct coreio__upstreams upstreams;
    struct coreio__turns turns;
    start(&upstreams, COREIO_PROXY_ROUND_ROBIN);
    upstreams.checked = 1;
    CHECK_EQ(add(&upstreams, 1, 0, 0, COREIO_PROXY_BACKUP), 0);
    CHECK_EQ(add(&upstreams, 2, 0, 0, 0), 1);
    REQUIRE(coreio__turns_start(&turns, &upstreams, 0) == 0);
    for (int32_t i = 0; i < 5; i++)
        CHECK_EQ(coreio__upstreams_choose(&upstreams, &turns, 0, 0, 0, 0), 1);
    CHECK_EQ(coreio__upstreams_choose(&upstreams, &turns, 0, 0, 2, 0), 0);
    CHECK_EQ(coreio__upstreams_choose(&upstreams, &turns, 0, 0, 3, 0), -1);
    for (int32_t i = 0; i < 3; i++)
        coreio__upstream_failed(&upstreams, 1, 1, ETIMEDOUT, 0);
    CHECK_EQ(coreio__upstreams_choose(&upstreams, &turns, 0, 0, 0, 0), 0);
    coreio__turns_end(&turns);
    coreio__upstreams_end(&upstreams);
}

TEST(refused_memory_adds_nothing)
{
    struct coreio__upstreams upstreams;
    struct coreio__turns turns;
    start(&upstreams, COREIO_PROXY_ROUND_ROBIN);
    allocations_refuse_after(0);
    CHECK_EQ(add(&upstreams, 1, 0, 0, 0), -ENOMEM);
    CHECK_EQ(coreio__turns_start(&turns, &upstreams, 0), -ENOMEM);
    allocations_refuse_after(-1);
    CHECK_EQ(upstreams.count, 0);
    CHECK(!coreio__upstreams_has(&upstreams, 0));
    coreio__upstreams_end(&upstreams);
}
