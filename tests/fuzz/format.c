/* Any text as a format: it compiles or says where it does not, and what compiles lexes a line.
 *
 * The input is a template, and after its first newline a text to lex.
 */
#include <coreio/log.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static void require(int holds)
{
    if (!holds)
        abort();
}

static void lex(const struct coreio_log_format *format, const uint8_t *text, int64_t length, int32_t field_count)
{
    struct coreio_log_lexer *lexer;
    require(coreio_log_lexer_create(format, COREIO_LOG_KERNEL_AUTO, &lexer) == 0);
    static struct coreio_log_field fields[65536];
    struct coreio_log_record records[16];
    struct coreio_log_lex_result result;
    for (int64_t at = 0; at < length; at += result.consumed) {
        const int32_t got =
            coreio_log_lexer_feed(lexer, text + at, length - at, 1, records, 16, fields, 65536, &result);
        require(got > 0);
        for (int32_t i = 0; i < got; i++) {
            /* A template's variables always have their field; delimited and edge have as many as the line holds. */
            require(records[i].reason != COREIO_LOG_PARSED || field_count == 0 || records[i].field_count > 0);
            for (uint32_t j = 0; j < records[i].field_count; j++) {
                const struct coreio_log_field field = fields[records[i].first_field + j];
                require(field.offset >= records[i].offset);
                require(field.offset + field.length <= records[i].offset + records[i].length);
            }
        }
    }
    coreio_log_lexer_destroy(lexer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 16384)
        return 0;
    const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
    const size_t length = newline == NULL ? size : (size_t)(newline - data);
    /* A copy of its own, so that reading behind the template is seen. */
    uint8_t *template = malloc(length);
    require(template != NULL || length == 0);
    if (length > 0)
        memcpy(template, data, length);
    struct coreio_log_format *format;
    struct coreio_log_fault fault;
    const int32_t status = coreio_log_format_create(template, (int32_t)length, &format, &fault);
    free(template);
    if (status < 0) {
        require(status == COREIO_EFORMAT && format == NULL && fault.reason != COREIO_LOG_FAULT_NONE);
        require(fault.offset >= 0 && fault.length >= 0 && (size_t)fault.offset + (size_t)fault.length <= length);
        return 0;
    }
    struct coreio_log_field_info infos[COREIO_LOG_MAX_FIELDS];
    int32_t name_bytes;
    const int32_t count = coreio_log_format_fields(format, infos, COREIO_LOG_MAX_FIELDS, NULL, 0, &name_bytes);
    require(count >= 0 && count <= COREIO_LOG_MAX_FIELDS && name_bytes >= count);
    if (newline != NULL)
        lex(format, newline + 1, (int64_t)(size - length) - 1, count);
    coreio_log_format_destroy(format);
    return 0;
}
