/* Helps the tests of the log; see logs.h. */
#include "logs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

uint64_t logs_next(struct logs_random *random)
{
    uint64_t z = random->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint32_t logs_below(struct logs_random *random, uint32_t bound)
{
    return (uint32_t)((logs_next(random) >> 32) * bound >> 32);
}

static void make_room(struct logs_text *text, size_t length)
{
    if (text->capacity - text->length >= length)
        return;
    text->capacity = (text->length + length) * 2 + 64;
    text->bytes = realloc(text->bytes, text->capacity);
    if (text->bytes == NULL)
        abort();
}

void logs_append(struct logs_text *text, const void *bytes, size_t length)
{
    make_room(text, length);
    if (length > 0)
        memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

void logs_print(struct logs_text *text, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof line)
        abort();
    logs_append(text, line, (size_t)length);
}

void logs_free(struct logs_text *text)
{
    free(text->bytes);
    memset(text, 0, sizeof *text);
}

void logs_garbage(struct logs_text *text, struct logs_random *random, size_t length, const char *alphabet)
{
    const uint32_t letters = (uint32_t)strlen(alphabet);
    make_room(text, length);
    for (size_t i = 0; i < length; i++)
        text->bytes[text->length++] = (uint8_t)alphabet[logs_below(random, letters)];
}

void logs_combined(struct logs_text *text, struct logs_random *random, int damage)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun"};
    static const char *const methods[] = {"GET", "POST", "HEAD", "M-SEARCH"};
    static const char *const paths[] = {"/", "/index.html", "/health", "/a/b?c=d", "/img/\\x22q\\x22.png?\\\"", ""};
    static const char *const statuses[] = {"200", "301", "404", "499", "503", "-", "600"};
    static const char *const broken[] = {"2oo", "20 0", "99999999999999999999", "+1"};
    const size_t begin = text->length;
    const uint32_t fault = damage ? logs_below(random, 16) : 15;
    if (fault == 0) {
        logs_garbage(text, random, logs_below(random, 80), " \"[]\\-/:$abc019\t\x80\xff|\r");
        return;
    }
    logs_print(text, "10.%u.%u.%u - %s ", logs_below(random, 2), logs_below(random, 3), logs_below(random, 40),
        logs_below(random, 4) == 0 ? "user name" : "-");
    logs_print(text, "[%02u/%s/2023:%02u:%02u:%02u %c0%u00] ", fault == 1 ? 32 : 1 + logs_below(random, 28),
        months[logs_below(random, 6)], logs_below(random, 24), logs_below(random, 60), logs_below(random, 61),
        logs_below(random, 2) == 0 ? '+' : '-', logs_below(random, 10));
    if (logs_below(random, 16) == 0)
        logs_print(text, "\"-\" ");
    else
        logs_print(
            text, "\"%s %s HTTP/1.%u\" ", methods[logs_below(random, 4)], paths[logs_below(random, 6)], fault & 1);
    logs_print(text, "%s %u \"%s\" \"agent/%u %s\"",
        fault == 2 ? broken[logs_below(random, 4)] : statuses[logs_below(random, 7)],
        logs_below(random, 1u << logs_below(random, 24)), logs_below(random, 2) == 0 ? "-" : "http://a.b/\xc3\xa9",
        logs_below(random, 200), logs_below(random, 9) == 0 ? "\\\" \\\\" : "x");
    for (uint32_t i = 0; i < 4 && (fault == 3 || fault == 4) && text->length > begin; i++) {
        const size_t at = begin + logs_below(random, (uint32_t)(text->length - begin));
        static const uint8_t bytes[] = {'"', '\\', ' ', 0, '[', ']', '-', 0xc3, '\r'};
        text->bytes[at] = bytes[logs_below(random, sizeof bytes)];
    }
}

void logs_combined_lines(struct logs_text *text, struct logs_random *random, int32_t lines, int damage)
{
    for (int32_t i = 0; i < lines; i++) {
        logs_combined(text, random, damage);
        if (logs_below(random, 5) == 0)
            logs_append(text, "\r", 1);
        logs_append(text, "\n", 1);
    }
}

struct coreio_log_format *logs_format(const char *text)
{
    struct coreio_log_format *format;
    struct coreio_log_fault fault;
    CHECK_EQ(coreio_log_format_create((const uint8_t *)text, (int32_t)strlen(text), &format, &fault), 0);
    return format;
}

struct coreio_log_query *logs_query(const char *format, const char *where, const char *by, const char *stats)
{
    struct coreio_log_format *compiled = logs_format(format);
    struct coreio_log_query_options options = {.size = sizeof options, .interval_us = 60000000};
    struct coreio_log_table_options table = {.size = sizeof table};
    struct coreio_log_query *query = NULL;
    struct coreio_log_fault fault = {0};
    if (where != NULL) {
        options.where = (const uint8_t *)where;
        options.where_length = (int32_t)strlen(where);
    }
    if (by != NULL) {
        table.by = (const uint8_t *)by;
        table.by_length = (int32_t)strlen(by);
    }
    if (stats != NULL) {
        table.stats = (const uint8_t *)stats;
        table.stats_length = (int32_t)strlen(stats);
    }
    CHECK_EQ(coreio_log_query_create(compiled, &options, &query, &fault), 0);
    CHECK_EQ(fault.reason, 0);
    CHECK_EQ(coreio_log_query_add_table(query, &table, &fault), 0);
    CHECK_EQ(fault.reason, 0);
    coreio_log_format_destroy(compiled);
    return query;
}

struct coreio_log_scan *logs_scan(
    struct coreio_log_query *query, int32_t workers, int32_t kernel, int32_t block_bytes, int32_t rejects)
{
    struct coreio_log_scan *scan = NULL;
    const struct coreio_log_scan_options options = {.size = sizeof options,
        .flags = rejects >= 0 ? COREIO_LOG_SCAN_REJECTS : 0,
        .workers = workers,
        .kernel = kernel,
        .block_bytes = block_bytes,
        .rejects_fd = rejects};
    CHECK_EQ(coreio_log_scan_create(query, &options, &scan), 0);
    return scan;
}

static int compare_lines(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static void print_hex(struct logs_text *text, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] > ' ' && bytes[i] < 0x7f && bytes[i] != '%')
            logs_append(text, &bytes[i], 1);
        else
            logs_print(text, "%%%02x", (unsigned int)bytes[i]);
    }
}

/* The rows of a table, sorted, for they come in no order. */
static void answer_table(struct coreio_log_scan *scan, int32_t table, struct logs_text *answer)
{
    struct coreio_log_table_summary summary;
    CHECK_EQ(coreio_log_scan_table(scan, table, &summary), 0);
    logs_print(answer, "table %d: %lld groups, %lld other\n", table, (long long)summary.groups,
        (long long)summary.other_lines);
    struct logs_text row = {0};
    char **rows = calloc((size_t)summary.groups + 2, sizeof *rows);
    uint8_t *keys = malloc((size_t)summary.key_bytes + 1);
    struct coreio_log_cell *cells = malloc(((size_t)summary.stats + 1) * sizeof *cells);
    int64_t at = 0;
    for (;; at++) {
        struct coreio_log_group group;
        const int32_t got =
            coreio_log_scan_groups(scan, table, at, &group, 1, cells, summary.stats, keys, (int32_t)summary.key_bytes);
        if (got != 1 || at > summary.groups) {
            CHECK_EQ(got, 0);
            break;
        }
        row.length = 0;
        logs_print(&row, "%s ", group.other ? "other" : "key");
        print_hex(&row, keys + group.key_offset, group.key_length);
        logs_print(&row, " count %lld", (long long)group.count);
        for (int32_t i = 0; i < summary.stats; i++)
            logs_print(&row, " %lld:%llu/%lld", (long long)cells[i].high, (unsigned long long)cells[i].low,
                (long long)cells[i].count);
        logs_append(&row, "\n", 2);
        rows[at] = strdup((const char *)row.bytes);
    }
    qsort(rows, (size_t)at, sizeof *rows, compare_lines);
    for (int64_t i = 0; i < at; i++) {
        logs_append(answer, rows[i], strlen(rows[i]));
        free(rows[i]);
    }
    logs_free(&row);
    free(cells);
    free(keys);
    free(rows);
}

int32_t logs_answer(struct coreio_log_scan *scan, struct logs_text *answer, struct coreio_log_totals *totals)
{
    const int32_t status = coreio_log_scan_finish(scan, totals);
    CHECK_EQ(totals->lines, totals->parsed + totals->rejected + totals->filtered);
    logs_print(answer, "lines %lld parsed %lld rejected %lld filtered %lld bytes %lld\n", (long long)totals->lines,
        (long long)totals->parsed, (long long)totals->rejected, (long long)totals->filtered, (long long)totals->bytes);
    struct coreio_log_table_summary summary;
    for (int32_t table = 0; coreio_log_scan_table(scan, table, &summary) == 0; table++)
        answer_table(scan, table, answer);
    struct coreio_log_reject rejects[COREIO_LOG_REASONS];
    uint8_t samples[COREIO_LOG_REASONS * COREIO_LOG_SAMPLES * COREIO_LOG_SAMPLE_BYTES];
    const int32_t reasons =
        coreio_log_scan_rejects(scan, rejects, COREIO_LOG_REASONS, samples, (int32_t)sizeof samples);
    CHECK(reasons >= 0);
    for (int32_t i = 0; i < reasons; i++) {
        logs_print(answer, "reject %d: %lld\n", rejects[i].reason, (long long)rejects[i].count);
        for (int32_t j = 0; j < rejects[i].sample_count; j++) {
            logs_print(answer, "  ");
            print_hex(answer, samples + rejects[i].sample_offset[j], rejects[i].sample_length[j]);
            logs_print(answer, "\n");
        }
    }
    return status;
}

int32_t logs_kernel(int32_t index)
{
    struct coreio_log_kernel_info kernels[16];
    const int32_t count = coreio_log_kernels(kernels, 16);
    for (int32_t i = 0; i < count; i++) {
        if (kernels[i].supported && index-- == 0)
            return kernels[i].id;
    }
    return 0;
}
