/* Cuts lines that fit their frame, a mark at a time; see frame.h and lexer_quick.h.
 *
 * These are the cuts of kernels that have no better ones, and the definition of what all cuts find. No cut looks at the
 * text before it knows by the marks that the line is one of this window.
 */
#include "lexer_quick.h"

#include <string.h>

int32_t coreio__quick_spaceless(const struct coreio__lexer *lexer, const uint16_t *marks)
{
    const struct coreio__frame *frame = &lexer->format->frame;
    for (int32_t i = 0; i < lexer->format->count; i++) {
        if (!frame->fields[i].spaceless)
            continue;
        const struct coreio_log_field field = coreio__quick_field(marks, &frame->fields[i]);
        if (coreio__holds_space(lexer, field.offset, field.offset + field.length))
            return 0;
    }
    return 1;
}

/* Eight positions: the vectors of the compiler, which every machine has. */
typedef uint16_t positions __attribute__((vector_size(16)));

static inline positions load_positions(const uint16_t *from)
{
    positions loaded;
    memcpy(&loaded, from, sizeof loaded);
    return loaded;
}

/* Whether marks are as far from each other as the frame says; those behind the last, whose gaps are 0, do not count. */
static inline int32_t gaps_fit(const struct coreio__frame *frame, const uint16_t *marks)
{
    for (int32_t i = 0; i < frame->marks; i += 8) {
        const positions gaps = load_positions(frame->gaps + i);
        const positions found = load_positions(marks + i + 1) - load_positions(marks + i);
        const positions wrong = (positions)((gaps != 0) & (found != gaps));
        uint64_t halves[2];
        memcpy(halves, &wrong, sizeof halves);
        if ((halves[0] | halves[1]) != 0)
            return 0;
    }
    return 1;
}

/* Where the rows of the portable cuts go, and of which fields. */
struct plan {
    const struct coreio__lexer *lexer;
    const struct coreio__rows *rows;
};

static int32_t marks_fit(const void *plan, const uint16_t *marks, const uint8_t *bytes)
{
    const struct plan *own = plan;
    const struct coreio__frame *frame = &own->lexer->format->frame;
    return coreio__equal(bytes, frame->bytes, (uint32_t)frame->marks) && gaps_fit(frame, marks);
}

static void cut_fields(const void *plan, const uint16_t *marks, struct coreio_log_field *row)
{
    const struct plan *own = plan;
    const struct coreio__frame *frame = &own->lexer->format->frame;
    const struct coreio__picks *picks = own->lexer->picks;
    for (int32_t i = 0; i < picks->count; i++) {
        row[i] = coreio__quick_field(marks, &frame->fields[picks->fields[i]]);
        row[i].offset += own->rows->base;
    }
}

uint32_t coreio__cut_quoted(struct coreio__lexer *lexer, const struct coreio__rows *rows)
{
    const struct plan plan = {lexer, rows};
    return coreio__quick_quoted(lexer, rows, &plan, marks_fit, cut_fields);
}

static uint32_t count_brackets(const uint8_t *bytes)
{
    uint32_t count = 0;
    while (bytes[count] == '[' && bytes[count + 1] == ']')
        count += 2;
    return count;
}

static int32_t find_words(const struct coreio__lexer *lexer, uint32_t open, struct coreio__prefix *prefix)
{
    prefix->host = lexer->begin + 16;
    if (open < prefix->host + 2 || open - lexer->begin > COREIO__PREFIX_REACH || lexer->window[prefix->host - 1] != ' ')
        return 0;
    const uint8_t *host_end = memchr(lexer->window + prefix->host, ' ', open - prefix->host);
    if (host_end == NULL)
        return 0;
    prefix->tag = (uint32_t)(host_end - lexer->window) + 1;
    const uint8_t *tag_end = memchr(host_end + 1, ' ', open - prefix->tag);
    if (tag_end == NULL)
        return 0;
    prefix->tag_end = (uint32_t)(tag_end - lexer->window);
    return open == prefix->tag_end + 1;
}

static struct coreio_log_field bracketed_field(const uint16_t *open, uint32_t base)
{
    return (struct coreio_log_field){base + open[0] + 1, open[1] - open[0] - 1u};
}

static void cut_all(const void *plan, const uint16_t *marks, uint32_t count, struct coreio_log_field *fields)
{
    const struct plan *own = plan;
    for (uint32_t i = 0; i < count; i += 2)
        fields[i / 2] = bracketed_field(marks + i, own->rows->base);
}

static void cut_bracketed(const void *plan, const uint16_t *marks, struct coreio_log_field *row)
{
    const struct plan *own = plan;
    const struct coreio__picks *picks = own->lexer->picks;
    for (int32_t i = picks->prefix; i < picks->count; i++) {
        const size_t open = 2 * (size_t)(picks->fields[i] - COREIO__EDGE_PREFIX);
        row[i] = bracketed_field(marks + open, own->rows->base);
    }
}

uint32_t coreio__cut_bracketed(struct coreio__lexer *lexer, const struct coreio__rows *rows)
{
    const struct plan plan = {lexer, rows};
    return coreio__quick_bracketed(lexer, rows, &plan, count_brackets, find_words, cut_all, cut_bracketed);
}

uint32_t coreio__lexer_quick(struct coreio__lexer *lexer, const struct coreio__rows *rows)
{
    if (!lexer->framed)
        return 0;
    return lexer->format->layout == COREIO__EDGE ? lexer->kernel->cut_bracketed(lexer, rows)
                                                 : lexer->kernel->cut_quoted(lexer, rows);
}
