/* Reads options structures; see options.h. */
#include "options.h"

#include <coreio/base.h>
#include <errno.h>
#include <string.h>

int32_t coreio__options_read(void *own, size_t size, const void *theirs)
{
    memset(own, 0, size);
    if (theirs == NULL)
        return 0;
    uint32_t given;
    memcpy(&given, theirs, sizeof given);
    if (given < sizeof given)
        return -EINVAL;
    for (size_t i = size; i < given; i++) {
        if (((const uint8_t *)theirs)[i] != 0)
            return COREIO_EABI;
    }
    memcpy(own, theirs, given < size ? given : size);
    return 0;
}
