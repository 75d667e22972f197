/* Descriptors over a unix socket. */
#include "check.h"

#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

TEST(descriptors_arrive_with_their_bytes)
{
    const int32_t before = rig_open_descriptors();
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    int pipes[2];
    REQUIRE(pipe2(pipes, O_CLOEXEC) == 0);
    const int32_t out[] = {pipes[0], pipes[1]};
    CHECK_EQ(coreio_proxy_pass(ends[0], (const uint8_t *)"two", 3, out, 2), 3);
    uint8_t bytes[16];
    int32_t in[4] = {-1, -1, -1, -1};
    int32_t count;
    CHECK_EQ(coreio_proxy_take(ends[1], bytes, sizeof bytes, in, 4, &count), 3);
    CHECK_TEXT(bytes, 3, "two");
    REQUIRE(count == 2);
    CHECK((fcntl(in[0], F_GETFD) & FD_CLOEXEC) != 0);
    CHECK_EQ(write(in[1], "x", 1), 1);
    CHECK_EQ(read(pipes[0], bytes, 1), 1);
    CHECK_EQ(coreio_proxy_pass(ends[0], (const uint8_t *)"none", 4, NULL, 0), 4);
    CHECK_EQ(coreio_proxy_take(ends[1], bytes, sizeof bytes, in + 2, 2, &count), 4);
    CHECK_EQ(count, 0);
    /* What does not fit is closed, all of it. */
    CHECK_EQ(coreio_proxy_pass(ends[0], (const uint8_t *)"x", 1, out, 2), 1);
    CHECK_EQ(coreio_proxy_take(ends[1], bytes, sizeof bytes, in + 2, 1, &count), COREIO_ECAPACITY);
    CHECK_EQ(count, 0);
    close(in[0]);
    close(in[1]);
    close(pipes[0]);
    close(pipes[1]);
    close(ends[0]);
    CHECK_EQ(coreio_proxy_take(ends[1], bytes, sizeof bytes, in, 4, &count), 0);
    CHECK_EQ(coreio_proxy_pass(ends[1], bytes, 1, NULL, 0), -EPIPE);
    close(ends[1]);
    CHECK_EQ(rig_open_descriptors(), before);
}

TEST(as_many_as_the_kernel_takes)
{
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    int32_t out[254];
    int32_t in[253];
    for (int32_t i = 0; i < 254; i++)
        out[i] = ends[0];
    int32_t count;
    uint8_t byte = 0;
    CHECK_EQ(coreio_proxy_pass(ends[0], &byte, 1, out, 254), -EINVAL);
    CHECK_EQ(coreio_proxy_pass(ends[0], &byte, 0, out, 1), -EINVAL);
    CHECK_EQ(coreio_proxy_pass(ends[0], &byte, 1, out, -1), -EINVAL);
    CHECK_EQ(coreio_proxy_pass(ends[0], &byte, 1, out, 253), 1);
    CHECK_EQ(coreio_proxy_take(ends[1], &byte, 1, in, 253, &count), 1);
    CHECK_EQ(count, 253);
    for (int32_t i = 0; i < count; i++)
        close(in[i]);
    CHECK_EQ(coreio_proxy_take(-1, &byte, 1, in, 253, &count), -EBADF);
    close(ends[0]);
    close(ends[1]);
}
