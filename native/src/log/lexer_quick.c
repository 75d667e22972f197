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

uint32_t coreio__cut_quoted(struct coreio__lexer *lexer, const struct coreio__rows *rows)
{
    const struct coreio__frame *frame = &lexer->format->frame;
    const struct coreio__picks *picks = lexer->picks;
    const uint32_t count = (uint32_t)frame->marks;
    uint32_t done = 0;
    for (; done < rows->capacity; done++) {
        const uint16_t *marks = lexer->marks + lexer->at - 1;
        if (!coreio__equal(lexer->mark_bytes + lexer->at, frame->bytes, count) || !gaps_fit(frame, marks))
            break;
        const uint32_t newline = marks[count];
        if (lexer->readable - newline < COREIO__QUICK_REACH || !coreio__quick_texts(frame, lexer->window, marks) ||
            !coreio__quick_rest(lexer, marks, lexer->begin, newline))
            break;
        struct coreio_log_field *row = rows->fields + (size_t)done * rows->width;
        for (int32_t i = 0; i < picks->count; i++) {
            row[i] = coreio__quick_field(marks, &frame->fields[picks->fields[i]]);
            row[i].offset += rows->base;
        }
        rows->records[done] = coreio__quick_record(
            rows->base, lexer->begin, newline, rows->first + done * rows->width, (uint32_t)lexer->format->count);
        lexer->begin = newline + 1;
        lexer->at += count;
    }
    return done;
}

/* Finds the two words behind the time; the first bracket must follow them. */
static int32_t find_prefix(const struct coreio__lexer *lexer, uint32_t open, struct coreio__prefix *prefix)
{
    prefix->host = lexer->begin + 16;
    if (open < prefix->host + 3 || open - lexer->begin > COREIO__PREFIX_REACH || lexer->window[prefix->host - 1] != ' ')
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

uint32_t coreio__cut_bracketed(struct coreio__lexer *lexer, const struct coreio__rows *rows)
{
    const struct coreio__picks *picks = lexer->picks;
    uint32_t room = rows->room;
    struct coreio_log_field *row = rows->fields;
    uint32_t done = 0;
    for (; done < rows->capacity; done++) {
        const uint16_t *marks = lexer->marks + lexer->at;
        const uint8_t *bytes = lexer->mark_bytes + lexer->at;
        uint32_t count = 0;
        while (bytes[count] == '[' && bytes[count + 1] == ']')
            count += 2;
        const uint32_t fields = COREIO__EDGE_PREFIX + count / 2;
        if (count == 0 || bytes[count] != '\n' || marks[count] != marks[count - 1] + 1u)
            break;
        const uint32_t newline = marks[count];
        const uint32_t kept = rows->all ? fields : (uint32_t)picks->count;
        struct coreio__prefix prefix;
        if (lexer->readable - newline < COREIO__QUICK_REACH || fields < (uint32_t)picks->limit ||
            (rows->all && fields > room) || !find_prefix(lexer, marks[0], &prefix))
            break;
        coreio__quick_prefix(lexer, &prefix, rows->base, row);
        for (uint32_t i = (uint32_t)picks->prefix; i < kept; i++) {
            const uint32_t field = rows->all ? i : picks->fields[i];
            const uint16_t *open = marks + 2 * (size_t)(field - COREIO__EDGE_PREFIX);
            row[i] = (struct coreio_log_field){rows->base + open[0] + 1, open[1] - open[0] - 1u};
        }
        rows->records[done] = coreio__quick_record(
            rows->base, lexer->begin, newline, rows->first + (uint32_t)(row - rows->fields), fields);
        row += rows->all ? fields : rows->width;
        room -= rows->all ? fields : 0;
        lexer->begin = newline + 1;
        lexer->at += count + 1;
    }
    return done;
}

uint32_t coreio__lexer_quick(struct coreio__lexer *lexer, const struct coreio__rows *rows)
{
    if (!lexer->framed)
        return 0;
    return lexer->format->layout == COREIO__EDGE ? lexer->kernel->cut_bracketed(lexer, rows)
                                                 : lexer->kernel->cut_quoted(lexer, rows);
}
