/* The journal: in order, bounded, and with a reader on another thread. */
#include "check.h"

#include "allocations.h"
#include "proxy/journal.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

TEST(records_come_out_in_order_until_there_is_no_room)
{
    struct coreio__journal journal;
    memset(&journal, 0, sizeof journal);
    REQUIRE(coreio__journal_start(&journal, 5) == 0);
    CHECK_EQ(journal.capacity, 8);
    struct coreio_proxy_record record = {0};
    for (int32_t round = 0; round < 5; round++) {
        for (int32_t i = 0; i < 8; i++) {
            record.begin_ns = round * 8 + i;
            CHECK_EQ(coreio__journal_write(&journal, &record), 1);
        }
        CHECK_EQ(coreio__journal_write(&journal, &record), 0);
        struct coreio_proxy_record read[10];
        CHECK_EQ(coreio__journal_read(&journal, read, 3), 3);
        CHECK_EQ(coreio__journal_read(&journal, read + 3, 7), 5);
        CHECK_EQ(coreio__journal_read(&journal, read, 0), 0);
        for (int32_t i = 0; i < 8; i++)
            CHECK_EQ(read[i].begin_ns, round * 8 + i);
    }
    coreio__journal_end(&journal);
}

static void *write_all(void *argument)
{
    struct coreio__journal *journal = argument;
    struct coreio_proxy_record record = {0};
    for (int64_t i = 0; i < 100000; i++) {
        record.begin_ns = i;
        record.bytes_out = -i;
        while (!coreio__journal_write(journal, &record))
            (void)sched_yield();
    }
    return NULL;
}

TEST(a_reader_beside_the_writer_sees_whole_records)
{
    struct coreio__journal journal;
    memset(&journal, 0, sizeof journal);
    REQUIRE(coreio__journal_start(&journal, 64) == 0);
    pthread_t writer;
    REQUIRE(pthread_create(&writer, NULL, write_all, &journal) == 0);
    int64_t next = 0;
    int32_t wrong = 0;
    while (next < 100000) {
        struct coreio_proxy_record read[32];
        const int32_t count = coreio__journal_read(&journal, read, 32);
        for (int32_t i = 0; i < count; i++, next++)
            wrong += read[i].begin_ns != next || read[i].bytes_out != -next;
        if (count == 0)
            (void)sched_yield();
    }
    CHECK_EQ(wrong, 0);
    CHECK_EQ(pthread_join(writer, NULL), 0);
    coreio__journal_end(&journal);
}

TEST(refused_memory_is_told)
{
    struct coreio__journal journal;
    memset(&journal, 0, sizeof journal);
    allocations_refuse_after(0);
    CHECK_EQ(coreio__journal_start(&journal, 5), -ENOMEM);
    allocations_refuse_after(-1);
    coreio__journal_end(&journal);
    CHECK_EQ(journal.capacity, 0);
}
