/* PROXY headers: those of the specification, what is not one, and every way to cut one in two. */
#include "check.h"

#include "proxy/header.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct sample {
    const char *text;
    int32_t result; /* length of the header, 0 for more, -1 for none */
};

TEST(lines_of_version_1)
{
    static const struct sample samples[] = {
        {"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nGET", 45},
        {"PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", 44},
        {"PROXY TCP6 ::ffff:192.0.2.1 ::1 0 1\r\n", 37},
        {"PROXY UNKNOWN\r\n", 15},
        {"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", 59},
        {"P", 0},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r", 0},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n", -1},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n", -1},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 1\r\n", -1},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 \r\n", -1},
        {"PROXY TCP4  192.0.2.1 198.51.100.2 56324 443\r\n", -1},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 056324 443\r\n", -1},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n", -1},
        {"PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n", -1},
        {"PROXY TCP4 192.0.2.256 198.51.100.2 1 443\r\n", -1},
        {"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", -1},
        {"PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n", -1},
        {"PROXY\r\n", -1},
        {"PROXY \r\n", -1},
        {"GET / HTTP/1.1\r\n", -1},
        {"\r\n", 0},
        {"\r\n\r\nX", -1},
    };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct coreio__endpoint source = {.family = 99};
        struct coreio__endpoint target = {.family = 99};
        const int32_t length = (int32_t)strlen(samples[i].text);
        check_context("%s", samples[i].text);
        CHECK_EQ(
            coreio__header_read(guarded_copy(samples[i].text, length), length, &source, &target), samples[i].result);
        /* What was refused, and "unknown", tell nothing. */
        CHECK_EQ(source.family == 99, samples[i].result <= 0 || strncmp(samples[i].text, "PROXY U", 7) == 0);
    }
    check_context(NULL);
    /* The longest line, and one byte more. */
    char line[200];
    memset(line, ' ', sizeof line);
    memcpy(line, "PROXY UNKNOWN", 13);
    memcpy(line + 105, "\r\n", 2);
    struct coreio__endpoint source;
    struct coreio__endpoint target;
    CHECK_EQ(coreio__header_read((const uint8_t *)line, 107, &source, &target), 107);
    memcpy(line + 105, " \r\n", 3);
    CHECK_EQ(coreio__header_read((const uint8_t *)line, 108, &source, &target), COREIO__HEADER_BAD);
}

TEST(addresses_and_ports_are_read)
{
    static const char text[] = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";
    struct coreio__endpoint source;
    struct coreio__endpoint target;
    CHECK_EQ(coreio__header_read((const uint8_t *)text, sizeof text - 1, &source, &target), 45);
    CHECK_EQ(source.family, AF_INET);
    CHECK_EQ(source.port, 56324);
    CHECK_BYTES(source.bytes, 4, "\xc0\x00\x02\x01", 4);
    CHECK_EQ(target.port, 443);
    CHECK_BYTES(target.bytes, 4, "\xc6\x33\x64\x02", 4);
}

static struct coreio__endpoint endpoint(uint16_t family, const char *text, uint16_t port)
{
    struct coreio__endpoint endpoint = {.family = family, .port = port};
    CHECK_EQ(inet_pton(family, text, endpoint.bytes), 1);
    return endpoint;
}

TEST(what_is_written_is_read_back_however_it_is_cut)
{
    const struct coreio__endpoint pairs[][2] = {
        {endpoint(AF_INET, "192.0.2.1", 1), endpoint(AF_INET, "198.51.100.2", 65535)},
        {endpoint(AF_INET6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
            endpoint(AF_INET6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 65535)},
    };
    for (int32_t version = 1; version <= 2; version++) {
        for (size_t i = 0; i < 2; i++) {
            uint8_t bytes[COREIO__HEADER_WRITTEN_MAX];
            const int32_t length = coreio__header_write(version, &pairs[i][0], &pairs[i][1], bytes);
            CHECK(length > 0 && length <= COREIO__HEADER_WRITTEN_MAX);
            struct coreio__endpoint source = {0};
            struct coreio__endpoint target = {0};
            for (int32_t cut = 1; cut < length; cut++)
                CHECK_EQ(coreio__header_read(guarded_copy(bytes, cut), cut, &source, &target), COREIO__HEADER_MORE);
            CHECK_EQ(source.family, 0);
            CHECK_EQ(coreio__header_read(guarded_copy(bytes, length), length, &source, &target), length);
            CHECK_BYTES(&source, sizeof source, &pairs[i][0], sizeof source);
            CHECK_BYTES(&target, sizeof target, &pairs[i][1], sizeof target);
        }
    }
}

TEST(endpoints_that_are_not_known_or_differ_are_unknown)
{
    const struct coreio__endpoint none = {0};
    const struct coreio__endpoint four = endpoint(AF_INET, "192.0.2.1", 1);
    const struct coreio__endpoint six = endpoint(AF_INET6, "2001:db8::1", 1);
    uint8_t bytes[COREIO__HEADER_WRITTEN_MAX];
    struct coreio__endpoint source = {0};
    struct coreio__endpoint target = {0};
    CHECK_TEXT(bytes, coreio__header_write(1, &none, &four, bytes), "PROXY UNKNOWN\r\n");
    CHECK_TEXT(bytes, coreio__header_write(1, &four, &six, bytes), "PROXY UNKNOWN\r\n");
    const int32_t length = coreio__header_write(2, &four, &six, bytes);
    CHECK_EQ(length, 16);
    CHECK_EQ(coreio__header_read(bytes, length, &source, &target), 16);
    CHECK_EQ(source.family, 0);
}

TEST(headers_of_version_2)
{
    uint8_t bytes[COREIO__HEADER_MAX + 64] = {0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
    struct coreio__endpoint source = {0};
    struct coreio__endpoint target = {0};
    /* LOCAL: whatever follows is passed over. */
    bytes[12] = 0x20;
    bytes[13] = 0xff;
    bytes[15] = 3;
    CHECK_EQ(coreio__header_read(bytes, 19, &source, &target), 19);
    CHECK_EQ(source.family, 0);
    /* TLVs behind the addresses are passed over. */
    bytes[12] = 0x21;
    bytes[13] = 0x11;
    bytes[15] = 12 + 7;
    memcpy(bytes + 16, "\x01\x02\x03\x04\x05\x06\x07\x08\x00\x50\x01\xbb", 12);
    CHECK_EQ(coreio__header_read(bytes, 60, &source, &target), 16 + 19);
    CHECK_EQ(source.port, 80);
    CHECK_EQ(target.port, 443);
    CHECK_BYTES(target.bytes, 4, "\x05\x06\x07\x08", 4);
    /* Too short for its family, another version, another command, a family there is not, and one too long. */
    bytes[15] = 11;
    CHECK_EQ(coreio__header_read(bytes, 60, &source, &target), COREIO__HEADER_BAD);
    bytes[15] = 12;
    bytes[12] = 0x11;
    CHECK_EQ(coreio__header_read(bytes, 60, &source, &target), COREIO__HEADER_BAD);
    bytes[12] = 0x22;
    CHECK_EQ(coreio__header_read(bytes, 60, &source, &target), COREIO__HEADER_BAD);
    bytes[12] = 0x21;
    bytes[13] = 0x41;
    CHECK_EQ(coreio__header_read(bytes, 60, &source, &target), COREIO__HEADER_BAD);
    bytes[13] = 0x21;
    bytes[15] = 35;
    CHECK_EQ(coreio__header_read(bytes, 60, &source, &target), COREIO__HEADER_BAD);
    /* UNSPEC and AF_UNIX tell nothing that is used. */
    source = (struct coreio__endpoint){0};
    bytes[13] = 0x00;
    CHECK_EQ(coreio__header_read(bytes, 60, &source, &target), 16 + 35);
    bytes[13] = 0x31;
    bytes[15] = 216;
    CHECK_EQ(coreio__header_read(bytes, 300, &source, &target), 16 + 216);
    CHECK_EQ(source.family, 0);
    bytes[14] = 0x10;
    bytes[15] = 0;
    CHECK_EQ(coreio__header_read(bytes, 60, &source, &target), COREIO__HEADER_BAD);
    bytes[14] = 0x0f;
    bytes[15] = 0xf0;
    CHECK_EQ(coreio__header_read(bytes, 60, &source, &target), COREIO__HEADER_MORE);
    CHECK_EQ(coreio__header_read(bytes, COREIO__HEADER_MAX, &source, &target), COREIO__HEADER_MAX);
}

TEST(no_bytes_make_it_read_too_far)
{
    srand(11);
    for (int32_t i = 0; i < 20000; i++) {
        uint8_t bytes[64];
        const int32_t length = 1 + rand() % (int32_t)sizeof bytes;
        for (int32_t j = 0; j < length; j++)
            bytes[j] = (uint8_t)rand();
        if (i % 2 == 0)
            memcpy(bytes, "PROXY TCP4 ", (size_t)(length < 11 ? length : 11));
        else
            memcpy(bytes, "\r\n\r\n\0\r\nQUIT\n\x21\x11", (size_t)(length < 14 ? length : 14));
        struct coreio__endpoint source;
        struct coreio__endpoint target;
        const int32_t result = coreio__header_read(guarded_copy(bytes, length), length, &source, &target);
        CHECK(result >= -1 && result <= length);
    }
}
