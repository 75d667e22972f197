/* Tallies keep the first samples of the input; the sink writes blocks in their order. */
#include "check.h"

#include "log/rejects.h"
#include "logs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TEST(the_first_samples_of_the_input_stay)
{
    struct logs_random random = {80};
    for (int round = 0; round < 200; round++) {
        struct coreio__tally *tallies = calloc(4, sizeof *tallies);
        const uint32_t lines = logs_below(&random, 12);
        uint8_t text[300];
        for (uint32_t i = 0; i < lines; i++) {
            memset(text, 'a' + (int)i, sizeof text);
            /* Each tally sees its own lines in order, as a worker does. */
            coreio__tally_reject(
                &tallies[1 + logs_below(&random, 3)], COREIO_LOG_MISSING_TEXT, i / 5, i * 100, text, 250 + i);
        }
        for (int i = 1; i < 4; i++)
            coreio__tally_merge(&tallies[0], &tallies[i]);
        CHECK_EQ(tallies[0].rejected, lines);
        CHECK_EQ(tallies[0].reasons[COREIO_LOG_MISSING_TEXT], lines);
        for (uint32_t i = 0; i < lines && i < COREIO_LOG_SAMPLES; i++) {
            const struct coreio__sample *sample = &tallies[0].samples[COREIO_LOG_MISSING_TEXT][i];
            check_context("round %d, %u lines, sample %u", round, lines, i);
            CHECK_EQ(sample->offset, i * 100);
            CHECK_EQ(sample->length, 250 + i);
            CHECK_EQ(sample->bytes[sample->length - 1], 'a' + (int)i);
        }
        free(tallies);
    }
}

TEST(samples_are_cut)
{
    struct coreio__tally *tally = calloc(1, sizeof *tally);
    uint8_t text[1000] = {'x'};
    coreio__tally_reject(tally, COREIO_LOG_TOO_LONG, 0, 0, text, sizeof text);
    coreio__tally_reject(tally, COREIO_LOG_TOO_LONG, 0, 0, NULL, 0);
    CHECK_EQ(tally->samples[COREIO_LOG_TOO_LONG][0].length, COREIO_LOG_SAMPLE_BYTES);
    CHECK_EQ(tally->samples[COREIO_LOG_TOO_LONG][1].length, 0);
    free(tally);
}

struct turn {
    struct coreio__sink *sink;
    int64_t first;
    int64_t step;
    int64_t count;
};

static void *write_turns(void *argument)
{
    const struct turn *turn = argument;
    for (int64_t block = turn->first; block < turn->count; block += turn->step) {
        const uint8_t bytes[2] = {(uint8_t)('a' + block % 26), '\n'};
        CHECK_EQ(coreio__sink_wait(turn->sink, block), 0);
        CHECK_EQ(coreio__sink_write(turn->sink, bytes, 2), 0);
        coreio__sink_pass(turn->sink, block);
    }
    return NULL;
}

TEST(blocks_are_written_in_their_order)
{
    const int fd = open(check_write(check_directory(), "sink", "", 0), O_RDWR | O_CLOEXEC);
    struct coreio__sink sink;
    coreio__sink_init(&sink, fd, -1);
    for (int input = 0; input < 2; input++) {
        pthread_t threads[3];
        struct turn turns[3];
        coreio__sink_restart(&sink);
        for (int i = 0; i < 3; i++) {
            turns[i] = (struct turn){&sink, i, 3, 500};
            CHECK_EQ(pthread_create(&threads[i], NULL, write_turns, &turns[i]), 0);
        }
        for (int i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
    }
    uint8_t written[2048];
    CHECK_EQ(pread(fd, written, sizeof written, 0), 2000);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(written[2 * i], 'a' + i % 500 % 26);
    coreio__sink_clear(&sink);
    close(fd);
}

TEST(a_sink_without_a_file_never_waits)
{
    struct coreio__sink sink;
    coreio__sink_init(&sink, -1, -1);
    CHECK_EQ(coreio__sink_wait(&sink, 99), 0);
    CHECK_EQ(coreio__sink_write(&sink, (const uint8_t *)"x", 1), 0);
    coreio__sink_pass(&sink, 99);
    coreio__sink_clear(&sink);
}

static void *read_to_end(void *argument)
{
    uint8_t bytes[4096];
    int64_t total = 0;
    for (ssize_t got; (got = read(*(const int *)argument, bytes, sizeof bytes)) > 0;)
        total += got;
    CHECK_EQ(total, 1000000);
    return NULL;
}

TEST(a_descriptor_that_does_not_block_is_waited_for)
{
    static const uint8_t bytes[1000000];
    int ends[2];
    pthread_t thread;
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    REQUIRE(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    struct coreio__sink sink;
    coreio__sink_init(&sink, ends[1], -1);
    REQUIRE(pthread_create(&thread, NULL, read_to_end, &ends[0]) == 0);
    CHECK_EQ(coreio__sink_write(&sink, bytes, sizeof bytes), 0);
    close(ends[1]);
    pthread_join(thread, NULL);
    close(ends[0]);
    coreio__sink_clear(&sink);
}

static void *wait_for_turn(void *argument)
{
    const int32_t status = coreio__sink_wait(argument, 5);
    CHECK_EQ(status, -ENOSPC);
    return NULL;
}

TEST(a_failure_ends_all_waits_and_the_first_one_counts)
{
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct coreio__sink sink;
    pthread_t thread;
    coreio__sink_init(&sink, full, -1);
    REQUIRE(pthread_create(&thread, NULL, wait_for_turn, &sink) == 0);
    CHECK_EQ(coreio__sink_wait(&sink, 0), 0);
    CHECK_EQ(coreio__sink_write(&sink, (const uint8_t *)"x", 1), -ENOSPC);
    pthread_join(thread, NULL);
    coreio__sink_fail(&sink, -EIO);
    CHECK_EQ(coreio__sink_wait(&sink, 0), -ENOSPC);
    coreio__sink_clear(&sink);
    close(full);
}
