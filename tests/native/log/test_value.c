/* Typing, from the tables of docs/formats.md, sections 5 and 6, and times against timegm. */
#include "check.h"

#include "log/value.h"
#include "logs.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define BAD INT64_MIN
#define NONE (INT64_MIN + 1)

static struct coreio__text text_of(const char *text)
{
    const size_t length = strlen(text);
    return (struct coreio__text){guarded_copy(text, (int64_t)length), (uint32_t)length};
}

/* The typed value, NONE for null and BAD for a text that is not of its kind. */
static int64_t type(int32_t typing, const char *text)
{
    struct coreio__number number = {77, 77};
    if (!coreio__value_type(typing, text_of(text), &number))
        return BAD;
    return number.is_null ? NONE : number.value;
}

struct row {
    const char *text;
    int64_t value;
};

static void check_rows(int32_t typing, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_context("\"%s\"", rows[i].text);
        CHECK_EQ(type(typing, rows[i].text), rows[i].value);
    }
}

#define CHECK_ROWS(typing, rows) check_rows(typing, rows, sizeof(rows) / sizeof((rows)[0]))

TEST(integers)
{
    static const struct row rows[] = {{"0", 0}, {"-0", 0}, {"200", 200}, {"-1", -1}, {"007", 7}, {"", NONE},
        {"9223372036854775807", INT64_MAX}, {"9223372036854775808", BAD}, {"-9223372036854775807", -INT64_MAX},
        {"-9223372036854775809", BAD}, {"99999999999999999999999", BAD}, {"-", BAD}, {"--1", BAD}, {"+1", BAD},
        {"1.0", BAD}, {"1.", BAD}, {" 1", BAD}, {"1 ", BAD}, {"1,2", BAD}, {"0x1", BAD}, {"a", BAD}, {"1e3", BAD}};
    CHECK_ROWS(COREIO__WHOLE, rows);
    struct coreio__number number;
    CHECK(coreio__value_type(COREIO__WHOLE, text_of("-9223372036854775808"), &number));
    CHECK(number.value == INT64_MIN && !number.is_null);
}

TEST(decimals)
{
    static const struct row rows[] = {{"0", 0}, {"1", 1000000}, {"0.001", 1000}, {"-0.001", -1000}, {"-0", 0},
        {"1.2345678", 1234567}, {"-1.2345678", -1234567}, {"0.0000009", 0}, {"1.", BAD}, {".5", BAD}, {"-.5", BAD},
        {"1.2.3", BAD}, {"", NONE}, {"9223372036854.775807", INT64_MAX}, {"9223372036854.7758079", INT64_MAX},
        {"9223372036854.775808", BAD}, {"-9223372036854.775807", -INT64_MAX}, {"-9223372036854.775809", BAD},
        {"9223372036855", BAD}, {"1,5", BAD}, {"1.5s", BAD}, {"nan", BAD}};
    CHECK_ROWS(COREIO__MILLIONTHS, rows);
    CHECK_ROWS(COREIO__TIME_MSEC, rows);
    CHECK_EQ(type(COREIO__TIME_MSEC, "1677470005.123"), 1677470005123000);
}

TEST(lists_sum)
{
    static const struct row rows[] = {{"1", 1}, {"1, 2 : 3", 6}, {"-", NONE}, {"-, -", NONE}, {"-, 5", 5}, {"5 : -", 5},
        {"", NONE}, {"1, ", 1}, {"1, , 2", 3}, {"1 :  2", 3}, {"1,2", BAD}, {"1, x", BAD}, {"x, 1", BAD}, {"1:2", BAD},
        {"-1, 3", 2}, {"9223372036854775807, 1", BAD}, {" 4 ", 4}, {"1.5", BAD}, {", ", NONE}, {" : ", NONE}};
    CHECK_ROWS(COREIO__WHOLE_LIST, rows);
    static const struct row decimals[] = {{"0.1, 0.2 : 0.3", 600000}, {"0.001", 1000}, {"-, 0.004", 4000}, {"-", NONE},
        {"0.1, 0.2,", BAD}, {"0.1 , 0.2", 300000}, {"0.1; 0.2", BAD}};
    CHECK_ROWS(COREIO__MILLIONTHS_LIST, decimals);
}

TEST(upstream_status_is_the_last_entry)
{
    static const struct row rows[] = {{"502, 200", 200}, {"502 : 504, 201", 201}, {"200, -", 200}, {"-", NONE},
        {"-, -", NONE}, {"x, 200", 200}, {"200, x", BAD}, {"", NONE}, {"200, ", 200}};
    CHECK_ROWS(COREIO__LAST_OF_LIST, rows);
}

TEST(entries_are_counted)
{
    static const struct row rows[] = {
        {"a", 1}, {"a, b", 2}, {"a, b : c", 3}, {"a,b", 1}, {"-, -", 2}, {"", NONE}, {"a, ", 2}, {"a :b", 1}};
    CHECK_ROWS(COREIO__ENTRIES, rows);
}

TEST(local_times)
{
    static const struct row rows[] = {{"27/Feb/2023:11:53:25 +0800", 1677470005000000},
        {"01/Jan/1970:00:00:00 +0000", 0}, {"01/Jan/1970:00:00:00 -1459", 53940000000},
        {"31/Dec/1969:23:59:59 +0000", -1000000}, {"29/Feb/2024:00:00:00 +0000", 1709164800000000},
        {"29/Feb/2023:00:00:00 +0000", BAD}, {"29/Feb/1900:00:00:00 +0000", BAD},
        {"29/Feb/2000:12:00:00 +0000", 951825600000000}, {"01/Jan/2023:00:00:60 +0000", 1672531259000000},
        {"01/Jan/2023:00:00:61 +0000", BAD}, {"01/Jan/2023:24:00:00 +0000", BAD}, {"01/Jan/2023:00:60:00 +0000", BAD},
        {"00/Jan/2023:00:00:00 +0000", BAD}, {"32/Jan/2023:00:00:00 +0000", BAD}, {"31/Apr/2023:00:00:00 +0000", BAD},
        {"01/jan/2023:00:00:00 +0000", BAD}, {"01/Jax/2023:00:00:00 +0000", BAD}, {"1/Jan/2023:00:00:00 +00000", BAD},
        {"01/Jan/2023 00:00:00 +0000", BAD}, {"01/Jan/2023:00:00:00  0000", BAD}, {"01/Jan/2023:00:00:00 +1500", BAD},
        {"01/Jan/2023:00:00:00 +1460", BAD}, {"01/Jan/2023:00:00:00+00000", BAD}, {"01/Jan/2023:00:00:00 +00:0", BAD},
        {"01/Jan/2023:00:00:00 +000", BAD}, {"01/Jan/2023:00:00:00 +00000", BAD}, {"", NONE},
        {"01-Jan-2023:00:00:00 +0000", BAD}, {"01/Jan/-023:00:00:00 +0000", BAD}, {"-1/Jan/2023:00:00:00 +0000", BAD},
        {"01/Jan/0000:00:00:00 +0000", -62167219200000000}, {"x", BAD}};
    CHECK_ROWS(COREIO__TIME_LOCAL, rows);
}

TEST(iso_times)
{
    static const struct row rows[] = {{"2023-02-27T11:53:25+08:00", 1677470005000000},
        {"2023-02-27T03:53:25Z", 1677470005000000}, {"1970-01-01T00:00:00-14:59", 53940000000},
        {"2023-02-27T11:53:25+0800", BAD}, {"2023-02-27 11:53:25+08:00", BAD}, {"2023-02-27T11:53:25z", BAD},
        {"2023-02-27T11:53:25", BAD}, {"2023-02-27T11:53:25+15:00", BAD}, {"2023-02-27T11:53:25+08:60", BAD},
        {"2023-02-27T11:53:25+08-00", BAD}, {"2023-13-27T11:53:25Z", BAD}, {"2023-00-27T11:53:25Z", BAD},
        {"2023-02-30T11:53:25Z", BAD}, {"2023-2-27T11:53:25ZZ", BAD}, {"2023/02/27T11:53:25Z", BAD}, {"", NONE},
        {"2023-02-27T11:53:60Z", 1677498839000000}, {"2023-02-27T11:53:25.123Z", BAD}, {"Z", BAD}};
    CHECK_ROWS(COREIO__TIME_ISO8601, rows);
}

TEST(times_are_those_of_timegm)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct logs_random random = {6};
    for (int i = 0; i < (LOGS_WATCHED ? 3000 : 30000); i++) {
        const int64_t seconds = (int64_t)(logs_next(&random) % 315537897600) - 62135596800; /* years 1 to 9999 */
        const time_t when = (time_t)seconds;
        struct tm parts;
        gmtime_r(&when, &parts);
        CHECK_EQ(timegm(&parts), seconds);
        const int32_t hours = (int32_t)logs_below(&random, 15);
        const int32_t minutes = (int32_t)logs_below(&random, 60);
        const int32_t minus = (int32_t)logs_below(&random, 2);
        const int64_t offset = (hours * 60 + minutes) * (minus ? -60 : 60);
        char local[64];
        char iso[64];
        snprintf(local, sizeof local, "%02d/%.3s/%04d:%02d:%02d:%02d %c%02d%02d", parts.tm_mday,
            months + 3 * parts.tm_mon, parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec,
            minus ? '-' : '+', hours, minutes);
        snprintf(iso, sizeof iso, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", parts.tm_year + 1900, parts.tm_mon + 1,
            parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, minus ? '-' : '+', hours, minutes);
        struct coreio__number number;
        check_context("%s", local);
        CHECK(coreio__value_type(COREIO__TIME_LOCAL, (struct coreio__text){(uint8_t *)local, 26}, &number));
        CHECK_EQ(number.value, (seconds - offset) * 1000000);
        CHECK(coreio__value_type(COREIO__TIME_ISO8601, (struct coreio__text){(uint8_t *)iso, 25}, &number));
        CHECK_EQ(number.value, (seconds - offset) * 1000000);
    }
}

TEST(addresses_lose_their_port)
{
    static const char *const rows[][2] = {{"1.2.3.4:80", "1.2.3.4"}, {"1.2.3.4", "1.2.3.4"}, {"[::1]:80", "::1"},
        {"[::1]", "::1"}, {"::1", "::1"}, {"fe80::1:80", "fe80::1:80"}, {"host:1", "host"}, {"host", "host"}, {"", ""},
        {"[::1", "[::1"}, {"a:", "a"}, {":80", ""}, {"unix:/run/x.sock", "unix"}, {"a:b:c", "a:b:c"}, {"[]", ""},
        {"[1.2.3.4]", "1.2.3.4"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct coreio__text got = coreio__value_address(text_of(rows[i][0]));
        check_context("%s", rows[i][0]);
        CHECK_BYTES(got.text, got.length, rows[i][1], strlen(rows[i][1]));
        CHECK(got.text != NULL);
        CHECK(!coreio__value_is_plain_address(text_of(rows[i][0])) || strcmp(rows[i][0], rows[i][1]) == 0);
    }
    CHECK(coreio__value_is_plain_address(text_of("1.22.33.4")) &&
          coreio__value_is_plain_address(text_of("123.123.123.123")));
    CHECK(coreio__value_address((struct coreio__text){NULL, 0}).text == NULL);
}

TEST(paths_end_at_the_first_question_mark)
{
    static const char *const rows[][2] = {
        {"/a?b?c", "/a"}, {"/a", "/a"}, {"?", ""}, {"/a?", "/a"}, {"", ""}, {"/a%3Fb", "/a%3Fb"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct coreio__text got = coreio__value_path(text_of(rows[i][0]));
        CHECK_BYTES(got.text, got.length, rows[i][1], strlen(rows[i][1]));
        CHECK(got.text != NULL);
    }
    CHECK(coreio__value_path((struct coreio__text){NULL, 0}).text == NULL);
}

/* The path of a request is that of its uri, whether more than it may be read or not. */
static void check_request_path(struct coreio__text text)
{
    struct coreio__request request;
    uint8_t room[256];
    coreio__value_request(text, &request);
    const struct coreio__text wanted = coreio__value_path(request.uri);
    const struct coreio__text near = coreio__value_request_path(text, text.text + text.length);
    CHECK(near.text == wanted.text);
    CHECK_EQ(near.length, wanted.length);
    memset(room, '?', sizeof room);
    if (text.length > sizeof room - 80)
        return;
    memcpy(room, text.text, text.length);
    const struct coreio__text far =
        coreio__value_request_path((struct coreio__text){room, text.length}, room + sizeof room);
    CHECK(wanted.text == NULL ? far.text == NULL : far.text - room == wanted.text - text.text);
    CHECK_EQ(far.length, wanted.length);
}

/* A part, with "(null)" for null, for a comparison that tells it from the empty text. */
static void check_part(struct coreio__text part, const char *expected)
{
    const char *text = part.text == NULL ? "(null)" : (const char *)part.text;
    CHECK_BYTES(text, part.text == NULL ? 6 : part.length, expected, strlen(expected));
}

TEST(request_lines_are_taken_apart)
{
    static const char *const rows[][4] = {
        /* request, method, uri, protocol */
        {"GET / HTTP/1.1", "GET", "/", "HTTP/1.1"},
        {"GET /a b HTTP/1.1", "GET", "/a b", "HTTP/1.1"},
        {"GET /a b", "GET", "/a b", "(null)"},
        {"GET /", "GET", "/", "(null)"},
        {"GET ", "GET", "(null)", "(null)"},
        {"GET", "(null)", "(null)", "(null)"},
        {"", "(null)", "(null)", "(null)"},
        {" / HTTP/1.1", "(null)", "(null)", "(null)"},
        {"get / HTTP/1.1", "(null)", "(null)", "(null)"},
        {"GEt / HTTP/1.1", "(null)", "(null)", "(null)"},
        {"M-SEARCH * HTTP/1.1", "M-SEARCH", "*", "HTTP/1.1"},
        {"VERSION_CONTROL /x HTTP/2.0", "VERSION_CONTROL", "/x", "HTTP/2.0"},
        {"GET  HTTP/1.1", "GET", "(null)", "HTTP/1.1"},
        {"GET HTTP/1.1", "GET", "(null)", "HTTP/1.1"},
        {"GET /a HTTP/", "GET", "/a", "HTTP/"},
        {"GET /a HTTP", "GET", "/a HTTP", "(null)"},
        {"GET /a http/1.1", "GET", "/a http/1.1", "(null)"},
        {"GET /a HTTP/1.1 ", "GET", "/a HTTP/1.1 ", "(null)"},
        {"GET /aHTTP/1.1", "GET", "/aHTTP/1.1", "(null)"},
        {"\\x16\\x03", "(null)", "(null)", "(null)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct coreio__request request;
        check_context("%s", rows[i][0]);
        const struct coreio__text text = text_of(rows[i][0]);
        coreio__value_request(text, &request);
        check_part(request.method, rows[i][1]);
        check_part(request.uri, rows[i][2]);
        check_part(request.protocol, rows[i][3]);
        check_request_path(text);
    }
    struct coreio__request request;
    coreio__value_request((struct coreio__text){NULL, 0}, &request);
    check_part(request.method, "(null)");
}

TEST(a_path_is_found_in_a_request_of_any_shape)
{
    static const char *const methods[] = {"GET", "POST", "OPTIONS", "PROPFIND", "M-SEARCH", "A", "AZ", "@A", "A[", "Ge",
        "G\x80T", "G\xC7", "", "ABCDEFGHIJ"};
    static const char *const protocols[] = {
        " HTTP/1.1", " HTTP/2.0", " HTTP/1 1", " HTTX/1.1", " HTTP/1.11", "HTTP/1.1", ""};
    struct logs_random random = {11};
    for (int i = 0; i < 20000; i++) {
        struct logs_text text = {0};
        logs_print(&text, "%s%s", methods[logs_below(&random, sizeof methods / sizeof methods[0])],
            logs_below(&random, 20) == 0 ? "" : " ");
        logs_garbage(&text, &random, logs_below(&random, 80),
            i % 3 == 0   ? "/a"
            : i % 3 == 1 ? "/ab?aaaaaaaaaaaaaaa"
                         : "/? ");
        logs_print(&text, "%s", protocols[logs_below(&random, sizeof protocols / sizeof protocols[0])]);
        check_context("%.*s", (int)text.length, (const char *)text.bytes);
        check_request_path(
            (struct coreio__text){guarded_copy(text.bytes, (int64_t)text.length), (uint32_t)text.length});
        logs_free(&text);
    }
}

TEST(garbage_is_read_no_further_than_it_goes)
{
    struct logs_random random = {7};
    for (int i = 0; i < 3000; i++) {
        struct logs_text text = {0};
        logs_garbage(&text, &random, logs_below(&random, 40), "0123456789-.,: :/[]JanT+Z?HTTP/ GET");
        const struct coreio__text guarded = {guarded_copy(text.bytes, (int64_t)text.length), (uint32_t)text.length};
        struct coreio__number number;
        for (int32_t typing = COREIO__WHOLE; typing <= COREIO__TIME_MSEC; typing++)
            CHECK(coreio__value_type(typing, guarded, &number) || text.length > 0);
        struct coreio__request request;
        coreio__value_request(guarded, &request);
        check_request_path(guarded);
        const struct coreio__text address = coreio__value_address(guarded);
        CHECK(address.text >= guarded.text && address.text + address.length <= guarded.text + guarded.length);
        CHECK(coreio__value_path(guarded).length <= guarded.length);
        logs_free(&text);
    }
}
