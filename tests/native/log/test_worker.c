/* What becomes of a line, in the order of docs/queries.md, section 1: rejected, filtered or parsed. */
#include "check.h"

#include "allocations.h"
#include "log/worker.h"
#include "logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Works on one text and returns the tally, which the caller frees. */
static struct coreio__tally *work(const struct coreio_log_query *query, const char *text, int32_t rejects)
{
    struct coreio__worker *worker = malloc(sizeof *worker);
    struct coreio__tally *tally = malloc(sizeof *tally);
    struct coreio__sink sink;
    coreio__sink_init(&sink, rejects, -1);
    CHECK_EQ(coreio__worker_init(worker, query, coreio__kernel_get(COREIO_LOG_KERNEL_AUTO), &sink), 0);
    const size_t length = strlen(text);
    CHECK_EQ(coreio__worker_block(worker, guarded_copy(text, (int64_t)length), length, 0, 0, 0), 0);
    *tally = worker->tally;
    CHECK_EQ(tally->bytes, length);
    CHECK_EQ(tally->lines, tally->parsed + tally->rejected + tally->filtered);
    coreio__worker_clear(worker);
    coreio__sink_clear(&sink);
    free(worker);
    return tally;
}

/* Checks one line under a question: a reason of rejection, 0 for parsed, -1 for filtered. */
static void check_line(const struct coreio_log_query *query, const char *line, int32_t expected)
{
    struct coreio__tally *tally = work(query, line, -1);
    check_context("%s", line);
    CHECK_EQ(tally->lines, 1);
    CHECK_EQ(tally->parsed, expected == 0);
    CHECK_EQ(tally->filtered, expected == -1);
    for (int32_t reason = 1; reason < COREIO_LOG_REASONS; reason++)
        CHECK_EQ(tally->reasons[reason], reason == expected);
    free(tally);
}

TEST(the_first_reason_rejects_then_the_filter_looks)
{
    struct coreio_log_query *query =
        logs_query("[$time_local] $status $bytes_sent \"$x\"", "status >= 400", "minute", "sum(bytes)");
    check_line(query, "[01/Jan/2023:00:00:00 +0000] 404 5 \"\"", 0);
    check_line(query, "[01/Jan/2023:00:00:00 +0000] 200 5 \"\"", -1);
    check_line(query, "[-] 404 - \"x\"", 0);
    check_line(query, "[] 404  \"x\"", 0);
    check_line(query, "[-] - 5 \"\"", -1);
    check_line(query, "[x] y z \"\"", COREIO_LOG_NOT_A_TIME);
    check_line(query, "[-] y z \"\"", COREIO_LOG_NOT_A_NUMBER);
    check_line(query, "[-] 200 z \"\"", COREIO_LOG_NOT_A_NUMBER);
    check_line(query, "[x] y z \"", COREIO_LOG_OPEN_DELIMITER);
    check_line(query, "[x] y z ", COREIO_LOG_MISSING_TEXT);
    check_line(query, "[x] y z \"\" ", COREIO_LOG_TRAILING_TEXT);
    coreio_log_query_destroy(query);
}

TEST(fields_that_are_not_asked_for_are_not_typed)
{
    struct coreio_log_query *query = logs_query("$status $bytes_sent", NULL, "status_class", NULL);
    check_line(query, "200 x", 0);
    check_line(query, "x 200", COREIO_LOG_NOT_A_NUMBER);
    coreio_log_query_destroy(query);
    query = logs_query("$status $bytes_sent", NULL, "bytes_sent", NULL);
    check_line(query, "x 200", 0);
    check_line(query, "200 x", COREIO_LOG_NOT_A_NUMBER);
    coreio_log_query_destroy(query);
    query = logs_query("$status $bytes_sent", NULL, NULL, "distinct(status)");
    check_line(query, "x y", 0);
    coreio_log_query_destroy(query);
}

TEST(since_and_until_are_half_open)
{
    struct coreio_log_format *format = logs_format("$time_iso8601");
    const struct coreio_log_query_options options = {.size = sizeof options, .since_us = 1000000, .until_us = 3000000};
    struct coreio_log_query *query;
    struct coreio_log_fault fault;
    REQUIRE(coreio_log_query_create(format, &options, &query, &fault) == 0);
    CHECK_EQ(coreio_log_query_add_table(query, NULL, &fault), 0);
    check_line(query, "1970-01-01T00:00:00Z", -1);
    check_line(query, "1970-01-01T00:00:01Z", 0);
    check_line(query, "1970-01-01T00:00:02Z", 0);
    check_line(query, "1970-01-01T00:00:03Z", -1);
    check_line(query, "-", -1);
    check_line(query, "\n", -1);
    check_line(query, "x", COREIO_LOG_NOT_A_TIME);
    coreio_log_query_destroy(query);
    coreio_log_format_destroy(format);
}

TEST(the_same_second_again_and_another_one_are_told_apart)
{
    struct coreio_log_query *query = logs_query("$time_local", "time_local == 1", NULL, NULL);
    struct coreio__tally *tally = work(query,
        "01/Jan/1970:00:00:01 +0000\n01/Jan/1970:00:00:01 +0000\n01/Jan/1970:00:00:02 +0000\n-\n"
        "01/Jan/1970:00:00:01 +0000\n01/Jan/1970:00:00:01 +000x\n01/Jan/1970:00:00:01 +0000\n",
        -1);
    CHECK_EQ(tally->parsed, 4);
    CHECK_EQ(tally->filtered, 2);
    CHECK_EQ(tally->rejected, 1);
    free(tally);
    coreio_log_query_destroy(query);
}

TEST(rejected_lines_are_written_with_their_ends)
{
    const int fd = open(check_write(check_directory(), "rejects", "", 0), O_RDWR | O_CLOEXEC);
    struct coreio_log_query *query = logs_query("delimited", NULL, NULL, NULL);
    struct coreio__tally *tally = work(query, "a\n\"b\r\nc\n[d\n\"e", fd);
    char written[64];
    const ssize_t got = pread(fd, written, sizeof written, 0);
    CHECK_TEXT(written, got, "\"b\r\n[d\n\"e");
    CHECK_EQ(tally->rejected, 3);
    CHECK_EQ(tally->samples[COREIO_LOG_OPEN_DELIMITER][0].offset, 2);
    CHECK_EQ(tally->samples[COREIO_LOG_OPEN_DELIMITER][0].length, 2);
    CHECK_EQ(tally->samples[COREIO_LOG_OPEN_DELIMITER][2].offset, 11);
    free(tally);
    close(fd);
    coreio_log_query_destroy(query);
}

TEST(no_memory_is_told_and_nothing_leaks)
{
    struct coreio_log_query *query = logs_query("delimited", NULL, "f1", "distinct(f2)");
    struct coreio__sink sink;
    coreio__sink_init(&sink, -1, -1);
    int refusals = 0;
    for (int64_t passed = 0;; passed++) {
        struct coreio__worker *worker = malloc(sizeof *worker);
        allocations_refuse_after(passed);
        int32_t status = coreio__worker_init(worker, query, coreio__kernel_get(0), &sink);
        if (status == 0)
            status = coreio__worker_block(worker, (const uint8_t *)"a b\nc d\n", 8, 0, 0, 0);
        const int refused = allocations_refused();
        allocations_refuse_after(-1);
        CHECK_EQ(status, refused ? -ENOMEM : 0);
        coreio__worker_clear(worker);
        free(worker);
        refusals += refused;
        if (!refused)
            break;
    }
    CHECK(refusals >= 7);
    coreio__sink_clear(&sink);
    coreio_log_query_destroy(query);
}
