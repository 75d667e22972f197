/* Compiles templates to frames, and wanted fields to the vectors that cut them; see frame.h. */
#include "frame.h"

#include <stdlib.h>
#include <string.h>

#include "format.h"

/* The walk along a template that numbers the marks. */
struct survey {
    struct coreio_log_format *format;
    struct coreio__frame *frame;
    int32_t mark;   /* the last one met */
    int32_t inside; /* quotes, by the count of them so far */
};

static int32_t is_mark(const struct survey *survey, uint8_t byte)
{
    return byte == '"' || byte == '\n' || coreio__class_has(&survey->format->mark_class, byte);
}

/* Notes the next mark. Returns 0 when there are too many, and when it would be hidden in quotes. */
static int32_t add_mark(struct survey *survey, uint8_t byte)
{
    if (survey->mark == COREIO__FRAME_MARKS - 1 || (survey->inside && byte != '"'))
        return 0;
    survey->inside ^= byte == '"';
    survey->frame->bytes[survey->mark++] = byte;
    return 1;
}

/* Notes a literal that begins `offset` bytes behind the last mark, or at a new one when `offset` is 0: its marks, the
 * distances between them, and its other bytes. *behind is where it ends, from the last mark. Returns 0 when a line with
 * it has no frame. */
static int32_t add_literal(
    struct survey *survey, const struct coreio__literal *literal, uint32_t offset, uint32_t *behind)
{
    struct coreio__frame *frame = survey->frame;
    uint32_t first = (uint32_t)survey->mark;
    uint32_t from = offset;
    int32_t others = 0;
    for (int32_t i = 0; i < literal->length; i++, from++) {
        if (literal->text[i] == '\\')
            return 0;
        if (!is_mark(survey, literal->text[i])) {
            others = 1;
            continue;
        }
        if (i > 0 || offset > 0)
            frame->gaps[survey->mark] = (uint16_t)from;
        if (!add_mark(survey, literal->text[i]))
            return 0;
        first = i == 0 && offset == 0 ? (uint32_t)survey->mark : first;
        from = 0;
    }
    *behind = from;
    for (int32_t i = 0; others && i < literal->length; i += 8) {
        if (frame->text_count == COREIO__FRAME_MARKS)
            return 0;
        struct coreio__frame_text *text = &frame->texts[frame->text_count++];
        const size_t part = literal->length - i < 8 ? (size_t)(literal->length - i) : 8;
        memcpy(&text->word, literal->text + i, part);
        memset(&text->mask, 0xFF, part);
        text->mark = first;
        text->offset = offset + (uint32_t)i;
    }
    return 1;
}

/* What a time looks like; its bytes that are marks are marks of the line. */
static const char *time_pattern(const struct coreio__variable *variable)
{
    if (variable->kind != COREIO_LOG_TIME)
        return "";
    if (variable->name_length == 10)
        return "00/Mon/0000:00:00:00 +0000";
    return variable->name_length == 12 ? "0000-00-00T00:00:00+00:00" : "0.000";
}

/* The marks inside a value. Returns 0 when they are not known: a sign may be another one, and a byte that begins the
 * text behind the value could end it. */
static int32_t add_value(struct survey *survey, const struct coreio__variable *variable)
{
    for (const char *at = time_pattern(variable); *at != 0; at++) {
        if (!is_mark(survey, (uint8_t)*at))
            continue;
        if (*at == '+' || (variable->after.length > 0 && *at == variable->after.text[0]) ||
            !add_mark(survey, (uint8_t)*at))
            return 0;
    }
    return 1;
}

/* Numbers the marks from the beginning of a line to its newline. Returns 0 when there is no frame. */
static int32_t survey_line(struct survey *survey)
{
    const struct coreio_log_format *format = survey->format;
    struct coreio__frame *frame = survey->frame;
    const int32_t spaces = is_mark(survey, ' ');
    /* A line begins one byte behind the newline before it. */
    uint32_t behind;
    if (!add_literal(survey, &format->lead, 1, &behind))
        return 0;
    for (int32_t i = 0; i < format->count; i++) {
        const struct coreio__variable *variable = &format->variables[i];
        struct coreio__frame_field *field = &frame->fields[i];
        field->begin = (uint16_t)survey->mark;
        field->offset = (uint16_t)behind;
        if (survey->inside != (variable->end == COREIO__END_QUOTE))
            return 0;
        if (variable->end != COREIO__END_QUOTE && !add_value(survey, variable))
            return 0;
        field->spaceless = variable->word && variable->end != COREIO__END_QUOTE && !spaces;
        frame->spaceless |= field->spaceless;
        field->end = (uint16_t)(survey->mark + 1);
        if (variable->after.length > 0 && !add_literal(survey, &variable->after, 0, &behind))
            return 0;
    }
    frame->open = format->variables[format->count - 1].end == COREIO__END_LINE;
    if (!frame->open)
        frame->gaps[survey->mark] = (uint16_t)behind;
    return add_mark(survey, '\n');
}

/* Whether a byte that begins a literal is rare in values. */
static int32_t separates(uint8_t byte)
{
    const int32_t in_words = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                             (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '.' || byte == '_';
    return byte < 0x80 && !in_words;
}

/* Makes marks of the brackets in a literal, which no URI holds as they are (RFC 3986, section 2) and values without
 * quotes hardly do: not where kernels would need a second look-up to tell marks from other bytes. */
static void add_brackets(struct coreio__class *class, const struct coreio__literal *literal)
{
    for (int32_t i = 0; i < literal->length; i++) {
        const uint8_t byte = literal->text[i];
        struct coreio__class more = *class;
        coreio__class_add(&more, byte);
        if ((byte == '[' || byte == ']' || byte == '{' || byte == '}') && !more.shared)
            *class = more;
    }
}

/* Makes the frame that a line has by the marks of a class; returns how many they are, 0 where there is no frame. */
static int32_t survey_class(struct coreio_log_format *format, const struct coreio__class *class)
{
    format->mark_class = *class;
    memset(&format->frame, 0, sizeof format->frame);
    struct survey survey = {format, &format->frame, 0, 0};
    if (survey_line(&survey))
        format->frame.marks = survey.mark;
    return format->frame.marks;
}

void coreio__frame_compile(struct coreio_log_format *format)
{
    struct coreio__class class = format->mark_class;
    for (int32_t i = 0; i < format->count; i++) {
        const struct coreio__variable *variable = &format->variables[i];
        if (variable->end != COREIO__END_TEXT || variable->after.text[0] == '"')
            continue;
        if (!separates(variable->after.text[0]))
            return;
        coreio__class_add(&class, variable->after.text[0]);
    }
    coreio__class_add(&class, '\\');
    struct coreio__class brackets = class;
    add_brackets(&brackets, &format->lead);
    for (int32_t i = 0; i < format->count; i++)
        add_brackets(&brackets, &format->variables[i].after);
    /* A bracket that is a mark need not be looked at in the text; but marks take time, too, so they may only be few
     * more. */
    const int32_t marks = survey_class(format, &class);
    const int32_t more = survey_class(format, &brackets);
    if (more == 0 || more > marks + marks / 8)
        survey_class(format, &class);
}

/* The field between two marks of a line. */
static struct coreio__frame_field field_of(const struct coreio_log_format *format, int32_t field)
{
    if (format->layout == COREIO__TEMPLATE)
        return format->frame.fields[field];
    const uint16_t open = (uint16_t)(2 * (field - COREIO__EDGE_PREFIX));
    return (struct coreio__frame_field){open, (uint16_t)(open + 1), 1, 0};
}

static void plan_groups(struct coreio__picks *picks, const struct coreio_log_format *format)
{
    const int32_t together = format->layout == COREIO__TEMPLATE && coreio__frame_is_one_vector(&format->frame);
    struct coreio__pick_group *group = NULL;
    for (int32_t i = picks->prefix; i < picks->count; i++) {
        const struct coreio__frame_field field = field_of(format, picks->fields[i]);
        if (group == NULL || group->count == COREIO__FRAME_FIELDS || field.end - group->first >= COREIO__FRAME_LANES) {
            group = &picks->groups[picks->group_count++];
            group->first = together ? 0 : field.begin;
            group->place = (uint16_t)i;
        }
        const int32_t lane = 2 * group->count++;
        const uint16_t begin = (uint16_t)(field.begin - group->first);
        group->plus[lane] = begin;
        group->plus[lane + 1] = (uint16_t)(field.end - group->first);
        group->minus[lane + 1] = begin;
        group->add[lane] = field.offset;
        group->add[lane + 1] = (uint16_t)(0 - field.offset);
    }
}

/* Lets a shuffle of bytes take a mark to a lane. */
static void take(uint8_t *shuffle, int32_t lane, int32_t mark)
{
    shuffle[2 * lane] = (uint8_t)(2 * mark);
    shuffle[2 * lane + 1] = (uint8_t)(2 * mark + 1);
}

static void plan_fours(struct coreio__picks *picks, const struct coreio_log_format *format)
{
    struct coreio__pick_four *four = NULL;
    for (int32_t i = picks->prefix; i < picks->count; i++) {
        const struct coreio__frame_field field = field_of(format, picks->fields[i]);
        /* One field always fits: it goes over six marks at most, those of a time. */
        if (four == NULL || four->count == COREIO__FOUR_FIELDS || field.end - four->first >= COREIO__FOUR_LANES) {
            four = &picks->fours[picks->four_count++];
            four->first = field.begin;
            four->place = (uint16_t)i;
            memset(four->plus, 0x80, sizeof four->plus);
            memset(four->minus, 0x80, sizeof four->minus);
        }
        const int32_t lane = 2 * four->count++;
        take(four->plus, lane, field.begin - four->first);
        take(four->plus, lane + 1, field.end - four->first);
        take(four->minus, lane + 1, field.begin - four->first);
        four->add[lane] = field.offset;
        four->add[lane + 1] = (uint16_t)(0 - field.offset);
    }
}

struct coreio__picks *coreio__picks_make(const struct coreio_log_format *format, const uint16_t *fields, int32_t count)
{
    /* One of each more than fields: the first group is loaded even where there is none. */
    const size_t room = (size_t)count + 1;
    struct coreio__picks *picks = calloc(1, sizeof *picks + room * (sizeof picks->groups[0] + sizeof picks->fours[0]));
    if (picks == NULL)
        return NULL;
    picks->fours = (struct coreio__pick_four *)(void *)&picks->groups[room];
    picks->count = count;
    picks->limit = count > 0 ? fields[count - 1] + 1 : 0;
    if (count > 0)
        memcpy(picks->fields, fields, (size_t)count * sizeof *fields);
    while (format->layout == COREIO__EDGE && picks->prefix < count && fields[picks->prefix] < COREIO__EDGE_PREFIX)
        picks->prefix++;
    plan_groups(picks, format);
    plan_fours(picks, format);
    return picks;
}
