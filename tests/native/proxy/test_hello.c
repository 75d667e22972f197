/* Server names: a ClientHello built here field by field, cut everywhere, and damaged at random. */
#include "check.h"

#include "proxy/hello.h"

#include <stdlib.h>
#include <string.h>

struct buffer {
    uint8_t bytes[32768];
    int32_t length;
};

static void put(struct buffer *buffer, uint32_t value, int32_t bytes)
{
    for (int32_t i = bytes - 1; i >= 0; i--)
        buffer->bytes[buffer->length++] = (uint8_t)(value >> (8 * i));
}

static void put_bytes(struct buffer *buffer, const void *bytes, size_t length)
{
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += (int32_t)length;
}

/* A ClientHello with `padding` bytes in an extension before the name; NULL names nothing. Records hold at most `cut`
 * bytes of it. */
static void build(struct buffer *records, const char *name, int32_t padding, int32_t cut)
{
    static struct buffer hello;
    static struct buffer extensions;
    hello.length = 0;
    extensions.length = 0;
    put(&extensions, 21, 2);
    put(&extensions, (uint32_t)padding, 2);
    for (int32_t i = 0; i < padding; i++)
        put(&extensions, 0, 1);
    if (name != NULL) {
        const uint32_t length = (uint32_t)strlen(name);
        put(&extensions, 0, 2);
        put(&extensions, length + 5, 2);
        put(&extensions, length + 3, 2);
        put(&extensions, 0, 1);
        put(&extensions, length, 2);
        put_bytes(&extensions, name, length);
    }
    put(&hello, 0x0303, 2);
    for (int32_t i = 0; i < 32; i++)
        put(&hello, (uint32_t)i, 1);
    put(&hello, 32, 1);
    for (int32_t i = 0; i < 32; i++)
        put(&hello, 7, 1);
    put(&hello, 4, 2);
    put(&hello, 0x13011302, 4);
    put(&hello, 1, 1);
    put(&hello, 0, 1);
    put(&hello, (uint32_t)extensions.length, 2);
    put_bytes(&hello, extensions.bytes, (size_t)extensions.length);

    static struct buffer message;
    message.length = 0;
    put(&message, 1, 1);
    put(&message, (uint32_t)hello.length, 3);
    put_bytes(&message, hello.bytes, (size_t)hello.length);
    records->length = 0;
    for (int32_t at = 0; at < message.length; at += cut) {
        const int32_t size = message.length - at < cut ? message.length - at : cut;
        put(records, 22, 1);
        put(records, 0x0301, 2);
        put(records, (uint32_t)size, 2);
        put_bytes(records, message.bytes + at, (size_t)size);
    }
}

TEST(a_name_is_found_however_the_hello_is_cut)
{
    static struct buffer records;
    static const int32_t cuts[] = {16384, 100, 7, 1};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        build(&records, "WWW.Example.Com", 40, cuts[i]);
        uint8_t name[COREIO__NAME_MAX];
        check_context("records of %d bytes", cuts[i]);
        for (int32_t length = 1; length < records.length; length++)
            CHECK_EQ(coreio__hello_name(guarded_copy(records.bytes, length), length, name), COREIO__HELLO_MORE);
        const int32_t found = coreio__hello_name(guarded_copy(records.bytes, records.length), records.length, name);
        CHECK_TEXT(name, found, "www.example.com");
    }
    check_context(NULL);
}

TEST(a_dot_at_the_end_is_no_part_of_the_name)
{
    static struct buffer records;
    uint8_t name[COREIO__NAME_MAX];
    build(&records, "a.b.", 0, 16384);
    CHECK_TEXT(name, coreio__hello_name(records.bytes, records.length, name), "a.b");
    build(&records, ".", 0, 16384);
    CHECK_EQ(coreio__hello_name(records.bytes, records.length, name), COREIO__HELLO_BAD);
}

TEST(what_is_behind_the_hello_does_not_matter)
{
    static struct buffer records;
    uint8_t name[COREIO__NAME_MAX];
    build(&records, "a.b", 0, 16384);
    put_bytes(&records, "\xff\xff\xff\xff\xff\xff", 6);
    CHECK_TEXT(name, coreio__hello_name(records.bytes, records.length, name), "a.b");
}

TEST(large_hellos_fit_and_larger_ones_do_not)
{
    static struct buffer records;
    uint8_t name[COREIO__NAME_MAX];
    build(&records, "a.b", 16000, 16384);
    CHECK_TEXT(name, coreio__hello_name(records.bytes, records.length, name), "a.b");
    build(&records, "a.b", 16384, 16000);
    CHECK_EQ(coreio__hello_name(records.bytes, records.length, name), COREIO__HELLO_BAD);
    CHECK_EQ(coreio__hello_name(records.bytes, 100, name), COREIO__HELLO_BAD);
}

TEST(no_name_and_no_tls)
{
    static struct buffer records;
    uint8_t name[COREIO__NAME_MAX];
    build(&records, NULL, 3, 16384);
    CHECK_EQ(coreio__hello_name(records.bytes, records.length, name), COREIO__HELLO_NAMELESS);
    CHECK_EQ(coreio__hello_name((const uint8_t *)"GET / HTTP/1.1\r\n", 16, name), COREIO__HELLO_BAD);
    CHECK_EQ(coreio__hello_name((const uint8_t *)"\x16\x02\x01", 3, name), COREIO__HELLO_BAD);
    CHECK_EQ(coreio__hello_name((const uint8_t *)"\x16\x03\x01\x00\x00", 5, name), COREIO__HELLO_BAD);
    /* A ServerHello. */
    CHECK_EQ(
        coreio__hello_name((const uint8_t *)"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00", 10, name), COREIO__HELLO_BAD);
    char longest[300];
    memset(longest, 'a', 254);
    longest[254] = '\0';
    build(&records, longest, 0, 16384);
    CHECK_EQ(coreio__hello_name(records.bytes, records.length, name), COREIO__HELLO_BAD);
    longest[253] = '\0';
    build(&records, longest, 0, 16384);
    CHECK_EQ(coreio__hello_name(records.bytes, records.length, name), 253);
}

TEST(no_damage_makes_it_read_too_far)
{
    static struct buffer records;
    srand(5);
    for (int32_t i = 0; i < 20000; i++) {
        build(&records, "www.example.com", 10, i % 3 == 0 ? 20 : 16384);
        for (int32_t j = 0; j <= i % 4; j++)
            records.bytes[rand() % records.length] = (uint8_t)rand();
        const int32_t length = 1 + rand() % records.length;
        uint8_t name[COREIO__NAME_MAX];
        const int32_t found = coreio__hello_name(guarded_copy(records.bytes, length), length, name);
        CHECK(found >= -2 && found <= COREIO__NAME_MAX);
    }
}
