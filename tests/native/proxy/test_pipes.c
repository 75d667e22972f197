/* Pipes: used again when empty, closed when not, bounded, and refused. */
#include "check.h"

#include "allocations.h"
#include "proxy/pipes.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static int32_t open_descriptors(void)
{
    int32_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

TEST(an_empty_pipe_is_used_again)
{
    const int32_t before = open_descriptors();
    struct coreio__pipes pipes;
    coreio__pipes_start(&pipes, 128 * 1024, 2);
    struct coreio__pipe *first = coreio__pipes_take(&pipes);
    struct coreio__pipe *second = coreio__pipes_take(&pipes);
    REQUIRE(first != NULL && second != NULL);
    CHECK_EQ(fcntl(first->ends[0], F_GETPIPE_SZ), first->bytes);
    CHECK((fcntl(first->ends[0], F_GETFL) & O_NONBLOCK) != 0);
    CHECK((fcntl(first->ends[1], F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(coreio__pipes_take(&pipes) == NULL);
    coreio__pipes_give(&pipes, first);
    CHECK(coreio__pipes_take(&pipes) == first);
    CHECK_EQ(pipes.made, 2);
    CHECK_EQ(write(first->ends[1], "x", 1), 1);
    coreio__pipes_drop(&pipes, first);
    CHECK_EQ(pipes.made, 1);
    struct coreio__pipe *third = coreio__pipes_take(&pipes);
    REQUIRE(third != NULL);
    char byte;
    CHECK_EQ(read(third->ends[0], &byte, 1), -1);
    coreio__pipes_give(&pipes, third);
    coreio__pipes_give(&pipes, second);
    CHECK_EQ(pipes.taken, 0);
    coreio__pipes_end(&pipes);
    CHECK_EQ(pipes.made, 0);
    CHECK_EQ(open_descriptors(), before);
}

TEST(a_size_the_system_does_not_give_is_a_smaller_pipe)
{
    struct coreio__pipes pipes;
    coreio__pipes_start(&pipes, INT32_MAX, 1);
    struct coreio__pipe *pipe = coreio__pipes_take(&pipes);
    REQUIRE(pipe != NULL);
    CHECK_EQ(fcntl(pipe->ends[0], F_GETPIPE_SZ), pipe->bytes);
    coreio__pipes_give(&pipes, pipe);
    coreio__pipes_end(&pipes);
}

TEST(no_pipe_without_descriptors_or_memory)
{
    struct coreio__pipes pipes;
    coreio__pipes_start(&pipes, 65536, 8);
    allocations_refuse_after(0);
    CHECK(coreio__pipes_take(&pipes) == NULL);
    allocations_refuse_after(-1);
    struct rlimit limit;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const int32_t lowest = dup(0);
    close(lowest);
    const struct rlimit tight = {.rlim_cur = (rlim_t)lowest + 1, .rlim_max = limit.rlim_max};
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
    CHECK(coreio__pipes_take(&pipes) == NULL);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK_EQ(pipes.taken, 0);
    CHECK_EQ(pipes.made, 0);
    struct coreio__pipe *pipe = coreio__pipes_take(&pipes);
    CHECK(pipe != NULL);
    coreio__pipes_drop(&pipes, pipe);
    coreio__pipes_end(&pipes);
}
