/* Patterns against a small backtracking matcher, and the patterns that do not compile. */
#include "check.h"

#include "allocations.h"
#include "log/regex.h"
#include "logs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The reference walks the pattern itself: a continuation is called with each place a piece may end at. */
struct match {
    const char *pattern;
    const char *text;
    const char *end;
    long steps;
};

typedef int (*go_on)(struct match *match, const char *text, void *state);

static int match_alternatives(
    struct match *match, const char *from, const char *to, const char *text, go_on next, void *state);

static const char *skip_atom(const char *at)
{
    if (*at == '\\')
        return at + (at[1] == 'x' ? 4 : 2);
    if (*at == '[') {
        at += at[1] == '^' ? 2 : 1;
        for (at++; *at != ']'; at++) {
            if (*at == '\\')
                at++;
        }
        return at + 1;
    }
    if (*at != '(')
        return at + 1;
    for (at++; *at != ')'; at = skip_atom(at)) {
    }
    return at + 1;
}

static int in_escape(char letter, uint8_t byte)
{
    const int digit = byte >= '0' && byte <= '9';
    const int word = digit || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
    const int space = byte == ' ' || (byte >= '\t' && byte <= '\r');
    switch (letter) {
    case 'd':
        return digit;
    case 'D':
        return !digit;
    case 'w':
        return word;
    case 'W':
        return !word;
    case 's':
        return space;
    case 'S':
        return !space;
    case 't':
        return byte == '\t';
    case 'x':
        return byte == 'a'; /* the tests write \x61 */
    default:
        return byte == (uint8_t)letter;
    }
}

static int in_atom(const char *atom, uint8_t byte)
{
    if (*atom == '.')
        return 1;
    if (*atom == '\\')
        return in_escape(atom[1], byte);
    if (*atom != '[')
        return byte == (uint8_t)*atom;
    const int invert = atom[1] == '^';
    int found = 0;
    const char *at = atom + 1 + invert;
    const char *first = at;
    while (*at != ']' || at == first) {
        if (*at == '\\') {
            found |= in_escape(at[1], byte);
            at += 2;
        } else if (at[1] == '-' && at[2] != ']') {
            found |= byte >= (uint8_t)at[0] && byte <= (uint8_t)at[2];
            at += 3;
        } else {
            found |= byte == (uint8_t)*at++;
        }
    }
    return found != invert;
}

struct repeat {
    const char *atom;
    const char *atom_end;
    const char *rest;
    const char *to;
    const char *began;
    int least;
    int most;
    int done;
    go_on next;
    void *state;
};

static int match_sequence(
    struct match *match, const char *from, const char *to, const char *text, go_on next, void *state);

static int match_again(struct match *match, const char *text, void *state);

static int match_repeat(struct match *match, struct repeat *repeat, const char *text)
{
    if (repeat->done < repeat->most) {
        struct repeat more = *repeat;
        more.done++;
        more.began = text;
        if (*repeat->atom == '(') {
            const char *inner = repeat->atom + (strncmp(repeat->atom, "(?:", 3) == 0 ? 3 : 1);
            if (match_alternatives(match, inner, repeat->atom_end - 1, text, match_again, &more))
                return 1;
        } else if (*repeat->atom == '^') {
            if (text == match->text && match_again(match, text, &more))
                return 1;
        } else if (*repeat->atom == '$') {
            if (text == match->end && match_again(match, text, &more))
                return 1;
        } else if (text < match->end && in_atom(repeat->atom, (uint8_t)*text)) {
            if (match_again(match, text + 1, &more))
                return 1;
        }
    }
    return repeat->done >= repeat->least &&
           match_sequence(match, repeat->rest, repeat->to, text, repeat->next, repeat->state);
}

static int match_again(struct match *match, const char *text, void *state)
{
    struct repeat *repeat = state;
    /* A round that took nothing adds nothing once there are enough. */
    if (text == repeat->began && repeat->done > repeat->least)
        return 0;
    return match_repeat(match, repeat, text);
}

static int match_sequence(
    struct match *match, const char *from, const char *to, const char *text, go_on next, void *state)
{
    if (++match->steps > 200000)
        return 0;
    if (from == to)
        return next(match, text, state);
    struct repeat repeat = {from, skip_atom(from), NULL, to, NULL, 1, 1, 0, next, state};
    const char *after = repeat.atom_end;
    if (after < to && (*after == '*' || *after == '+' || *after == '?')) {
        repeat.least = *after == '+';
        repeat.most = *after == '?' ? 1 : 1000;
        after++;
    } else if (after < to && *after == '{') {
        char *stop;
        repeat.least = (int)strtol(after + 1, &stop, 10);
        repeat.most = *stop != ',' ? repeat.least : stop[1] == '}' ? 1000 : (int)strtol(stop + 1, &stop, 10);
        after = strchr(after, '}') + 1;
    }
    repeat.rest = after;
    return match_repeat(match, &repeat, text);
}

static int match_alternatives(
    struct match *match, const char *from, const char *to, const char *text, go_on next, void *state)
{
    const char *begin = from;
    for (const char *at = from;; at = skip_atom(at)) {
        if (at == to || *at == '|') {
            if (match_sequence(match, begin, at, text, next, state))
                return 1;
            if (at == to)
                return 0;
            begin = at + 1;
        }
    }
}

static int reached(struct match *match, const char *text, void *state)
{
    (void)match;
    (void)text;
    (void)state;
    return 1;
}

/* 1 or 0, or -1 when it would take too long. */
static int reference(const char *pattern, const char *text, size_t length)
{
    struct match match = {pattern, text, text + length, 0};
    for (size_t at = 0; at <= length; at++) {
        if (match_alternatives(&match, pattern, pattern + strlen(pattern), text + at, reached, NULL))
            return 1;
    }
    return match.steps > 200000 ? -1 : 0;
}

static int32_t compile(const char *pattern, struct coreio__regex *regex, int32_t *reason, int32_t *offset)
{
    const int32_t length = (int32_t)strlen(pattern);
    return coreio__regex_compile(guarded_copy(pattern, length), length, regex, reason, offset);
}

static int32_t matches(const char *pattern, const char *text)
{
    struct coreio__regex regex;
    int32_t reason;
    int32_t offset;
    if (compile(pattern, &regex, &reason, &offset) != 0)
        return -1;
    const size_t length = strlen(text);
    const int32_t found = coreio__regex_matches(&regex, guarded_copy(text, (int64_t)length), (uint32_t)length);
    coreio__regex_clear(&regex);
    return found;
}

TEST(patterns_match_as_the_docs_say)
{
    static const struct {
        const char *pattern;
        const char *text;
        int32_t found;
    } rows[] = {{"", "", 1}, {"", "abc", 1}, {"b", "abc", 1}, {"d", "abc", 0}, {"^a", "abc", 1}, {"^b", "abc", 0},
        {"c$", "abc", 1}, {"b$", "abc", 0}, {"^$", "", 1}, {"^$", "a", 0}, {"$^", "", 1}, {"a.c", "a\nc", 1},
        {"[a-c]x", "bx", 1}, {"[^a-c]x", "bx", 0}, {"[]]", "]", 1}, {"[^]]", "]", 0}, {"[a-]", "-", 1},
        {"[-a]", "-", 1}, {"\\d+", "a1", 1}, {"^\\D+$", "a1", 0}, {"\\w", "-", 0}, {"\\W", "-", 1}, {"\\s", "\x0b", 1},
        {"^\\S$", " ", 0}, {"\\t", "\t", 1}, {"\\x41", "A", 1}, {"\\xfF", "\xff", 1}, {"\\.", "a", 0}, {"\\.", ".", 1},
        {"[\\d.]", ".", 1}, {"(ab)+c", "ababc", 1}, {"(?:ab)+c", "abac", 0}, {"a|b", "b", 1}, {"^(a|b)$", "ab", 0},
        {"(|a)b", "b", 1}, {"a|", "zzz", 1}, {"^a{2}$", "aa", 1}, {"^a{2}$", "aaa", 0}, {"^a{2,}$", "aaaa", 1},
        {"^a{2,3}$", "aaaa", 0}, {"^a{0}$", "", 1}, {"^a{0}$", "a", 0}, {"^a{0,1}b$", "b", 1}, {"^a?b$", "aab", 0},
        {"^(a*)*$", "aaa", 1}, {"(?i)AbC", "aBc", 1}, {"(?i)[a-c]x", "BX", 1}, {"(?i)[^a]", "A", 0},
        {"(?i)\\x41", "a", 1}, {"AbC", "abc", 0}, {"(^a|b)c", "abc", 1}, {"(^a|b)c", "xac", 0}, {"a(b$|c)", "ab", 1},
        {"a(b$|c)", "abx", 0}, {"x*", "", 1}, {"\\/\\-", "/-", 1}, {"^a{255}$", "a", 0}, {"a\\|b", "a|b", 1},
        {"[|]", "|", 1}, {"(^)+a", "a", 1}, {"($)?", "b", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_context("%s in %s", rows[i].pattern, rows[i].text);
        CHECK_EQ(matches(rows[i].pattern, rows[i].text), rows[i].found);
    }
    struct coreio__regex regex;
    int32_t reason;
    int32_t offset;
    REQUIRE(compile("^.$", &regex, &reason, &offset) == 0);
    CHECK_EQ(coreio__regex_matches(&regex, (const uint8_t *)"\0", 1), 1);
    CHECK_EQ(coreio__regex_matches(&regex, NULL, 0), 0);
    coreio__regex_clear(&regex);
}

TEST(patterns_that_do_not_compile_say_so)
{
    static const char *const rows[] = {"(", ")", "a)", "(a", "[", "[a", "[^", "[]", "*", "+a", "?", "a**", "a{2}{3}",
        "a+?", "{2}", "a{", "a{}", "a{,2}", "a{2", "a{3,2}", "a{256}", "a{1,256}", "a{1,2,3}", "a{x}", "\\", "\\q",
        "\\1", "\\x4", "\\xgg", "[b-a]", "[a-\\d]", "[\\q]", "a|*", "(*)", "(?=a)", "(?P<n>a)", "a(?i)b", "[\\"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct coreio__regex regex;
        int32_t reason = -1;
        int32_t offset = -1;
        check_context("%s", rows[i]);
        CHECK_EQ(compile(rows[i], &regex, &reason, &offset), COREIO_EFORMAT);
        CHECK_EQ(reason, COREIO_LOG_FAULT_BAD_PATTERN);
        CHECK(offset >= 0 && offset <= (int32_t)strlen(rows[i]));
        CHECK(regex.next == NULL && regex.accept == NULL);
    }
}

TEST(patterns_that_grow_too_large_say_so)
{
    static const char *const rows[] = {"(a{255}){255}", "(((a{255}){255}){255}){255}", "[ab]*a[ab]{12}", "a.{11}b",
        "(a|b|c|d|e){255}(a|b|c|d|e){255}(a|b|c|d|e){255}"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct coreio__regex regex;
        int32_t reason = -1;
        int32_t offset = -1;
        check_context("%s", rows[i]);
        CHECK_EQ(compile(rows[i], &regex, &reason, &offset), COREIO_EFORMAT);
        CHECK_EQ(reason, COREIO_LOG_FAULT_PATTERN_TOO_LARGE);
        CHECK(offset >= 0 && offset <= (int32_t)strlen(rows[i]));
    }
    struct logs_text deep = {0};
    for (int i = 0; i < 65; i++)
        logs_append(&deep, "(", 1);
    for (int i = 0; i < 65; i++)
        logs_append(&deep, ")", 1);
    struct coreio__regex regex;
    int32_t reason;
    int32_t offset;
    CHECK_EQ(coreio__regex_compile(deep.bytes, 130, &regex, &reason, &offset), COREIO_EFORMAT);
    CHECK_EQ(coreio__regex_compile(deep.bytes + 1, 128, &regex, &reason, &offset), 0);
    coreio__regex_clear(&regex);
    logs_free(&deep);
}

/* A random pattern of a few atoms. */
static void random_pattern(struct logs_text *pattern, struct logs_random *random, int depth)
{
    static const char *const atoms[] = {
        "a", "b", "c", ".", "[ab]", "[^a]", "[b-c]", "\\w", "\\D", "\\x61", "^", "$", "\\."};
    static const char *const repeats[] = {"*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}"};
    const uint32_t count = logs_below(random, 4);
    for (uint32_t i = 0; i < count; i++) {
        if (depth < 3 && logs_below(random, 4) == 0) {
            logs_print(pattern, "%s", logs_below(random, 2) == 0 ? "(" : "(?:");
            random_pattern(pattern, random, depth + 1);
            logs_print(pattern, ")");
        } else {
            logs_print(pattern, "%s", atoms[logs_below(random, 13)]);
        }
        if (logs_below(random, 3) == 0)
            logs_print(pattern, "%s", repeats[logs_below(random, 7)]);
        if (logs_below(random, 6) == 0)
            logs_print(pattern, "|");
    }
}

TEST(random_patterns_match_as_the_reference_does)
{
    struct logs_random random = {40};
    int compared[2] = {0, 0};
    for (int round = 0; round < (LOGS_WATCHED ? 400 : 4000); round++) {
        struct logs_text pattern = {0};
        random_pattern(&pattern, &random, 0);
        logs_append(&pattern, "", 1);
        struct coreio__regex regex;
        int32_t reason;
        int32_t offset;
        const char *text_of_pattern = (const char *)pattern.bytes;
        const int32_t status =
            coreio__regex_compile(pattern.bytes, (int32_t)pattern.length - 1, &regex, &reason, &offset);
        check_context("%s", text_of_pattern);
        CHECK(status == 0 || reason == COREIO_LOG_FAULT_PATTERN_TOO_LARGE);
        for (int i = 0; i < 20 && status == 0; i++) {
            struct logs_text text = {0};
            logs_garbage(&text, &random, logs_below(&random, 9), "abc1.");
            logs_append(&text, "", 1);
            const int expected = reference(text_of_pattern, (const char *)text.bytes, text.length - 1);
            if (expected >= 0) {
                check_context("%s in %s", text_of_pattern, (const char *)text.bytes);
                CHECK_EQ(coreio__regex_matches(&regex, text.bytes, (uint32_t)text.length - 1), expected);
                compared[expected]++;
            }
            logs_free(&text);
        }
        coreio__regex_clear(&regex);
        logs_free(&pattern);
    }
    CHECK(compared[0] > 500 && compared[1] > 500);
}

TEST(no_memory_is_told_and_nothing_leaks)
{
    int refusals = 0;
    for (int64_t passed = 0;; passed++) {
        struct coreio__regex regex;
        int32_t reason;
        int32_t offset;
        allocations_refuse_after(passed);
        const int32_t status = coreio__regex_compile((const uint8_t *)"a.b", 3, &regex, &reason, &offset);
        const int refused = allocations_refused();
        allocations_refuse_after(-1);
        CHECK_EQ(status, refused ? -ENOMEM : 0);
        coreio__regex_clear(&regex);
        refusals += refused;
        if (!refused)
            break;
    }
    CHECK_EQ(refusals, 7);
}
