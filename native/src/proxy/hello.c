/* Server names; see hello.h. RFC 8446, sections 4.1.2 and 5.1, and RFC 5246 for earlier versions, which look the same.
 *
 * The handshake message may be cut into several records; the part that is there is put together first, so that the
 * parser sees one run of bytes.
 */
#include "hello.h"

#include <string.h>

#define RECORD_HEAD 5
#define HANDSHAKE 22
#define CLIENT_HELLO 1
#define SERVER_NAME 0
#define RECORD_MAX (16384 + 256)

/* Bytes that are read from the front; `short_of` is set once more was asked for than is there. */
struct reader {
    const uint8_t *at;
    int32_t left;
    int32_t short_of;
};

static uint32_t take_number(struct reader *reader, int32_t bytes)
{
    if (reader->left < bytes) {
        reader->short_of = 1;
        return 0;
    }
    uint32_t value = 0;
    for (int32_t i = 0; i < bytes; i++)
        value = value << 8 | reader->at[i];
    reader->at += bytes;
    reader->left -= bytes;
    return value;
}

static const uint8_t *take_bytes(struct reader *reader, int32_t bytes)
{
    if (reader->left < bytes) {
        reader->short_of = 1;
        return reader->at;
    }
    const uint8_t *at = reader->at;
    reader->at += bytes;
    reader->left -= bytes;
    return at;
}

/* Passes over a field whose length stands before it in `bytes` bytes. */
static void skip(struct reader *reader, int32_t bytes)
{
    const uint32_t length = take_number(reader, bytes);
    if (!reader->short_of)
        (void)take_bytes(reader, (int32_t)length);
}

/* Puts the handshake bytes of the records at hand together; returns how many, or COREIO__HELLO_BAD. */
static int32_t join_records(const uint8_t *bytes, int32_t length, uint8_t *joined, int32_t *complete)
{
    int32_t count = 0;
    int32_t at = 0;
    *complete = 0;
    while (at < length) {
        if (bytes[at] != HANDSHAKE)
            return COREIO__HELLO_BAD;
        if (length - at < RECORD_HEAD)
            return length - at > 1 && bytes[at + 1] != 3 ? COREIO__HELLO_BAD : count;
        const int32_t size = bytes[at + 3] << 8 | bytes[at + 4];
        if (bytes[at + 1] != 3 || size == 0 || size > RECORD_MAX)
            return COREIO__HELLO_BAD;
        at += RECORD_HEAD;
        const int32_t here = size < length - at ? size : length - at;
        if (count + here > COREIO__HELLO_MAX)
            return COREIO__HELLO_BAD;
        memcpy(joined + count, bytes + at, (size_t)here);
        count += here;
        at += here;
        if (count >= 4 && count >= 4 + (joined[1] << 16 | joined[2] << 8 | joined[3])) {
            *complete = 1;
            break;
        }
    }
    return count;
}

/* The name in the extension server_name; a length or COREIO__HELLO_NAMELESS. */
static int32_t read_names(struct reader *names, uint8_t name[COREIO__NAME_MAX])
{
    (void)take_number(names, 2);
    while (names->left > 0 && !names->short_of) {
        const uint32_t type = take_number(names, 1);
        int32_t length = (int32_t)take_number(names, 2);
        const uint8_t *text = take_bytes(names, length);
        if (names->short_of || type != 0)
            continue;
        if (length > 0 && text[length - 1] == '.')
            length--;
        if (length == 0 || length > COREIO__NAME_MAX || memchr(text, '\0', (size_t)length) != NULL)
            return COREIO__HELLO_BAD;
        for (int32_t i = 0; i < length; i++)
            name[i] = text[i] >= 'A' && text[i] <= 'Z' ? (uint8_t)(text[i] | 0x20) : text[i];
        return length;
    }
    return names->short_of ? COREIO__HELLO_BAD : COREIO__HELLO_NAMELESS;
}

int32_t coreio__hello_name(const uint8_t *bytes, int32_t length, uint8_t name[COREIO__NAME_MAX])
{
    uint8_t joined[COREIO__HELLO_MAX];
    int32_t complete;
    const int32_t count = join_records(bytes, length, joined, &complete);
    if (count < 0)
        return count;
    if (count > 0 && joined[0] != CLIENT_HELLO)
        return COREIO__HELLO_BAD;
    if (count >= 4 && 4 + (joined[1] << 16 | joined[2] << 8 | joined[3]) > COREIO__HELLO_MAX)
        return COREIO__HELLO_BAD;
    if (!complete)
        return COREIO__HELLO_MORE;
    struct reader hello = {.at = joined + 4, .left = joined[1] << 16 | joined[2] << 8 | joined[3]};
    (void)take_bytes(&hello, 2 + 32);
    skip(&hello, 1);
    skip(&hello, 2);
    skip(&hello, 1);
    if (hello.short_of)
        return COREIO__HELLO_BAD;
    if (hello.left == 0)
        return COREIO__HELLO_NAMELESS;
    const int32_t all = (int32_t)take_number(&hello, 2);
    struct reader extensions = {.at = hello.at, .left = all};
    if (hello.short_of || all > hello.left)
        return COREIO__HELLO_BAD;
    while (extensions.left > 0) {
        const uint32_t type = take_number(&extensions, 2);
        const int32_t size = (int32_t)take_number(&extensions, 2);
        struct reader body = {.at = take_bytes(&extensions, size), .left = size};
        if (extensions.short_of)
            return COREIO__HELLO_BAD;
        if (type == SERVER_NAME)
            return read_names(&body, name);
    }
    return COREIO__HELLO_NAMELESS;
}
