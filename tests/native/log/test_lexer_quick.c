/* The quick way: what it accepts is what the definition cuts, and what it refuses it leaves untouched. */
#include "check.h"

#include "log/lexer_quick.h"
#include "logs.h"

#include <stdlib.h>
#include <string.h>

#define MOST_FIELDS 64
#define BATCH 16

/* A lexer at the beginning of one window. */
static struct coreio__lexer begin(const struct coreio_log_format *format, const uint8_t *text, size_t length)
{
    struct coreio__lexer lexer = {.format = format, .kernel = coreio__kernel_get(COREIO_LOG_KERNEL_AUTO)};
    CHECK_EQ(coreio__lexer_begin(&lexer, text, length), 0);
    return lexer;
}

/* Goes through a window by both ways; returns how many lines were quick. */
static int32_t compare(const char *format_text, const uint8_t *text, size_t length, uint32_t limit)
{
    struct coreio_log_format *format = logs_format(format_text);
    struct coreio__lexer quick = begin(format, text, length);
    struct coreio__lexer plain = begin(format, text, length);
    struct coreio_log_field rows[BATCH * (MOST_FIELDS + 1)];
    struct coreio_log_field fields[MOST_FIELDS];
    struct coreio__line lines[BATCH];
    struct coreio__line expected;
    int32_t found = 0;
    for (;;) {
        const uint32_t count = coreio__lexer_quick(&quick, rows, limit, limit + 1, 7, lines, BATCH);
        for (uint32_t i = 0; i < count; i++) {
            CHECK_EQ(coreio__lexer_next(&plain, fields, MOST_FIELDS, &expected), 1);
            CHECK(memcmp(&lines[i], &expected, sizeof expected) == 0);
            for (uint32_t j = 0; j < expected.fields && j < limit; j++) {
                CHECK_EQ(rows[i * (limit + 1) + j].offset, fields[j].offset + 7);
                CHECK_EQ(rows[i * (limit + 1) + j].length, fields[j].length);
            }
        }
        found += (int32_t)count;
        if (count > 0)
            continue;
        const int32_t more = coreio__lexer_next(&quick, fields, MOST_FIELDS, lines);
        CHECK_EQ(coreio__lexer_next(&plain, fields, MOST_FIELDS, &expected), more);
        if (!more)
            break;
        CHECK(memcmp(lines, &expected, sizeof expected) == 0);
    }
    coreio__lexer_clear(&quick);
    coreio__lexer_clear(&plain);
    coreio_log_format_destroy(format);
    return found;
}

/* Text that ends in enough bytes for its lines to be quick. */
static int32_t quick_lines(const char *format, const char *lines)
{
    struct logs_text text = {0};
    logs_print(
        &text, "%s%s", lines, "a last line that is long enough for all loads of the lines before it to end in\n");
    const int32_t found = compare(format, guarded_copy(text.bytes, (int64_t)text.length), text.length, 8);
    logs_free(&text);
    return found;
}

TEST(plain_lines_are_quick)
{
    CHECK_EQ(quick_lines("combined", "1.2.3.4 - - [t] \"GET / HTTP/1.1\" 200 7 \"-\" \"agent of many words\"\n"
                                     "1.2.3.4 - a user [t] \"GET / HTTP/1.1\" 200 7 \"\" \"\"\r\n"),
        2);
    CHECK_EQ(
        quick_lines("[$a] rt=$request_time \"$b\" upstream_addr=$c", "[x y] rt=0.1 \"q r\" upstream_addr=u v\n"), 1);
    CHECK_EQ(quick_lines("$a\t$b\t$c", "one\ttwo three\tfour\n"), 1);
}

TEST(bracketed_lines_of_edge_are_quick)
{
    CHECK_EQ(quick_lines("edge", "Feb 27 11:53:25 edge01 nginx: [-] [a | \"b\" [c] [r][-]\n"
                                 "Feb  7 11:53:25 edge01 nginx: [-]\r\n"),
        2);
}

TEST(all_else_is_left_to_the_definition)
{
    CHECK_EQ(quick_lines("combined", "1.2.3.4 - - [t] \"GET \\\"/ HTTP/1.1\" 200 7 \"-\" \"-\"\n"), 0);
    CHECK_EQ(quick_lines("combined", "a b - - [t] \"GET / HTTP/1.1\" 200 7 \"-\" \"-\"\n"), 0);
    CHECK_EQ(quick_lines("combined", "1.2.3.4 - - [t] \"GET / HTTP/1.1\" 200 7 \"-\" \"-\" \"-\"\n"), 0);
    CHECK_EQ(quick_lines("combined", "\n\n1.2.3.4\n"), 0);
    CHECK_EQ(quick_lines("edge", "Feb 27 11:53:25 edge01 nginx: [-]  [two spaces]\n"
                                 "Feb 27 11:53:25 edge01 nginx: [-] bare\n"
                                 "Feb 27 11:53:25 edge01 nginx: [-] [a\\]b]\n"
                                 "Feb 27 11:53:25 edge01 nginx: [open\n"
                                 "Feb 27 11:53:25 edge01\n"),
        0);
}

TEST(damaged_lines_are_cut_the_same_both_ways)
{
    struct logs_random random = {20260221};
    int32_t found = 0;
    for (int32_t round = 0; round < (LOGS_WATCHED ? 40 : 400); round++) {
        struct logs_text text = {0};
        logs_combined_lines(&text, &random, 40, 1);
        check_context("round %d", round);
        const uint8_t *copy = guarded_copy(text.bytes, (int64_t)text.length);
        found += compare("combined", copy, text.length, logs_below(&random, 10) + 1);
        compare("common", copy, text.length, 4);
        compare("$a \"$b\" $c", copy, text.length, 2);
        logs_free(&text);
    }
    CHECK(found > 100);
}
