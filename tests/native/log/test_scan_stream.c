/* Streams: pipes, bytes in pieces, a stop from another thread, descriptors that cannot be read. */
#include "check.h"

#include "allocations.h"
#include "logs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct coreio_log_scan *make_scan(struct coreio_log_query **query, int32_t workers, int32_t rejects)
{
    *query = logs_query("delimited", NULL, "f1", "count");
    return logs_scan(*query, workers, 0, COREIO_LOG_MIN_BLOCK, rejects);
}

static void end_scan(struct coreio_log_scan *scan, struct coreio_log_query *query)
{
    coreio_log_scan_destroy(scan);
    coreio_log_query_destroy(query);
}

TEST(lines_may_span_any_number_of_calls)
{
    struct coreio_log_query *query;
    struct coreio_log_scan *scan = make_scan(&query, 2, -1);
    const char *text = "ab\r\nab\n\nlast";
    for (size_t i = 0; i < strlen(text); i++) {
        CHECK_EQ(coreio_log_scan_feed(scan, NULL, 0), 0);
        CHECK_EQ(coreio_log_scan_feed(scan, (const uint8_t *)text + i, 1), 0);
    }
    struct coreio_log_progress progress;
    CHECK_EQ(coreio_log_scan_progress(scan, &progress), 0);
    CHECK_EQ(progress.bytes_done, (int64_t)strlen(text));
    CHECK_EQ(progress.bytes_total, -1);
    CHECK_EQ(coreio_log_scan_feed_end(scan), 0);
    struct logs_text answer = {0};
    struct coreio_log_totals totals;
    CHECK_EQ(logs_answer(scan, &answer, &totals), 0);
    const char *expected = "lines 4 parsed 4 rejected 0 filtered 0 bytes 12\n"
                           "table 0: 3 groups, 0 other\n"
                           "key %02%00%00%00ab count 2 0:2/2\n"
                           "key %04%00%00%00last count 1 0:1/1\n"
                           "key %ff%ff%ff%ff count 1 0:1/1\n";
    CHECK_BYTES(answer.bytes, answer.length, expected, strlen(expected));
    logs_free(&answer);
    end_scan(scan, query);
}

TEST(bytes_may_be_put_where_the_scan_wants_them)
{
    struct logs_random random = {30};
    struct logs_text text = {0};
    logs_garbage(&text, &random, 300000, "ab \"\n");
    struct logs_text answers[2] = {{0}, {0}};
    struct coreio_log_totals totals;
    for (int lent = 0; lent < 2; lent++) {
        struct coreio_log_query *query;
        struct coreio_log_scan *scan = make_scan(&query, 3, -1);
        for (size_t at = 0; at < text.length;) {
            uint8_t *room = NULL;
            int64_t capacity = 0;
            size_t piece = 1 + logs_below(&random, 9000);
            piece = piece < text.length - at ? piece : text.length - at;
            if (lent == 0 || logs_below(&random, 3) == 0) {
                CHECK_EQ(coreio_log_scan_feed(scan, text.bytes + at, (int64_t)piece), 0);
            } else {
                CHECK_EQ(coreio_log_scan_feed_room(scan, &room, &capacity), 0);
                CHECK(room != NULL && capacity > 0);
                piece = piece < (size_t)capacity ? piece : (size_t)capacity;
                memcpy(room, text.bytes + at, piece);
                CHECK_EQ(coreio_log_scan_feed_done(scan, (int64_t)piece), 0);
            }
            at += piece;
        }
        CHECK_EQ(coreio_log_scan_feed_end(scan), 0);
        CHECK_EQ(logs_answer(scan, &answers[lent], &totals), 0);
        CHECK_EQ(totals.bytes, (int64_t)text.length);
        end_scan(scan, query);
    }
    CHECK_BYTES(answers[1].bytes, answers[1].length, answers[0].bytes, answers[0].length);
    logs_free(&answers[0]);
    logs_free(&answers[1]);
    logs_free(&text);
}

TEST(only_room_that_was_lent_is_taken)
{
    struct coreio_log_query *query;
    struct coreio_log_scan *scan = make_scan(&query, 1, -1);
    struct coreio_log_totals totals;
    uint8_t *room;
    int64_t capacity;
    CHECK_EQ(coreio_log_scan_feed_room(NULL, &room, &capacity), -EINVAL);
    CHECK_EQ(coreio_log_scan_feed_room(scan, NULL, &capacity), -EINVAL);
    CHECK_EQ(coreio_log_scan_feed_room(scan, &room, NULL), -EINVAL);
    CHECK_EQ(coreio_log_scan_feed_done(NULL, 0), -EINVAL);
    CHECK_EQ(coreio_log_scan_feed_done(scan, 0), -EINVAL);
    CHECK_EQ(coreio_log_scan_feed_room(scan, &room, &capacity), 0);
    CHECK_EQ(coreio_log_scan_feed_done(scan, -1), -EINVAL);
    CHECK_EQ(coreio_log_scan_feed_done(scan, capacity + 1), -EINVAL);
    memcpy(room, "a\n", 2);
    CHECK_EQ(coreio_log_scan_feed_done(scan, 2), 0);
    CHECK_EQ(coreio_log_scan_feed_done(scan, 1), -EINVAL);
    CHECK_EQ(coreio_log_scan_feed_room(scan, &room, &capacity), 0);
    CHECK_EQ(coreio_log_scan_feed(scan, (const uint8_t *)"b\n", 2), 0);
    CHECK_EQ(coreio_log_scan_feed_done(scan, 1), -EINVAL);
    CHECK_EQ(coreio_log_scan_feed_end(scan), 0);
    CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
    CHECK_EQ(totals.lines, 2);
    CHECK_EQ(coreio_log_scan_feed_room(scan, &room, &capacity), COREIO_ECLOSED);
    CHECK(room == NULL && capacity == 0);
    CHECK_EQ(coreio_log_scan_feed_done(scan, 0), COREIO_ECLOSED);
    end_scan(scan, query);
}

TEST(a_stop_comes_between_room_and_bytes)
{
    struct coreio_log_query *query;
    struct coreio_log_scan *scan = make_scan(&query, 1, -1);
    uint8_t *room;
    int64_t capacity;
    CHECK_EQ(coreio_log_scan_feed_room(scan, &room, &capacity), 0);
    CHECK_EQ(coreio_log_scan_stop(scan), 0);
    room[0] = 'a';
    CHECK_EQ(coreio_log_scan_feed_done(scan, 1), COREIO_ECLOSED);
    CHECK_EQ(coreio_log_scan_feed_room(scan, &room, &capacity), COREIO_ECLOSED);
    CHECK_EQ(coreio_log_scan_feed_end(scan), COREIO_ECLOSED);
    end_scan(scan, query);
}

TEST(room_needs_memory)
{
    uint8_t *room;
    int64_t capacity;
    int32_t status = -ENOMEM;
    for (int64_t passed = 0; status != 0; passed++) {
        struct coreio_log_query *query;
        struct coreio_log_scan *scan = make_scan(&query, 1, -1);
        check_context("%d allocations", (int)passed);
        allocations_refuse_after(passed);
        status = coreio_log_scan_feed_room(scan, &room, &capacity);
        while (status == 0 && capacity > 0 && allocations_refused() == 0) {
            /* A line that grows beyond its block. */
            memset(room, 'x', (size_t)capacity);
            status = coreio_log_scan_feed_done(scan, capacity);
            if (status == 0 && capacity > 65536)
                break;
            if (status == 0)
                status = coreio_log_scan_feed_room(scan, &room, &capacity);
        }
        CHECK(status == 0 || status == -ENOMEM);
        allocations_refuse_after(-1);
        end_scan(scan, query);
    }
}

TEST(a_stream_with_rejects_that_cannot_be_written_takes_no_more)
{
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct coreio_log_query *query;
    struct coreio_log_scan *scan = make_scan(&query, 1, full);
    uint8_t *room;
    int64_t capacity;
    int32_t status = 0;
    while (status == 0) {
        status = coreio_log_scan_feed_room(scan, &room, &capacity);
        if (status < 0)
            break;
        memset(room, '\n', (size_t)capacity);
        room[0] = '"';
        status = coreio_log_scan_feed_done(scan, capacity);
    }
    CHECK_EQ(status, -ENOSPC);
    CHECK_EQ(coreio_log_scan_feed_room(scan, &room, &capacity), -ENOSPC);
    CHECK_EQ(coreio_log_scan_feed_end(scan), -ENOSPC);
    end_scan(scan, query);
    close(full);
}

TEST(streams_with_no_bytes_are_streams)
{
    struct coreio_log_query *query;
    struct coreio_log_scan *scan = make_scan(&query, 3, -1);
    struct coreio_log_totals totals;
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(coreio_log_scan_feed(scan, NULL, 0), 0);
        CHECK_EQ(coreio_log_scan_feed_end(scan), 0);
        CHECK_EQ(coreio_log_scan_fd(scan, null), 0);
    }
    close(null);
    CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
    CHECK_EQ(totals.lines, 0);
    end_scan(scan, query);
}

TEST(a_long_line_in_pieces_is_rejected_whole)
{
    const size_t length = COREIO_LOG_MAX_LINE + 100000;
    uint8_t *line = malloc(length);
    REQUIRE(line != NULL);
    memset(line, 'x', length);
    for (int32_t workers = 1; workers <= 2; workers++) {
        for (size_t piece = 4099; piece < 9000000; piece = piece * 90 + 1) {
            for (int end = 0; end < 2; end++) {
                const char *path = check_write(check_directory(), "rejects", "", 0);
                const int rejects = open(path, O_RDWR | O_CLOEXEC);
                struct coreio_log_query *query;
                struct coreio_log_scan *scan = make_scan(&query, workers, rejects);
                struct coreio_log_totals totals;
                check_context("%d workers, pieces of %zu, end %d", workers, piece, end);
                CHECK_EQ(coreio_log_scan_feed(scan, (const uint8_t *)"\"a\nb\n", 5), 0);
                for (size_t at = 0; at < length; at += piece)
                    CHECK_EQ(
                        coreio_log_scan_feed(scan, line + at, (int64_t)(length - at < piece ? length - at : piece)), 0);
                if (end)
                    CHECK_EQ(coreio_log_scan_feed(scan, (const uint8_t *)"\nb\n[c", 5), 0);
                CHECK_EQ(coreio_log_scan_feed_end(scan), 0);
                CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
                CHECK_EQ(totals.lines, end ? 5 : 3);
                CHECK_EQ(totals.parsed, end ? 2 : 1);
                CHECK_EQ(totals.rejected, end ? 3 : 2);
                CHECK_EQ(totals.bytes, (int64_t)length + (end ? 10 : 5));
                uint8_t *written = malloc(length + 64);
                const ssize_t got = pread(rejects, written, length + 64, 0);
                CHECK_EQ(got, (int64_t)length + (end ? 6 : 3));
                CHECK_TEXT(written, 3, "\"a\n");
                CHECK(memcmp(written + 3, line, length) == 0);
                if (end)
                    CHECK_TEXT(written + 3 + length, 3, "\n[c");
                free(written);
                close(rejects);
                end_scan(scan, query);
            }
        }
    }
    free(line);
}

TEST(descriptors_that_cannot_be_read_are_told)
{
    struct coreio_log_query *query;
    struct coreio_log_scan *scan = make_scan(&query, 2, -1);
    const int directory = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int write_only = open("/dev/null", O_WRONLY | O_CLOEXEC);
    CHECK_EQ(coreio_log_scan_fd(scan, directory), -EISDIR);
    CHECK_EQ(coreio_log_scan_fd(scan, write_only), -EBADF);
    close(directory);
    close(write_only);
    CHECK_EQ(coreio_log_scan_fd(scan, directory), -EBADF);
    CHECK_EQ(coreio_log_scan_fd(scan, -1), -EINVAL);
    struct coreio_log_totals totals;
    CHECK_EQ(coreio_log_scan_feed(scan, (const uint8_t *)"a\n", 2), 0);
    CHECK_EQ(coreio_log_scan_feed_end(scan), 0);
    CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
    CHECK_EQ(totals.lines, 1);
    end_scan(scan, query);
}

TEST(a_pipe_that_does_not_block_is_waited_for)
{
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    const pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 20; i++) {
            usleep(500);
            (void)!write(ends[1], "a b\n", 4);
        }
        _exit(0);
    }
    close(ends[1]);
    struct coreio_log_query *query;
    struct coreio_log_scan *scan = make_scan(&query, 2, -1);
    struct coreio_log_totals totals;
    CHECK_EQ(coreio_log_scan_fd(scan, ends[0]), 80);
    CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
    CHECK_EQ(totals.lines, 20);
    close(ends[0]);
    end_scan(scan, query);
}

static void *stop_soon(void *argument)
{
    usleep(20000);
    coreio_log_scan_stop(argument);
    return NULL;
}

TEST(a_stop_ends_the_wait_for_bytes)
{
    int ends[2];
    pthread_t thread;
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    struct coreio_log_query *query;
    struct coreio_log_scan *scan = make_scan(&query, 2, -1);
    struct coreio_log_totals totals;
    CHECK_EQ(write(ends[1], "a\nb", 3), 3);
    REQUIRE(pthread_create(&thread, NULL, stop_soon, scan) == 0);
    CHECK_EQ(coreio_log_scan_fd(scan, ends[0]), COREIO_ECLOSED);
    pthread_join(thread, NULL);
    CHECK_EQ(coreio_log_scan_fd(scan, ends[0]), COREIO_ECLOSED);
    CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
    CHECK_EQ(totals.lines, totals.parsed);
    close(ends[0]);
    close(ends[1]);
    end_scan(scan, query);
}

TEST(a_stop_ends_an_endless_stream)
{
    pthread_t thread;
    const char *path = check_write(check_directory(), "rejects", "", 0);
    for (int with_rejects = 0; with_rejects < 2; with_rejects++) {
        const int zero = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
        const int rejects = with_rejects ? open(path, O_WRONLY | O_CLOEXEC) : -1;
        struct coreio_log_query *query;
        struct coreio_log_scan *scan = make_scan(&query, 2, rejects);
        struct coreio_log_totals totals;
        REQUIRE(pthread_create(&thread, NULL, stop_soon, scan) == 0);
        CHECK_EQ(coreio_log_scan_fd(scan, zero), COREIO_ECLOSED);
        pthread_join(thread, NULL);
        CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
        CHECK_EQ(totals.lines, totals.parsed + totals.rejected);
        close(zero);
        if (with_rejects)
            close(rejects);
        end_scan(scan, query);
    }
}

TEST(an_open_stream_may_be_destroyed)
{
    struct coreio_log_query *query;
    struct coreio_log_scan *scan = make_scan(&query, 2, -1);
    for (int i = 0; i < 5000; i++)
        CHECK_EQ(coreio_log_scan_feed(scan, (const uint8_t *)"abc def\n", 8), 0);
    end_scan(scan, query);
}
