/* The definition of correct: a byte at a time. */
#include "kernel.h"

static size_t index_scalar(const uint8_t *text, size_t length, const struct coreio__class *class, uint32_t *positions)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        positions[count] = (uint32_t)i;
        count += (size_t)coreio__class_has(class, text[i]);
    }
    return count;
}

static size_t mark_quoted(
    const uint8_t *text, size_t length, const struct coreio__class *class, uint16_t *positions, uint8_t *bytes)
{
    size_t count = 0;
    int32_t inside = 0;
    int32_t escaped = 0;
    for (size_t i = 0; i < length; i++) {
        const uint8_t byte = text[i];
        const int32_t quote = byte == '"' && !escaped;
        inside = byte == '\n' ? 0 : inside ^ quote;
        positions[count] = (uint16_t)i;
        bytes[count] = byte;
        count += byte == '\n' || quote || (!inside && coreio__class_has(class, byte));
        escaped = byte == '\\' && !escaped;
    }
    return count;
}

static size_t mark_bracketed(
    const uint8_t *text, size_t length, const struct coreio__class *class, uint16_t *positions, uint8_t *bytes)
{
    (void)class;
    size_t count = 0;
    int32_t first = 1;
    for (size_t i = 0; i < length; i++) {
        const uint8_t byte = text[i];
        const int32_t follows = (i > 0 && text[i - 1] == ']') || (i > 1 && text[i - 1] == ' ' && text[i - 2] == ']');
        positions[count] = (uint16_t)i;
        bytes[count] = byte;
        count += byte == '\n' || byte == '\\' || byte == ']' || (byte == '[' && (first || follows));
        first = byte == '\n' || (first && byte != '[');
    }
    return count;
}

const struct coreio__kernel coreio__kernel_scalar = {
    .id = COREIO_LOG_KERNEL_SCALAR,
    .features = 0,
    .name = "scalar",
    .index = index_scalar,
    .mark_quoted = mark_quoted,
    .mark_bracketed = mark_bracketed,
    .cut_quoted = coreio__cut_quoted,
    .cut_bracketed = coreio__cut_bracketed,
};
