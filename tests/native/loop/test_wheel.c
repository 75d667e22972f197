/* The wheels against a plain list of deadlines, near and far, over turns of every wheel. */
#include "check.h"

#include "loop/wheel.h"

#include <errno.h>
#include <stdlib.h>

#define TICK (INT64_C(1) << COREIO__WHEEL_TICK_SHIFT)

static uint64_t state = 88172645463325252;

static uint64_t random_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Takes what is due, checks that it is, and returns how many there were. */
static int32_t take_due(struct coreio__wheel *wheel, int64_t now, int64_t *deadlines)
{
    int32_t taken = 0;
    for (int32_t index = coreio__wheel_due(wheel); index >= 0; index = coreio__wheel_due(wheel)) {
        const struct coreio__timer *timer = coreio__wheel_timer(wheel, index);
        CHECK(timer->deadline <= now);
        CHECK_EQ(deadlines[timer->data], timer->deadline);
        deadlines[timer->data] = -1;
        coreio__wheel_remove(wheel, index);
        taken++;
    }
    return taken;
}

TEST(timers_fire_at_their_tick_and_never_early)
{
    enum { COUNT = 2000, STEPS = 4000 };
    static int64_t deadlines[COUNT];
    static int32_t indices[COUNT];
    for (int32_t round = 0; round < 20; round++) {
        struct coreio__wheel wheel;
        int64_t now = (int64_t)(random_number() >> 20);
        coreio__wheel_start(&wheel, now);
        int32_t running = 0;
        for (int32_t i = 0; i < COUNT; i++)
            deadlines[i] = -1;
        for (int32_t step = 0; step < STEPS; step++) {
            const int32_t which = (int32_t)(random_number() % COUNT);
            const int64_t delay = (int64_t)(random_number() >> (20 + random_number() % 44));
            if (deadlines[which] < 0) {
                deadlines[which] = now + delay;
                indices[which] = coreio__wheel_add(&wheel, now + delay, 0, (uint64_t)which);
                running++;
            } else if (random_number() % 2 == 0) {
                deadlines[which] = now + delay;
                coreio__wheel_move(&wheel, indices[which], now + delay);
            } else {
                coreio__wheel_remove(&wheel, indices[which]);
                deadlines[which] = -1;
                running--;
            }
            if (step % 3 != 0)
                continue;
            /* What is next is no later than the first deadline, so a sleep until then misses none. */
            int64_t first = INT64_MAX;
            for (int32_t i = 0; i < COUNT; i++) {
                if (deadlines[i] >= 0 && deadlines[i] < first)
                    first = deadlines[i];
            }
            const int64_t next = coreio__wheel_next(&wheel);
            CHECK(first == INT64_MAX ? next == INT64_MAX : next <= first + TICK);
            now += (int64_t)(random_number() >> (24 + random_number() % 40));
            coreio__wheel_advance(&wheel, now);
            running -= take_due(&wheel, now, deadlines);
            for (int32_t i = 0; i < COUNT; i++) {
                if (deadlines[i] >= 0 && deadlines[i] <= now - TICK) {
                    check_context("round %d, step %d: %lld ns late", round, step, (long long)(now - deadlines[i]));
                    CHECK(deadlines[i] > now - TICK);
                    check_context(NULL);
                }
            }
            CHECK_EQ(wheel.timers.taken, running);
        }
        coreio__wheel_end(&wheel);
    }
}

TEST(a_timer_behind_the_reach_of_the_wheels_fires_in_its_time)
{
    struct coreio__wheel wheel;
    int64_t deadlines[2];
    const int64_t reach = INT64_C(1) << (6 * COREIO__WHEEL_LEVELS + COREIO__WHEEL_TICK_SHIFT);
    const int64_t begin = reach - 5 * TICK;
    coreio__wheel_start(&wheel, begin);
    deadlines[0] = begin + 3 * reach;
    deadlines[1] = INT64_MAX;
    CHECK_EQ(coreio__wheel_add(&wheel, deadlines[0], 0, 0), 0);
    CHECK_EQ(coreio__wheel_add(&wheel, deadlines[1], 0, 1), 1);
    int64_t now = begin;
    int32_t steps = 0;
    while (deadlines[0] >= 0 && steps++ < 10000) {
        const int64_t next = coreio__wheel_next(&wheel);
        REQUIRE(next > now && next <= deadlines[0] + TICK);
        now = next;
        coreio__wheel_advance(&wheel, now);
        (void)take_due(&wheel, now, deadlines);
    }
    CHECK_EQ(deadlines[0], -1);
    CHECK(now >= begin + 3 * reach && now <= begin + 3 * reach + TICK);
    /* From bucket to bucket, not from tick to tick. */
    CHECK(steps < 400);
    CHECK_EQ(wheel.timers.taken, 1);
    coreio__wheel_end(&wheel);
}

TEST(one_timer_wakes_a_sleeper_at_most_once_a_wheel)
{
    struct coreio__wheel wheel;
    coreio__wheel_start(&wheel, 12345 * TICK + 77);
    const int64_t deadline = 12345 * TICK + 77 + INT64_C(86400) * 1000000000;
    CHECK_EQ(coreio__wheel_add(&wheel, deadline, 0, 0), 0);
    int32_t sleeps = 0;
    int64_t now = 0;
    while (coreio__wheel_due(&wheel) < 0 && sleeps < 100) {
        now = coreio__wheel_next(&wheel);
        coreio__wheel_advance(&wheel, now);
        sleeps++;
    }
    CHECK(sleeps <= COREIO__WHEEL_LEVELS);
    CHECK(now >= deadline && now <= deadline + TICK);
    coreio__wheel_end(&wheel);
}

TEST(timers_of_one_tick_fire_in_the_order_they_were_started)
{
    struct coreio__wheel wheel;
    coreio__wheel_start(&wheel, 0);
    for (uint64_t i = 0; i < 100; i++)
        CHECK_EQ(coreio__wheel_add(&wheel, 70 * TICK, 0, i), (int32_t)i);
    coreio__wheel_remove(&wheel, 0);
    coreio__wheel_remove(&wheel, 50);
    coreio__wheel_remove(&wheel, 99);
    coreio__wheel_advance(&wheel, 70 * TICK);
    int64_t last = -1;
    int32_t count = 0;
    for (int32_t index = coreio__wheel_due(&wheel); index >= 0; index = coreio__wheel_due(&wheel)) {
        CHECK((int64_t)coreio__wheel_timer(&wheel, index)->data > last);
        last = (int64_t)coreio__wheel_timer(&wheel, index)->data;
        coreio__wheel_remove(&wheel, index);
        count++;
    }
    CHECK_EQ(count, 97);
    coreio__wheel_end(&wheel);
}
