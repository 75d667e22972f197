/* Regular files: blocks that end anywhere, lines longer than can be held, files that cannot be read. */
#include "check.h"

#include "logs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int64_t scan_path(struct coreio_log_scan *scan, const char *path)
{
    return coreio_log_scan_file(scan, (const uint8_t *)path);
}

/* Scans one text as a file in blocks of 4 KiB, checks the sums, and returns how many lines were parsed. */
static int64_t parsed_of(const struct logs_text *text, int32_t workers)
{
    const char *path = check_write(check_directory(), "log", text->bytes, (int64_t)text->length);
    struct coreio_log_query *query = logs_query("delimited", NULL, NULL, NULL);
    struct coreio_log_scan *scan = logs_scan(query, workers, 0, COREIO_LOG_MIN_BLOCK, -1);
    struct coreio_log_totals totals;
    CHECK_EQ(scan_path(scan, path), text->length);
    CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
    CHECK_EQ(totals.lines, totals.parsed);
    CHECK_EQ(totals.bytes, text->length);
    coreio_log_scan_destroy(scan);
    coreio_log_query_destroy(query);
    return totals.parsed;
}

TEST(lines_that_end_around_a_block_are_counted_once)
{
    for (int32_t shift = -3; shift <= 3; shift++) {
        for (int32_t lines = 1; lines <= 3; lines++) {
            struct logs_text text = {0};
            const size_t length = (size_t)(COREIO_LOG_MIN_BLOCK + shift);
            for (int32_t i = 0; i < lines; i++) {
                for (size_t j = 1; j < length; j++)
                    logs_append(&text, "x", 1);
                logs_append(&text, "\n", 1);
            }
            check_context("%d lines, shift %d", lines, shift);
            CHECK_EQ(parsed_of(&text, 1), lines);
            CHECK_EQ(parsed_of(&text, 2), lines);
            text.length--;
            CHECK_EQ(parsed_of(&text, 2), lines);
            logs_free(&text);
        }
    }
}

static void append_line(struct logs_text *text, size_t length)
{
    for (size_t i = 1; i < length; i++)
        logs_append(text, "x", 1);
    logs_append(text, "\n", 1);
}

/* The line a block ends in ends around the last byte that is read together with the block, or around the next piece. */
TEST(lines_that_end_around_what_is_read_ahead_are_counted_once)
{
    static const size_t ends[] = {2048, 2048 + 16384};
    for (size_t end = 0; end < 2; end++) {
        for (int32_t shift = -3; shift <= 3; shift++) {
            struct logs_text text = {0};
            append_line(&text, COREIO_LOG_MIN_BLOCK - 10);
            append_line(&text, (size_t)((int32_t)ends[end] + 10 + shift));
            check_context("%d bytes more, shift %d", (int)ends[end], shift);
            CHECK_EQ(parsed_of(&text, 1), 2);
            append_line(&text, 5);
            CHECK_EQ(parsed_of(&text, 1), 3);
            CHECK_EQ(parsed_of(&text, 2), 3);
            text.length--;
            CHECK_EQ(parsed_of(&text, 2), 3);
            logs_free(&text);
        }
    }
}

TEST(empty_lines_and_zero_bytes_are_lines)
{
    struct logs_text text = {0};
    for (int i = 0; i < 10000; i++)
        logs_append(&text, i % 3 == 0 ? "\0\n" : "\r\n", 2);
    CHECK_EQ(parsed_of(&text, 2), 10000);
    memset(text.bytes, '\n', text.length);
    CHECK_EQ(parsed_of(&text, 2), 20000);
    memset(text.bytes, 0, text.length);
    CHECK_EQ(parsed_of(&text, 2), 1);
    logs_free(&text);
}

/* Lines of many sizes, two of them longer than 8 MiB, among ones that are rejected for a quote. */
static void make_long_lines(struct logs_text *text, struct logs_text *rejected, int newline_at_end)
{
    static const size_t sizes[] = {10, 5000, COREIO_LOG_MAX_LINE + 1, 20, 70000, COREIO_LOG_MAX_LINE + 3000000, 3, 4096,
        COREIO_LOG_MAX_LINE + 4097};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const size_t begin = text->length;
        uint8_t *line = malloc(sizes[i]);
        memset(line, 'a' + (int)i, sizes[i]);
        if (sizes[i] < 100)
            line[0] = '"';
        line[sizes[i] - 1] = '\n';
        logs_append(text, line, sizes[i]);
        free(line);
        if (!newline_at_end && i + 1 == sizeof sizes / sizeof sizes[0])
            text->length--;
        if (sizes[i] < 100 || sizes[i] > COREIO_LOG_MAX_LINE)
            logs_append(rejected, text->bytes + begin, text->length - begin);
    }
}

TEST(lines_over_8_mib_are_rejected_whole_and_in_order)
{
    const char *directory = check_directory();
    for (int last = 0; last < 2; last++) {
        struct logs_text text = {0};
        struct logs_text rejected = {0};
        make_long_lines(&text, &rejected, last);
        const char *path = check_write(directory, "log", text.bytes, (int64_t)text.length);
        static const int32_t blocks[] = {4096, 262144, COREIO_LOG_MAX_BLOCK};
        for (int way = 0; way < 6; way++) {
            if (LOGS_WATCHED && way != 1 && way != 5)
                continue;
            const char *rejects_path = check_write(directory, "rejects", "", 0);
            const int rejects = open(rejects_path, O_RDWR | O_TRUNC | O_CLOEXEC);
            struct coreio_log_query *query = logs_query("delimited", NULL, NULL, NULL);
            struct coreio_log_scan *scan = logs_scan(query, 1 + way % 3, 0, blocks[way % 3], rejects);
            struct coreio_log_totals totals;
            check_context("newline %d, way %d", last, way);
            if (way < 3) {
                CHECK_EQ(scan_path(scan, path), text.length);
            } else {
                const int file = open(path, O_RDONLY | O_CLOEXEC);
                CHECK_EQ(coreio_log_scan_fd(scan, file), text.length);
                close(file);
            }
            struct logs_text answer = {0};
            CHECK_EQ(logs_answer(scan, &answer, &totals), 0);
            CHECK_EQ(totals.lines, 9);
            CHECK_EQ(totals.rejected, 6);
            CHECK_EQ(totals.bytes, text.length);
            struct logs_text written = {0};
            written.bytes = malloc(rejected.length + 1);
            written.length = (size_t)pread(rejects, written.bytes, rejected.length + 1, 0);
            CHECK_BYTES(written.bytes, written.length, rejected.bytes, rejected.length);
            struct coreio_log_reject reasons[COREIO_LOG_REASONS];
            uint8_t samples[COREIO_LOG_REASONS * COREIO_LOG_SAMPLES * COREIO_LOG_SAMPLE_BYTES];
            CHECK_EQ(coreio_log_scan_rejects(scan, reasons, COREIO_LOG_REASONS, samples, (int32_t)sizeof samples), 2);
            CHECK_EQ(reasons[1].reason, COREIO_LOG_TOO_LONG);
            CHECK_EQ(reasons[1].sample_count, 3);
            for (int i = 0; i < 3; i++) {
                CHECK_EQ(reasons[1].sample_length[i], COREIO_LOG_SAMPLE_BYTES);
                CHECK_EQ(samples[reasons[1].sample_offset[i]], "cfi"[i]);
                CHECK_EQ(samples[reasons[1].sample_offset[i] + COREIO_LOG_SAMPLE_BYTES - 1], "cfi"[i]);
            }
            close(rejects);
            logs_free(&answer);
            logs_free(&written);
            coreio_log_scan_destroy(scan);
            coreio_log_query_destroy(query);
        }
        logs_free(&text);
        logs_free(&rejected);
    }
}

TEST(files_that_cannot_be_read_leave_the_others)
{
    const char *directory = check_directory();
    const char *good = check_write(directory, "good", "a\n", 2);
    struct coreio_log_query *query = logs_query("delimited", NULL, NULL, NULL);
    struct coreio_log_scan *scan = logs_scan(query, 2, 0, 0, -1);
    struct coreio_log_totals totals;
    char loop[512];
    snprintf(loop, sizeof loop, "%s/loop", directory);
    CHECK_EQ(symlink(loop, loop), 0);
    CHECK_EQ(scan_path(scan, directory), -EISDIR);
    CHECK_EQ(scan_path(scan, "/nonexistent/log"), -ENOENT);
    CHECK_EQ(scan_path(scan, loop), -ELOOP);
    CHECK_EQ(scan_path(scan, ""), -ENOENT);
    CHECK_EQ(scan_path(scan, "/dev/null"), 0);
    CHECK_EQ(scan_path(scan, good), 2);
    struct coreio_log_progress progress;
    CHECK_EQ(coreio_log_scan_progress(scan, &progress), 0);
    CHECK_EQ(progress.bytes_done, 2);
    CHECK_EQ(progress.bytes_total, 2);
    CHECK(scan_path(scan, "/proc/self/status") > 100);
    CHECK_EQ(coreio_log_scan_progress(scan, &progress), 0);
    CHECK_EQ(progress.bytes_total, -1);
    CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
    CHECK(totals.lines > 10);
    coreio_log_scan_destroy(scan);
    coreio_log_query_destroy(query);
}

TEST(a_file_without_permission_is_told)
{
    const char *directory = check_directory();
    const char *path = check_write(directory, "secret", "a\n", 2);
    CHECK_EQ(chmod(directory, 0755), 0);
    CHECK_EQ(chmod(path, 0), 0);
    const pid_t child = fork();
    if (child == 0) {
        /* Root may read anything, so the child is nobody. */
        if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(3);
        struct coreio_log_query *query = logs_query("delimited", NULL, NULL, NULL);
        struct coreio_log_scan *scan = logs_scan(query, 1, 0, 0, -1);
        const int64_t status = scan_path(scan, path);
        coreio_log_scan_destroy(scan);
        coreio_log_query_destroy(query);
        _exit(status == -EACCES ? 0 : 1);
    }
    int status;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK_EQ(status, 0);
}

struct cutter {
    const char *path;
    struct coreio_log_scan *scan;
};

/* Cuts a file off once its reading has begun. */
static void *cut_file(void *argument)
{
    const struct cutter *cutter = argument;
    struct coreio_log_progress progress = {0};
    while (progress.bytes_done == 0)
        coreio_log_scan_progress(cutter->scan, &progress);
    CHECK_EQ(truncate(cutter->path, 5000), 0);
    return NULL;
}

TEST(a_file_cut_off_while_it_is_read_is_told)
{
    const char *directory = check_directory();
    struct logs_text text = {0};
    struct logs_random random = {30};
    logs_combined_lines(&text, &random, LOGS_WATCHED ? 20000 : 60000, 0);
    const char *path = check_write(directory, "log", text.bytes, (int64_t)text.length);
    const char *rejects_path = check_write(directory, "rejects", "", 0);
    const int rejects = open(rejects_path, O_WRONLY | O_CLOEXEC);
    struct coreio_log_query *query = logs_query("combined", NULL, "client,path", "p50(bytes)");
    struct coreio_log_scan *scan = logs_scan(query, 2, 0, 4096, rejects);
    struct cutter cutter = {path, scan};
    struct coreio_log_totals totals;
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, cut_file, &cutter) == 0);
    CHECK_EQ(scan_path(scan, path), COREIO_ETRUNCATED);
    pthread_join(thread, NULL);
    /* The next file is read as if nothing had been. */
    const char *next = check_write(directory, "next", "x\n", 2);
    CHECK_EQ(scan_path(scan, next), 2);
    CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
    CHECK_EQ(totals.lines, totals.parsed + totals.rejected);
    CHECK(totals.lines >= 2 && totals.bytes < (int64_t)text.length);
    CHECK_EQ(totals.rejected, 1);
    close(rejects);
    logs_free(&text);
    coreio_log_scan_destroy(scan);
    coreio_log_query_destroy(query);
}

TEST(rejects_that_cannot_be_written_end_the_scan)
{
    struct logs_text text = {0};
    for (int i = 0; i < 20000; i++)
        logs_print(&text, "\"\n");
    const char *path = check_write(check_directory(), "log", text.bytes, (int64_t)text.length);
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    REQUIRE(full >= 0);
    struct coreio_log_query *query = logs_query("delimited", NULL, NULL, NULL);
    for (int stream = 0; stream < 2; stream++) {
        struct coreio_log_scan *scan = logs_scan(query, 2, 0, 4096, full);
        struct coreio_log_totals totals;
        const int file = open(path, O_RDONLY | O_CLOEXEC);
        CHECK_EQ(stream ? coreio_log_scan_fd(scan, file) : scan_path(scan, path), -ENOSPC);
        close(file);
        CHECK_EQ(scan_path(scan, path), -ENOSPC);
        CHECK_EQ(coreio_log_scan_feed(scan, (const uint8_t *)"a", 1), -ENOSPC);
        CHECK_EQ(coreio_log_scan_feed_end(scan), -ENOSPC);
        CHECK_EQ(coreio_log_scan_finish(scan, &totals), 0);
        coreio_log_scan_destroy(scan);
    }
    close(full);
    logs_free(&text);
    coreio_log_query_destroy(query);
}
