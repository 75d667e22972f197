/* The machine that goes a byte at a time, against the reference that knows no formats but by their text. */
#include "check.h"

#include "lines.h"
#include "log/machine.h"
#include "logs.h"

#include <stdlib.h>
#include <string.h>

#define MOST 4096

/* Cuts all lines of a text both ways. */
static void check_text(const char *name, const struct coreio_log_format *format, const struct logs_text *text)
{
    static struct lines_fields expected;
    static struct coreio_log_field fields[MOST];
    const uint8_t *bytes = guarded_copy(text->bytes, (int64_t)text->length);
    size_t begin = 0;
    while (begin < text->length) {
        size_t end;
        const size_t next = lines_next(bytes, text->length, begin, &end);
        lines_cut(name, bytes, begin, end, &expected);
        struct coreio__machine_line line;
        coreio__machine_next(format, bytes, text->length, begin, fields, MOST, &line);
        check_context("%s, line at %zu", name, begin);
        CHECK_EQ(line.next, next);
        CHECK_EQ(line.end, end);
        CHECK_EQ(line.reason, expected.reason);
        CHECK_EQ(line.fields, expected.count);
        if (line.fields == expected.count && line.fields <= MOST)
            CHECK(memcmp(fields, expected.fields, line.fields * sizeof fields[0]) == 0);
        begin = next;
    }
    check_context(NULL);
}

static const char *const names[] = {
    "delimited", "edge", "combined", "common", "[$a] \"$b\"|$status", "$a, $b\"$c\"x$d;"};

#define NAMES (sizeof names / sizeof names[0])

TEST(the_machine_finds_what_the_reference_finds_in_access_logs)
{
    struct logs_random random = {11};
    for (size_t i = 0; i < NAMES; i++) {
        struct logs_text text = {0};
        logs_combined_lines(&text, &random, 400, 1);
        struct coreio_log_format *format = logs_format(names[i]);
        check_text(names[i], format, &text);
        coreio_log_format_destroy(format);
        logs_free(&text);
    }
}

TEST(the_machine_finds_what_the_reference_finds_in_garbage)
{
    struct logs_random random = {12};
    for (int32_t round = 0; round < (LOGS_WATCHED ? 50 : 500); round++) {
        for (size_t i = 0; i < NAMES; i++) {
            struct logs_text text = {0};
            logs_garbage(&text, &random, logs_below(&random, 600), "ab \t|\"[]\\\r\n,x;1:");
            struct coreio_log_format *format = logs_format(names[i]);
            check_text(names[i], format, &text);
            coreio_log_format_destroy(format);
            logs_free(&text);
        }
    }
}

TEST(the_machine_counts_fields_beyond_the_capacity)
{
    struct coreio_log_format *format = logs_format("delimited");
    struct coreio_log_field field;
    struct coreio__machine_line line;
    coreio__machine_next(format, (const uint8_t *)"a b c\nd", 7, 0, &field, 1, &line);
    CHECK_EQ(line.fields, 3);
    CHECK_EQ(line.next, 6);
    CHECK_EQ(field.length, 1);
    coreio_log_format_destroy(format);
}

TEST(the_machine_rejects_a_line_that_is_too_long)
{
    struct coreio_log_format *format = logs_format("delimited");
    const size_t length = COREIO_LOG_MAX_LINE + 1;
    uint8_t *text = malloc(length);
    REQUIRE(text != NULL);
    memset(text, 'x', length);
    text[length - 1] = '\n';
    struct coreio__machine_line line;
    coreio__machine_next(format, text, length, 0, NULL, 0, &line);
    CHECK_EQ(line.reason, COREIO_LOG_TOO_LONG);
    CHECK_EQ(line.fields, 0);
    coreio__machine_next(format, text, length, 1, NULL, 0, &line);
    CHECK_EQ(line.reason, COREIO_LOG_PARSED);
    free(text);
    coreio_log_format_destroy(format);
}
