/* The PROXY protocol; see header.h. Sections are those of proxy-protocol.txt. */
#include "header.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* Section 2.2. */
static const uint8_t signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
#define V2_FIXED 16
#define V2_INET 12
#define V2_INET6 36

/* Section 2.1: the longest line, with its end. */
#define V1_MAX 107

/* Reads a port of version 1: decimal without a leading zero. Returns 0 and writes it, or -1. */
static int32_t read_port(const char *text, uint16_t *port)
{
    uint32_t value = 0;
    if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
        return -1;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        value = value * 10 + (uint32_t)(*text - '0');
        if (value > 65535)
            return -1;
    }
    *port = (uint16_t)value;
    return 0;
}

/* The next word of a line whose words are parted by one space each; ends it and moves behind it. NULL for none. */
static char *next_word(char **line)
{
    char *word = *line;
    if (word == NULL)
        return NULL;
    char *space = strchr(word, ' ');
    if (space != NULL)
        *space++ = '\0';
    *line = space;
    return word;
}

static int32_t read_v1(
    const uint8_t *bytes, int32_t length, struct coreio__endpoint *source, struct coreio__endpoint *target)
{
    const int32_t most = length < V1_MAX ? length : V1_MAX;
    const uint8_t *end = memchr(bytes, '\n', (size_t)most);
    if (end == NULL)
        return length < V1_MAX ? COREIO__HEADER_MORE : COREIO__HEADER_BAD;
    const int32_t taken = (int32_t)(end - bytes) + 1;
    if (taken < 2 || end[-1] != '\r' || memchr(bytes, '\0', (size_t)taken) != NULL)
        return COREIO__HEADER_BAD;
    char text[V1_MAX];
    memcpy(text, bytes, (size_t)taken - 2);
    text[taken - 2] = '\0';
    char *line = text;
    (void)next_word(&line);
    const char *family = next_word(&line);
    if (family == NULL)
        return COREIO__HEADER_BAD;
    if (strcmp(family, "UNKNOWN") == 0)
        return taken;
    const int inet = strcmp(family, "TCP4") == 0;
    if (!inet && strcmp(family, "TCP6") != 0)
        return COREIO__HEADER_BAD;
    struct coreio__endpoint both[2] = {{.family = inet ? AF_INET : AF_INET6}, {.family = inet ? AF_INET : AF_INET6}};
    for (int32_t i = 0; i < 2; i++) {
        const char *word = next_word(&line);
        if (word == NULL || inet_pton(both[i].family, word, both[i].bytes) != 1)
            return COREIO__HEADER_BAD;
    }
    for (int32_t i = 0; i < 2; i++) {
        const char *word = next_word(&line);
        if (word == NULL || read_port(word, &both[i].port) != 0)
            return COREIO__HEADER_BAD;
    }
    if (line != NULL)
        return COREIO__HEADER_BAD;
    *source = both[0];
    *target = both[1];
    return taken;
}

static uint16_t read_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static int32_t read_v2(
    const uint8_t *bytes, int32_t length, struct coreio__endpoint *source, struct coreio__endpoint *target)
{
    if (length < V2_FIXED)
        return COREIO__HEADER_MORE;
    const int32_t body = read_u16(bytes + 14);
    const int32_t taken = V2_FIXED + body;
    if (bytes[12] >> 4 != 2 || (bytes[12] & 15) > 1 || taken > COREIO__HEADER_MAX)
        return COREIO__HEADER_BAD;
    if (length < taken)
        return COREIO__HEADER_MORE;
    /* LOCAL: a check of the sender itself; the connection's own addresses are the true ones. */
    if ((bytes[12] & 15) == 0)
        return taken;
    const uint8_t *at = bytes + V2_FIXED;
    const int32_t family = bytes[13] >> 4;
    const int32_t size = family == 1 ? 4 : 16;
    if (family == 0 || family == 3)
        return taken;
    if (family > 3 || body < (family == 1 ? V2_INET : V2_INET6))
        return COREIO__HEADER_BAD;
    struct coreio__endpoint both[2] = {{0}, {0}};
    for (int32_t i = 0; i < 2; i++) {
        both[i].family = family == 1 ? AF_INET : AF_INET6;
        memcpy(both[i].bytes, at + i * size, (size_t)size);
        both[i].port = read_u16(at + 2 * size + 2 * i);
    }
    *source = both[0];
    *target = both[1];
    return taken;
}

int32_t coreio__header_read(
    const uint8_t *bytes, int32_t length, struct coreio__endpoint *source, struct coreio__endpoint *target)
{
    const int32_t v2 = length < (int32_t)sizeof signature ? length : (int32_t)sizeof signature;
    if (memcmp(bytes, signature, (size_t)v2) == 0)
        return v2 < (int32_t)sizeof signature ? COREIO__HEADER_MORE : read_v2(bytes, length, source, target);
    const int32_t v1 = length < 6 ? length : 6;
    if (memcmp(bytes, "PROXY ", (size_t)v1) == 0)
        return v1 < 6 ? COREIO__HEADER_MORE : read_v1(bytes, length, source, target);
    return COREIO__HEADER_BAD;
}

static int32_t write_v1(const struct coreio__endpoint *source, const struct coreio__endpoint *target, uint8_t *bytes)
{
    char line[COREIO__HEADER_WRITTEN_MAX + 1];
    char from[INET6_ADDRSTRLEN];
    char to[INET6_ADDRSTRLEN];
    int length;
    if (source->family == 0 || source->family != target->family) {
        length = snprintf(line, sizeof line, "PROXY UNKNOWN\r\n");
    } else {
        (void)inet_ntop(source->family, source->bytes, from, sizeof from);
        (void)inet_ntop(target->family, target->bytes, to, sizeof to);
        length = snprintf(line, sizeof line, "PROXY %s %s %s %u %u\r\n", source->family == AF_INET ? "TCP4" : "TCP6",
            from, to, (unsigned)source->port, (unsigned)target->port);
    }
    memcpy(bytes, line, (size_t)length);
    return length;
}

static void write_u16(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static int32_t write_v2(const struct coreio__endpoint *source, const struct coreio__endpoint *target, uint8_t *bytes)
{
    memcpy(bytes, signature, sizeof signature);
    bytes[12] = 0x21;
    if (source->family == 0 || source->family != target->family) {
        bytes[13] = 0;
        write_u16(bytes + 14, 0);
        return V2_FIXED;
    }
    const size_t size = source->family == AF_INET ? 4 : 16;
    bytes[13] = source->family == AF_INET ? 0x11 : 0x21;
    write_u16(bytes + 14, (uint32_t)(2 * size + 4));
    memcpy(bytes + V2_FIXED, source->bytes, size);
    memcpy(bytes + V2_FIXED + size, target->bytes, size);
    write_u16(bytes + V2_FIXED + 2 * size, source->port);
    write_u16(bytes + V2_FIXED + 2 * size + 2, target->port);
    return V2_FIXED + (int32_t)(2 * size + 4);
}

int32_t coreio__header_write(int32_t version, const struct coreio__endpoint *source,
    const struct coreio__endpoint *target, uint8_t bytes[COREIO__HEADER_WRITTEN_MAX])
{
    return version == 1 ? write_v1(source, target, bytes) : write_v2(source, target, bytes);
}
