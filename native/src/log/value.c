/* Typing; see value.h. */
#include "value.h"

#include <string.h>

#include "equal.h"
#include "hash.h"

#define MICRO 1000000

static int32_t is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* -?[0-9]+ and, with `decimals`, a point and more digits; in millionths when there are decimals. */
static int32_t read_number(const uint8_t *text, uint32_t length, int32_t decimals, int64_t *value)
{
    uint32_t at = 0;
    const int32_t negative = length > 0 && text[0] == '-';
    at += (uint32_t)negative;
    if (at == length || !is_digit(text[at]))
        return 0;
    /* Counted downwards, for the negative range is the larger one. */
    int64_t number = 0;
    for (; at < length && is_digit(text[at]); at++) {
        if (__builtin_mul_overflow(number, 10, &number) || __builtin_sub_overflow(number, text[at] - '0', &number))
            return 0;
    }
    if (decimals) {
        int64_t fraction = 0;
        int32_t digits = 0;
        if (at < length && text[at] == '.') {
            const uint32_t first = ++at;
            for (; at < length && is_digit(text[at]); at++) {
                if (digits < 6) {
                    fraction = fraction * 10 + (text[at] - '0');
                    digits++;
                }
            }
            if (at == first)
                return 0;
        }
        for (; digits < 6; digits++)
            fraction *= 10;
        if (__builtin_mul_overflow(number, MICRO, &number) || __builtin_sub_overflow(number, fraction, &number))
            return 0;
    }
    if (at != length || (!negative && number == INT64_MIN))
        return 0;
    *value = negative ? number : -number;
    return 1;
}

/* read_number for the shape of nearly every value: at most 12 digits, then with `decimals` a point and up to six. */
static inline int32_t read_plain(const uint8_t *text, uint32_t length, int32_t decimals, int64_t *value)
{
    static const int32_t scales[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    int64_t number = 0;
    uint32_t at = 0;
    for (; at < length && at < 12 && is_digit(text[at]); at++)
        number = number * 10 + (text[at] - '0');
    if (at == 0)
        return 0;
    if (decimals) {
        uint32_t digits = 0;
        if (at < length && text[at] == '.') {
            for (at++; at < length && digits < 6 && is_digit(text[at]); at++, digits++)
                number = number * 10 + (text[at] - '0');
            if (digits == 0)
                return 0;
        }
        number *= scales[digits];
    }
    *value = number;
    return at == length;
}

/* The next entry of a list and the bytes up to the one after it; entries are separated by ", " and " : ". */
static struct coreio__text next_entry(struct coreio__text *rest)
{
    struct coreio__text entry = {rest->text, rest->length};
    uint32_t used = rest->length;
    for (uint32_t i = 0; i < rest->length; i++) {
        if (rest->text[i] == ',' && i + 1 < rest->length && rest->text[i + 1] == ' ') {
            entry.length = i;
            used = i + 2;
            break;
        }
        if (rest->text[i] == ' ' && i + 2 < rest->length && rest->text[i + 1] == ':' && rest->text[i + 2] == ' ') {
            entry.length = i;
            used = i + 3;
            break;
        }
    }
    const int32_t more = used != entry.length;
    rest->text = more ? rest->text + used : NULL;
    rest->length -= used;
    while (entry.length > 0 && entry.text[0] == ' ') {
        entry.text++;
        entry.length--;
    }
    while (entry.length > 0 && entry.text[entry.length - 1] == ' ')
        entry.length--;
    return entry;
}

static int32_t is_absent(struct coreio__text entry)
{
    return entry.length == 0 || (entry.length == 1 && entry.text[0] == '-');
}

static int32_t read_list(struct coreio__text rest, int32_t decimals, struct coreio__number *number)
{
    int64_t sum = 0;
    number->is_null = 1;
    while (rest.text != NULL) {
        const struct coreio__text entry = next_entry(&rest);
        int64_t value;
        if (is_absent(entry))
            continue;
        if (!read_number(entry.text, entry.length, decimals, &value) || __builtin_add_overflow(sum, value, &sum))
            return 0;
        number->is_null = 0;
    }
    number->value = sum;
    return 1;
}

static int32_t read_last(struct coreio__text rest, struct coreio__number *number)
{
    struct coreio__text last = {NULL, 0};
    while (rest.text != NULL) {
        const struct coreio__text entry = next_entry(&rest);
        if (!is_absent(entry))
            last = entry;
    }
    number->is_null = last.text == NULL;
    return number->is_null || read_number(last.text, last.length, 0, &number->value);
}

static int64_t count_entries(struct coreio__text rest)
{
    int64_t entries = 0;
    while (rest.text != NULL) {
        next_entry(&rest);
        entries++;
    }
    return entries;
}

/* The number of `count` digits at `text`, or -1. */
static int32_t digits_at(const uint8_t *text, int32_t count)
{
    int32_t number = 0;
    for (int32_t i = 0; i < count; i++) {
        if (!is_digit(text[i]))
            return -1;
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

/* Days since 1970 of a date of the proleptic Gregorian calendar (Hinnant, chrono-compatible date algorithms). */
static int64_t days_from_date(int32_t year, int32_t month, int32_t day)
{
    const int32_t shifted = month <= 2 ? year - 1 : year;
    const int32_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    const int32_t year_of_era = shifted - era * 400;
    const int32_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int64_t)era * 146097 + day_of_era - 719468;
}

static int32_t days_of_month(int32_t year, int32_t month)
{
    static const int32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int32_t leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static int32_t month_at(const uint8_t *text)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int32_t i = 0; i < 12; i++) {
        if (memcmp(text, names + 3 * i, 3) == 0)
            return i + 1;
    }
    return -1;
}

/* HH:MM:SS as seconds, or -1. */
static int32_t clock_at(const uint8_t *text)
{
    const int32_t hour = digits_at(text, 2);
    const int32_t minute = digits_at(text + 3, 2);
    const int32_t second = digits_at(text + 6, 2);
    if (text[2] != ':' || text[5] != ':' || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
        second > 60)
        return -1;
    return hour * 3600 + minute * 60 + (second == 60 ? 59 : second);
}

/* A sign, HH, `gap` bytes and MM as seconds; 0 when it is no offset. */
static int32_t offset_at(const uint8_t *text, int32_t gap, int32_t *seconds)
{
    const int32_t hour = digits_at(text + 1, 2);
    const int32_t minute = digits_at(text + 3 + gap, 2);
    if ((text[0] != '+' && text[0] != '-') || hour < 0 || hour > 14 || minute < 0 || minute > 59)
        return 0;
    *seconds = (hour * 60 + minute) * 60 * (text[0] == '-' ? -1 : 1);
    return 1;
}

static int32_t make_time(
    int32_t year, int32_t month, int32_t day, int32_t clock, int32_t offset, struct coreio__number *number)
{
    if (year < 0 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month) || clock < 0)
        return 0;
    number->value = (days_from_date(year, month, day) * 86400 + clock - offset) * MICRO;
    return 1;
}

/* 27/Feb/2023:11:53:25 +0800 */
static int32_t read_local(struct coreio__text text, struct coreio__number *number)
{
    const uint8_t *at = text.text;
    int32_t offset;
    if (text.length != 26 || at[2] != '/' || at[6] != '/' || at[11] != ':' || at[20] != ' ' ||
        !offset_at(at + 21, 0, &offset))
        return 0;
    return make_time(digits_at(at + 7, 4), month_at(at + 3), digits_at(at, 2), clock_at(at + 12), offset, number);
}

/* 2023-02-27T11:53:25+08:00, or Z for the offset */
static int32_t read_iso8601(struct coreio__text text, struct coreio__number *number)
{
    const uint8_t *at = text.text;
    int32_t offset = 0;
    if (text.length != 20 && text.length != 25)
        return 0;
    if (at[4] != '-' || at[7] != '-' || at[10] != 'T')
        return 0;
    if (text.length == 20 ? at[19] != 'Z' : (at[22] != ':' || !offset_at(at + 19, 1, &offset)))
        return 0;
    return make_time(digits_at(at, 4), digits_at(at + 5, 2), digits_at(at + 8, 2), clock_at(at + 11), offset, number);
}

int32_t coreio__value_type(int32_t typing, struct coreio__text text, struct coreio__number *number)
{
    number->value = 0;
    number->is_null = text.length == 0;
    if (number->is_null)
        return 1;
    switch (typing) {
    case COREIO__WHOLE:
        return read_plain(text.text, text.length, 0, &number->value) ||
               read_number(text.text, text.length, 0, &number->value);
    case COREIO__WHOLE_LIST:
        return read_list(text, 0, number);
    case COREIO__MILLIONTHS_LIST:
        return read_list(text, 1, number);
    case COREIO__LAST_OF_LIST:
        return read_last(text, number);
    case COREIO__ENTRIES:
        number->value = count_entries(text);
        return 1;
    case COREIO__TIME_LOCAL:
        return read_local(text, number);
    case COREIO__TIME_ISO8601:
        return read_iso8601(text, number);
    default: /* COREIO__MILLIONTHS, and COREIO__TIME_MSEC: seconds since 1970 */
        return read_plain(text.text, text.length, 1, &number->value) ||
               read_number(text.text, text.length, 1, &number->value);
    }
}

struct coreio__text coreio__value_address(struct coreio__text text)
{
    if (text.length == 0)
        return text;
    if (text.text[0] == '[') {
        const uint8_t *close = memchr(text.text, ']', text.length);
        if (close == NULL)
            return text;
        return (struct coreio__text){text.text + 1, (uint32_t)(close - text.text) - 1};
    }
    const uint8_t *colon = memchr(text.text, ':', text.length);
    if (colon == NULL || memrchr(text.text, ':', text.length) != colon)
        return text;
    return (struct coreio__text){text.text, (uint32_t)(colon - text.text)};
}

struct coreio__text coreio__value_path(struct coreio__text uri)
{
    const uint8_t *mark = uri.length > 0 ? memchr(uri.text, '?', uri.length) : NULL;
    if (mark != NULL)
        uri.length = (uint32_t)(mark - uri.text);
    return uri;
}

/* How many bytes at the beginning may be a method; the two frequent ones are known by four. */
static uint32_t method_length(struct coreio__text text)
{
    static const uint8_t get[] = {'G', 'E', 'T', ' '};
    static const uint8_t post[] = {'P', 'O', 'S', 'T'};
    uint32_t at = 0;
    if (text.length >= 5) {
        const uint64_t word = coreio__load32(text.text);
        if (word == coreio__load32(get))
            return 3;
        if (word == coreio__load32(post))
            at = 4;
    }
    while (at < text.length &&
           ((text.text[at] >= 'A' && text.text[at] <= 'Z') || text.text[at] == '-' || text.text[at] == '_'))
        at++;
    return at;
}

/* Whether eight bytes are HTTP/ and three more that are no spaces. */
static int32_t is_protocol(const uint8_t *text)
{
    static const uint8_t http[] = {'H', 'T', 'T', 'P', '/', 0, 0, 0};
    return (coreio__load64(text) & 0xFFFFFFFFFF) == coreio__load64(http) && text[5] != ' ' && text[6] != ' ' &&
           text[7] != ' ';
}

void coreio__value_request(struct coreio__text text, struct coreio__request *request)
{
    memset(request, 0, sizeof *request);
    const uint32_t at = method_length(text);
    if (at == 0 || at == text.length || text.text[at] != ' ')
        return;
    request->method = (struct coreio__text){text.text, at};
    struct coreio__text uri = {text.text + at + 1, text.length - at - 1};
    /* Nearly every request ends in a space and eight bytes such as HTTP/1.1, which hold no other space. */
    if (uri.length > 9 && uri.text[uri.length - 9] == ' ' && is_protocol(uri.text + uri.length - 8)) {
        request->protocol = (struct coreio__text){uri.text + uri.length - 8, 8};
        request->uri = (struct coreio__text){uri.text, uri.length - 9};
        return;
    }
    const uint8_t *space = uri.length > 0 ? memrchr(uri.text, ' ', uri.length) : NULL;
    const uint8_t *after = space != NULL ? space + 1 : uri.text;
    const uint32_t after_length = (uint32_t)(uri.text + uri.length - after);
    if (after_length >= 5 && memcmp(after, "HTTP/", 5) == 0) {
        request->protocol = (struct coreio__text){after, after_length};
        uri.length = space != NULL ? (uint32_t)(space - uri.text) : 0;
    }
    if (uri.length > 0)
        request->uri = uri;
}

/* The length of a method of up to seven capital letters and the space behind it; 0 for others. */
static uint32_t plain_method(uint64_t word)
{
    const uint64_t spaces = word ^ 0x2020202020202020;
    const uint64_t zeros = (spaces - 0x0101010101010101) & ~spaces & 0x8080808080808080;
    if (zeros == 0)
        return 0;
    const uint32_t bits = (uint32_t)__builtin_ctzll(zeros) & ~(uint32_t)7;
    /* What is behind the method counts as letters: adding sets the highest bit of what is one at least, and of what is
     * more than one. */
    const uint64_t behind = ~(uint64_t)0 << bits;
    const uint64_t letters = (word & ~behind) | (0x4141414141414141 & behind);
    const uint64_t wrong = letters | (letters + 0x2525252525252525) | ~(letters + 0x3F3F3F3F3F3F3F3F);
    return (wrong & 0x8080808080808080) == 0 ? bits / 8 : 0;
}

struct coreio__text coreio__value_request_path(struct coreio__text text, const uint8_t *end)
{
    /* Nearly every request is a method, a uri of 1 to 63 bytes and eight such as HTTP/1.1, with a space before each of
     * both: 14 to 77 bytes, of which the mask looks at 64 behind a method of up to seven and its space. Then nothing
     * has to be guessed but that. */
    if (text.length - 14 < 64 && text.text + 80 <= end) {
        const uint32_t method = plain_method(coreio__load64(text.text));
        const uint32_t length = text.length - method - 10;
        if (method > 0 && length - 1 < 63 && text.text[text.length - 9] == ' ' &&
            is_protocol(text.text + text.length - 8)) {
            const uint8_t *uri = text.text + method + 1;
            const uint64_t ends = coreio__equal64(uri, '?') | (uint64_t)1 << length;
            return (struct coreio__text){uri, (uint32_t)__builtin_ctzll(ends)};
        }
    }
    struct coreio__request request;
    coreio__value_request(text, &request);
    return coreio__value_path(request.uri);
}
