/* Cuts quick lines; see lexer_quick.h.
 *
 * Most templates have quotes only around variables (format->quotes counts them). A line that has exactly as many
 * structural bytes before its newline has exactly these quotes and no backslash, or the literals do not stand where
 * they must. Then a quoted value ends at the next quote, a literal that opens a quoted value can first stand only
 * where the next quote is, and any other literal is searched for from where its value begins.
 *
 * A line of edge is quick when its bracketed fields touch or have one space between them, and hold no backslash: then
 * the next closing bracket closes, and what else stands in brackets is data.
 *
 * Loads of a word and of 16 bytes may go past what they are about, but never past the window: a line that ends
 * within 16 bytes of it is left to the definition.
 */
#include "lexer_quick.h"

#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "hash.h"

/* How far past a line's newline loads may reach. */
#define REACH 16

/* Which of the 16 bytes at `text` are `byte`, as bits. */
static inline uint32_t match16(const uint8_t *text, uint8_t byte)
{
#if defined(__SSE2__)
    const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)byte)));
#else
    uint32_t bits = 0;
    for (uint32_t i = 0; i < 16; i++)
        bits |= (uint32_t)(text[i] == byte) << i;
    return bits;
#endif
}

/* Notes a field; those beyond the limit share one place that nobody reads. */
static inline void keep(
    struct coreio_log_field *fields, uint32_t index, uint32_t limit, uint32_t offset, uint32_t length)
{
    struct coreio_log_field *field = &fields[index < limit ? index : limit];
    field->offset = offset;
    field->length = length;
}

/* Whether all of a step's literal stands; its first word does. */
static inline int32_t rest_stands(const uint8_t *text, const struct coreio__cut *step)
{
    return step->length <= 8 || memcmp(text + 8, step->text + 8, step->length - 8u) == 0;
}

/* Where a literal first stands in begin .. end - 1, or UINT32_MAX. */
static uint32_t find_far(const uint8_t *window, uint32_t begin, uint32_t end, const struct coreio__cut *step)
{
    for (; begin < end; begin += 16) {
        for (uint32_t bits = match16(window + begin, step->first); bits != 0; bits &= bits - 1) {
            const uint32_t at = begin + (uint32_t)__builtin_ctz(bits);
            if (at >= end)
                return UINT32_MAX;
            if ((coreio__load64(window + at) & step->mask) == step->word && rest_stands(window + at, step))
                return at;
        }
    }
    return UINT32_MAX;
}

static inline int32_t holds_space(const uint8_t *window, uint32_t begin, uint32_t end)
{
    const uint32_t bits = match16(window + begin, ' ');
    if (end - begin > 16)
        return memchr(window + begin, ' ', end - begin) != NULL;
    return (bits & (((uint32_t)1 << (end - begin)) - 1)) != 0;
}

/* Cuts one line whose quotes are quotes[0], quotes[1], ... Returns 0 when it is not quick. */
static inline int32_t cut(const uint8_t *window, const struct coreio__cut *step, const struct coreio__cut *end_step,
    uint32_t current, uint32_t line_end, const uint32_t *quotes, struct coreio_log_field *fields, uint32_t limit,
    uint32_t base)
{
    for (; step < end_step; step++) {
        uint32_t end;
        switch (step->kind) {
        case COREIO__CUT_QUOTED:
            end = quotes[1];
            if (quotes[0] + 1 != current)
                return 0;
            quotes += 2;
            break;
        case COREIO__CUT_OPENS:
            end = quotes[0] + 1 - step->length;
            if ((int32_t)(end - current) < 0)
                return 0;
            break;
        case COREIO__CUT_TEXT: {
            /* Most values are short, and most first bytes of literals are the literal. */
            const uint32_t bits = match16(window + current, step->first);
            end = current + (uint32_t)__builtin_ctz(bits | 0x10000u);
            if (end >= quotes[0] || (coreio__load64(window + end) & step->mask) != step->word) {
                end = find_far(window, current, quotes[0], step);
                if (end == UINT32_MAX)
                    return 0;
            }
            break;
        }
        default:
            end = line_end;
            break;
        }
        if ((coreio__load64(window + end) & step->mask) != step->word ||
            (step->length > 8 && !rest_stands(window + end, step)))
            return 0;
        if (step->no_space && holds_space(window, current, end))
            return 0;
        keep(fields, step->field, limit, base + current, end - current);
        current = end + step->length;
    }
    return current == line_end;
}

static uint32_t quick_template(struct coreio__lexer *lexer, struct coreio_log_field *fields, uint32_t limit,
    uint32_t width, uint32_t base, struct coreio__line *lines, uint32_t capacity)
{
    const struct coreio_log_format *format = lexer->format;
    const uint8_t *window = lexer->window;
    const uint32_t quotes = (uint32_t)format->quotes;
    const uint32_t *positions = lexer->positions + lexer->at;
    const uint32_t *last = lexer->positions + lexer->count;
    const struct coreio__cut *steps = format->steps;
    const struct coreio__cut *end_step = steps + format->step_count;
    const struct coreio__literal *lead = &format->lead;
    const uint32_t reach = REACH + (uint32_t)format->longest;
    uint32_t begin = lexer->begin;
    uint32_t count = 0;
    for (; count < capacity && last - positions > (ptrdiff_t)quotes; count++) {
        const uint32_t newline = positions[quotes];
        if (lexer->length - newline < reach || window[newline] != '\n')
            break;
        const uint32_t line_end = newline > begin && window[newline - 1] == '\r' ? newline - 1 : newline;
        if ((coreio__load64(window + begin) & lead->mask) != lead->word ||
            (lead->length > 8 && memcmp(window + begin, lead->text, (size_t)lead->length) != 0))
            break;
        if (!cut(window, steps, end_step, begin + (uint32_t)lead->length, line_end, positions, fields, limit, base))
            break;
        lines[count] = (struct coreio__line){begin, line_end, newline + 1, (uint32_t)format->count, COREIO_LOG_PARSED};
        fields += width;
        begin = newline + 1;
        positions += quotes + 1;
    }
    lexer->begin = begin;
    lexer->at = (uint32_t)(positions - lexer->positions);
    return count;
}

/* Cuts the bracketed fields from `current` to the newline: nothing or one space stands between them, and no backslash
 * in them. Returns the position behind the newline's, or NULL when the line is not quick. */
static const uint32_t *cut_brackets(const uint8_t *window, const uint32_t *position, uint32_t current,
    struct coreio_log_field *fields, uint32_t limit, uint32_t base, struct coreio__line *line)
{
    uint32_t count = COREIO__EDGE_PREFIX;
    for (;;) {
        const uint32_t open = *position++;
        if (window[open] != '[') {
            const uint32_t end = open > current && window[open - 1] == '\r' ? open - 1 : open;
            if (window[open] != '\n' || end != current)
                return NULL;
            line->end = end;
            line->next = open + 1;
            line->fields = count;
            return position;
        }
        if (open != current && (open != current + 1 || window[current] != ' '))
            return NULL;
        uint32_t close = *position++;
        while (window[close] == '[')
            close = *position++;
        if (window[close] != ']')
            return NULL;
        keep(fields, count++, limit, base + open + 1, close - open - 1);
        current = close + 1;
    }
}

/* Bytes that the syslog part of a quick line may take, loads past it included. */
#define PREFIX_REACH 64

static uint32_t quick_edge(struct coreio__lexer *lexer, struct coreio_log_field *fields, uint32_t limit, uint32_t width,
    uint32_t base, struct coreio__line *lines, uint32_t capacity)
{
    const uint8_t *window = lexer->window;
    const uint32_t *positions = lexer->positions + lexer->at;
    const uint32_t *last = lexer->positions + lexer->count;
    uint32_t begin = lexer->begin;
    uint32_t count = 0;
    /* The last line of a window may lack its newline, and the walk must meet one. */
    if (lexer->length == 0 || window[lexer->length - 1] != '\n')
        return 0;
    for (; count < capacity && positions < last && lexer->length - begin >= PREFIX_REACH; count++) {
        const uint32_t host = begin + 16;
        const uint32_t host_bits = match16(window + host, ' ');
        const uint32_t tag = host + (uint32_t)__builtin_ctz(host_bits | 0x10000u) + 1;
        const uint32_t tag_bits = match16(window + tag, ' ');
        const uint32_t tag_end = tag + (uint32_t)__builtin_ctz(tag_bits | 0x10000u);
        /* A structural byte before the end of the tag, a newline among them, is for the definition. */
        if (window[begin + 15] != ' ' || host_bits == 0 || tag_bits == 0 || *positions <= tag_end)
            break;
        struct coreio__line *line = &lines[count];
        const uint32_t *next = cut_brackets(window, positions, tag_end + 1, fields, limit, base, line);
        if (next == NULL || (width == 0 && line->fields > limit))
            break;
        const uint32_t colon = tag_end > tag && window[tag_end - 1] == ':';
        keep(fields, 0, limit, base + begin, 15);
        keep(fields, 1, limit, base + host, tag - 1 - host);
        keep(fields, 2, limit, base + tag, tag_end - colon - tag);
        line->begin = begin;
        line->reason = COREIO_LOG_PARSED;
        fields += width > 0 ? width : line->fields;
        limit -= width > 0 ? 0 : line->fields;
        begin = line->next;
        positions = next;
    }
    lexer->begin = begin;
    lexer->at = (uint32_t)(positions - lexer->positions);
    return count;
}

uint32_t coreio__lexer_quick(struct coreio__lexer *lexer, struct coreio_log_field *fields, uint32_t limit,
    uint32_t width, uint32_t base, struct coreio__line *lines, uint32_t capacity)
{
    if (lexer->too_long)
        return 0;
    if (lexer->format->layout == COREIO__EDGE)
        return quick_edge(lexer, fields, limit, width, base, lines, capacity);
    if (lexer->format->quotes < 0 || lexer->format->layout != COREIO__TEMPLATE)
        return 0;
    const uint32_t all = (uint32_t)lexer->format->count;
    if (width > 0)
        return quick_template(lexer, fields, limit, width, base, lines, capacity);
    const uint32_t rows = limit / all;
    return quick_template(lexer, fields, all, all, base, lines, capacity < rows ? capacity : rows);
}
