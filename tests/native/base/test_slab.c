/* Slabs: identifiers of earlier owners find nothing, items stay where they are, memory that is refused changes nothing.
 */
#include "check.h"

#include "allocations.h"
#include "base/slab.h"

#include <errno.h>

struct item {
    struct coreio__slab_head head;
    int64_t value;
};

TEST(an_identifier_finds_its_item_until_it_is_given_back)
{
    struct coreio__slab slab;
    coreio__slab_start(&slab, sizeof(struct item));
    const int32_t index = coreio__slab_take(&slab);
    REQUIRE(index >= 0);
    const int64_t id = coreio__slab_id(&slab, index);
    CHECK(id > 0);
    CHECK(coreio__slab_find(&slab, id) == coreio__slab_item(&slab, index));
    coreio__slab_give(&slab, index);
    CHECK(coreio__slab_find(&slab, id) == NULL);

    const int32_t again = coreio__slab_take(&slab);
    CHECK_EQ(again, index);
    CHECK(coreio__slab_id(&slab, again) != id);
    CHECK(coreio__slab_find(&slab, id) == NULL);
    coreio__slab_end(&slab);
}

TEST(any_number_may_be_asked_for)
{
    struct coreio__slab slab;
    coreio__slab_start(&slab, sizeof(struct item));
    const int64_t numbers[] = {0, 1, -1, INT64_MAX, INT64_MIN, INT64_C(1) << 32, (INT64_C(1) << 32) + 1};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        CHECK(coreio__slab_find(&slab, numbers[i]) == NULL);
    const int32_t index = coreio__slab_take(&slab);
    CHECK_EQ(coreio__slab_id(&slab, index), INT64_C(1) << 32);
    CHECK(coreio__slab_find(&slab, (INT64_C(1) << 32) + 1) == NULL);
    CHECK(coreio__slab_find(&slab, 0) == NULL);
    coreio__slab_end(&slab);
}

TEST(items_stay_where_they_are_and_come_back_zeroed)
{
    enum { COUNT = 100000 };
    static struct item *items[COUNT];
    struct coreio__slab slab;
    coreio__slab_start(&slab, sizeof(struct item));
    for (int32_t i = 0; i < COUNT; i++) {
        REQUIRE(coreio__slab_take(&slab) == i);
        items[i] = coreio__slab_item(&slab, i);
        CHECK_EQ(items[i]->value, 0);
        items[i]->value = i;
    }
    CHECK_EQ(slab.taken, COUNT);
    int32_t moved = 0;
    for (int32_t i = 0; i < COUNT; i++)
        moved += coreio__slab_item(&slab, i) != (void *)items[i] || items[i]->value != i;
    CHECK_EQ(moved, 0);
    for (int32_t i = 0; i < COUNT; i += 2)
        coreio__slab_give(&slab, i);
    CHECK_EQ(slab.taken, COUNT / 2);
    for (int32_t i = 0; i < COUNT / 2; i++) {
        const struct item *item = coreio__slab_item(&slab, coreio__slab_take(&slab));
        CHECK_EQ(item->value, 0);
    }
    CHECK_EQ(slab.high, COUNT);
    coreio__slab_end(&slab);
    CHECK_EQ(slab.taken, 0);
}

TEST(refused_memory_is_no_item)
{
    for (int32_t passed = 0;; passed++) {
        struct coreio__slab slab;
        coreio__slab_start(&slab, sizeof(struct item));
        allocations_refuse_after(passed);
        const int32_t index = coreio__slab_take(&slab);
        const int refused = allocations_refused();
        allocations_refuse_after(-1);
        if (refused) {
            CHECK_EQ(index, -ENOMEM);
            CHECK_EQ(slab.taken, 0);
            CHECK_EQ(coreio__slab_take(&slab), 0);
        }
        coreio__slab_end(&slab);
        if (!refused) {
            CHECK(passed > 0);
            break;
        }
    }
}
