/* A million messages between eight processes: what a hundred thousand do not show. */
#include "check.h"

#include "queues.h"
#include "traffic.h"

#define MESSAGES 250000

static void run(int32_t family, int32_t wait)
{
    if (queues_lack(family) != NULL)
        SKIP(queues_lack(family));
    const struct traffic traffic = {family, wait, 4, 4, MESSAGES};
    traffic_run(&traffic);
}

TEST(posix_timed)
{
    run(COREIO_MQ_POSIX, TRAFFIC_TIMED);
}

TEST(posix_edges)
{
    run(COREIO_MQ_POSIX, TRAFFIC_EDGES);
}

TEST(sysv_plain)
{
    run(COREIO_MQ_SYSV, TRAFFIC_PLAIN);
}
