/* Small files, paths and numbers. */
#include "check.h"

#include "base/base.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

TEST(path_joins_text_and_numbers)
{
    struct coreio__path path;
    coreio__path_start(&path, "/sys/cpu");
    coreio__path_add_number(&path, 0);
    coreio__path_add(&path, "/node");
    coreio__path_add_number(&path, INT32_MAX);
    CHECK_TEXT(path.text, path.length, "/sys/cpu0/node2147483647");
    coreio__path_start(&path, "");
    coreio__path_add_number(&path, INT32_MIN);
    CHECK_TEXT(path.text, path.length, "-2147483648");
}

TEST(path_that_does_not_fit_names_nothing)
{
    struct coreio__path path;
    char text[256];
    memset(text, 'a', sizeof text - 1);
    text[255] = '\0';
    coreio__path_start(&path, text);
    CHECK_EQ(path.length, 255);
    coreio__path_add(&path, "");
    CHECK_EQ(path.length, 255);
    coreio__path_add(&path, "b");
    CHECK_EQ(path.length, -1);
    CHECK_TEXT(path.text, strlen(path.text), "");
    coreio__path_add(&path, "c");
    CHECK_EQ(path.length, -1);
    CHECK_EQ(coreio__open_read(path.text), -ENOENT);
}

TEST(text_is_read_whole_or_cut)
{
    const char *file = check_write(check_directory(), "text", "hello\n", 6);
    char text[16];
    CHECK_EQ(coreio__read_text(file, text, (int32_t)sizeof text), 6);
    CHECK_TEXT(text, strlen(text), "hello\n");
    CHECK_EQ(coreio__read_text(file, text, 4), 3);
    CHECK_TEXT(text, strlen(text), "hel");
}

TEST(text_of_no_file_is_empty)
{
    char text[16] = "before";
    const char *directory = check_directory();
    CHECK_EQ(coreio__read_text("/nonexistent/file", text, (int32_t)sizeof text), -ENOENT);
    CHECK_TEXT(text, strlen(text), "");
    CHECK_EQ(coreio__read_text(directory, text, (int32_t)sizeof text), -EISDIR);
    CHECK_TEXT(text, strlen(text), "");
}

TEST(numbers_are_parsed_to_their_end)
{
    const char *text = "12,x";
    const char *at = text;
    CHECK_EQ(coreio__parse_number(&at), 12);
    CHECK_EQ(at - text, 2);
    CHECK_EQ(coreio__parse_number(&at), -1);
    CHECK_EQ(at - text, 2);
    at = "2147483647";
    CHECK_EQ(coreio__parse_number(&at), INT32_MAX);
    at = "2147483648";
    CHECK_EQ(coreio__parse_number(&at), -1);
    at = "99999999999999999999999";
    CHECK_EQ(coreio__parse_number(&at), -1);
}

TEST(a_file_without_a_number_is_minus_one)
{
    const char *directory = check_directory();
    CHECK_EQ(coreio__read_number(check_write(directory, "number", "2048K\n", 6)), 2048);
    CHECK_EQ(coreio__read_number(check_write(directory, "minus", "-1\n", 3)), -1);
    CHECK_EQ(coreio__read_number(check_write(directory, "empty", "", 0)), -1);
    CHECK_EQ(coreio__read_number("/nonexistent/file"), -1);
}

static void ignore_alarm(int number)
{
    (void)number;
}

TEST(a_signal_does_not_end_a_read)
{
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    /* No SA_RESTART: each tick interrupts the read that waits for the second half. */
    const struct sigaction action = {.sa_handler = ignore_alarm};
    struct sigaction before;
    sigaction(SIGALRM, &action, &before);
    const struct itimerval ticks = {{0, 2000}, {0, 2000}};
    setitimer(ITIMER_REAL, &ticks, NULL);
    const pid_t child = fork();
    if (child == 0) {
        (void)!write(ends[1], "half", 4);
        usleep(50000);
        (void)!write(ends[1], "half", 4);
        _exit(0);
    }
    close(ends[1]);
    char text[16];
    CHECK_EQ(coreio__read_full(ends[0], text, (int64_t)sizeof text), 8);
    const struct itimerval none = {0};
    setitimer(ITIMER_REAL, &none, NULL);
    sigaction(SIGALRM, &before, NULL);
    CHECK_TEXT(text, 8, "halfhalf");
    close(ends[0]);
    CHECK_EQ(coreio__read_full(ends[0], text, (int64_t)sizeof text), -EBADF);
}
