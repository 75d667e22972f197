/* Options structures of callers that were built against another version of the headers. */
#ifndef COREIO_BASE_OPTIONS_H
#define COREIO_BASE_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

/* Copies options whose first field is their uint32_t size. NULL means all defaults, a shorter structure is
 * completed with zeros, a longer one may only hold zeros beyond `size`. Returns 0, -EINVAL (a size that cannot
 * be one) or COREIO_EABI. */
int32_t coreio__options_read(void *own, size_t size, const void *theirs);

#endif
