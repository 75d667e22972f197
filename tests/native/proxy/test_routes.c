/* Names to groups: exact names, names below a name, and what is none. */
#include "check.h"

#include "allocations.h"
#include "proxy/routes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int32_t add(struct coreio__routes *routes, const char *name, int32_t group)
{
    return coreio__routes_add(routes, (const uint8_t *)name, (int32_t)strlen(name), group);
}

static int32_t find(const struct coreio__routes *routes, const char *name)
{
    return coreio__routes_find(routes, (const uint8_t *)name, (int32_t)strlen(name));
}

TEST(the_longest_name_that_fits_is_found)
{
    struct coreio__routes routes = {.all = NULL};
    CHECK_EQ(find(&routes, "a"), -1);
    CHECK_EQ(add(&routes, "Example.com", 1), 0);
    CHECK_EQ(add(&routes, "*.example.com", 2), 0);
    CHECK_EQ(add(&routes, "*.b.example.com", 3), 0);
    CHECK_EQ(add(&routes, "x.b.example.com", 4), 0);
    CHECK_EQ(find(&routes, "example.com"), 1);
    CHECK_EQ(find(&routes, "a.example.com"), 2);
    CHECK_EQ(find(&routes, "b.example.com"), 2);
    CHECK_EQ(find(&routes, "y.z.example.com"), 2);
    CHECK_EQ(find(&routes, "y.b.example.com"), 3);
    CHECK_EQ(find(&routes, "x.b.example.com"), 4);
    CHECK_EQ(find(&routes, "notexample.com"), -1);
    CHECK_EQ(find(&routes, "com"), -1);
    CHECK_EQ(find(&routes, ".example.com"), 2);
    coreio__routes_end(&routes);
}

TEST(what_is_no_name_is_refused)
{
    struct coreio__routes routes = {.all = NULL};
    static const char *const bad[] = {"", "*", "*.", ".a", "a*b", "a.*.b", "**.a"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        check_context("%s", bad[i]);
        CHECK_EQ(add(&routes, bad[i], 0), -EINVAL);
    }
    check_context(NULL);
    char longest[255];
    memset(longest, 'a', sizeof longest);
    longest[254] = '\0';
    CHECK_EQ(add(&routes, longest, 0), -EINVAL);
    longest[253] = '\0';
    CHECK_EQ(add(&routes, longest, 0), 0);
    CHECK_EQ(add(&routes, "a.b", 0), 0);
    CHECK_EQ(add(&routes, "A.B", 1), -EEXIST);
    CHECK_EQ(add(&routes, "*.a.b", 1), 0);
    CHECK_EQ(add(&routes, "*.A.b", 1), -EEXIST);
    coreio__routes_end(&routes);
}

TEST(many_names)
{
    struct coreio__routes routes = {.all = NULL};
    char name[32];
    for (int32_t i = 0; i < 2000; i++) {
        (void)snprintf(name, sizeof name, "host%d.example", i * 7919 % 2000);
        CHECK_EQ(add(&routes, name, i * 7919 % 2000), 0);
    }
    for (int32_t i = 0; i < 2000; i++) {
        (void)snprintf(name, sizeof name, "host%d.example", i);
        CHECK_EQ(find(&routes, name), i);
    }
    coreio__routes_end(&routes);
}

TEST(refused_memory_adds_nothing)
{
    for (int32_t passed = 0;; passed++) {
        struct coreio__routes routes = {.all = NULL};
        allocations_refuse_after(passed);
        const int32_t status = add(&routes, "a.b", 1);
        const int refused = allocations_refused();
        allocations_refuse_after(-1);
        CHECK_EQ(status, refused ? -ENOMEM : 0);
        CHECK_EQ(find(&routes, "a.b"), refused ? -1 : 1);
        coreio__routes_end(&routes);
        if (!refused)
            break;
    }
}
