/* The life of a scan, and the promise that its answer does not depend on how the work was divided. */
#include "check.h"

#include "allocations.h"
#include "log/scan.h"
#include "logs.h"

#include <coreio/cpu.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATS "count,sum(bytes),avg(bytes),min(bytes),max(bytes),p50(bytes),p99(bytes),distinct(client),distinct(path)"

static int32_t add_table(struct coreio_log_query *query, const char *by, const char *stats, int32_t max_groups)
{
    struct coreio_log_fault fault;
    const struct coreio_log_table_options table = {.size = sizeof table,
        .by = (const uint8_t *)by,
        .by_length = (int32_t)strlen(by),
        .stats = (const uint8_t *)stats,
        .stats_length = (int32_t)strlen(stats),
        .max_groups = max_groups};
    return coreio_log_query_add_table(query, &table, &fault);
}

/* A question that touches all there is: several tables, a filter, typed keys, groups beyond their limit. */
static struct coreio_log_query *make_wide_question(void)
{
    struct coreio_log_query *query = logs_query("combined",
        "not client == \"10.1.2.3\" and (status != 499 or uri =~ \"^/(img|a).*\\\\?\")", "status,method", STATS);
    CHECK_EQ(add_table(query, "", STATS, 0), 1);
    CHECK_EQ(add_table(query, "client,path", "count,p90(bytes),distinct(http_user_agent)", 7), 2);
    CHECK_EQ(add_table(query, "minute", "sum(bytes)", 64), 3);
    CHECK_EQ(add_table(query, "status_class,time", "max(status)", 0), 4);
    return query;
}

enum way { BY_FILE, BY_PIPE, BY_FEED };

struct writer {
    const struct logs_text *text;
    int fd;
    uint64_t seed;
};

/* Writes to a pipe in pieces of random length, whole lines or not. */
static void *write_pieces(void *argument)
{
    const struct writer *writer = argument;
    struct logs_random random = {writer->seed};
    for (size_t at = 0; at < writer->text->length;) {
        const size_t left = writer->text->length - at;
        const size_t piece = 1 + logs_below(&random, 30000);
        const ssize_t written = write(writer->fd, writer->text->bytes + at, piece < left ? piece : left);
        if (written < 0)
            break;
        at += (size_t)written;
    }
    close(writer->fd);
    return NULL;
}

static int64_t put_in(
    struct coreio_log_scan *scan, enum way way, const char *path, const struct logs_text *text, uint64_t seed)
{
    if (way == BY_FILE)
        return coreio_log_scan_file(scan, (const uint8_t *)path);
    if (way == BY_PIPE) {
        int ends[2];
        pthread_t thread;
        CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
        struct writer writer = {text, ends[1], seed};
        CHECK_EQ(pthread_create(&thread, NULL, write_pieces, &writer), 0);
        const int64_t got = coreio_log_scan_fd(scan, ends[0]);
        close(ends[0]);
        pthread_join(thread, NULL);
        return got;
    }
    struct logs_random random = {seed};
    for (size_t at = 0; at < text->length;) {
        const size_t left = text->length - at;
        size_t piece = logs_below(&random, 4) == 0 ? logs_below(&random, 100000) : logs_below(&random, 300);
        piece = piece < left ? piece : left;
        const int32_t status = coreio_log_scan_feed(scan, text->bytes + at, (int64_t)piece);
        if (status < 0)
            return status;
        at += piece;
    }
    const int32_t status = coreio_log_scan_feed_end(scan);
    return status < 0 ? status : (int64_t)text->length;
}

TEST(the_answer_is_the_same_however_the_work_is_divided)
{
    struct logs_random random = {20};
    struct logs_text text = {0};
    logs_combined_lines(&text, &random, LOGS_WATCHED ? 1600 : 12000, 1);
    logs_combined(&text, &random, 0);
    const char *directory = check_directory();
    const char *path = check_write(directory, "access.log", text.bytes, (int64_t)text.length);
    struct coreio_log_query *query = make_wide_question();
    struct logs_text first = {0};
    struct logs_text first_rejects = {0};
    static const int32_t workers[] = {1, 2, 5};
    static const int32_t blocks[] = {4096, 5000, 65536, 262144, 4194304};
    int runs = 0;
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 5; j += LOGS_WATCHED ? 2 : 1) {
            for (int32_t k = 0; logs_kernel(k) != 0; k++) {
                for (enum way way = BY_FILE; way <= BY_FEED; way++) {
                    const char *rejects_path = check_write(directory, "rejects", "", 0);
                    const int rejects = open(rejects_path, O_RDWR | O_TRUNC | O_CLOEXEC);
                    struct coreio_log_scan *scan = logs_scan(query, workers[i], logs_kernel(k), blocks[j], rejects);
                    struct coreio_log_totals totals;
                    struct logs_text answer = {0};
                    check_context("workers %d, block %d, kernel %d, way %d", workers[i], blocks[j], k, (int)way);
                    CHECK_EQ(put_in(scan, way, path, &text, logs_next(&random)), text.length);
                    CHECK_EQ(logs_answer(scan, &answer, &totals), 0);
                    CHECK_EQ(totals.bytes, text.length);
                    CHECK_EQ(totals.workers, workers[i]);
                    CHECK_EQ(totals.kernel, logs_kernel(k));
                    CHECK(totals.rejected > 10 && totals.filtered > 10 && totals.parsed > 500);
                    struct logs_text written = {0};
                    uint8_t buffer[65536];
                    lseek(rejects, 0, SEEK_SET);
                    for (ssize_t got; (got = read(rejects, buffer, sizeof buffer)) > 0;)
                        logs_append(&written, buffer, (size_t)got);
                    close(rejects);
                    if (runs++ == 0) {
                        first = answer;
                        first_rejects = written;
                    } else {
                        CHECK_BYTES(answer.bytes, answer.length, first.bytes, first.length);
                        CHECK_BYTES(written.bytes, written.length, first_rejects.bytes, first_rejects.length);
                        logs_free(&answer);
                        logs_free(&written);
                    }
                    coreio_log_scan_destroy(scan);
                }
            }
        }
    }
    logs_free(&first);
    logs_free(&first_rejects);
    logs_free(&text);
    coreio_log_query_destroy(query);
}

TEST(lines_allocate_nothing)
{
    int64_t made[2] = {0, 0};
    struct coreio_log_query *query = logs_query("combined", NULL, "status,method", STATS);
    for (int round = 0; round < 2; round++) {
        struct logs_random random = {21};
        struct logs_text once = {0};
        struct logs_text text = {0};
        logs_combined_lines(&once, &random, 10000, 0);
        for (int i = 0; i < (round == 0 ? 1 : 10); i++)
            logs_append(&text, once.bytes, once.length);
        const char *path = check_write(check_directory(), "log", text.bytes, (int64_t)text.length);
        struct coreio_log_scan *scan = logs_scan(query, 1, 0, 65536, -1);
        const int64_t before = allocations_made();
        CHECK_EQ(coreio_log_scan_file(scan, (const uint8_t *)path), text.length);
        made[round] = allocations_made() - before;
        coreio_log_scan_destroy(scan);
        logs_free(&once);
        logs_free(&text);
    }
    CHECK(made[0] > 0);
    CHECK_EQ(made[1], made[0]);
    coreio_log_query_destroy(query);
}

TEST(inputs_follow_each_other)
{
    const char *directory = check_directory();
    const char *one = check_write(directory, "one", "a\nb", 3);
    const char *none = check_write(directory, "none", "", 0);
    const char *two = check_write(directory, "two", "\"\na\n", 4);
    struct coreio_log_query *query = logs_query("delimited", NULL, "f1", "count");
    struct coreio_log_scan *scan = logs_scan(query, 2, 0, 0, -1);
    CHECK_EQ(coreio_log_scan_file(scan, (const uint8_t *)one), 3);
    CHECK_EQ(coreio_log_scan_file(scan, (const uint8_t *)none), 0);
    CHECK_EQ(coreio_log_scan_file(scan, (const uint8_t *)"/nonexistent/file"), -ENOENT);
    CHECK_EQ(coreio_log_scan_file(scan, (const uint8_t *)directory), -EISDIR);
    CHECK_EQ(coreio_log_scan_feed(scan, (const uint8_t *)"a", 1), 0);
    /* An open stream is ended before the next input. */
    struct coreio_log_totals totals;
    CHECK_EQ(coreio_log_scan_file(scan, (const uint8_t *)two), -EINVAL);
    CHECK_EQ(coreio_log_scan_fd(scan, 0), -EINVAL);
    CHECK_EQ(coreio_log_scan_finish(scan, &totals), -EINVAL);
    CHECK_EQ(coreio_log_scan_feed_end(scan), 0);
    CHECK_EQ(coreio_log_scan_feed_end(scan), 0);
    CHECK_EQ(coreio_log_scan_file(scan, (const uint8_t *)two), 4);
    struct logs_text answer = {0};
    CHECK_EQ(logs_answer(scan, &answer, &totals), 0);
    logs_append(&answer, "", 1);
    const char *expected = "lines 5 parsed 4 rejected 1 filtered 0 bytes 8\n"
                           "table 0: 2 groups, 0 other\n"
                           "key %01%00%00%00a count 3 0:3/3\n"
                           "key %01%00%00%00b count 1 0:1/1\n"
                           "reject 1: 1\n"
                           "  \"\n";
    CHECK_BYTES(answer.bytes, answer.length - 1, expected, strlen(expected));
    logs_free(&answer);
    coreio_log_scan_destroy(scan);
    coreio_log_query_destroy(query);
}

TEST(a_finished_scan_reads_no_more_and_says_the_same_again)
{
    struct coreio_log_query *query = logs_query("delimited", NULL, NULL, NULL);
    struct coreio_log_scan *scan = logs_scan(query, 2, 0, 0, -1);
    struct coreio_log_totals totals;
    CHECK_EQ(coreio_log_scan_feed(scan, (const uint8_t *)"a\nb\n", 4), 0);
    CHECK_EQ(coreio_log_scan_feed_end(scan), 0);
    for (int i = 0; i < 2; i++) {
        memset(&totals, 0x55, sizeof totals);
        CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
        CHECK_EQ(totals.lines, 2);
        CHECK_EQ(totals.bytes, 4);
    }
    CHECK_EQ(coreio_log_scan_file(scan, (const uint8_t *)"/dev/null"), COREIO_ECLOSED);
    CHECK_EQ(coreio_log_scan_fd(scan, 0), COREIO_ECLOSED);
    CHECK_EQ(coreio_log_scan_feed(scan, (const uint8_t *)"a", 1), COREIO_ECLOSED);
    CHECK_EQ(coreio_log_scan_feed_end(scan), COREIO_ECLOSED);
    coreio_log_scan_destroy(scan);
    coreio_log_query_destroy(query);
}

TEST(a_stopped_scan_reads_no_more_but_answers)
{
    struct coreio_log_query *query = logs_query("delimited", NULL, NULL, NULL);
    struct coreio_log_scan *scan = logs_scan(query, 2, 0, 0, -1);
    struct coreio_log_totals totals;
    CHECK_EQ(coreio_log_scan_feed(scan, (const uint8_t *)"a\nb\n", 4), 0);
    CHECK_EQ(coreio_log_scan_stop(scan), 0);
    CHECK_EQ(coreio_log_scan_feed(scan, (const uint8_t *)"a\n", 2), COREIO_ECLOSED);
    CHECK_EQ(coreio_log_scan_feed_end(scan), COREIO_ECLOSED);
    CHECK_EQ(coreio_log_scan_file(scan, (const uint8_t *)"/dev/null"), COREIO_ECLOSED);
    CHECK_EQ(coreio_log_scan_fd(scan, 0), COREIO_ECLOSED);
    CHECK_EQ(coreio_log_scan_stop(scan), 0);
    CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
    CHECK_EQ(totals.lines, totals.parsed);
    coreio_log_scan_destroy(scan);
    coreio_log_query_destroy(query);
}

/* A scan, and the pipe its rejected lines go to. */
struct stopper {
    struct coreio_log_scan *scan;
    int pipe;
};

/* Stops the scan once the pipe has no room. */
static void *stop_when_full(void *argument)
{
    const struct stopper *stopper = argument;
    struct pollfd room = {.fd = stopper->pipe, .events = POLLOUT};
    while (poll(&room, 1, 0) == 1)
        (void)sched_yield();
    CHECK_EQ(coreio_log_scan_stop(stopper->scan), 0);
    return NULL;
}

/* Nobody reads the pipe, so without the stop the call would never return. */
TEST(a_stop_ends_a_wait_for_room_for_rejected_lines)
{
    int ends[2];
    pthread_t thread;
    struct logs_text text = {0};
    REQUIRE(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    while (text.length < 1 << 20)
        logs_append(&text, "\"no line\n", 9);
    const char *path = check_write(check_directory(), "log", text.bytes, (int64_t)text.length);
    struct coreio_log_query *query = logs_query("combined", NULL, NULL, NULL);
    struct coreio_log_scan *scan = logs_scan(query, 2, 0, 0, ends[1]);
    struct stopper stopper = {.scan = scan, .pipe = ends[1]};
    REQUIRE(pthread_create(&thread, NULL, stop_when_full, &stopper) == 0);
    CHECK_EQ(coreio_log_scan_file(scan, (const uint8_t *)path), COREIO_ECLOSED);
    pthread_join(thread, NULL);
    coreio_log_scan_destroy(scan);
    coreio_log_query_destroy(query);
    logs_free(&text);
    close(ends[0]);
    close(ends[1]);
}

static void feed_all(struct coreio_log_scan *scan, const uint8_t *bytes, size_t length)
{
    CHECK_EQ(coreio_log_scan_feed(scan, bytes, (int64_t)length), 0);
    CHECK_EQ(coreio_log_scan_feed_end(scan), 0);
}

/* Twelve inputs, read by one scan and by three that are merged in the wrong order. */
TEST(merged_scans_answer_as_one)
{
    struct logs_random random = {40};
    struct logs_text inputs[12] = {{0}};
    for (int i = 0; i < 12; i++)
        logs_combined_lines(&inputs[i], &random, LOGS_WATCHED ? 100 : 1000, i > 3);
    struct coreio_log_query *query = make_wide_question();
    struct logs_text answers[3] = {{0}};
    struct coreio_log_totals totals;
    for (int way = 0; way < 3; way++) {
        struct coreio_log_scan *scans[3];
        const int parts = way == 0 ? 1 : 3;
        check_context("way %d", way);
        for (int i = 0; i < parts; i++)
            scans[i] = logs_scan(query, 1 + i, 0, COREIO_LOG_MIN_BLOCK, -1);
        for (int i = 0; i < 12; i++) {
            CHECK_EQ(coreio_log_scan_number(scans[i % parts], i), 0);
            feed_all(scans[i % parts], inputs[i].bytes, inputs[i].length);
        }
        if (way == 1) {
            CHECK_EQ(coreio_log_scan_merge(scans[0], scans[2]), 0);
            CHECK_EQ(coreio_log_scan_merge(scans[0], scans[1]), 0);
        } else if (way == 2) { /* a part that has parts, and an input after the merge */
            CHECK_EQ(coreio_log_scan_merge(scans[1], scans[2]), 0);
            CHECK_EQ(coreio_log_scan_merge(scans[0], scans[1]), 0);
            feed_all(scans[0], NULL, 0);
        }
        CHECK_EQ(logs_answer(scans[0], &answers[way], &totals), 0);
        CHECK_EQ(totals.workers, 1);
        struct coreio_log_worker_info info;
        CHECK_EQ(coreio_log_scan_workers(scans[0], &info, 1), 1);
        CHECK_EQ(info.lines, totals.lines);
        CHECK_EQ(info.bytes, totals.bytes);
        for (int i = 0; i < parts; i++)
            coreio_log_scan_destroy(scans[i]);
        CHECK_BYTES(answers[way].bytes, answers[way].length, answers[0].bytes, answers[0].length);
    }
    for (int i = 0; i < 12; i++)
        logs_free(&inputs[i]);
    for (int i = 0; i < 3; i++)
        logs_free(&answers[i]);
    coreio_log_query_destroy(query);
}

TEST(samples_are_the_first_by_number)
{
    struct coreio_log_query *query = logs_query("delimited", NULL, NULL, NULL);
    struct coreio_log_scan *scan = logs_scan(query, 1, 0, 0, -1);
    struct coreio_log_scan *part = logs_scan(query, 1, 0, 0, -1);
    struct coreio_log_totals totals;
    CHECK_EQ(coreio_log_scan_number(scan, 1), 0);
    feed_all(scan, (const uint8_t *)"\"1\n\"2\n", 6);
    CHECK_EQ(coreio_log_scan_number(part, 0), 0);
    feed_all(part, (const uint8_t *)"\"0\n", 3);
    CHECK_EQ(coreio_log_scan_number(part, 7), 0);
    feed_all(part, (const uint8_t *)"\"7\n", 3);
    CHECK_EQ(coreio_log_scan_merge(scan, part), 0);
    struct coreio_log_reject reject;
    uint8_t samples[64];
    CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
    CHECK_EQ(coreio_log_scan_rejects(scan, &reject, 1, samples, sizeof samples), 1);
    CHECK_EQ(reject.count, 4);
    CHECK_TEXT(samples, 6, "\"0\"1\"2");
    coreio_log_scan_destroy(part);
    coreio_log_scan_destroy(scan);
    coreio_log_query_destroy(query);
}

TEST(numbers_rise)
{
    struct coreio_log_query *query = logs_query("delimited", NULL, NULL, NULL);
    struct coreio_log_scan *scan = logs_scan(query, 1, 0, 0, -1);
    struct coreio_log_totals totals;
    CHECK_EQ(coreio_log_scan_number(NULL, 0), -EINVAL);
    CHECK_EQ(coreio_log_scan_number(scan, -1), -EINVAL);
    CHECK_EQ(coreio_log_scan_number(scan, 3), 0);
    CHECK_EQ(coreio_log_scan_feed(scan, NULL, 0), 0);
    CHECK_EQ(coreio_log_scan_number(scan, 4), -EINVAL);
    CHECK_EQ(coreio_log_scan_feed_end(scan), 0);
    CHECK_EQ(coreio_log_scan_number(scan, 3), -EINVAL);
    CHECK_EQ(coreio_log_scan_number(scan, 4), 0);
    CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
    CHECK_EQ(coreio_log_scan_number(scan, 9), COREIO_ECLOSED);
    coreio_log_scan_destroy(scan);
    coreio_log_query_destroy(query);
}

TEST(only_parts_of_the_same_question_are_merged)
{
    struct coreio_log_query *query = logs_query("delimited", NULL, NULL, NULL);
    struct coreio_log_query *same_text = logs_query("delimited", NULL, NULL, NULL);
    struct coreio_log_scan *scan = logs_scan(query, 1, 0, 0, -1);
    struct coreio_log_scan *part = logs_scan(query, 2, 0, 0, -1);
    struct coreio_log_scan *stopped = logs_scan(query, 1, 0, 0, -1);
    struct coreio_log_scan *other = logs_scan(same_text, 1, 0, 0, -1);
    struct coreio_log_totals totals;
    CHECK_EQ(coreio_log_scan_merge(NULL, part), -EINVAL);
    CHECK_EQ(coreio_log_scan_merge(scan, NULL), -EINVAL);
    CHECK_EQ(coreio_log_scan_merge(scan, scan), -EINVAL);
    CHECK_EQ(coreio_log_scan_merge(scan, other), -EINVAL);
    CHECK_EQ(coreio_log_scan_feed(part, (const uint8_t *)"a", 1), 0);
    CHECK_EQ(coreio_log_scan_merge(scan, part), -EINVAL);
    CHECK_EQ(coreio_log_scan_merge(part, scan), -EINVAL);
    CHECK_EQ(coreio_log_scan_feed_end(part), 0);
    CHECK_EQ(coreio_log_scan_merge(scan, part), 0);
    CHECK_EQ(coreio_log_scan_merge(scan, part), COREIO_ECLOSED);
    CHECK_EQ(coreio_log_scan_feed(part, NULL, 0), COREIO_ECLOSED);
    CHECK_EQ(coreio_log_scan_finish(part, &totals), COREIO_ECLOSED);
    CHECK_EQ(totals.lines, 0);
    CHECK_EQ(coreio_log_scan_stop(stopped), 0);
    CHECK_EQ(coreio_log_scan_merge(scan, stopped), COREIO_ECLOSED);
    CHECK_EQ(coreio_log_scan_merge(stopped, scan), COREIO_ECLOSED);
    CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
    CHECK_EQ(totals.lines, 1);
    CHECK_EQ(coreio_log_scan_merge(scan, stopped), COREIO_ECLOSED);
    coreio_log_scan_destroy(scan);
    coreio_log_scan_destroy(part);
    coreio_log_scan_destroy(stopped);
    coreio_log_scan_destroy(other);
    coreio_log_query_destroy(query);
    coreio_log_query_destroy(same_text);
}

TEST(a_part_whose_rejects_are_lost_is_not_merged)
{
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct coreio_log_query *query = logs_query("delimited", NULL, NULL, NULL);
    struct coreio_log_scan *scan = logs_scan(query, 1, 0, 0, -1);
    struct coreio_log_scan *part = logs_scan(query, 1, 0, 0, full);
    CHECK_EQ(coreio_log_scan_feed(part, (const uint8_t *)"\"a\n", 3), 0);
    CHECK_EQ(coreio_log_scan_feed_end(part), -ENOSPC);
    CHECK_EQ(coreio_log_scan_merge(scan, part), -ENOSPC);
    coreio_log_scan_destroy(part);
    coreio_log_scan_destroy(scan);
    coreio_log_query_destroy(query);
    close(full);
}

TEST(a_merge_without_memory_leaves_no_answer)
{
    struct logs_random random = {41};
    struct logs_text text = {0};
    logs_combined_lines(&text, &random, 300, 0);
    struct coreio_log_query *query = make_wide_question();
    int32_t status = -ENOMEM;
    for (int64_t passed = 0; status != 0; passed += 1 + passed / 4) {
        struct coreio_log_scan *scan = logs_scan(query, 1, 0, 0, -1);
        struct coreio_log_scan *part = logs_scan(query, 1, 0, 0, -1);
        struct coreio_log_totals totals;
        check_context("%d allocations", (int)passed);
        feed_all(part, text.bytes, text.length);
        allocations_refuse_after(passed);
        status = coreio_log_scan_merge(scan, part);
        CHECK_EQ(status, allocations_refused() ? -ENOMEM : 0);
        allocations_refuse_after(-1);
        CHECK_EQ(coreio_log_scan_finish(scan, &totals), status);
        coreio_log_scan_destroy(part);
        coreio_log_scan_destroy(scan);
    }
    logs_free(&text);
    coreio_log_query_destroy(query);
}

/* Whatever comes after a worker that lacked memory: it may have dropped lines, so no later call gives an answer. */
TEST(a_worker_without_memory_leaves_no_answer)
{
    struct logs_random random = {43};
    struct logs_text text = {0};
    logs_combined_lines(&text, &random, 2000, 0);
    const char *path = check_write(check_directory(), "access.log", text.bytes, (int64_t)text.length);
    int refusals = 0;
    for (int stream = 0; stream < 2; stream++) {
        for (int64_t passed = 0;; passed += 1 + passed / 2) {
            struct coreio_log_query *query = logs_query("combined", NULL, "client,path", STATS);
            struct coreio_log_scan *scan = logs_scan(query, 1, 0, COREIO_LOG_MIN_BLOCK, -1);
            struct coreio_log_scan *whole = logs_scan(query, 1, 0, 0, -1);
            struct coreio_log_totals totals;
            check_context("%lld allocations, stream %d", (long long)passed, stream);
            /* The first input makes the room for blocks, so what is refused afterwards is the worker's own. */
            CHECK_EQ(put_in(scan, stream ? BY_FEED : BY_FILE, path, &text, 1), text.length);
            struct logs_text more = {0};
            for (int32_t i = 0; i < 6000; i++)
                logs_print(&more,
                    "10.0.%d.%d - - [22/Jan/2019:03:56:14 +0330] \"GET /%d HTTP/1.1\" 200 7 \"-\" \"-\"\n",
                    i / 256 % 256, i % 256, i);
            const char *other = check_write(check_directory(), "other.log", more.bytes, (int64_t)more.length);
            allocations_refuse_after(passed);
            const int64_t got = put_in(scan, stream ? BY_FEED : BY_FILE, other, &more, 2);
            const int32_t refused = allocations_refused();
            allocations_refuse_after(-1);
            const int32_t status = refused ? -ENOMEM : 0;
            CHECK_EQ(got, refused ? -ENOMEM : (int64_t)more.length);
            if (refused && stream)
                coreio_log_scan_feed_end(scan);
            /* With memory again the next input is refused, too, or else the answer would look whole. */
            CHECK_EQ(coreio_log_scan_file(scan, (const uint8_t *)"/dev/null"), status);
            CHECK_EQ(coreio_log_scan_merge(whole, scan), status);
            CHECK_EQ(coreio_log_scan_finish(whole, &totals), status);
            if (refused)
                CHECK_EQ(coreio_log_scan_finish(scan, &totals), -ENOMEM);
            CHECK_EQ(coreio_log_scan_finish(scan, &totals), refused ? -ENOMEM : COREIO_ECLOSED);
            coreio_log_scan_destroy(whole);
            coreio_log_scan_destroy(scan);
            coreio_log_query_destroy(query);
            logs_free(&more);
            refusals += refused;
            if (!refused)
                break;
        }
    }
    CHECK(refusals > 10);
    logs_free(&text);
}

TEST(workers_run_where_they_are_pinned)
{
    int32_t cpus[COREIO_LOG_MAX_WORKERS];
    const int32_t allowed = coreio_cpu_allowed(cpus, COREIO_LOG_MAX_WORKERS);
    REQUIRE(allowed > 0);
    struct coreio_log_query *query = logs_query("delimited", NULL, NULL, NULL);
    struct coreio_log_scan *scan;
    struct coreio_log_worker_info infos[4];
    struct coreio_log_totals totals;
    const struct coreio_log_scan_options options = {
        .size = sizeof options, .workers = 3, .cpus = cpus + allowed - 1, .cpu_count = 1};
    REQUIRE(coreio_log_scan_create(query, &options, &scan) == 0);
    CHECK_EQ(coreio_log_scan_workers(scan, infos, 4), -EINVAL);
    CHECK_EQ(coreio_log_scan_feed(scan, (const uint8_t *)"a\nb\n", 4), 0);
    coreio_log_scan_feed_end(scan);
    coreio_log_scan_finish(scan, &totals);
    CHECK_EQ(coreio_log_scan_workers(scan, infos, 1), 3);
    CHECK_EQ(coreio_log_scan_workers(scan, infos, 4), 3);
    CHECK_EQ(coreio_log_scan_workers(scan, NULL, 1), -EINVAL);
    CHECK_EQ(coreio_log_scan_workers(scan, infos, -1), -EINVAL);
    CHECK_EQ(coreio_log_scan_workers(NULL, infos, 4), -EINVAL);
    int64_t lines = 0;
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(infos[i].cpu, cpus[allowed - 1]);
        CHECK(infos[i].thread_id > 0 && infos[i].thread_id != gettid());
        lines += infos[i].lines;
    }
    CHECK_EQ(lines, 2);
    coreio_log_scan_destroy(scan);
    /* 0 workers are one a CPU. */
    REQUIRE(coreio_log_scan_create(query, NULL, &scan) == 0);
    coreio_log_scan_finish(scan, &totals);
    CHECK_EQ(totals.workers, allowed);
    coreio_log_scan_destroy(scan);
    coreio_log_query_destroy(query);
}

/* What a part did is told of the worker of the same CPU, the first of them; of the first of all where there is none. */
TEST(work_of_a_part_is_credited_to_the_worker_of_its_cpu)
{
    static int32_t cpus[COREIO_CPU_LIMIT];
    const int32_t allowed = coreio_cpu_allowed(cpus, COREIO_CPU_LIMIT);
    if (allowed < 2)
        SKIP("one CPU is allowed, and two are told apart");
    const int32_t owns[][3] = {{cpus[0], cpus[1], cpus[1]}, {cpus[1], cpus[0], cpus[1]}, {cpus[0], cpus[0], cpus[0]}};
    static const int credited[] = {1, 0, 0};
    for (int way = 0; way < 3; way++) {
        struct coreio_log_query *query = logs_query("delimited", NULL, NULL, NULL);
        struct coreio_log_scan *scan;
        struct coreio_log_scan *part;
        struct coreio_log_totals totals;
        struct coreio_log_worker_info infos[3];
        const struct coreio_log_scan_options options = {
            .size = sizeof options, .workers = 3, .cpus = owns[way], .cpu_count = 3};
        const struct coreio_log_scan_options other = {
            .size = sizeof other, .workers = 1, .cpus = cpus + 1, .cpu_count = 1};
        REQUIRE(coreio_log_scan_create(query, &options, &scan) == 0);
        REQUIRE(coreio_log_scan_create(query, &other, &part) == 0);
        feed_all(part, (const uint8_t *)"a\nb\n", 4);
        CHECK_EQ(coreio_log_scan_merge(scan, part), 0);
        CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
        CHECK_EQ(coreio_log_scan_workers(scan, infos, 3), 3);
        check_context("way %d", way);
        for (int i = 0; i < 3; i++) {
            CHECK_EQ(infos[i].lines, i == credited[way] ? 2 : 0);
            CHECK_EQ(infos[i].bytes, i == credited[way] ? 4 : 0);
        }
        coreio_log_scan_destroy(part);
        coreio_log_scan_destroy(scan);
        coreio_log_query_destroy(query);
    }
}

TEST(options_are_checked)
{
    struct coreio_log_query *query = logs_query("delimited", NULL, NULL, NULL);
    struct coreio_log_scan *scan = (struct coreio_log_scan *)(void *)&query;
    static const int32_t one[] = {0};
    static const int32_t gone[] = {4095};
    static const struct {
        struct coreio_log_scan_options options;
        int32_t status;
    } rows[] = {
        {{.size = 3}, -EINVAL},
        {{.size = sizeof(struct coreio_log_scan_options), .workers = -1}, -EINVAL},
        {{.size = sizeof(struct coreio_log_scan_options), .workers = COREIO_LOG_MAX_WORKERS + 1}, -EINVAL},
        {{.size = sizeof(struct coreio_log_scan_options), .cpu_count = -1}, -EINVAL},
        {{.size = sizeof(struct coreio_log_scan_options), .cpu_count = 1}, -EINVAL},
        {{.size = sizeof(struct coreio_log_scan_options), .block_bytes = 4095}, -EINVAL},
        {{.size = sizeof(struct coreio_log_scan_options), .block_bytes = COREIO_LOG_MAX_BLOCK + 1}, -EINVAL},
        {{.size = sizeof(struct coreio_log_scan_options), .flags = 2}, -EINVAL},
        {{.size = sizeof(struct coreio_log_scan_options), .flags = COREIO_LOG_SCAN_REJECTS, .rejects_fd = -1}, -EINVAL},
        {{.size = sizeof(struct coreio_log_scan_options), .kernel = 99}, COREIO_ECPU},
        {{.size = sizeof(struct coreio_log_scan_options), .kernel = -1}, COREIO_ECPU},
        {{.size = sizeof(struct coreio_log_scan_options), .cpus = gone, .cpu_count = 1, .workers = 2}, COREIO_ECPU},
        {{.size = sizeof(struct coreio_log_scan_options), .cpus = one, .cpu_count = 1, .block_bytes = 4096}, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_context("row %zu", i);
        CHECK_EQ(coreio_log_scan_create(query, &rows[i].options, &scan), rows[i].status);
        CHECK((scan == NULL) == (rows[i].status != 0));
        coreio_log_scan_destroy(scan);
        scan = (struct coreio_log_scan *)(void *)&query;
    }
    struct {
        struct coreio_log_scan_options options;
        uint32_t more;
    } longer = {.options = {.size = sizeof longer}, .more = 1};
    CHECK_EQ(coreio_log_scan_create(query, &longer.options, &scan), COREIO_EABI);
    CHECK_EQ(coreio_log_scan_create(NULL, NULL, &scan), -EINVAL);
    CHECK_EQ(coreio_log_scan_create(query, NULL, NULL), -EINVAL);
    coreio_log_query_destroy(query);
    /* Nothing is asked without a table. */
    struct coreio_log_format *format = logs_format("delimited");
    struct coreio_log_fault fault;
    REQUIRE(coreio_log_query_create(format, NULL, &query, &fault) == 0);
    CHECK_EQ(coreio_log_scan_create(query, NULL, &scan), -EINVAL);
    coreio_log_query_destroy(query);
    coreio_log_format_destroy(format);
}

TEST(nothing_is_done_to_no_scan)
{
    struct coreio_log_progress progress;
    struct coreio_log_totals totals;
    CHECK_EQ(coreio_log_scan_file(NULL, (const uint8_t *)"x"), -EINVAL);
    CHECK_EQ(coreio_log_scan_fd(NULL, 0), -EINVAL);
    CHECK_EQ(coreio_log_scan_feed(NULL, NULL, 0), -EINVAL);
    CHECK_EQ(coreio_log_scan_feed_end(NULL), -EINVAL);
    CHECK_EQ(coreio_log_scan_progress(NULL, &progress), -EINVAL);
    CHECK_EQ(coreio_log_scan_stop(NULL), -EINVAL);
    CHECK_EQ(coreio_log_scan_finish(NULL, &totals), -EINVAL);
    coreio_log_scan_destroy(NULL);
    struct coreio_log_query *query = logs_query("delimited", NULL, NULL, NULL);
    struct coreio_log_scan *scan = logs_scan(query, 1, 0, 0, -1);
    CHECK_EQ(coreio_log_scan_file(scan, NULL), -EINVAL);
    CHECK_EQ(coreio_log_scan_fd(scan, -1), -EINVAL);
    CHECK_EQ(coreio_log_scan_feed(scan, NULL, 1), -EINVAL);
    CHECK_EQ(coreio_log_scan_feed(scan, NULL, -1), -EINVAL);
    CHECK_EQ(coreio_log_scan_progress(scan, NULL), -EINVAL);
    CHECK_EQ(coreio_log_scan_finish(scan, NULL), -EINVAL);
    coreio_log_scan_destroy(scan);
    coreio_log_query_destroy(query);
}

TEST(no_memory_and_no_thread_are_told_and_nothing_leaks)
{
    struct coreio_log_query *query =
        logs_query("combined", "path =~ \"x\"", "status,path", "p50(bytes),distinct(path)");
    struct coreio_log_scan *scan;
    const struct coreio_log_scan_options options = {.size = sizeof options, .workers = 3};
    int refusals = 0;
    for (int64_t passed = 0;; passed++) {
        allocations_refuse_after(passed);
        const int32_t status = coreio_log_scan_create(query, &options, &scan);
        const int refused = allocations_refused();
        allocations_refuse_after(-1);
        CHECK_EQ(status, refused ? -ENOMEM : 0);
        CHECK((scan == NULL) == refused);
        coreio_log_scan_destroy(scan);
        refusals += refused;
        if (!refused)
            break;
    }
    CHECK(refusals > 10);
    for (int64_t passed = 0; passed < 3; passed++) {
        threads_refuse_after(passed);
        CHECK_EQ(coreio_log_scan_create(query, &options, &scan), -EAGAIN);
        threads_refuse_after(-1);
        CHECK(scan == NULL);
    }
    coreio_log_query_destroy(query);
}

/* A worker takes further room for blocks in the middle of a file. Where there is none for it, lines are lost. */
TEST(a_file_without_room_for_its_blocks_has_no_answer)
{
    struct logs_random random = {44};
    struct logs_text text = {0};
    logs_combined_lines(&text, &random, 2000, 0);
    REQUIRE(text.length > (size_t)40 * COREIO_LOG_MIN_BLOCK);
    const char *path = check_write(check_directory(), "access.log", text.bytes, (int64_t)text.length);
    struct coreio_log_query *query = logs_query("combined", NULL, NULL, NULL);
    int32_t refusals = 0;
    for (int64_t passed = 0;; passed++, refusals++) {
        struct coreio_log_scan *scan = logs_scan(query, 1, 0, COREIO_LOG_MIN_BLOCK, -1);
        struct coreio_log_totals totals;
        check_context("%lld allocations", (long long)passed);
        allocations_refuse_after(passed);
        const int64_t got = coreio_log_scan_file(scan, (const uint8_t *)path);
        const int32_t refused = allocations_refused();
        allocations_refuse_after(-1);
        CHECK_EQ(got, refused ? -ENOMEM : (int64_t)text.length);
        CHECK_EQ(coreio_log_scan_finish(scan, &totals), refused ? -ENOMEM : 0);
        for (int32_t room = 0; room < COREIO__TURNS && !refused; room++)
            CHECK(scan->hands[0]->rooms[room].memory != NULL);
        coreio_log_scan_destroy(scan);
        if (!refused)
            break;
    }
    CHECK(refusals >= COREIO__TURNS);
    coreio_log_query_destroy(query);
    logs_free(&text);
}

/* Memory may end at any moment while lines are counted and tables merged: a status, no crash, no wait for ever. */
TEST(memory_that_ends_while_lines_are_counted_is_told)
{
    struct coreio_log_query *query =
        logs_query("combined", NULL, "client,path", "p50(bytes),distinct(http_user_agent)");
    struct logs_random random = {22};
    struct logs_text text = {0};
    logs_combined_lines(&text, &random, 600, 1);
    const char *directory = check_directory();
    const char *path = check_write(directory, "log", text.bytes, (int64_t)text.length);
    const int rejects = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int finished = 0;
    for (int64_t passed = 0; !finished; passed += 1 + passed / (LOGS_WATCHED ? 3 : 8)) {
        for (int stream = 0; stream < 2; stream++) {
            struct coreio_log_scan *scan = logs_scan(query, 2, 0, 4096, rejects);
            struct coreio_log_totals totals;
            check_context("%lld passed, stream %d", (long long)passed, stream);
            allocations_refuse_after(passed);
            int64_t status;
            if (stream) {
                status = coreio_log_scan_feed(scan, text.bytes, (int64_t)text.length);
                if (status < 0)
                    CHECK(coreio_log_scan_feed(scan, text.bytes, 5) < 0);
                const int32_t end = coreio_log_scan_feed_end(scan);
                status = status < 0 ? status : end;
            } else {
                status = coreio_log_scan_file(scan, (const uint8_t *)path);
            }
            CHECK(status >= 0 || status == -ENOMEM);
            const int32_t finish = coreio_log_scan_finish(scan, &totals);
            CHECK(finish == 0 || finish == -ENOMEM);
            CHECK(allocations_refused() == (status < 0 || finish < 0));
            finished = !allocations_refused() && stream;
            allocations_refuse_after(-1);
            coreio_log_scan_destroy(scan);
        }
    }
    close(rejects);
    logs_free(&text);
    coreio_log_query_destroy(query);
}
