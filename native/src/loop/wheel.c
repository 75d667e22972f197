/* The wheels of timers; see wheel.h. */
#include "wheel.h"

#define DIGIT 6 /* bits */
#define LEVELS COREIO__WHEEL_LEVELS
#define BUCKETS COREIO__WHEEL_BUCKETS
#define DUE COREIO__WHEEL_DUE
/* What the wheels together turn over; a timer behind that lies in the last bucket, and is put again from there. */
#define REACH ((INT64_C(1) << (DIGIT * LEVELS)) - 1)

/* The first tick that is not before `ns`: a timer never fires early. */
static int64_t tick_of(int64_t ns)
{
    const int64_t tick = ns >> COREIO__WHEEL_TICK_SHIFT;
    return (tick << COREIO__WHEEL_TICK_SHIFT) == ns ? tick : tick + 1;
}

void coreio__wheel_start(struct coreio__wheel *wheel, int64_t now)
{
    *wheel = (struct coreio__wheel){.time = now, .now = now >> COREIO__WHEEL_TICK_SHIFT};
    coreio__slab_start(&wheel->timers, sizeof(struct coreio__timer));
    for (int32_t i = 0; i <= DUE; i++)
        wheel->first[i] = -1;
}

void coreio__wheel_end(struct coreio__wheel *wheel)
{
    coreio__slab_end(&wheel->timers);
}

/* Appends a timer to a bucket. */
static void append(struct coreio__wheel *wheel, int32_t index, int32_t bucket)
{
    struct coreio__timer *timer = coreio__wheel_timer(wheel, index);
    const int32_t first = wheel->first[bucket];
    timer->bucket = bucket;
    timer->next = -1;
    if (first < 0) {
        timer->previous = index;
        wheel->first[bucket] = index;
        if (bucket != DUE)
            wheel->occupied[bucket / BUCKETS] |= UINT64_C(1) << (bucket % BUCKETS);
        return;
    }
    struct coreio__timer *head = coreio__wheel_timer(wheel, first);
    timer->previous = head->previous;
    coreio__wheel_timer(wheel, head->previous)->next = index;
    head->previous = index;
}

static void unlink_timer(struct coreio__wheel *wheel, int32_t index)
{
    struct coreio__timer *timer = coreio__wheel_timer(wheel, index);
    const int32_t bucket = timer->bucket;
    const int32_t first = wheel->first[bucket];
    if (first == index) {
        wheel->first[bucket] = timer->next;
        if (timer->next >= 0)
            coreio__wheel_timer(wheel, timer->next)->previous = timer->previous;
        else if (bucket != DUE)
            wheel->occupied[bucket / BUCKETS] &= ~(UINT64_C(1) << (bucket % BUCKETS));
        return;
    }
    coreio__wheel_timer(wheel, timer->previous)->next = timer->next;
    if (timer->next >= 0)
        coreio__wheel_timer(wheel, timer->next)->previous = timer->previous;
    else
        coreio__wheel_timer(wheel, first)->previous = timer->previous;
}

/* Puts a timer into the bucket of its deadline, as seen from now. */
static void place(struct coreio__wheel *wheel, int32_t index)
{
    const int64_t deadline = coreio__wheel_timer(wheel, index)->deadline;
    int64_t tick = tick_of(deadline);
    if (tick <= wheel->now || deadline <= wheel->time) {
        append(wheel, index, DUE);
        return;
    }
    if (tick - wheel->now > REACH)
        tick = wheel->now + REACH;
    int32_t level = (63 - __builtin_clzll((uint64_t)(tick ^ wheel->now))) / DIGIT;
    /* A tick within reach may differ in a digit above the last wheel; that wheel then turns over on its way to it. */
    if (level >= LEVELS)
        level = LEVELS - 1;
    append(wheel, index, level * BUCKETS + (int32_t)((tick >> (level * DIGIT)) & (BUCKETS - 1)));
}

int32_t coreio__wheel_add(struct coreio__wheel *wheel, int64_t deadline, int64_t period, uint64_t data)
{
    const int32_t index = coreio__slab_take(&wheel->timers);
    if (index < 0)
        return index;
    struct coreio__timer *timer = coreio__wheel_timer(wheel, index);
    timer->deadline = deadline;
    timer->period = period;
    timer->data = data;
    place(wheel, index);
    return index;
}

void coreio__wheel_move(struct coreio__wheel *wheel, int32_t index, int64_t deadline)
{
    unlink_timer(wheel, index);
    coreio__wheel_timer(wheel, index)->deadline = deadline;
    place(wheel, index);
}

void coreio__wheel_remove(struct coreio__wheel *wheel, int32_t index)
{
    unlink_timer(wheel, index);
    coreio__slab_give(&wheel->timers, index);
}

/* The first tick of the bucket that comes first, or INT64_MAX; writes which one it is. */
static int64_t next_bucket(const struct coreio__wheel *wheel, int32_t *bucket)
{
    for (int32_t level = 0; level < LEVELS; level++) {
        const uint64_t occupied = wheel->occupied[level];
        if (occupied == 0)
            continue;
        const int32_t shift = level * DIGIT;
        const int32_t current = (int32_t)((wheel->now >> shift) & (BUCKETS - 1));
        /* Buckets behind the current one come first; those at and before it, on the last wheel, after a turn. */
        const uint64_t behind = current == BUCKETS - 1 ? 0 : occupied & (~UINT64_C(0) << (current + 1));
        const int32_t index = __builtin_ctzll(behind != 0 ? behind : occupied);
        const int64_t turn = wheel->now >> (shift + DIGIT);
        *bucket = level * BUCKETS + index;
        return ((turn + (behind == 0)) * BUCKETS + index) << shift;
    }
    return INT64_MAX;
}

void coreio__wheel_advance(struct coreio__wheel *wheel, int64_t now)
{
    const int64_t until = now >> COREIO__WHEEL_TICK_SHIFT;
    wheel->time = now;
    int32_t bucket = 0;
    for (int64_t tick = next_bucket(wheel, &bucket); tick <= until; tick = next_bucket(wheel, &bucket)) {
        wheel->now = tick;
        int32_t index = wheel->first[bucket];
        wheel->first[bucket] = -1;
        wheel->occupied[bucket / BUCKETS] &= ~(UINT64_C(1) << (bucket % BUCKETS));
        while (index >= 0) {
            const int32_t next = coreio__wheel_timer(wheel, index)->next;
            place(wheel, index);
            index = next;
        }
    }
    if (until > wheel->now)
        wheel->now = until;
}

int64_t coreio__wheel_next(const struct coreio__wheel *wheel)
{
    if (wheel->first[DUE] >= 0)
        return wheel->now << COREIO__WHEEL_TICK_SHIFT;
    int32_t bucket = 0;
    const int64_t tick = next_bucket(wheel, &bucket);
    return tick > INT64_MAX >> COREIO__WHEEL_TICK_SHIFT ? INT64_MAX : tick << COREIO__WHEEL_TICK_SHIFT;
}
