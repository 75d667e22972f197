/* Lines and their fields: the cases of docs/formats.md, random text against the reference of lines.h, batches. */
#include "check.h"

#include "allocations.h"
#include "base/clock.h"
#include "lines.h"
#include "log/lexer.h"
#include "logs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct coreio_log_lexer *make_lexer(const char *format, int32_t kernel)
{
    struct coreio_log_format *compiled = logs_format(format);
    struct coreio_log_lexer *lexer = NULL;
    CHECK_EQ(coreio_log_lexer_create(compiled, kernel, &lexer), 0);
    coreio_log_format_destroy(compiled);
    return lexer;
}

/* One line as text: the reason when it is not parsed, else each field in {}. */
static void check_line(const char *format, const char *line, const char *expected)
{
    static const char *const reasons[] = {"parsed", "open_delimiter", "missing_text", "trailing_text"};
    for (int32_t i = 0; logs_kernel(i) != 0; i++) {
        struct coreio_log_lexer *lexer = make_lexer(format, logs_kernel(i));
        struct coreio_log_record record;
        struct coreio_log_field fields[64];
        struct coreio_log_lex_result result;
        struct logs_text shown = {0};
        const int64_t length = (int64_t)strlen(line);
        const uint8_t *text = guarded_copy(line, length);
        check_context("kernel %d, %s: %s", logs_kernel(i), format, line);
        REQUIRE(coreio_log_lexer_feed(lexer, text, length, 1, &record, 1, fields, 64, &result) == 1);
        CHECK_EQ(result.consumed, length);
        if (record.reason != COREIO_LOG_PARSED)
            logs_print(&shown, "%s", reasons[record.reason]);
        for (uint32_t j = 0; j < record.field_count; j++) {
            logs_append(&shown, "{", 1);
            logs_append(&shown, text + fields[j].offset, fields[j].length);
            logs_append(&shown, "}", 1);
        }
        CHECK_BYTES(shown.bytes, shown.length, expected, strlen(expected));
        logs_free(&shown);
        coreio_log_lexer_destroy(lexer);
    }
}

TEST(the_free_lexer_cuts_as_the_docs_say)
{
    static const char *const rows[][2] = {{"a b\tc", "{a}{b}{c}"}, {"  a  b  ", "{a}{b}"}, {"a||b", "{a}{}{b}"},
        {"a | b", "{a}{b}"}, {"a|", "{a}{}"}, {"|", "{}{}"}, {"|a", "{}{a}"}, {" | ", "{}{}"}, {" ", ""}, {"\n", ""},
        {" \t \n", ""}, {"x[r]", "{x}{r}"}, {"[r][-]", "{r}{-}"}, {"\"\"", "{}"}, {"[]", "{}"},
        {"\"a|b [c]\"", "{a|b [c]}"}, {"[a \"b\" |c]", "{a \"b\" |c}"}, {"\"a\\\"b\"", "{a\\\"b}"},
        {"[a\\]b]", "{a\\]b}"}, {"a\\ b", "{a\\}{b}"}, {"a]b", "{a]b}"}, {"\"a", "open_delimiter"},
        {"[a", "open_delimiter"}, {"\"a\\\"", "open_delimiter"}, {"\"a\\\\\"", "{a\\\\}"},
        {"a \"b\n", "open_delimiter"}, {"a\r\n", "{a}"}, {"a \r\n", "{a}"}, {"a|\r\n", "{a}{}"},
        {"a\rb\r\r\n", "{a\rb\r}"}, {"\r\n", ""}, {"|\r", "{}{}"}, {"a \"\"|", "{a}{}{}"}, {"\"a\"\"b\"", "{a}{b}"},
        {"\"[\" [\"]", "{[}{\"}"}, {"a|b c|", "{a}{b}{c}{}"}, {"[a]|[b]", "{a}{b}"}, {"\\\"a\"", "{\\}{a}"},
        {"||", "{}{}{}"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_line("delimited", rows[i][0], rows[i][1]);
}

TEST(templates_cut_as_the_docs_say)
{
    static const char *const rows[][3] = {
        {"$a $b", "x y", "{x}{y}"},
        {"$a $b", "x y z\r\n", "{x}{y z}"},
        {"$a $b", "x", "missing_text"},
        {"$a $b", " ", "{}{}"},
        {"$a $b", "\n", "missing_text"},
        {"$a", "\n", "{}"},
        {"$a", "x\r\n", "{x}"},
        {"<$a>", "<x>", "{x}"},
        {"<$a>", "<x> ", "trailing_text"},
        {"<$a>", "<x>\r\n", "{x}"},
        {"<$a>", "<x>\r\r\n", "trailing_text"},
        {"<$a>", "<x", "missing_text"},
        {"<$a>", "x>", "missing_text"},
        {"<$a>", " <x>", "missing_text"},
        {"\"$a\"", "\"x\"", "{x}"},
        {"\"$a\"", "\"x\\\"y\"", "{x\\\"y}"},
        {"\"$a\"", "\"x", "open_delimiter"},
        {"\"$a\"", "\"x\\\"", "open_delimiter"},
        {"\"$a\"", "\"x\"y", "trailing_text"},
        {"\"$a\" $b", "\"x\"y z", "missing_text"},
        {"\"$a\" $b", "\"x\" y z", "{x}{y z}"},
        {"\"$a\"$b\"", "\"x\"y\"", "{x}{y}"},
        {"$a\"$b\"", "x\\\"y\"", "{x\\}{y}"},
        {"$a--$b", "x-y--z", "{x-y}{z}"},
        {"$a--$b", "x---z", "{x}{-z}"},
        {"$a-long literal-$b", "x-long literal-y", "{x}{y}"},
        {"$a-long literal-$b", "x-long literal", "missing_text"},
        {"a long lead $a", "a long lead x", "{x}"},
        {"a long lead $a", "a long lea", "missing_text"},
        {"[$a] $b", "[x] y", "{x}{y}"},
        {"$a\\$b", "x\\y", "{x}{y}"},
        {"common", "1.2.3.4 - - [t] \"GET / HTTP/1.1\" 200 5", "{1.2.3.4}{-}{t}{GET / HTTP/1.1}{200}{5}"},
        {"common", "1.2.3.4 - a - b [t [x]] \"\" 200 ", "{1.2.3.4}{a - b}{t [x]}{}{200}{}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_line(rows[i][0], rows[i][1], rows[i][2]);
}

TEST(edge_lines_cut_as_the_docs_say)
{
    static const char *const rows[][2] = {
        {"Feb 27 11:53:25 edge01 nginx: [-] [x|y] [r][-]", "{Feb 27 11:53:25}{edge01}{nginx}{-}{x|y}{r}{-}"},
        {"Feb 27 11:53:25 h t ", "{Feb 27 11:53:25}{h}{t}"},
        {"Feb 27 11:53:25 h : \r\n", "{Feb 27 11:53:25}{h}{}"},
        {"Feb 27 11:53:25  t:: a", "{Feb 27 11:53:25}{}{t:}{a}"},
        {"Feb 27 11:53:25 h t", "missing_text"},
        {"Feb 27 11:53:25 h", "missing_text"},
        {"Feb 27 11:53:25 ", "missing_text"},
        {"Feb 27 11:53:25", "missing_text"},
        {"Feb 27 11:53:2\n", "missing_text"},
        {"\n", "missing_text"},
        {"Feb 27 11:53:25_h t: x", "missing_text"},
        {"               h t: x", "missing_text"},
        {"                h t: x", "{               }{h}{t}{x}"},
        {"Feb 27 11:53:25 h t: [x", "open_delimiter"},
        {"\"eb 27 11:53:25 [h t] x", "{\"eb 27 11:53:25}{[h}{t]}{x}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_line("edge", rows[i][0], rows[i][1]);
}

static const char *const formats[] = {"delimited", "edge", "common", "combined", "\"$a\" $b", "$a|$b|$c", "[$a] [$b]",
    "$a, $b : $c", "\"$a\"\"$b\"", "$a\"$b\"$c", "<$a>", "$a--$b-", "\xc3$a\xa9$b\xe3", "$a\\$b\"$c\""};

#define FORMATS (sizeof formats / sizeof formats[0])

TEST(random_text_is_cut_as_the_reference_does)
{
    static const char *const alphabets[] = {
        "ab \"[]\\|\t\n", "a\"\\ \n\r", " |\n\"", "x \n", "ab-<>:,\"[] \\\xc3\xa9\xe3\n\r", "\x01\x7f\x80\xff\n a\"|"};
    struct logs_random random = {8};
    for (int round = 0; round < (LOGS_WATCHED ? 300 : 3000); round++) {
        struct logs_text text = {0};
        logs_garbage(&text, &random, logs_below(&random, 400), alphabets[logs_below(&random, 6)]);
        const uint8_t *guarded = guarded_copy(text.bytes, (int64_t)text.length);
        const char *format = formats[logs_below(&random, FORMATS)];
        const int32_t capacity = 1 + (int32_t)logs_below(&random, 20);
        const int32_t last = (int32_t)logs_below(&random, 2);
        for (int32_t i = 0; logs_kernel(i) != 0; i++)
            lines_check(format, logs_kernel(i), guarded, text.length, capacity, 401, last);
        logs_free(&text);
    }
}

TEST(access_logs_are_cut_as_the_reference_does)
{
    struct logs_random random = {9};
    for (int damage = 0; damage < 2; damage++) {
        struct logs_text text = {0};
        /* Several windows of text, so lines lie across their ends. */
        logs_combined_lines(&text, &random, LOGS_WATCHED ? 1500 : 6000, damage);
        logs_combined(&text, &random, damage);
        CHECK(text.length > 2 * COREIO__WINDOW);
        for (size_t format = 0; format < FORMATS; format++) {
            /* How many records a call may make decides where windows end. */
            const int32_t few = 1 + (int32_t)logs_below(&random, 100);
            for (int32_t i = 0; logs_kernel(i) != 0; i++) {
                lines_check(formats[format], logs_kernel(i), text.bytes, text.length, 1024, 16384, 1);
                lines_check(formats[format], logs_kernel(i), text.bytes, text.length, few, 16384, 1);
            }
        }
        logs_free(&text);
    }
}

TEST(each_line_length_around_a_vector_is_cut)
{
    struct logs_text text = {0};
    for (size_t length = 0; length <= 200; length++) {
        text.length = 0;
        logs_append(&text, "\"", 1);
        for (size_t i = 0; i < length; i++)
            logs_append(&text, "\\", 1);
        logs_append(&text, "\" x\n[y]\n", 8);
        const uint8_t *guarded = guarded_copy(text.bytes, (int64_t)text.length);
        for (int32_t i = 0; logs_kernel(i) != 0; i++) {
            lines_check("delimited", logs_kernel(i), guarded, text.length, 4, 64, 1);
            lines_check("\"$a\" $b", logs_kernel(i), guarded, text.length, 4, 64, 1);
        }
    }
    logs_free(&text);
}

TEST(a_line_is_a_window_of_its_own_when_it_is_long)
{
    struct logs_text text = {0};
    struct logs_random random = {10};
    logs_print(&text, "a b\n");
    for (size_t i = 0; i < 3 * COREIO__WINDOW; i += 7)
        logs_print(&text, "%s", i % 5 == 0 ? "[x y] \"" : "abcd\"  ");
    logs_print(&text, "\nc|d\n");
    logs_garbage(&text, &random, 2 * COREIO__WINDOW, "a");
    for (int32_t i = 0; logs_kernel(i) != 0; i++) {
        lines_check("$a $b", logs_kernel(i), text.bytes, text.length, 16, 16384, 1);
        lines_check("$a $b", logs_kernel(i), text.bytes, text.length, 16, 16384, 0);
    }
    logs_free(&text);
}

TEST(lines_over_8_mib_are_too_long)
{
    /* The newline counts: MAX_LINE bytes with it is the longest line. */
    uint8_t *text = malloc(2 * (size_t)COREIO_LOG_MAX_LINE + 64);
    REQUIRE(text != NULL);
    for (int32_t extra = -1; extra <= 1; extra++) {
        for (int32_t newline = 0; newline < 2; newline++) {
            const size_t length = (size_t)(COREIO_LOG_MAX_LINE + extra);
            memset(text, 'x', length);
            text[length - 2] = '\r';
            if (newline)
                text[length - 1] = '\n';
            memcpy(text + length, "y\n", 2);
            struct coreio_log_lexer *lexer = make_lexer("delimited", COREIO_LOG_KERNEL_AUTO);
            struct coreio_log_record records[2];
            struct coreio_log_field fields[4];
            struct coreio_log_lex_result result;
            check_context("%d bytes more, newline %d", extra, newline);
            const int32_t got = coreio_log_lexer_feed(
                lexer, text, (int64_t)length + (newline ? 2 : 0), 1, records, 2, fields, 4, &result);
            CHECK_EQ(got, newline ? 2 : 1);
            CHECK_EQ(records[0].reason, extra > 0 ? COREIO_LOG_TOO_LONG : COREIO_LOG_PARSED);
            CHECK_EQ(records[0].field_count, extra <= 0);
            CHECK_EQ(records[0].length, newline ? length - 2 : length);
            if (newline) {
                CHECK_EQ(records[1].reason, COREIO_LOG_PARSED);
                CHECK_EQ(records[1].offset, length);
                CHECK_EQ(records[1].first_field, records[0].field_count);
            }
            coreio_log_lexer_destroy(lexer);
        }
    }
    free(text);
}

TEST(a_line_with_more_fields_than_fit_says_how_many)
{
    struct coreio_log_lexer *lexer = make_lexer("delimited", COREIO_LOG_KERNEL_AUTO);
    struct coreio_log_record records[4];
    struct coreio_log_field *fields =
        (struct coreio_log_field *)(void *)guarded_copy((struct coreio_log_field[3]){{0, 0}}, 3 * sizeof *fields);
    struct coreio_log_lex_result result;
    const uint8_t *text = (const uint8_t *)"a b\nc d e f\ng\n";
    CHECK_EQ(coreio_log_lexer_feed(lexer, text, 14, 1, records, 4, fields, 3, &result), 1);
    CHECK_EQ(result.consumed, 4);
    CHECK_EQ(result.needed_fields, 0);
    CHECK_EQ(coreio_log_lexer_feed(lexer, text + 4, 10, 1, records, 4, fields, 3, &result), COREIO_ECAPACITY);
    CHECK_EQ(result.needed_fields, 4);
    CHECK_EQ(result.consumed, 0);
    CHECK_EQ(result.records, 0);
    struct coreio_log_field more[8];
    CHECK_EQ(coreio_log_lexer_feed(lexer, text + 4, 10, 1, records, 4, more, 8, &result), 2);
    CHECK_EQ(result.fields, 5);
    CHECK_EQ(coreio_log_lexer_feed(lexer, text, 14, 1, records, 4, NULL, 0, &result), COREIO_ECAPACITY);
    CHECK_EQ(result.needed_fields, 2);
    CHECK_EQ(coreio_log_lexer_feed(lexer, text, 14, 1, NULL, 0, more, 8, &result), 0);
    CHECK_EQ(result.consumed, 0);
    coreio_log_lexer_destroy(lexer);
}

TEST(no_text_makes_no_record)
{
    struct coreio_log_lexer *lexer = make_lexer("delimited", COREIO_LOG_KERNEL_AUTO);
    struct coreio_log_record record;
    struct coreio_log_field field;
    struct coreio_log_lex_result result;
    CHECK_EQ(coreio_log_lexer_feed(lexer, NULL, 0, 1, &record, 1, &field, 1, &result), 0);
    CHECK_EQ(coreio_log_lexer_feed(lexer, (const uint8_t *)"abc", 3, 0, &record, 1, &field, 1, &result), 0);
    CHECK_EQ(result.consumed, 0);
    CHECK_EQ(coreio_log_lexer_feed(lexer, (const uint8_t *)"abc", 3, 1, &record, 1, &field, 1, &result), 1);
    CHECK_EQ(result.consumed, 3);
    coreio_log_lexer_destroy(lexer);
}

TEST(arguments_are_checked)
{
    struct coreio_log_format *format = logs_format("delimited");
    struct coreio_log_lexer *lexer = (struct coreio_log_lexer *)(void *)&format;
    struct coreio_log_record record;
    struct coreio_log_field field;
    struct coreio_log_lex_result result;
    CHECK_EQ(coreio_log_lexer_create(NULL, 0, &lexer), -EINVAL);
    CHECK(lexer == NULL);
    CHECK_EQ(coreio_log_lexer_create(format, 0, NULL), -EINVAL);
    CHECK_EQ(coreio_log_lexer_create(format, 99, &lexer), COREIO_ECPU);
#if defined(__aarch64__)
    const int32_t foreign = COREIO_LOG_KERNEL_AVX2;
#else
    const int32_t foreign = COREIO_LOG_KERNEL_NEON;
#endif
    CHECK_EQ(coreio_log_lexer_create(format, foreign, &lexer), COREIO_ECPU);
    CHECK(lexer == NULL);
    REQUIRE(coreio_log_lexer_create(format, 0, &lexer) == 0);
    const uint8_t *text = (const uint8_t *)"x";
    CHECK_EQ(coreio_log_lexer_feed(NULL, text, 1, 1, &record, 1, &field, 1, &result), -EINVAL);
    CHECK_EQ(coreio_log_lexer_feed(lexer, NULL, 1, 1, &record, 1, &field, 1, &result), -EINVAL);
    CHECK_EQ(coreio_log_lexer_feed(lexer, text, -1, 1, &record, 1, &field, 1, &result), -EINVAL);
    CHECK_EQ(coreio_log_lexer_feed(lexer, text, (int64_t)INT32_MAX + 1, 1, &record, 1, &field, 1, &result), -EINVAL);
    CHECK_EQ(coreio_log_lexer_feed(lexer, text, 1, 1, NULL, 1, &field, 1, &result), -EINVAL);
    CHECK_EQ(coreio_log_lexer_feed(lexer, text, 1, 1, &record, -1, &field, 1, &result), -EINVAL);
    CHECK_EQ(coreio_log_lexer_feed(lexer, text, 1, 1, &record, 1, NULL, 1, &result), -EINVAL);
    CHECK_EQ(coreio_log_lexer_feed(lexer, text, 1, 1, &record, 1, &field, -1, &result), -EINVAL);
    CHECK_EQ(coreio_log_lexer_feed(lexer, text, 1, 1, &record, 1, &field, 1, NULL), -EINVAL);
    /* The format may go first. */
    coreio_log_format_destroy(format);
    CHECK_EQ(coreio_log_lexer_feed(lexer, text, 1, 1, &record, 1, &field, 1, &result), 1);
    coreio_log_lexer_destroy(lexer);
    coreio_log_lexer_destroy(NULL);
}

TEST(no_memory_is_told_and_the_lexer_goes_on)
{
    struct coreio_log_format *format = logs_format("$a $b");
    struct coreio_log_lexer *lexer;
    allocations_refuse_after(0);
    CHECK_EQ(coreio_log_lexer_create(format, 0, &lexer), -ENOMEM);
    allocations_refuse_after(-1);
    CHECK(lexer == NULL);
    REQUIRE(coreio_log_lexer_create(format, 0, &lexer) == 0);
    struct coreio_log_record record;
    struct coreio_log_field fields[2];
    struct coreio_log_lex_result result;
    allocations_refuse_after(0);
    CHECK_EQ(coreio_log_lexer_feed(lexer, (const uint8_t *)"x y", 3, 1, &record, 1, fields, 2, &result), -ENOMEM);
    allocations_refuse_after(-1);
    CHECK_EQ(coreio_log_lexer_feed(lexer, (const uint8_t *)"x y", 3, 1, &record, 1, fields, 2, &result), 1);
    coreio_log_lexer_destroy(lexer);
    coreio_log_format_destroy(format);
}

/* CPU time of this thread for cutting all of a text, `capacity` records a call; the least of three. */
static int64_t time_of(const struct logs_text *text, int32_t capacity)
{
    static struct coreio_log_record records[1024];
    static struct coreio_log_field fields[1024 * 8];
    struct coreio_log_lexer *lexer = make_lexer("combined", COREIO_LOG_KERNEL_AUTO);
    int64_t least = INT64_MAX;
    for (int pass = 0; pass < 3; pass++) {
        const int64_t began = coreio__clock_ns(CLOCK_THREAD_CPUTIME_ID);
        size_t at = 0;
        for (int32_t got = 1; got > 0 && at < text->length;) {
            struct coreio_log_lex_result result;
            got = coreio_log_lexer_feed(
                lexer, text->bytes + at, (int64_t)(text->length - at), 1, records, capacity, fields, 1024 * 8, &result);
            at += (size_t)result.consumed;
        }
        CHECK_EQ(at, text->length);
        const int64_t took = coreio__clock_ns(CLOCK_THREAD_CPUTIME_ID) - began;
        least = took < least ? took : least;
    }
    coreio_log_lexer_destroy(lexer);
    return least;
}

/* Not what a call leaves of its window for the next, which would take a hundred times as long. */
TEST(a_call_looks_little_further_than_it_cuts)
{
    struct logs_random random = {12};
    struct logs_text text = {0};
    while (text.length < 4 * COREIO__WINDOW)
        logs_combined_lines(&text, &random, 100, 0);
    CHECK(time_of(&text, 1) < 25 * time_of(&text, 1024));
    logs_free(&text);
}

TEST(no_line_allocates)
{
    struct coreio_log_lexer *lexer = make_lexer("combined", COREIO_LOG_KERNEL_AUTO);
    struct logs_random random = {11};
    struct logs_text text = {0};
    logs_combined_lines(&text, &random, 1000, 1);
    struct coreio_log_record records[64];
    struct coreio_log_field fields[64 * 8];
    int64_t after_first = 0;
    for (int pass = 0; pass < 3; pass++) {
        for (size_t at = 0; at < text.length;) {
            struct coreio_log_lex_result result;
            REQUIRE(coreio_log_lexer_feed(lexer, text.bytes + at, (int64_t)(text.length - at), 1, records, 64, fields,
                        64 * 8, &result) > 0);
            at += (size_t)result.consumed;
        }
        if (pass == 0)
            after_first = allocations_made();
    }
    CHECK_EQ(allocations_made(), after_first);
    coreio_log_lexer_destroy(lexer);
    logs_free(&text);
}
