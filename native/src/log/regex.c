/* Compiles patterns; see regex.h.
 *
 * The parser emits a program of byte sets, splits and assertions. A set of program places is a state of the
 * automaton; the start is added to every state, for a match may begin anywhere.
 */
#include "regex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

/* Places of a program; repetitions are unrolled, so {255} of {255} must end somewhere. */
#define MAX_PROGRAM 4000
#define MAX_REPEAT 255
#define MAX_DEPTH 64

enum op { OP_SET, OP_SPLIT, OP_BEGIN, OP_END, OP_MATCH };

struct place {
    int32_t op;
    int32_t first;  /* where it goes on */
    int32_t second; /* OP_SPLIT: or here */
    uint8_t set[32];
};

struct parser {
    const uint8_t *pattern;
    struct place *program;
    int32_t length;
    int32_t at;
    int32_t count;
    int32_t depth;
    int32_t fold; /* ignore the case of ASCII letters */
    int32_t reason;
};

/* A piece of the program: where it begins, and the one place where it goes on. */
struct piece {
    int32_t begin;
    int32_t end;
};

static int32_t in_set(const uint8_t *set, int32_t byte)
{
    return set[byte >> 3] >> (byte & 7) & 1;
}

static void add_range(uint8_t *set, int32_t low, int32_t high)
{
    for (int32_t byte = low; byte <= high; byte++)
        set[byte >> 3] = (uint8_t)(set[byte >> 3] | 1u << (byte & 7));
}

static void add_set(uint8_t *set, const uint8_t *other, int32_t invert)
{
    for (int32_t i = 0; i < 32; i++)
        set[i] = (uint8_t)(set[i] | (invert ? (uint8_t)~other[i] : other[i]));
}

static void fold_case(uint8_t *set)
{
    for (int32_t byte = 'a'; byte <= 'z'; byte++) {
        if (in_set(set, byte) || in_set(set, byte - 32)) {
            add_range(set, byte, byte);
            add_range(set, byte - 32, byte - 32);
        }
    }
}

/* Adds a place; after a failure places are no longer added, and the parse unwinds on parser->reason. */
static int32_t emit(struct parser *parser, int32_t op, int32_t first, int32_t second)
{
    if (parser->count == MAX_PROGRAM) {
        parser->reason = COREIO_LOG_FAULT_PATTERN_TOO_LARGE;
        return 0;
    }
    struct place *place = &parser->program[parser->count];
    memset(place, 0, sizeof *place);
    place->op = op;
    place->first = first;
    place->second = second;
    return parser->count++;
}

static int32_t bad(struct parser *parser)
{
    if (parser->reason == 0)
        parser->reason = COREIO_LOG_FAULT_BAD_PATTERN;
    return 0;
}

static int32_t peek(const struct parser *parser)
{
    return parser->at < parser->length ? parser->pattern[parser->at] : -1;
}

static int32_t hex_digit(int32_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

static int32_t is_letter_or_digit(int32_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* Reads what follows a backslash into a set. Returns the byte when it is a single one, else -1. */
static int32_t read_escape(struct parser *parser, uint8_t *set)
{
    uint8_t own[32] = {0};
    const int32_t byte = peek(parser);
    int32_t single = -1;
    parser->at++;
    switch (byte) {
    case 'd':
    case 'D':
        add_range(own, '0', '9');
        break;
    case 'w':
    case 'W':
        add_range(own, '0', '9');
        add_range(own, 'a', 'z');
        add_range(own, 'A', 'Z');
        add_range(own, '_', '_');
        break;
    case 's':
    case 'S':
        add_range(own, '\t', '\r');
        add_range(own, ' ', ' ');
        break;
    case 't':
        single = '\t';
        break;
    case 'x':
        if (parser->at + 2 <= parser->length && hex_digit(parser->pattern[parser->at]) >= 0 &&
            hex_digit(parser->pattern[parser->at + 1]) >= 0) {
            single = hex_digit(parser->pattern[parser->at]) * 16 + hex_digit(parser->pattern[parser->at + 1]);
            parser->at += 2;
            break;
        }
        return bad(parser);
    default:
        if (byte < 0 || is_letter_or_digit(byte)) {
            parser->at--;
            return bad(parser);
        }
        single = byte;
    }
    if (single >= 0)
        add_range(own, single, single);
    add_set(set, own, byte == 'D' || byte == 'W' || byte == 'S');
    return single;
}

/* Reads a class after its opening bracket. */
static void read_class(struct parser *parser, uint8_t *set)
{
    uint8_t own[32] = {0};
    const int32_t invert = peek(parser) == '^';
    parser->at += invert;
    for (int32_t first = 1;; first = 0) {
        int32_t low = peek(parser);
        if (low < 0) {
            bad(parser);
            return;
        }
        if (low == ']' && !first)
            break;
        parser->at++;
        if (low == '\\') {
            low = read_escape(parser, own);
            if (parser->reason != 0)
                return;
        }
        if (low >= 0 && peek(parser) == '-' && parser->at + 1 < parser->length &&
            parser->pattern[parser->at + 1] != ']') {
            parser->at++;
            int32_t high = peek(parser);
            const int32_t high_at = parser->at++;
            if (high == '\\')
                high = read_escape(parser, own);
            if (parser->reason != 0 || high < low) {
                parser->at = parser->reason != 0 ? parser->at : high_at;
                bad(parser);
                return;
            }
            add_range(own, low, high);
        } else if (low >= 0) {
            add_range(own, low, low);
        }
    }
    parser->at++;
    if (parser->fold)
        fold_case(own);
    add_set(set, own, invert);
}

static struct piece read_alternatives(struct parser *parser);

/* A place that goes on to nothing yet, as a piece. */
static struct piece single(struct parser *parser, int32_t op)
{
    const int32_t place = emit(parser, op, -1, -1);
    return (struct piece){place, place};
}

static void join(struct parser *parser, struct piece *before, struct piece after)
{
    parser->program[before->end].first = after.begin;
    before->end = after.end;
}

/* A piece that does nothing. */
static struct piece nothing(struct parser *parser)
{
    return single(parser, OP_SPLIT);
}

static struct piece read_atom(struct parser *parser)
{
    const int32_t byte = peek(parser);
    if (byte == '(') {
        parser->at++;
        if (parser->at + 1 < parser->length && memcmp(parser->pattern + parser->at, "?:", 2) == 0)
            parser->at += 2;
        if (++parser->depth > MAX_DEPTH)
            bad(parser);
        const struct piece inner = parser->reason == 0 ? read_alternatives(parser) : nothing(parser);
        parser->depth--;
        if (peek(parser) != ')')
            bad(parser);
        parser->at++;
        return inner;
    }
    if (byte < 0 || byte == '*' || byte == '+' || byte == '?' || byte == '{') {
        bad(parser);
        return nothing(parser);
    }
    parser->at++;
    if (byte == '^')
        return single(parser, OP_BEGIN);
    if (byte == '$')
        return single(parser, OP_END);
    uint8_t set[32] = {0};
    if (byte == '.')
        add_range(set, 0, 255);
    else if (byte == '[')
        read_class(parser, set);
    else if (byte == '\\')
        read_escape(parser, set);
    else
        add_range(set, byte, byte);
    if (parser->fold && byte != '[')
        fold_case(set);
    const struct piece piece = single(parser, OP_SET);
    memcpy(parser->program[piece.begin].set, set, sizeof set);
    return piece;
}

/* Reads {m}, {m,} or {m,n} after the brace; *most is -1 without a bound. */
static void read_bounds(struct parser *parser, int32_t *least, int32_t *most)
{
    int32_t bounds[2] = {-1, -1};
    int32_t comma = 0;
    for (int32_t byte = peek(parser); byte != '}'; byte = peek(parser)) {
        int32_t *bound = &bounds[comma];
        if (byte == ',' && !comma)
            comma = 1;
        else if (byte >= '0' && byte <= '9')
            *bound = (*bound < 0 ? 0 : *bound) * 10 + (byte - '0');
        else
            *bound = MAX_REPEAT + 1;
        if (*bound > MAX_REPEAT) {
            bad(parser);
            return;
        }
        parser->at++;
    }
    *least = bounds[0];
    *most = comma ? bounds[1] : bounds[0];
    if (*least < 0 || (*most >= 0 && *most < *least)) {
        bad(parser);
        return;
    }
    parser->at++;
}

/* Zero or more of the piece, or at most one. */
static struct piece optional(struct parser *parser, struct piece piece, int32_t many)
{
    const int32_t out = emit(parser, OP_SPLIT, -1, -1);
    const int32_t fork = emit(parser, OP_SPLIT, piece.begin, out);
    parser->program[piece.end].first = many ? fork : out;
    return (struct piece){fork, out};
}

/* Reads an atom and its repetition; repeated atoms are read from the pattern again for each copy. */
static struct piece read_repeated(struct parser *parser)
{
    const int32_t begin = parser->at;
    struct piece atom = read_atom(parser);
    const int32_t byte = peek(parser);
    if (parser->reason != 0 || (byte != '*' && byte != '+' && byte != '?' && byte != '{'))
        return atom;
    parser->at++;
    int32_t least = byte == '+';
    int32_t most = byte == '?' ? 1 : -1;
    if (byte == '{')
        read_bounds(parser, &least, &most);
    const int32_t after = parser->at;
    const int32_t next = peek(parser);
    if (next == '*' || next == '+' || next == '?' || next == '{')
        bad(parser);
    struct piece whole = nothing(parser);
    const int32_t copies = most < 0 ? least + 1 : most;
    for (int32_t copy = 0; copy < copies && parser->reason == 0; copy++) {
        if (copy > 0) {
            parser->at = begin;
            atom = read_atom(parser);
        }
        join(parser, &whole, copy < least ? atom : optional(parser, atom, most < 0));
    }
    if (parser->reason == 0)
        parser->at = after;
    return whole;
}

static struct piece read_sequence(struct parser *parser)
{
    struct piece sequence = nothing(parser);
    while (parser->reason == 0 && peek(parser) >= 0 && peek(parser) != '|' && peek(parser) != ')')
        join(parser, &sequence, read_repeated(parser));
    return sequence;
}

static struct piece read_alternatives(struct parser *parser)
{
    struct piece whole = read_sequence(parser);
    while (parser->reason == 0 && peek(parser) == '|') {
        parser->at++;
        const struct piece other = read_sequence(parser);
        const int32_t out = emit(parser, OP_SPLIT, -1, -1);
        const int32_t fork = emit(parser, OP_SPLIT, whole.begin, other.begin);
        parser->program[whole.end].first = out;
        parser->program[other.end].first = out;
        whole = (struct piece){fork, out};
    }
    return whole;
}

/* The construction of subsets. */
struct builder {
    const struct place *program;
    uint8_t *sets;    /* [state * set_bytes]: the program places of each state, as bits */
    uint8_t *work;    /* the set being made */
    uint64_t *hashes; /* of the sets */
    int32_t *stack;
    int32_t program_count;
    int32_t set_bytes;
    int32_t states;
};

/* Adds a place, and all that it goes on to without a byte, to the set being made. */
static void close_over(struct builder *builder, int32_t place, int32_t at_begin, int32_t at_end)
{
    int32_t depth = 0;
    builder->stack[depth++] = place;
    while (depth > 0) {
        const int32_t top = builder->stack[--depth];
        if (top < 0 || (builder->work[top >> 3] >> (top & 7) & 1) != 0)
            continue;
        builder->work[top >> 3] = (uint8_t)(builder->work[top >> 3] | 1u << (top & 7));
        const struct place *from = &builder->program[top];
        if (from->op == OP_SPLIT) {
            builder->stack[depth++] = from->second;
            builder->stack[depth++] = from->first;
        } else if ((from->op == OP_BEGIN && at_begin) || (from->op == OP_END && at_end)) {
            builder->stack[depth++] = from->first;
        }
    }
}

/* The number of the state whose set is the one being made; a new one if there is none. -1 when there are too many.
 * State 0 is never found again, for it alone stands at the beginning of the text. */
static int32_t intern(struct builder *builder)
{
    const size_t bytes = (size_t)builder->set_bytes;
    const uint64_t hash = coreio__hash(builder->work, bytes, 0);
    for (int32_t i = 1; i < builder->states; i++) {
        if (builder->hashes[i] == hash && memcmp(builder->sets + (size_t)i * bytes, builder->work, bytes) == 0)
            return i;
    }
    if (builder->states == COREIO__REGEX_MAX_STATES)
        return -1;
    memcpy(builder->sets + (size_t)builder->states * bytes, builder->work, bytes);
    builder->hashes[builder->states] = hash;
    return builder->states++;
}

static int32_t has_match(const struct builder *builder, const uint8_t *set)
{
    for (int32_t i = 0; i < builder->program_count; i++) {
        if (builder->program[i].op == OP_MATCH && (set[i >> 3] >> (i & 7) & 1) != 0)
            return 1;
    }
    return 0;
}

/* What a state accepts: 3 matched, 2 matched when the text ends here, 0 neither. */
static uint8_t accepts(struct builder *builder, int32_t state)
{
    const uint8_t *set = builder->sets + (size_t)state * (size_t)builder->set_bytes;
    if (has_match(builder, set))
        return 3;
    memset(builder->work, 0, (size_t)builder->set_bytes);
    for (int32_t i = 0; i < builder->program_count; i++) {
        if ((set[i >> 3] >> (i & 7) & 1) != 0)
            close_over(builder, i, state == 0, 1);
    }
    return has_match(builder, builder->work) ? 2 : 0;
}

/* Bytes that no set of the program tells apart share a class. */
static void classify(const struct place *program, int32_t count, struct coreio__regex *regex)
{
    regex->classes = 1;
    memset(regex->class_of, 0, sizeof regex->class_of);
    for (int32_t i = 0; i < count && regex->classes < 256; i++) {
        if (program[i].op != OP_SET)
            continue;
        int32_t moved[256];
        memset(moved, -1, sizeof moved);
        const int32_t classes = regex->classes;
        int32_t outside[256] = {0};
        for (int32_t byte = 0; byte < 256; byte++) {
            if (!in_set(program[i].set, byte))
                outside[regex->class_of[byte]] = 1;
        }
        for (int32_t byte = 0; byte < 256; byte++) {
            const uint8_t class = regex->class_of[byte];
            if (class >= classes || !in_set(program[i].set, byte) || !outside[class])
                continue;
            if (moved[class] < 0)
                moved[class] = regex->classes++;
            regex->class_of[byte] = (uint8_t)moved[class];
        }
    }
}

static int32_t build(struct builder *builder, int32_t start, struct coreio__regex *regex)
{
    int32_t byte_of[256];
    for (int32_t byte = 255; byte >= 0; byte--)
        byte_of[regex->class_of[byte]] = byte;
    memset(builder->work, 0, (size_t)builder->set_bytes);
    close_over(builder, start, 1, 0);
    intern(builder);
    for (int32_t state = 0; state < builder->states; state++) {
        for (int32_t kind = 0; kind < regex->classes; kind++) {
            const uint8_t *set = builder->sets + (size_t)state * (size_t)builder->set_bytes;
            memset(builder->work, 0, (size_t)builder->set_bytes);
            close_over(builder, start, 0, 0);
            for (int32_t i = 0; i < builder->program_count; i++) {
                const struct place *place = &builder->program[i];
                if (place->op == OP_SET && (set[i >> 3] >> (i & 7) & 1) != 0 && in_set(place->set, byte_of[kind]))
                    close_over(builder, place->first, 0, 0);
            }
            const int32_t next = intern(builder);
            if (next < 0)
                return COREIO_EFORMAT;
            regex->next[(size_t)state * (size_t)regex->classes + (size_t)kind] = (uint16_t)next;
        }
    }
    for (int32_t state = 0; state < builder->states; state++)
        regex->accept[state] = accepts(builder, state);
    regex->states = builder->states;
    return 0;
}

int32_t coreio__regex_compile(
    const uint8_t *pattern, int32_t length, struct coreio__regex *regex, int32_t *reason, int32_t *offset)
{
    struct parser parser = {.pattern = pattern, .length = length};
    struct builder builder = {0};
    int32_t status = -ENOMEM;
    memset(regex, 0, sizeof *regex);
    *reason = COREIO_LOG_FAULT_NONE;
    *offset = 0;
    parser.program = malloc(MAX_PROGRAM * sizeof *parser.program);
    if (parser.program == NULL)
        goto done;
    if (length >= 4 && memcmp(pattern, "(?i)", 4) == 0) {
        parser.fold = 1;
        parser.at = 4;
    }
    struct piece whole = read_alternatives(&parser);
    if (parser.reason == 0 && parser.at < length)
        bad(&parser);
    if (parser.reason == 0)
        join(&parser, &whole, single(&parser, OP_MATCH));
    if (parser.reason != 0) {
        *reason = parser.reason;
        *offset = parser.at < length ? parser.at : length;
        status = COREIO_EFORMAT;
        goto done;
    }

    classify(parser.program, parser.count, regex);
    builder.program = parser.program;
    builder.program_count = parser.count;
    builder.set_bytes = (parser.count + 7) / 8;
    builder.sets = malloc((size_t)COREIO__REGEX_MAX_STATES * (size_t)builder.set_bytes);
    builder.work = malloc((size_t)builder.set_bytes);
    builder.hashes = malloc(COREIO__REGEX_MAX_STATES * sizeof *builder.hashes);
    /* Each place is expanded once and pushes two. */
    builder.stack = malloc((2 * (size_t)parser.count + 2) * sizeof *builder.stack);
    regex->next = malloc((size_t)COREIO__REGEX_MAX_STATES * (size_t)regex->classes * sizeof *regex->next);
    regex->accept = malloc(COREIO__REGEX_MAX_STATES);
    if (builder.sets == NULL || builder.work == NULL || builder.hashes == NULL || builder.stack == NULL ||
        regex->next == NULL || regex->accept == NULL)
        goto done;
    status = build(&builder, whole.begin, regex);
    if (status < 0) {
        *reason = COREIO_LOG_FAULT_PATTERN_TOO_LARGE;
        *offset = 0;
    }
done:
    free(parser.program);
    free(builder.sets);
    free(builder.work);
    free(builder.hashes);
    free(builder.stack);
    if (status < 0)
        coreio__regex_clear(regex);
    return status;
}

int32_t coreio__regex_matches(const struct coreio__regex *regex, const uint8_t *text, uint32_t length)
{
    uint32_t state = 0;
    for (uint32_t i = 0; i < length; i++) {
        if (regex->accept[state] == 3)
            return 1;
        state = regex->next[state * (uint32_t)regex->classes + regex->class_of[text[i]]];
    }
    return regex->accept[state] != 0;
}

void coreio__regex_clear(struct coreio__regex *regex)
{
    free(regex->next);
    free(regex->accept);
    regex->next = NULL;
    regex->accept = NULL;
}
