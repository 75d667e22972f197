/* Checks by connecting: an upstream that stops listening goes down without a client's help, and comes back. */
#include "check.h"

#include "rig.h"

#include <errno.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)

static struct coreio_proxy_upstream_state state_of(const struct rig *rig)
{
    struct coreio_proxy_upstream_state state;
    CHECK_EQ(coreio_proxy_upstreams(rig->proxy, &state, 1), 1);
    return state;
}

static void wait_for(const struct rig *rig, int32_t up)
{
    const int64_t end = rig_clock_ns() + 10000 * MS;
    while (state_of(rig).up != up && rig_clock_ns() < end) {
        const struct timespec moment = {.tv_nsec = MS};
        (void)nanosleep(&moment, NULL);
    }
    CHECK_EQ(state_of(rig).up, up);
}

TEST(an_upstream_goes_down_and_comes_back_by_checks_alone)
{
    const struct coreio_proxy_options options = {
        .size = sizeof options, .workers = 2, .check_interval_ns = 10 * MS, .fall = 2, .rise = 3};
    struct rig rig;
    rig_start(&rig, &options, 0, 0);
    const int64_t end = rig_clock_ns() + 10000 * MS;
    while (state_of(&rig).checks < 3 && rig_clock_ns() < end) {
        const struct timespec moment = {.tv_nsec = MS};
        (void)nanosleep(&moment, NULL);
    }
    CHECK_EQ(state_of(&rig).up, 1);
    CHECK_EQ(state_of(&rig).failures, 0);
    close(rig.upstream);
    wait_for(&rig, 0);
    CHECK_EQ(state_of(&rig).last_error, ECONNREFUSED);
    /* Nobody is sent there. */
    const int32_t client = rig_client(&rig);
    rig_expect_end(client);
    close(client);
    CHECK_EQ(rig_record(&rig).end, COREIO_PROXY_END_NO_UPSTREAM);
    rig.upstream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    CHECK_EQ(setsockopt(rig.upstream, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    CHECK_EQ(bind(rig.upstream, (struct sockaddr *)rig.back.bytes, rig.back.length), 0);
    CHECK_EQ(listen(rig.upstream, 128), 0);
    wait_for(&rig, 1);
    rig_end(&rig);
}

TEST(a_check_without_an_answer_fails)
{
    const struct coreio_proxy_options options = {
        .size = sizeof options, .workers = 1, .check_interval_ns = 20 * MS, .connect_timeout_ns = 30 * MS, .fall = 2};
    struct rig rig = {0};
    rig.upstream = rig_listen(0, &rig.back);
    int32_t fill[4];
    for (int32_t i = 0; i < 4; i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fill[i], (struct sockaddr *)rig.back.bytes, rig.back.length);
    }
    CHECK_EQ(coreio_proxy_create(&options, &rig.proxy), 0);
    const struct coreio_proxy_listener listener = {.size = sizeof listener, .address = rig_address(0)};
    const struct coreio_proxy_upstream upstream = {.size = sizeof upstream, .address = rig.back};
    CHECK_EQ(coreio_proxy_listen(rig.proxy, &listener), 0);
    CHECK_EQ(coreio_proxy_upstream(rig.proxy, &upstream), 0);
    CHECK_EQ(coreio_proxy_start(rig.proxy), 0);
    wait_for(&rig, 0);
    CHECK_EQ(state_of(&rig).last_error, ETIMEDOUT);
    rig_end(&rig);
    for (int32_t i = 0; i < 4; i++)
        close(fill[i]);
}
