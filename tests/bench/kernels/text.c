/* Seeded text for the benchmark of the kernels; see text.h. */
#include "text.h"

#include <stdio.h>
#include <string.h>

#define LINE 2048

struct random {
    uint64_t state;
};

/* Vigna, splitmix64. */
static uint64_t next(struct random *random)
{
    uint64_t z = random->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static unsigned int below(struct random *random, unsigned int bound)
{
    return (unsigned int)((next(random) >> 32) * bound >> 32);
}

static const char *one_of(struct random *random, const char *const *texts, unsigned int count)
{
    return texts[below(random, count)];
}

static const char *const paths[] = {"/", "/index.html", "/api/v1/items", "/static/js/app.8f2c1d.js",
    "/img/2023/02/banner-large.webp", "/search", "/products/garden/tools/spade", "/feed.xml"};
static const char *const agents[] = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 12; SM-G991B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Mobile "
    "Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.3",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "curl/7.88.1", "-"};
static const char *const referers[] = {
    "-", "-", "https://www.example.com/", "https://www.example.org/a/long/page?id=7"};
static const char *const methods[] = {"GET", "GET", "GET", "POST", "HEAD"};
static const char *const statuses[] = {"200", "200", "200", "200", "304", "301", "404", "499", "503"};

#define ONE_OF(random, texts) one_of(random, texts, (unsigned int)(sizeof texts / sizeof texts[0]))

/* What a line of any format is about. Numbers are drawn one statement after the other: the order in which arguments of
 * a call are computed is the compiler's choice, and the bytes must not be. */
struct request {
    unsigned int client[4];
    unsigned int day;
    unsigned int hour;
    unsigned int minute;
    unsigned int second;
    unsigned int bytes;
    const char *method;
    const char *path;
    const char *status;
    const char *referer;
    const char *agent;
    char arguments[64];
};

static void draw(struct random *random, struct request *request)
{
    for (int i = 0; i < 4; i++)
        request->client[i] = 1 + below(random, 223);
    request->day = 1 + below(random, 28);
    request->hour = below(random, 24);
    request->minute = below(random, 60);
    request->second = below(random, 60);
    const unsigned int bits = below(random, 22);
    request->bytes = below(random, 1u << bits);
    request->method = ONE_OF(random, methods);
    request->path = ONE_OF(random, paths);
    request->status = ONE_OF(random, statuses);
    request->referer = ONE_OF(random, referers);
    request->agent = ONE_OF(random, agents);
    const unsigned int id = below(random, 2000000);
    const unsigned long long key = next(random) >> 40;
    request->arguments[0] = '\0';
    if (id < 1000000)
        (void)snprintf(request->arguments, sizeof request->arguments, "?id=%u&key=%llx", id, key);
}

static int print_combined(struct random *random, char *line)
{
    struct request it;
    draw(random, &it);
    /* One line in a hundred carries what nginx escapes. */
    const char *escaped = below(random, 100) == 0 ? "\\x22q\\x22" : "";
    return snprintf(line, LINE,
        "%u.%u.%u.%u - - [%02u/Feb/2023:%02u:%02u:%02u +0800] \"%s %s%s%s HTTP/1.1\" %s %u \"%s\" \"%s\"\n",
        it.client[0], it.client[1], it.client[2], it.client[3], it.day, it.hour, it.minute, it.second, it.method,
        it.path, it.arguments, escaped, it.status, it.bytes, it.referer, it.agent);
}

/* A syslog prefix and 45 bracketed fields, about 725 bytes. */
static int print_edge(struct random *random, char *line)
{
    struct request it;
    draw(random, &it);
    const unsigned int host = below(random, 20);
    const unsigned int port = 1024 + below(random, 60000);
    const unsigned int connection = below(random, 9999999);
    const unsigned int millis = below(random, 1000);
    int length = snprintf(line, LINE,
        "Feb %02u %02u:%02u:%02u edge%02u nginx: [-] [%02u/Feb/2023:%02u:%02u:%02u +0800] [https] [120.232.31.196:443] "
        "[img.map.example.com] [%u.%u.%u.%u:%u] [%s] [30.171.153.132:10000] [%s] [%u] [%s %s%s HTTP/1.1] [621] [%u] "
        "[img.map.example.com] [%s] [%s] [0.%03u] [0.%03u] [0.000] [0.%03u] [%u]",
        it.day, it.hour, it.minute, it.second, host, it.day, it.hour, it.minute, it.second, it.client[0], it.client[1],
        it.client[2], it.client[3], port, it.status, it.status, connection, it.method, it.path, it.arguments, it.bytes,
        it.agent, it.referer, millis, millis / 2, millis / 3, port / 2);
    for (int field = 22; field <= 45; field++) {
        const unsigned int kind = below(random, 8);
        const uint64_t number = next(random);
        char value[64] = "-";
        if (kind == 0)
            (void)snprintf(
                value, sizeof value, "%u|%06x", (unsigned int)(number % 100000), (unsigned int)(number >> 40));
        else if (kind <= 2)
            (void)snprintf(value, sizeof value, "%032llx", (unsigned long long)number);
        else if (kind <= 4)
            (void)snprintf(value, sizeof value, "%u.%03u", (unsigned int)(number % 100), (unsigned int)(number >> 54));
        length += snprintf(line + length, LINE - (size_t)length, "%s[%s]", field % 5 == 2 ? "" : " ", value);
    }
    line[length] = '\n';
    return length + 1;
}

static void fill(uint8_t *text, size_t length, int (*print)(struct random *random, char *line))
{
    struct random random = {20230227};
    char line[LINE];
    for (size_t at = 0; at < length;) {
        const size_t printed = (size_t)print(&random, line);
        const size_t part = printed < length - at ? printed : length - at;
        memcpy(text + at, line, part);
        at += part;
    }
}

void text_combined(uint8_t *text, size_t length)
{
    fill(text, length, print_combined);
}

void text_edge(uint8_t *text, size_t length)
{
    fill(text, length, print_edge);
}
