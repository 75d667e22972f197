/* Text to numbers, times and parts of text.
 *
 * docs/formats.md, sections 5 and 6, is the text this follows. Nothing here allocates or keeps state.
 */
#ifndef COREIO_LOG_VALUE_H
#define COREIO_LOG_VALUE_H

#include <coreio/log.h>
#include <string.h>

#include "hash.h"

/* A piece of a line; `text` NULL is null. */
struct coreio__text {
    const uint8_t *text;
    uint32_t length;
};

struct coreio__number {
    int64_t value;
    int32_t is_null;
};

/* How a field's text becomes a number. */
enum coreio__typing {
    COREIO__WHOLE,
    COREIO__MILLIONTHS,
    COREIO__WHOLE_LIST,      /* sum of the entries */
    COREIO__MILLIONTHS_LIST, /* sum of the entries */
    COREIO__LAST_OF_LIST,    /* last entry that is not null */
    COREIO__ENTRIES,         /* how many entries a list has */
    COREIO__TIME_LOCAL,
    COREIO__TIME_ISO8601,
    COREIO__TIME_MSEC
};

/* The parts of a request line; all null when it is none. */
struct coreio__request {
    struct coreio__text method;
    struct coreio__text uri;
    struct coreio__text protocol;
};

/* Types a text that is not null. Returns 0 when it is neither null nor of its kind. */
int32_t coreio__value_type(int32_t typing, struct coreio__text text, struct coreio__number *number);

/* Eight bytes, of which the first `length` are the text, moved to the end, where a number has its ones. */
static inline uint64_t coreio__value_word(const uint8_t *text, uint32_t length)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return word << (64 - 8 * length);
}

/* A word with the numbers of the digits that its last `count` bytes are; the others stay as they are. */
static inline uint64_t coreio__value_as_digits(uint64_t word, uint32_t count)
{
    return word - ((uint64_t)0x3030303030303030 << (64 - 8 * count));
}

/* Whether each byte is a digit's number, 0 to 9. */
static inline int32_t coreio__value_all_digits(uint64_t digits)
{
    return (((digits + 0x7676767676767676) | digits) & 0x8080808080808080) == 0;
}

/* The number that the last `count` bytes of a word are, which the others leave as it is; -1 when one is no digit. Three
 * multiplications join neighbours: digits, pairs, fours. */
static inline int64_t coreio__value_digits(uint64_t word, uint32_t count)
{
    const uint64_t digits = coreio__value_as_digits(word, count);
    if (!coreio__value_all_digits(digits))
        return -1;
    uint64_t number = digits * 10 + (digits >> 8);
    number = (((number & 0x000000FF000000FF) * 0x000F424000000064) +
                 (((number >> 16) & 0x000000FF000000FF) * 0x0000271000000001)) >>
             32;
    return (int64_t)(number & 0xFFFFFFFF);
}

/* coreio__value_type for the shape of nearly every number: up to eight digits, or up to four, a point and three more.
 * Returns 0 for others, and decides nothing. Reads eight bytes of the text, whatever its length. */
static inline int32_t coreio__value_quick(int32_t typing, const uint8_t *text, uint32_t length, int64_t *value)
{
    if (length - 1 > 7)
        return 0;
    const uint64_t word = coreio__value_word(text, length);
    if (typing == COREIO__WHOLE) {
        *value = coreio__value_digits(word, length);
        return *value >= 0;
    }
    /* Thousandths, as nginx writes times: what is before the point moves over it. */
    if (length < 5 || (uint8_t)(word >> 32) != '.')
        return 0;
    *value = coreio__value_digits((word & 0xFFFFFF0000000000) | (word & 0xFFFFFFFF) << 8, length - 1) * 1000;
    return *value >= 0;
}

/* Whether a text is a whole number of up to eight digits; reads as coreio__value_quick. */
static inline int32_t coreio__value_is_short_whole(const uint8_t *text, uint32_t length)
{
    return length - 1 <= 7 &&
           coreio__value_all_digits(coreio__value_as_digits(coreio__value_word(text, length), length));
}

/* Whether a text is an address of 8 to 16 bytes without a port, which most are: no colon in either of two words, which
 * may overlap. */
static inline int32_t coreio__value_is_plain_address(struct coreio__text text)
{
    if (text.length - 8 > 8 || text.text[0] == '[')
        return 0;
    const uint64_t colons = 0x3A3A3A3A3A3A3A3A;
    const uint64_t first = coreio__load64(text.text) ^ colons;
    const uint64_t last = coreio__load64(text.text + text.length - 8) ^ colons;
    /* A zero byte borrows from its highest bit (Mycroft); what a borrow makes of the bytes above it does not matter. */
    const uint64_t zeros = ((first - 0x0101010101010101) & ~first) | ((last - 0x0101010101010101) & ~last);
    return (zeros & 0x8080808080808080) == 0;
}

/* An address without its port. */
struct coreio__text coreio__value_address(struct coreio__text text);

/* What stands before the first question mark. */
struct coreio__text coreio__value_path(struct coreio__text uri);

void coreio__value_request(struct coreio__text text, struct coreio__request *request);

/* The path of a request's uri. What is before `end` may be read. */
struct coreio__text coreio__value_request_path(struct coreio__text text, const uint8_t *end);

#endif
