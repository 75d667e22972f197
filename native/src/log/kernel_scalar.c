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

const struct coreio__kernel coreio__kernel_scalar = {
    .id = COREIO_LOG_KERNEL_SCALAR,
    .features = 0,
    .name = "scalar",
    .index = index_scalar,
};
