/* Floors: each counts what there is to count, on every kernel, whatever the lengths of lines, and tells what it cannot.
 */
#include "check.h"

#include "allocations.h"
#include "lines.h"
#include "logs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t *write_text(const struct logs_text *text)
{
    return (const uint8_t *)check_write(check_directory(), "log", text->bytes, (int64_t)text->length);
}

struct expected {
    int64_t lines;
    int64_t newlines;
    int64_t hits;
    int64_t fields;
};

static struct expected count(const char *name, const struct logs_text *text)
{
    static struct lines_fields cut;
    struct expected expected = {0};
    for (size_t i = 0; i < text->length; i++) {
        expected.newlines += text->bytes[i] == '\n';
        expected.hits += text->bytes[i] != 0 && strchr("\n\"[] \t|\\", text->bytes[i]) != NULL;
    }
    for (size_t begin = 0; begin < text->length; expected.lines++) {
        size_t end;
        const size_t next = lines_next(text->bytes, text->length, begin, &end);
        lines_cut(name, text->bytes, begin, end, &cut);
        expected.fields += cut.count;
        begin = next;
    }
    return expected;
}

static void check_all(const char *name, const struct logs_text *text)
{
    const struct expected expected = count(name, text);
    struct coreio_log_format *format = logs_format(name);
    const uint8_t *path = write_text(text);
    for (int32_t i = 0; logs_kernel(i) != 0; i++) {
        for (int32_t work = COREIO_LOG_FLOOR_READ; work <= COREIO_LOG_FLOOR_LEX; work++) {
            struct coreio_log_floor_result result;
            check_context("%s, kernel %d, work %d", name, logs_kernel(i), work);
            const int32_t cuts = work >= COREIO_LOG_FLOOR_SCALAR;
            CHECK_EQ(coreio_log_floor(path, cuts ? format : NULL, work, logs_kernel(i), &result), 0);
            CHECK_EQ(result.bytes, text->length);
            CHECK_EQ(result.kernel, logs_kernel(i));
            CHECK(result.elapsed_ns > 0 && result.cpu_ns >= 0);
            CHECK_EQ(result.lines, cuts ? expected.lines : work == COREIO_LOG_FLOOR_NEWLINES ? expected.newlines : 0);
            CHECK_EQ(result.hits, cuts ? expected.fields : work == COREIO_LOG_FLOOR_INDEX ? expected.hits : 0);
        }
    }
    check_context(NULL);
    coreio_log_format_destroy(format);
}

TEST(floors_count_what_is_there)
{
    struct logs_random random = {21};
    static const char *const names[] = {"combined", "delimited", "edge"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct logs_text text = {0};
        logs_combined_lines(&text, &random, LOGS_WATCHED ? 2000 : 8000, 1);
        logs_append(&text, "no newline", 10);
        check_all(names[i], &text);
        logs_free(&text);
    }
}

TEST(floors_count_lines_longer_than_a_block)
{
    struct logs_text text = {0};
    const int32_t lengths[] = {3, 70000, 1, 300000, 262143, 262144, 262145, 700000, 5};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (int32_t j = 0; j < lengths[i]; j++)
            logs_append(&text, j % 256 == 7 ? " " : "x", 1);
        logs_append(&text, "\n", 1);
    }
    check_all("delimited", &text);
    logs_free(&text);
}

/* More blocks than both ways to read are tried with, and lines whose parts are in several of them. */
TEST(floors_count_lines_that_go_from_buffer_to_buffer)
{
    struct logs_random random = {49};
    struct logs_text text = {0};
    static const int32_t sizes[] = {260000, 270000, 600000, 1500000};
    for (int32_t i = 0; i < 12; i++) {
        logs_combined_lines(&text, &random, 8000, 1);
        if (i % 3 == 2) {
            for (int32_t byte = 0; byte < sizes[i / 3]; byte++)
                logs_append(&text, byte % 9 == 8 ? " " : "x", 1);
            logs_append(&text, "\n", 1);
        }
    }
    REQUIRE(text.length > (size_t)40 * COREIO_LOG_DEFAULT_BLOCK);
    check_all("combined", &text);
    logs_free(&text);
}

TEST(floors_count_more_fields_than_there_is_room_for)
{
    struct logs_text text = {0};
    for (int32_t line = 0; line < 3; line++) {
        for (int32_t i = 0; i < 50000; i++)
            logs_append(&text, "x ", 2);
        logs_append(&text, "\n", 1);
    }
    struct coreio_log_format *format = logs_format("delimited");
    const uint8_t *path = write_text(&text);
    for (int32_t work = COREIO_LOG_FLOOR_SCALAR; work <= COREIO_LOG_FLOOR_LEX; work++) {
        struct coreio_log_floor_result result;
        CHECK_EQ(coreio_log_floor(path, format, work, 0, &result), 0);
        CHECK_EQ(result.hits, 150000);
        CHECK_EQ(result.lines, 3);
    }
    coreio_log_format_destroy(format);
    logs_free(&text);
}

TEST(an_empty_file_has_no_lines)
{
    const struct logs_text text = {(uint8_t *)"", 0, 0};
    check_all("combined", &text);
}

TEST(wrong_arguments_are_told)
{
    struct coreio_log_format *format = logs_format("combined");
    struct coreio_log_floor_result result;
    const uint8_t *path = (const uint8_t *)"/dev/null";
    CHECK_EQ(coreio_log_floor(path, format, COREIO_LOG_FLOOR_LEX, 0, &result), 0);
    CHECK_EQ(coreio_log_floor(NULL, format, COREIO_LOG_FLOOR_LEX, 0, &result), -EINVAL);
    CHECK_EQ(coreio_log_floor(path, format, COREIO_LOG_FLOOR_LEX, 0, NULL), -EINVAL);
    CHECK_EQ(coreio_log_floor(path, format, 0, 0, &result), -EINVAL);
    CHECK_EQ(coreio_log_floor(path, format, COREIO_LOG_FLOOR_LEX + 1, 0, &result), -EINVAL);
    CHECK_EQ(coreio_log_floor(path, NULL, COREIO_LOG_FLOOR_SCALAR, 0, &result), -EINVAL);
    CHECK_EQ(coreio_log_floor(path, NULL, COREIO_LOG_FLOOR_READ, 99, &result), COREIO_ECPU);
    CHECK_EQ(coreio_log_floor((const uint8_t *)"/nowhere/at/all", NULL, COREIO_LOG_FLOOR_READ, 0, &result), -ENOENT);
    CHECK_EQ(coreio_log_floor((const uint8_t *)"/", NULL, COREIO_LOG_FLOOR_READ, 0, &result), -EISDIR);
    coreio_log_format_destroy(format);
}

TEST(every_allocation_may_fail)
{
    struct coreio_log_format *format = logs_format("combined");
    struct logs_text text = {0};
    for (int32_t i = 0; i < 600000; i++)
        logs_append(&text, "x", 1);
    const uint8_t *path = write_text(&text);
    int32_t refusals = 0;
    for (int32_t status = -ENOMEM; status == -ENOMEM; refusals++) {
        struct coreio_log_floor_result result;
        allocations_refuse_after(refusals);
        status = coreio_log_floor(path, format, COREIO_LOG_FLOOR_LEX, 0, &result);
        allocations_refuse_after(-1);
        CHECK_EQ(status, refusals < 7 ? -ENOMEM : status);
    }
    CHECK(refusals > 7);
    coreio_log_format_destroy(format);
    logs_free(&text);
}
