/* Which formats have a frame, what is in it, and how wanted fields become vectors. */
#include "check.h"

#include "log/format.h"
#include "logs.h"

#include <stdlib.h>
#include <string.h>

/* Checks the marks of a format, its newline included; "" for no frame. */
static void check_frame(const char *template, const char *marks)
{
    struct coreio_log_format *format = logs_format(template);
    check_context("%s", template);
    CHECK_BYTES(format->frame.bytes, format->frame.marks, marks, strlen(marks));
    CHECK_EQ(coreio__format_framed(format), marks[0] != '\0');
    coreio_log_format_destroy(format);
}

TEST(marks_of_templates)
{
    check_frame("combined", "   [ ] \"\"   \"\" \"\"\n");
    check_frame("common", "   [ ] \"\"  \n");
    check_frame("$a|$b", "|\n");
    check_frame("[$a] $b;", "];\n"); /* a semicolon has the lower half of its bracket */
    check_frame("\"$a\" \"$b\"", "\"\"\"\"\n");
    check_frame("$time_iso8601:$a $b", "");
    check_frame("<$time_local> $a:$b", ":::>:\n");
    check_frame("\"x\" $a", "\"\"\n");
}

TEST(what_marks_cannot_tell_has_no_frame)
{
    check_frame("$a-$b", "");          /* a dash is in many values */
    check_frame("$a\\$b", "");         /* a backslash may escape */
    check_frame("$a \"$b", "");        /* a quote that never closes */
    check_frame("$time_local $a", ""); /* the space in the time ends it */
    check_frame("delimited", "");
}

TEST(few_brackets_of_literals_are_marks)
{
    check_frame("vhost_combined", ":    [::: ] \"\"   \"\" \"\"\n");
    check_frame("$a $b $c $d $e $f $g [$h", "       [\n");
    check_frame("$a $b $c $d $e $f $g {$h", "       {\n");
    check_frame("[$a $b $c $d $e $f $g $h", "[       \n");
    check_frame("$a $b $c $d $e $f $g $h x]", "        ]\n");
}

TEST(other_brackets_are_text)
{
    check_frame("$a $b $c $d $e $f $g ($h", "       \n");         /* round ones are in URIs */
    check_frame("$a; $b $c $d $e $f $g [$h", ";       \n");       /* a semicolon has the same lower half */
    check_frame("[$a] [$b] [$c] [$d] [$e]", "]]]]]\n");           /* there would be twice as many marks */
    check_frame("$a \"[x]\" $b $c $d $e $f $g", " \"\"      \n"); /* quotes hide it */
    struct coreio_log_format *format = logs_format("$a $b $c $d $e $f $g {$h [$i");
    /* Two have one lower half, so the second one is looked for in the text. */
    CHECK_EQ(format->frame.text_count, 1);
    CHECK_EQ(format->frame.texts[0].mark, 9);
    coreio_log_format_destroy(format);
}

TEST(literals_are_gaps_and_texts)
{
    struct coreio_log_format *format = logs_format("x=$a | y=\"$b\" $c");
    const struct coreio__frame *frame = &format->frame;
    CHECK_BYTES(frame->bytes, frame->marks, "  \"\" \n", 6);
    /* `x=` is before every mark, ` | y="` has three marks and three other bytes. */
    CHECK_EQ(frame->text_count, 2);
    CHECK_EQ(frame->texts[0].mark, 0);
    CHECK_EQ(frame->texts[0].offset, 1);
    CHECK_EQ(frame->texts[1].mark, 1);
    static const uint16_t gaps[] = {0, 2, 3, 0, 1, 0};
    CHECK_BYTES(frame->gaps, sizeof gaps, gaps, sizeof gaps);
    CHECK_EQ(frame->open, 1);
    CHECK(frame->fields[0].begin == 0 && frame->fields[0].offset == 3 && frame->fields[0].end == 1);
    CHECK(frame->fields[1].begin == 3 && frame->fields[1].offset == 1 && frame->fields[1].end == 4);
    CHECK(frame->fields[2].begin == 5 && frame->fields[2].end == 6);
    coreio_log_format_destroy(format);
}

TEST(words_are_looked_into_where_spaces_are_no_marks)
{
    struct coreio_log_format *format = logs_format("$status|$a|\"$host\"|$bytes_sent");
    static const int expected[] = {1, 0, 0, 1};
    for (int i = 0; i < 4; i++)
        CHECK_EQ(format->frame.fields[i].spaceless, expected[i]);
    coreio_log_format_destroy(format);
    format = logs_format("$status $a");
    CHECK_EQ(format->frame.spaceless, 0);
    coreio_log_format_destroy(format);
}

TEST(picks_are_grouped_by_what_a_vector_holds)
{
    struct logs_text text = {0};
    for (int i = 0; i < 100; i++)
        logs_print(&text, "%s$a%d", i == 0 ? "" : "|", i);
    logs_append(&text, "", 1);
    struct coreio_log_format *format = logs_format((const char *)text.bytes);
    REQUIRE(format->frame.marks == 100);
    static const uint16_t wanted[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 20, 60, 99};
    struct coreio__picks *picks = coreio__picks_make(format, wanted, 12);
    CHECK(picks->count == 12 && picks->limit == 100 && picks->prefix == 0);
    /* Eight fields; two more within 32 marks; one; one. */
    static const uint16_t groups[][3] = {{0, 8, 0}, {8, 2, 8}, {60, 1, 10}, {99, 1, 11}};
    REQUIRE(picks->group_count == 4);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(picks->groups[i].first, groups[i][0]);
        CHECK_EQ(picks->groups[i].count, groups[i][1]);
        CHECK_EQ(picks->groups[i].place, groups[i][2]);
    }
    /* Four fields, twice; two more; one; one: the next is too far away each time. */
    static const uint16_t fours[][3] = {{0, 4, 0}, {4, 4, 4}, {8, 1, 8}, {20, 1, 9}, {60, 1, 10}, {99, 1, 11}};
    REQUIRE(picks->four_count == 6);
    for (int i = 0; i < 6; i++) {
        CHECK_EQ(picks->fours[i].first, fours[i][0]);
        CHECK_EQ(picks->fours[i].count, fours[i][1]);
        CHECK_EQ(picks->fours[i].place, fours[i][2]);
    }
    static const uint8_t plus[] = {0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7, 8, 9};
    static const uint8_t minus[] = {128, 128, 0, 1, 128, 128, 2, 3, 128, 128, 4, 5, 128, 128, 6, 7};
    CHECK_BYTES(picks->fours[0].plus, 16, plus, 16);
    CHECK_BYTES(picks->fours[0].minus, 16, minus, 16);
    static const uint16_t add[] = {1, 0xffff, 1, 0xffff, 1, 0xffff, 1, 0xffff};
    CHECK_BYTES(picks->fours[0].add, sizeof add, add, sizeof add);
    free(picks);
    coreio_log_format_destroy(format);
    logs_free(&text);
}

TEST(the_field_of_the_most_marks_is_one_four)
{
    /* All that a time may have are marks here. */
    struct coreio_log_format *format = logs_format("$a/$b:$c <$time_local> $d");
    static const uint16_t wanted[] = {3, 4};
    struct coreio__picks *picks = coreio__picks_make(format, wanted, 2);
    REQUIRE(picks->four_count == 2);
    CHECK_EQ(format->frame.fields[3].end - format->frame.fields[3].begin, COREIO__FOUR_LANES - 1);
    CHECK_EQ(picks->fours[0].count, 1);
    free(picks);
    coreio_log_format_destroy(format);
}

TEST(the_syslog_part_of_edge_is_no_mark)
{
    struct coreio_log_format *format = logs_format("edge");
    static const uint16_t wanted[] = {0, 2, 9};
    struct coreio__picks *picks = coreio__picks_make(format, wanted, 3);
    CHECK(picks->prefix == 2 && picks->group_count == 1 && picks->groups[0].place == 2);
    /* The seventh pair of brackets. */
    CHECK(picks->groups[0].first == 12 && picks->groups[0].plus[1] == 1 && picks->groups[0].add[0] == 1);
    free(picks);
    coreio_log_format_destroy(format);
}
