/* The harness itself: a guard that does not guard, or a check that does not fail, would make other tests vain. */
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Reads a byte in a child whose output goes nowhere; 1 when the child lived. */
static int child_reads(const volatile uint8_t *at)
{
    const pid_t child = fork();
    if (child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        (void)*at;
        _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(a_guarded_copy_ends_at_an_unreadable_page)
{
    static const int64_t lengths[] = {1, 15, 4095, 4096, 4097};
    static uint8_t bytes[4097];
    memset(bytes, 'x', sizeof bytes);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        check_context("length %lld", (long long)lengths[i]);
        const uint8_t *copy = guarded_copy(bytes, lengths[i]);
        CHECK_BYTES(copy, lengths[i], bytes, lengths[i]);
        CHECK(child_reads(copy + lengths[i] - 1));
        CHECK(!child_reads(copy + lengths[i]));
    }
    CHECK(!child_reads(guarded_copy(NULL, 0)));
}

TEST(a_guarded_copy_begins_after_an_unreadable_page)
{
    const uint8_t *copy = guarded_copy_after("abc", 3);
    CHECK_TEXT(copy, 3, "abc");
    CHECK(child_reads(copy));
    CHECK(!child_reads(copy - 1));
}

TEST(files_are_read_whole)
{
    int64_t length;
    const uint8_t *text = check_file("native/exports.map", &length);
    REQUIRE(text != NULL);
    CHECK(length > 100);
    CHECK(strstr((const char *)text, "coreio_abi;") != NULL);
}

TEST(directories_hold_what_is_written_to_them)
{
    const char *file = check_write(check_directory(), "a/b/c", "text", 4);
    CHECK_EQ(access(file, R_OK), 0);
}
