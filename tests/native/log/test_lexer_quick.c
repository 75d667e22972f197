/* Lines that the quick way takes, and lines that only look like it: each as the reference cuts it.
 *
 * Quick or not is no part of the answer, so these texts are near the border between the two: whole lines with a few
 * bytes changed to the ones that matter, at every distance from the end of the text.
 */
#include "check.h"

#include "lines.h"
#include "log/lexer_quick.h"
#include "logs.h"

#include <stdlib.h>
#include <string.h>

static const char edge_line[] = "Feb 27 11:53:25 edge01 nginx: [-] [27/Feb/2023:11:53:25 +0800] [https] [1.2.3.4:443] "
                                "[img|map] [] [200][404] [POST /tr?mllc \"HTTP\"] [621] [152] [r][-] [-]";
static const char many_brackets[] =
    "Feb 27 11:53:25 edge01 nginx: [-][a][b] [c][d] [] [e f][g] [h][i][j][k] [l][m][n][o]"
    "[p][q] [r][s][t]";
#define TIME "[27/Feb/2023:11:53:25 +0800]"
static const char main_line[] = "1.2.3.4 - - " TIME " \"GET /a b HTTP/1.1\" 200 5 \"-\" "
                                "\"agent [x] / y\" \"-\"";

/* One line with up to `changes` bytes replaced, inserted or left out. */
static void mutate(struct logs_text *text, struct logs_random *random, const char *line, uint32_t changes)
{
    static const uint8_t bytes[] = {'"', '\\', '[', ']', ' ', '|', '\t', '-', 'x', 0, 0xff, '\r', '\n'};
    struct logs_text own = {0};
    logs_append(&own, line, strlen(line));
    for (uint32_t i = logs_below(random, changes + 1); i > 0 && own.length > 0; i--) {
        const size_t at = logs_below(random, (uint32_t)own.length);
        const uint32_t way = logs_below(random, 3);
        if (way == 0) {
            own.bytes[at] = bytes[logs_below(random, sizeof bytes)];
        } else if (way == 1) {
            memmove(own.bytes + at, own.bytes + at + 1, own.length - at - 1);
            own.length--;
        } else {
            logs_append(&own, "", 1);
            memmove(own.bytes + at + 1, own.bytes + at, own.length - at - 1);
            own.bytes[at] = bytes[logs_below(random, sizeof bytes)];
        }
    }
    logs_append(text, own.bytes, own.length);
    logs_free(&own);
}

/* A template of quoted variables between bars, three marks each, and a line of it. */
static void make_wide(struct logs_text *format, struct logs_text *line, int32_t variables)
{
    for (int32_t i = 0; i < variables; i++) {
        logs_print(format, "%s\"$a%d\"", i == 0 ? "" : "|", i);
        logs_print(line, "%s\"%.*s\"", i == 0 ? "" : "|", i % 5, "text");
    }
    logs_append(format, "", 1);
    logs_append(line, "", 1);
}

static void check_mutations(const char *format, const char *line, uint64_t seed)
{
    struct logs_random random = {seed};
    for (int round = 0; round < (LOGS_WATCHED ? 100 : 800); round++) {
        struct logs_text text = {0};
        for (uint32_t i = logs_below(&random, 6); i > 0; i--) {
            mutate(&text, &random, line, 3);
            const int is_long = logs_below(&random, 2) == 0;
            logs_append(&text, is_long ? "\r\n" : "\n", is_long ? 2 : 1);
        }
        /* The last line ends anywhere, right before an unreadable page. */
        mutate(&text, &random, line, 2);
        text.length -= logs_below(&random, (uint32_t)(strlen(line) / 2));
        const uint8_t *guarded = guarded_copy(text.bytes, (int64_t)text.length);
        /* Room for one line at least, so that it ends within a batch. */
        const int32_t room = 220 + (int32_t)logs_below(&random, 40);
        for (int32_t i = 0; logs_kernel(i) != 0; i++)
            lines_check(format, logs_kernel(i), guarded, text.length, 1 + (int32_t)logs_below(&random, 8), room, 1);
        logs_free(&text);
    }
}

TEST(templates_are_cut_the_same_when_a_few_bytes_change)
{
    check_mutations("main", main_line, 90);
    check_mutations("combined", "1.2.3.4 - - " TIME " \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", 91);
    check_mutations("common", "1.2.3.4 - - " TIME " \"GET / HTTP/1.1\" 200 5", 92);
    check_mutations("$server_name:$server_port|$time_iso8601|$request|$status", "h:1|2023-02-27T11:53:25Z|a b|200", 90);
    check_mutations("[$a] x=$request_time;$b", "[x y] x=0.1;z", 89);
    check_mutations("\"$a\"\"$b\" $c", "\"x\"\"y z\" w", 93);
    check_mutations("$a \"$b\" <$c>", "x \"y\" <z>", 94);
    check_mutations("$a \"$b", "x \"y", 95);
    check_mutations("\"$a $b\" $c\"", "\"x y\" z\"", 96);
    check_mutations("\"$a\"$b\" \"$c", "\"x\"y\" \"z", 88);
    check_mutations("\"$a\"$b\" $c \"$d", "\"x\"y\" z \"w", 87);
}

TEST(wide_templates_are_cut_the_same_when_a_few_bytes_change)
{
    for (int32_t variables = 10; variables <= 42; variables += 8) {
        struct logs_text format = {0};
        struct logs_text line = {0};
        make_wide(&format, &line, variables);
        check_mutations((const char *)format.bytes, (const char *)line.bytes, 80);
        logs_free(&format);
        logs_free(&line);
    }
}

TEST(edge_lines_are_cut_the_same_when_a_few_bytes_change)
{
    check_mutations("edge", edge_line, 97);
    check_mutations("edge", "Feb 27 11:53:25 h t: [a] [b][c]", 98);
    check_mutations("edge", "Feb 27 11:53:25 h t: [a]", 99);
    check_mutations("edge", many_brackets, 79);
}

#define MOST_FIELDS 64
#define BATCH 16

/* A lexer at the beginning of one window, which picks some fields. */
static struct coreio__lexer begin(const struct coreio_log_format *format, const struct coreio__kernel *kernel,
    const struct coreio__picks *picks, const uint8_t *text, size_t length)
{
    struct coreio__lexer lexer = {.format = format, .kernel = kernel, .picks = picks};
    CHECK_EQ(coreio__lexer_begin(&lexer, text, length, length), 0);
    return lexer;
}

/* Goes through a window by both ways; returns how many lines were quick. */
static int32_t compare(const struct coreio_log_format *format, const struct coreio__kernel *kernel,
    const struct coreio__picks *picks, const uint8_t *text, size_t length)
{
    struct coreio__lexer quick = begin(format, kernel, picks, text, length);
    struct coreio__lexer plain = begin(format, kernel, picks, text, length);
    static struct coreio_log_field kept[BATCH * MOST_FIELDS + COREIO__ROW_SLACK];
    struct coreio_log_field fields[MOST_FIELDS];
    struct coreio_log_record records[BATCH];
    struct coreio__line line;
    struct coreio__line expected;
    const uint32_t width = (uint32_t)picks->count;
    int32_t found = 0;
    for (;;) {
        const struct coreio__rows rows = {
            .fields = kept, .records = records, .capacity = BATCH, .width = width, .base = 7, .first = 5};
        const uint32_t count = coreio__lexer_quick(&quick, &rows);
        for (uint32_t i = 0; i < count; i++) {
            CHECK_EQ(coreio__lexer_next(&plain, fields, MOST_FIELDS, &expected), 1);
            CHECK_EQ(records[i].offset, expected.begin + 7);
            CHECK_EQ(records[i].length, expected.end - expected.begin);
            CHECK_EQ(records[i].field_count, expected.fields);
            CHECK_EQ(records[i].first_field, 5 + i * width);
            CHECK(expected.next == expected.end + 1 && expected.reason == COREIO_LOG_PARSED);
            for (uint32_t j = 0; j < width; j++) {
                CHECK_EQ(kept[i * width + j].offset, fields[picks->fields[j]].offset + 7);
                CHECK_EQ(kept[i * width + j].length, fields[picks->fields[j]].length);
            }
        }
        found += (int32_t)count;
        if (count > 0)
            continue;
        const int32_t more = coreio__lexer_next(&quick, fields, MOST_FIELDS, &line);
        CHECK_EQ(coreio__lexer_next(&plain, fields, MOST_FIELDS, &expected), more);
        if (!more)
            break;
        CHECK(memcmp(&line, &expected, sizeof expected) == 0);
    }
    coreio__lexer_clear(&quick);
    coreio__lexer_clear(&plain);
    return found;
}

/* How many lines are quick when up to `most` fields are picked. */
static int32_t quick_fields(const char *format_text, const char *lines, int32_t most)
{
    struct logs_text text = {0};
    /* Enough bytes behind the lines for them to be quick. */
    logs_print(
        &text, "%s%s", lines, "a last line that is long enough for all loads of the lines before it to end in\n");
    const uint8_t *guarded = guarded_copy(text.bytes, (int64_t)text.length);
    struct coreio_log_format *format = logs_format(format_text);
    int32_t found = -1;
    for (int32_t i = 0; logs_kernel(i) != 0; i++) {
        /* All fields, some of them, and none: what is picked decides nothing. */
        for (int32_t step = 1; step <= 4; step++) {
            uint16_t wanted[MOST_FIELDS];
            int32_t count = 0;
            for (int32_t field = step - 1; step < 4 && field < most; field += step)
                wanted[count++] = (uint16_t)field;
            struct coreio__picks *picks = coreio__picks_make(format, wanted, count);
            const struct coreio__kernel *kernel = coreio__kernel_get(logs_kernel(i));
            check_context("%s, kernel %s, every %d", format_text, kernel->name, step);
            const int32_t own = compare(format, kernel, picks, guarded, text.length);
            CHECK(found < 0 || own == found);
            found = own;
            free(picks);
        }
    }
    coreio_log_format_destroy(format);
    logs_free(&text);
    return found;
}

static int32_t quick_lines(const char *format_text, const char *lines)
{
    struct coreio_log_format *format = logs_format(format_text);
    const int32_t most = format->layout == COREIO__EDGE ? COREIO__EDGE_PREFIX + 1 : format->count;
    coreio_log_format_destroy(format);
    return quick_fields(format_text, lines, most);
}

TEST(plain_lines_are_quick)
{
    CHECK_EQ(quick_lines("combined", "1.2.3.4 - - " TIME " \"GET / HTTP/1.1\" 200 7 \"-\" \"agent of [many] words\"\n"
                                     "1.2.3.4 - user " TIME " \"GET \\\" \\\\\" 200 7 \"\" \"\"\n"),
        2);
    CHECK_EQ(quick_lines("[$a] rt=$request_time \"$b\" upstream_addr=$c", "[x] rt=0.1 \"q r\" upstream_addr=u\n"), 1);
    CHECK_EQ(quick_lines("$a\t$b\t$c", "one\ttwo three\tfour\n"), 1);
    CHECK_EQ(quick_lines("<$time_iso8601> $host:$server_port|$request|$status",
                 "<2023-02-27T11:53:25+08:00> h:80|GET / HTTP/1.1|200\n<x> h:80|GET / HTTP/1.1|200\n"
                 "<2023-02-27T11:53:25+08:00> h:80|x|2 0\n"),
        1);
    CHECK_EQ(quick_lines("$host:$server_port|$request|$status", "h:80|GET / HTTP/1.1|200\nh:80|x|2 0\n"), 1);
}

TEST(bracketed_lines_of_edge_are_quick)
{
    CHECK_EQ(quick_lines("edge", "Feb 27 11:53:25 edge01 nginx: [-] [a | \"b\" [c] [r][-]\n"
                                 "Feb  7 11:53:25 edge01 nginx [-]\n"),
        2);
    struct logs_text line = {0};
    logs_print(&line, "%s\n%s\n%c", many_brackets, many_brackets, 0);
    CHECK_EQ(quick_fields("edge", (const char *)line.bytes, COREIO__EDGE_PREFIX + 19), 2);
    CHECK_EQ(quick_lines("edge", "Feb 27 11:53:25   [a]\n"), 1);
    logs_free(&line);
}

/* Formats of more marks than one vector of positions holds, and of more fields than one vector of fields. */
TEST(wide_templates_are_quick)
{
    struct logs_text format = {0};
    struct logs_text line = {0};
    for (int i = 0; i < 40; i++) {
        logs_print(&format, "%s$a%d", i == 0 ? "" : "|", i);
        logs_print(&line, "%s%.*s", i == 0 ? "" : "|", i % 9, "some-text");
    }
    logs_print(&format, " \"$q\"%c", 0);
    logs_print(&line, " \"a|b\"\n%c", 0);
    CHECK_EQ(quick_lines((const char *)format.bytes, (const char *)line.bytes), 1);
    line.bytes[3] = '"';
    CHECK_EQ(quick_lines((const char *)format.bytes, (const char *)line.bytes), 0);
    logs_free(&format);
    logs_free(&line);
    format = (struct logs_text){0};
    line = (struct logs_text){0};
    make_wide(&format, &line, 42);
    line.length--;
    logs_print(&line, "\n%c", 0);
    CHECK_EQ(quick_lines((const char *)format.bytes, (const char *)line.bytes), 1);
    /* The last literal with a byte more: its marks are right, the distance between them is not. */
    line.length -= 3;
    while (line.bytes[line.length - 1] != '|')
        line.length--;
    logs_print(&line, "x\"y\"\n%c", 0);
    CHECK_EQ(quick_lines((const char *)format.bytes, (const char *)line.bytes), 0);
    logs_free(&format);
    logs_free(&line);
}

/* Around as many marks as one vector holds, every field alone and with those behind it. */
TEST(templates_around_a_vector_are_cut_the_same)
{
    for (int32_t marks = 30; marks <= 34; marks++) {
        struct logs_text name = {0};
        struct logs_text lines = {0};
        for (int32_t i = 0; i < marks; i++)
            logs_print(&name, "%s$a%d", i == 0 ? "" : "|", (int)i);
        for (int32_t line = 0; line < 3; line++) {
            for (int32_t i = 0; i < marks; i++)
                logs_print(&lines, "%s%.*s", i == 0 ? "" : "|", (int)((i + line) % 9), "some-text");
            logs_append(&lines, "\n", 1);
        }
        logs_print(&lines, "a last line that is long enough for all loads of the lines before it to end in\n");
        logs_append(&name, "", 1);
        const uint8_t *guarded = guarded_copy(lines.bytes, (int64_t)lines.length);
        struct coreio_log_format *format = logs_format((const char *)name.bytes);
        REQUIRE(format->frame.marks == marks);
        for (int32_t i = 0; logs_kernel(i) != 0; i++) {
            for (int32_t from = 0; from < marks; from++) {
                for (int32_t count = 1; count <= 12 && from + count <= marks; count++) {
                    uint16_t wanted[12];
                    for (int32_t field = 0; field < count; field++)
                        wanted[field] = (uint16_t)(from + field);
                    struct coreio__picks *picks = coreio__picks_make(format, wanted, count);
                    check_context("%d marks, kernel %d, %d from %d", marks, logs_kernel(i), count, from);
                    /* Fields are cut from the marks that were compared where one vector holds all. */
                    CHECK_EQ(picks->groups[0].first, marks < COREIO__FRAME_LANES ? 0 : from);
                    CHECK_EQ(compare(format, coreio__kernel_get(logs_kernel(i)), picks, guarded, lines.length), 3);
                    free(picks);
                }
            }
        }
        coreio_log_format_destroy(format);
        logs_free(&name);
        logs_free(&lines);
    }
}

TEST(a_line_that_ends_in_quotes_does_not_slow_the_next)
{
    CHECK_EQ(quick_lines("combined", "1.2.3.4 - - " TIME " \"GET / HTTP/1.1\" 200 7 \"-\" \"-\n"
                                     "1.2.3.4 - - " TIME " \"GET / HTTP/1.1\" 200 7 \"-\" \"-\"\n"
                                     "\"\n\"\\\n"
                                     "1.2.3.4 - - " TIME " \"GET / HTTP/1.1\" 200 7 \"-\" \"-\"\n"),
        2);
}

/* Lines of one kind up to nearly a window. */
static void fill(struct logs_text *text, const char *line)
{
    while (text->length + strlen(line) < COREIO__WINDOW)
        logs_append(text, line, strlen(line));
}

/* Begins a window and goes through it; returns whether it had marks. */
static int32_t go_through(struct coreio__lexer *lexer, const struct logs_text *text)
{
    struct coreio_log_record records[BATCH];
    struct coreio_log_field fields[BATCH * MOST_FIELDS + COREIO__ROW_SLACK];
    struct coreio__line line;
    const struct coreio__rows rows = {
        .fields = fields, .records = records, .capacity = BATCH, .width = (uint32_t)lexer->picks->count};
    CHECK_EQ(coreio__lexer_begin(lexer, text->bytes, text->length, text->length), 0);
    while (coreio__lexer_quick(lexer, &rows) > 0 || coreio__lexer_next(lexer, fields, MOST_FIELDS, &line))
        CHECK(lexer->begin <= lexer->length);
    CHECK_EQ(lexer->begin, text->length);
    return lexer->framed;
}

TEST(frames_are_tried_seldom_where_lines_do_not_fit)
{
    struct logs_text fits = {0};
    struct logs_text misses = {0};
    struct logs_text end = {0};
    fill(&fits, "1.2.3.4 - - " TIME " \"GET / HTTP/1.1\" 200 7 \"-\" \"-\"\n");
    fill(&misses, "1.2.3.4 - - " TIME " \"GET / HTTP/1.1\" 200 7 \"-\" \"-\"\r\n");
    /* The last line of a text is not quick. */
    logs_print(&end, "1.2.3.4 - - " TIME " \"GET / HTTP/1.1\" 200 7 \"-\" \"-\"\n");
    struct coreio_log_format *format = logs_format("combined");
    const uint16_t wanted[] = {4};
    struct coreio__picks *picks = coreio__picks_make(format, wanted, 1);
    struct coreio__lexer lexer = {
        .format = format, .kernel = coreio__kernel_get(COREIO_LOG_KERNEL_AUTO), .picks = picks};
    for (int32_t i = 0; i < 20; i++) {
        CHECK_EQ(go_through(&lexer, &fits), 1);
        CHECK_EQ(go_through(&lexer, &end), 1);
    }
    /* After 1, 2, 4, ... windows, and 64 at most; these are a bit shorter than they may be. */
    int32_t walked = 0;
    int32_t pause = 1;
    for (int32_t i = 0; i < 500; i++) {
        if (!go_through(&lexer, &misses)) {
            walked++;
            continue;
        }
        CHECK(i == 0 || (walked >= pause && walked <= pause + 1));
        pause = i == 0 || pause == 64 ? pause : 2 * pause;
        walked = 0;
    }
    CHECK_EQ(pause, 64);
    /* Soon after lines fit again, all windows are framed. */
    for (int32_t i = 0; i < 66; i++)
        go_through(&lexer, &fits);
    for (int32_t i = 0; i < 20; i++)
        CHECK_EQ(go_through(&lexer, &fits), 1);
    /* A few lines at a time are judged together. */
    int32_t framed = 0;
    misses.length = end.length + 1;
    for (int32_t i = 0; i < 20000; i++)
        framed += go_through(&lexer, &misses);
    CHECK(framed > 400 && framed < 4000);
    coreio__lexer_clear(&lexer);
    free(picks);
    coreio_log_format_destroy(format);
    logs_free(&fits);
    logs_free(&misses);
    logs_free(&end);
}

TEST(stretches_that_fit_and_do_not_are_cut_the_same)
{
    struct logs_random random = {78};
    struct logs_text text = {0};
    for (int32_t stretch = 0; stretch < (LOGS_WATCHED ? 4 : 12); stretch++) {
        const size_t end = text.length + (1 + logs_below(&random, 8)) * (COREIO__WINDOW / 2);
        while (text.length < end) {
            mutate(&text, &random, main_line, logs_below(&random, 20) == 0);
            if (stretch % 2 == 0)
                logs_append(&text, "\r", 1);
            logs_append(&text, "\n", 1);
        }
    }
    for (int32_t i = 0; logs_kernel(i) != 0; i++)
        lines_check("main", logs_kernel(i), text.bytes, text.length, 300, 300 * 12, 1);
    logs_free(&text);
}

TEST(all_else_is_left_to_the_definition)
{
    CHECK_EQ(quick_lines("combined", "1.2.3.4 - \\ " TIME " \"GET / HTTP/1.1\" 200 7 \"-\" \"-\"\n"), 0);
    CHECK_EQ(quick_lines("combined", "1.2.3.4 - a b " TIME " \"GET / HTTP/1.1\" 200 7 \"-\" \"-\"\n"), 0);
    CHECK_EQ(quick_lines("combined", "1.2.3.4 - - [t] \"GET / HTTP/1.1\" 200 7 \"-\" \"-\"\n"), 0);
    CHECK_EQ(quick_lines("combined", "1.2.3.4 - - " TIME " \"GET / HTTP/1.1\" 200 7 \"-\" \"-\"\r\n"), 0);
    CHECK_EQ(quick_lines("combined", "1.2.3.4 + - " TIME " \"GET / HTTP/1.1\" 200 7 \"-\" \"-\"\n"), 0);
    CHECK_EQ(quick_lines("combined", "a b - - " TIME " \"GET / HTTP/1.1\" 200 7 \"-\" \"-\"\n"), 0);
    CHECK_EQ(quick_lines("combined", "1.2.3.4 - - " TIME " \"GET / HTTP/1.1\" 200 7 \"-\" \"-\" \"-\"\n"), 0);
    CHECK_EQ(quick_lines("$a \"$b", "x \"y\n"), 0);
    CHECK_EQ(quick_lines("$a-$b", "x-y\n"), 0);
    CHECK_EQ(quick_lines("$time_local $a", "27/Feb/2023:11:53:25 +0800 x\n"), 0);
    CHECK_EQ(quick_lines("combined", "\n\n1.2.3.4\n"), 0);
    CHECK_EQ(quick_lines("edge", "Feb 27 11:53:25 edge01 nginx: [-]  [two spaces]\n"
                                 "Feb 27 11:53:25 edge01 nginx: [-]\r\n"
                                 "Feb 27 11:53:25 edge01 nginx:  [-]\n"
                                 "Feb 27 11:53:25 edge01 nginx: x[-]\n"
                                 "Feb 27 11:53:25 edge01 nginx: [-] bare\n"
                                 "Feb 27 11:53:25 edge01 nginx: [-] [a\\]b]\n"
                                 "Feb 27 11:53:25 edge01 nginx: [open\n"
                                 "Feb 27 11:53:25 edge01\n"),
        0);
}
