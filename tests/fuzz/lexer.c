/* Any text under any built-in format: every kernel makes the same records, they follow each other without a gap, and
 * fields lie in their line, in order.
 *
 * The first byte of the input chooses the format and the sizes of the buffers, the rest is the text.
 */
#include <coreio/log.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FIELDS 65536

static const char *const formats[] = {
    "delimited", "combined", "main", "common", "vhost_combined", "edge", "\"$a\"\"$b\"", "$a, $b : $c\"$d\""};

struct lexed {
    struct coreio_log_record *records;
    struct coreio_log_field *fields;
    int32_t record_count;
    int32_t field_count;
};

static void require(int holds)
{
    if (!holds)
        abort();
}

/* Lexes the whole text on one kernel, a batch at a time. */
static void lex(struct coreio_log_format *format, int32_t kernel, const uint8_t *text, int64_t length, int32_t batch,
    struct lexed *lexed)
{
    struct coreio_log_lexer *lexer;
    require(coreio_log_lexer_create(format, kernel, &lexer) == 0);
    int64_t at = 0;
    while (at < length) {
        struct coreio_log_lex_result result;
        struct coreio_log_record *records = lexed->records + lexed->record_count;
        struct coreio_log_field *fields = lexed->fields + lexed->field_count;
        const int32_t got = coreio_log_lexer_feed(
            lexer, text + at, length - at, 1, records, batch, fields, MOST_FIELDS - lexed->field_count, &result);
        require(got > 0 && got == result.records && got <= batch && result.consumed <= length - at);
        uint32_t begin = 0;
        uint32_t field = 0;
        for (int32_t i = 0; i < got; i++) {
            struct coreio_log_record *record = &records[i];
            require(record->offset == begin && record->first_field == field);
            require(record->reason == COREIO_LOG_PARSED || record->field_count == 0);
            uint32_t last = record->offset;
            for (uint32_t j = 0; j < record->field_count; j++) {
                require(fields[field + j].offset >= last);
                last = fields[field + j].offset + fields[field + j].length;
                require(last <= record->offset + record->length);
                fields[field + j].offset += (uint32_t)at;
            }
            field += record->field_count;
            begin = i + 1 < got ? records[i + 1].offset : (uint32_t)result.consumed;
            /* Between two lines stands nothing but one line end. */
            const uint32_t gap = begin - record->offset - record->length;
            require(begin >= record->offset + record->length && gap <= 2);
            require(gap < 2 || text[at + begin - 2] == '\r');
            require(text[at + begin - 1] == '\n' || at + begin == length);
        }
        for (int32_t i = 0; i < got; i++) {
            records[i].offset += (uint32_t)at;
            records[i].first_field += (uint32_t)lexed->field_count;
        }
        require((int32_t)field == result.fields);
        lexed->record_count += got;
        lexed->field_count += result.fields;
        at += result.consumed;
    }
    coreio_log_lexer_destroy(lexer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > MOST_FIELDS / 2)
        return 0;
    const char *name = formats[data[0] & 7];
    const int32_t batch = data[0] >> 3 == 0 ? 1024 : data[0] >> 3;
    const int64_t length = (int64_t)size - 1;
    struct coreio_log_format *format;
    struct coreio_log_fault fault;
    require(coreio_log_format_create((const uint8_t *)name, (int32_t)strlen(name), &format, &fault) == 0);
    struct coreio_log_kernel_info kernels[16];
    const int32_t kernel_count = coreio_log_kernels(kernels, 16);
    struct lexed first = {0};
    for (int32_t i = 0; i < kernel_count; i++) {
        if (!kernels[i].supported)
            continue;
        struct lexed lexed = {0};
        lexed.records = calloc((size_t)length + 1024, sizeof *lexed.records);
        lexed.fields = calloc(MOST_FIELDS, sizeof *lexed.fields);
        require(lexed.records != NULL && lexed.fields != NULL);
        lex(format, kernels[i].id, data + 1, length, i == 0 ? 1024 : batch, &lexed);
        if (first.records == NULL) {
            first = lexed;
            continue;
        }
        require(lexed.record_count == first.record_count && lexed.field_count == first.field_count);
        require(memcmp(lexed.records, first.records, (size_t)first.record_count * sizeof *first.records) == 0);
        require(memcmp(lexed.fields, first.fields, (size_t)first.field_count * sizeof *first.fields) == 0);
        free(lexed.records);
        free(lexed.fields);
    }
    free(first.records);
    free(first.fields);
    coreio_log_format_destroy(format);
    return 0;
}
