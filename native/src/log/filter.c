/* Compiles and runs filter expressions; see filter.h.
 *
 * The compiler is a recursive descent that emits as it reads: a test sets the result, a jump leaves an `and`
 * at the first false and an `or` at the first true.
 */
#include "filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64

enum op {
    OP_EQ, /* the six comparisons, of numbers and of texts, follow each other in one order */
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_TEXT_EQ,
    OP_TEXT_NE,
    OP_TEXT_LT,
    OP_TEXT_LE,
    OP_TEXT_GT,
    OP_TEXT_GE,
    OP_PREFIX,
    OP_SUFFIX,
    OP_CONTAINS,
    OP_MATCHES,
    OP_NOT,
    OP_JUMP_IF_FALSE,
    OP_JUMP_IF_TRUE
};

enum token { TOKEN_END, TOKEN_NAME, TOKEN_NUMBER, TOKEN_STRING, TOKEN_OPERATOR, TOKEN_OTHER };

struct parser {
    const uint8_t *text;
    struct coreio__plan *plan;
    struct coreio__filter *filter;
    struct coreio_log_fault *fault;
    uint8_t *string_end; /* where the next string goes */
    int32_t length;
    int32_t depth;
    int32_t token;
    int32_t begin; /* of the token */
    int32_t end;
};

static int32_t is_letter(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

static int32_t is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static int32_t fail(struct parser *parser, int32_t reason, int32_t offset, int32_t length)
{
    parser->fault->reason = reason;
    parser->fault->offset = offset;
    parser->fault->length = length;
    return COREIO_EFORMAT;
}

static int32_t fail_here(struct parser *parser, int32_t reason)
{
    return fail(parser, reason, parser->begin, parser->end - parser->begin);
}

static int32_t token_is(const struct parser *parser, const char *text)
{
    const size_t length = strlen(text);
    return (size_t)(parser->end - parser->begin) == length && memcmp(parser->text + parser->begin, text, length) == 0;
}

/* Reads the next token. Fails only for a string that is not closed. */
static int32_t advance(struct parser *parser)
{
    static const char *const operators[] = {"==", "!=", "<=", ">=", "^=", "$=", "*=", "=~", "&&", "||"};
    const uint8_t *text = parser->text;
    const int32_t length = parser->length;
    int32_t at = parser->end;
    while (at < length && (text[at] == ' ' || (text[at] >= '\t' && text[at] <= '\r')))
        at++;
    parser->begin = at;
    parser->token = TOKEN_OTHER;
    parser->end = at + 1;
    if (at == length) {
        parser->token = TOKEN_END;
        parser->end = at;
    } else if (is_letter(text[at])) {
        parser->token = TOKEN_NAME;
        while (parser->end < length && (is_letter(text[parser->end]) || is_digit(text[parser->end])))
            parser->end++;
    } else if (is_digit(text[at]) || (text[at] == '-' && at + 1 < length && is_digit(text[at + 1]))) {
        parser->token = TOKEN_NUMBER;
        while (parser->end < length && is_digit(text[parser->end]))
            parser->end++;
        if (parser->end + 1 < length && text[parser->end] == '.' && is_digit(text[parser->end + 1])) {
            parser->end++;
            while (parser->end < length && is_digit(text[parser->end]))
                parser->end++;
        }
    } else if (text[at] == '"' || text[at] == '\'') {
        parser->token = TOKEN_STRING;
        while (parser->end < length && text[parser->end] != text[at])
            parser->end += text[parser->end] == '\\' ? 2 : 1;
        if (parser->end >= length)
            return fail(parser, COREIO_LOG_FAULT_UNTERMINATED_STRING, at, length - at);
        parser->end++;
    } else {
        for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
            if (at + 1 < length && memcmp(text + at, operators[i], 2) == 0) {
                parser->token = TOKEN_OPERATOR;
                parser->end = at + 2;
            }
        }
        if (text[at] == '<' || text[at] == '>' || text[at] == '!')
            parser->token = TOKEN_OPERATOR;
    }
    return 0;
}

static struct coreio__step *emit(struct parser *parser, int32_t op)
{
    struct coreio__filter *filter = parser->filter;
    if (filter->count == filter->capacity) {
        const int32_t capacity = filter->capacity == 0 ? 16 : filter->capacity * 2;
        struct coreio__step *steps = realloc(filter->steps, (size_t)capacity * sizeof *steps);
        if (steps == NULL)
            return NULL;
        filter->steps = steps;
        filter->capacity = capacity;
    }
    struct coreio__step *step = &filter->steps[filter->count++];
    memset(step, 0, sizeof *step);
    step->op = op;
    return step;
}

/* The string token without its quotes and backslashes. */
static struct coreio__text read_string(struct parser *parser)
{
    struct coreio__text string = {parser->string_end, 0};
    for (int32_t at = parser->begin + 1; at < parser->end - 1; at++) {
        if (parser->text[at] == '\\')
            at++;
        *parser->string_end++ = parser->text[at];
        string.length++;
    }
    return string;
}

/* The comparison the token is, as the operator for texts, or -1. */
static int32_t read_operator(const struct parser *parser)
{
    static const struct {
        const char *text;
        int32_t op;
    } comparisons[] = {{"==", OP_TEXT_EQ}, {"!=", OP_TEXT_NE}, {"<", OP_TEXT_LT}, {"<=", OP_TEXT_LE}, {">", OP_TEXT_GT},
        {">=", OP_TEXT_GE}, {"^=", OP_PREFIX}, {"$=", OP_SUFFIX}, {"*=", OP_CONTAINS}, {"=~", OP_MATCHES}};
    for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++) {
        if (parser->token == TOKEN_OPERATOR && token_is(parser, comparisons[i].text))
            return comparisons[i].op;
    }
    return -1;
}

static int32_t compile_number(struct parser *parser, int32_t op, const struct coreio__column *column,
    int32_t name_begin, int32_t name_length, int32_t op_begin)
{
    if (op > OP_TEXT_GE)
        return fail(parser, COREIO_LOG_FAULT_TEXT_OPERATOR, op_begin, 2);
    if (column->kind == COREIO_LOG_TEXT && !column->free)
        return fail(parser, COREIO_LOG_FAULT_NOT_NUMERIC, name_begin, name_length);
    const uint8_t *text = parser->text + parser->begin;
    const int32_t length = parser->end - parser->begin;
    const int32_t whole = column->kind == COREIO_LOG_INTEGER;
    const uint8_t *point = memchr(text, '.', (size_t)length);
    struct coreio__number number;
    if ((point != NULL && (whole || text + length - point - 1 > 6)) ||
        !coreio__value_type(
            whole ? COREIO__WHOLE : COREIO__MILLIONTHS, (struct coreio__text){text, (uint32_t)length}, &number))
        return fail_here(parser, COREIO_LOG_FAULT_BAD_NUMBER);
    const int32_t slot = coreio__plan_number(parser->plan, column);
    if (slot < 0)
        return fail(parser, COREIO_LOG_FAULT_TOO_MANY, name_begin, name_length);
    struct coreio__step *step = emit(parser, op - OP_TEXT_EQ + OP_EQ);
    if (step == NULL)
        return -ENOMEM;
    step->column = slot;
    step->number = number.value;
    return 0;
}

static int32_t compile_text(
    struct parser *parser, int32_t op, const struct coreio__column *column, int32_t name_begin, int32_t name_length)
{
    const int32_t text = coreio__plan_text(parser->plan, column);
    if (text < 0)
        return fail(parser, COREIO_LOG_FAULT_TOO_MANY, name_begin, name_length);
    struct coreio__step *step = emit(parser, op);
    if (step == NULL)
        return -ENOMEM;
    step->column = text;
    step->text = read_string(parser);
    if (op != OP_MATCHES)
        return 0;
    struct coreio__filter *filter = parser->filter;
    struct coreio__regex *patterns = realloc(filter->patterns, (size_t)(filter->pattern_count + 1) * sizeof *patterns);
    if (patterns == NULL)
        return -ENOMEM;
    filter->patterns = patterns;
    step->pattern = filter->pattern_count;
    int32_t reason;
    int32_t offset;
    const int32_t status = coreio__regex_compile(
        step->text.text, (int32_t)step->text.length, &patterns[filter->pattern_count], &reason, &offset);
    if (status == COREIO_EFORMAT)
        return fail_here(parser, reason);
    if (status == 0)
        filter->pattern_count++;
    return status;
}

static int32_t compile_comparison(struct parser *parser)
{
    struct coreio__column column;
    const int32_t name_begin = parser->begin;
    const int32_t name_length = parser->end - parser->begin;
    if (parser->token != TOKEN_NAME)
        return fail_here(parser, COREIO_LOG_FAULT_EXPECTED_FIELD);
    if (!coreio__field_resolve(parser->plan->format, parser->text + name_begin, name_length, &column))
        return fail_here(parser, COREIO_LOG_FAULT_UNKNOWN_FIELD);
    if (column.derive == COREIO__MINUTE || column.derive == COREIO__INTERVAL)
        return fail_here(parser, COREIO_LOG_FAULT_EXPECTED_FIELD);
    int32_t status = advance(parser);
    if (status < 0)
        return status;
    const int32_t op = read_operator(parser);
    const int32_t op_begin = parser->begin;
    if (op < 0)
        return fail_here(parser, COREIO_LOG_FAULT_EXPECTED_OPERATOR);
    status = advance(parser);
    if (status < 0)
        return status;
    if (parser->token == TOKEN_NUMBER)
        status = compile_number(parser, op, &column, name_begin, name_length, op_begin);
    else if (parser->token == TOKEN_STRING)
        status = compile_text(parser, op, &column, name_begin, name_length);
    else
        status = fail_here(parser, COREIO_LOG_FAULT_EXPECTED_VALUE);
    return status < 0 ? status : advance(parser);
}

static int32_t compile_any(struct parser *parser);

static int32_t compile_factor(struct parser *parser)
{
    const int32_t is_not = (parser->token == TOKEN_NAME && token_is(parser, "not")) || token_is(parser, "!");
    if (!is_not && !token_is(parser, "("))
        return compile_comparison(parser);
    if (++parser->depth > MAX_DEPTH)
        return fail_here(parser, COREIO_LOG_FAULT_TOO_DEEP);
    int32_t status = advance(parser);
    if (status < 0)
        return status;
    status = is_not ? compile_factor(parser) : compile_any(parser);
    if (status < 0)
        return status;
    if (is_not) {
        status = emit(parser, OP_NOT) == NULL ? -ENOMEM : 0;
    } else {
        status = token_is(parser, ")") ? advance(parser) : fail_here(parser, COREIO_LOG_FAULT_EXPECTED_CLOSE);
    }
    parser->depth--;
    return status;
}

/* One operand, then as many more as the word joins; each jump over the rest ends at the same place. */
static int32_t compile_joined(struct parser *parser, int32_t jump, const char *word, const char *sign,
    int32_t (*compile_operand)(struct parser *parser))
{
    int32_t status = compile_operand(parser);
    int32_t last_jump = -1;
    while (status == 0 && (token_is(parser, sign) || (parser->token == TOKEN_NAME && token_is(parser, word)))) {
        struct coreio__step *step = emit(parser, jump);
        if (step == NULL)
            return -ENOMEM;
        step->target = last_jump; /* a chain, until the end is known */
        last_jump = parser->filter->count - 1;
        status = advance(parser);
        if (status == 0)
            status = compile_operand(parser);
    }
    while (status == 0 && last_jump >= 0) {
        struct coreio__step *step = &parser->filter->steps[last_jump];
        last_jump = step->target;
        step->target = parser->filter->count;
    }
    return status;
}

static int32_t compile_all(struct parser *parser)
{
    return compile_joined(parser, OP_JUMP_IF_FALSE, "and", "&&", compile_factor);
}

static int32_t compile_any(struct parser *parser)
{
    return compile_joined(parser, OP_JUMP_IF_TRUE, "or", "||", compile_all);
}

int32_t coreio__filter_compile(const uint8_t *where, int32_t length, struct coreio__plan *plan,
    struct coreio__filter *filter, struct coreio_log_fault *fault)
{
    memset(filter, 0, sizeof *filter);
    struct parser parser = {.text = where, .plan = plan, .filter = filter, .fault = fault, .length = length};
    filter->strings = malloc((size_t)length + 1);
    if (filter->strings == NULL)
        return -ENOMEM;
    parser.string_end = filter->strings;
    int32_t status = advance(&parser);
    if (status == 0)
        status = compile_any(&parser);
    if (status == 0 && parser.token != TOKEN_END)
        status = fail_here(&parser, COREIO_LOG_FAULT_UNEXPECTED_TEXT);
    if (status < 0)
        coreio__filter_clear(filter);
    return status;
}

static int32_t compare_texts(struct coreio__text a, struct coreio__text b)
{
    const uint32_t common = a.length < b.length ? a.length : b.length;
    const int order = common > 0 ? memcmp(a.text, b.text, common) : 0;
    if (order != 0)
        return order < 0 ? -1 : 1;
    return (a.length > b.length) - (a.length < b.length);
}

static int32_t holds(int32_t op, int32_t order)
{
    switch (op) {
    case OP_EQ:
        return order == 0;
    case OP_NE:
        return order != 0;
    case OP_LT:
        return order < 0;
    case OP_LE:
        return order <= 0;
    case OP_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

static int32_t test_text(const struct coreio__filter *filter, const struct coreio__step *step, struct coreio__text text)
{
    static const uint8_t dash[] = {'-'};
    if (text.text == NULL)
        text = (struct coreio__text){dash, 1};
    const struct coreio__text wanted = step->text;
    switch (step->op) {
    case OP_PREFIX:
        return text.length >= wanted.length && memcmp(text.text, wanted.text, wanted.length) == 0;
    case OP_SUFFIX:
        return text.length >= wanted.length &&
               memcmp(text.text + text.length - wanted.length, wanted.text, wanted.length) == 0;
    case OP_CONTAINS:
        return memmem(text.text, text.length, wanted.text, wanted.length) != NULL;
    case OP_MATCHES:
        return coreio__regex_matches(&filter->patterns[step->pattern], text.text, text.length);
    default:
        return holds(step->op - OP_TEXT_EQ + OP_EQ, compare_texts(text, wanted));
    }
}

int32_t coreio__filter_passes(const struct coreio__filter *filter, const struct coreio__number *numbers,
    const struct coreio__text *texts, size_t stride)
{
    int32_t passes = 1;
    for (int32_t at = 0; at < filter->count; at++) {
        const struct coreio__step *step = &filter->steps[at];
        if (step->op == OP_NOT) {
            passes = !passes;
        } else if (step->op == OP_JUMP_IF_FALSE || step->op == OP_JUMP_IF_TRUE) {
            if (passes == (step->op == OP_JUMP_IF_TRUE))
                at = step->target - 1;
        } else if (step->op <= OP_GE) {
            const struct coreio__number *number = &numbers[(size_t)step->column * stride];
            const int32_t order = (number->value > step->number) - (number->value < step->number);
            passes = !number->is_null && holds(step->op, order);
        } else {
            passes = test_text(filter, step, texts[(size_t)step->column * stride]);
        }
    }
    return passes;
}

void coreio__filter_clear(struct coreio__filter *filter)
{
    for (int32_t i = 0; i < filter->pattern_count; i++)
        coreio__regex_clear(&filter->patterns[i]);
    free(filter->patterns);
    free(filter->steps);
    free(filter->strings);
    memset(filter, 0, sizeof *filter);
}
