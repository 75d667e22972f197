/* Options of callers built against older and newer headers. */
#include "check.h"

#include <coreio/base.h>
#include <errno.h>
#include <string.h>

#include "base/options.h"

struct options {
    uint32_t size;
    int32_t first;
    int32_t second;
};

struct longer {
    uint32_t size;
    int32_t first;
    int32_t second;
    int32_t third;
};

TEST(no_options_are_all_defaults)
{
    struct options own = {1, 2, 3};
    CHECK_EQ(coreio__options_read(&own, sizeof own, NULL), 0);
    CHECK_EQ(own.first, 0);
    CHECK_EQ(own.second, 0);
}

TEST(a_shorter_structure_is_completed_with_zeros)
{
    const struct options theirs = {8, 7, 9};
    struct options own = {1, 2, 3};
    CHECK_EQ(coreio__options_read(&own, sizeof own, &theirs), 0);
    CHECK_EQ(own.first, 7);
    CHECK_EQ(own.second, 0);
}

TEST(a_longer_structure_may_hold_zeros_only)
{
    struct longer theirs = {sizeof theirs, 7, 9, 0};
    struct options own;
    CHECK_EQ(coreio__options_read(&own, sizeof own, &theirs), 0);
    CHECK_EQ(own.second, 9);
    theirs.third = 1;
    CHECK_EQ(coreio__options_read(&own, sizeof own, &theirs), COREIO_EABI);
}

TEST(a_size_that_does_not_hold_itself_is_invalid)
{
    const struct options theirs = {3, 7, 9};
    struct options own;
    CHECK_EQ(coreio__options_read(&own, sizeof own, &theirs), -EINVAL);
}
