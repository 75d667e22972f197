/* Any text as a filter: it compiles or says where it does not, and what compiles runs on a line.
 *
 * The input is an expression, and after its first newline the lines to filter. Long expressions are left out, for the
 * time a pattern's automaton takes to build grows with the square of its length.
 */
#include <coreio/log.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_FILTER 96

static const char format_text[] = "$remote_addr $status \"$request\" $request_time [$time_local] $x";

static void require(int holds)
{
    if (!holds)
        abort();
}

static void run(struct coreio_log_query *query, const uint8_t *text, int64_t length)
{
    const struct coreio_log_scan_options options = {.size = sizeof options, .workers = 1, .block_bytes = 4096};
    struct coreio_log_fault fault;
    struct coreio_log_scan *scan;
    struct coreio_log_totals totals;
    require(coreio_log_query_add_table(query, NULL, &fault) == 0);
    require(coreio_log_scan_create(query, &options, &scan) == 0);
    require(coreio_log_scan_feed(scan, text, length) == 0);
    require(coreio_log_scan_feed_end(scan) == 0);
    require(coreio_log_scan_finish(scan, &totals) == 0);
    require(totals.bytes == length && totals.lines == totals.parsed + totals.rejected + totals.filtered);
    coreio_log_scan_destroy(scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
    const size_t length = newline == NULL ? size : (size_t)(newline - data);
    if (length > LONGEST_FILTER || size > 16384)
        return 0;
    struct coreio_log_format *format;
    struct coreio_log_query *query;
    struct coreio_log_fault fault;
    require(
        coreio_log_format_create((const uint8_t *)format_text, (int32_t)sizeof format_text - 1, &format, &fault) == 0);
    uint8_t *where = malloc(length);
    require(where != NULL || length == 0);
    if (length > 0)
        memcpy(where, data, length);
    const struct coreio_log_query_options options = {
        .size = sizeof options, .where = where, .where_length = (int32_t)length};
    const int32_t status = coreio_log_query_create(format, &options, &query, &fault);
    free(where);
    if (status < 0) {
        require(status == COREIO_EFORMAT && query == NULL && fault.reason != COREIO_LOG_FAULT_NONE);
        require(fault.offset >= 0 && fault.length >= 0 && (size_t)fault.offset + (size_t)fault.length <= length);
    } else if (newline != NULL) {
        run(query, newline + 1, (int64_t)(size - length) - 1);
    }
    coreio_log_query_destroy(query);
    coreio_log_format_destroy(format);
    return 0;
}
