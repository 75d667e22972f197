/* The numbers by which a caller knows which library it has loaded. */
#include <coreio/base.h>

_Static_assert(COREIO_VERSION_MINOR < 1000 && COREIO_VERSION_PATCH < 1000, "parts of the version are below 1000");

int32_t coreio_abi(void)
{
    return COREIO_ABI;
}

int32_t coreio_version(void)
{
    return COREIO_VERSION_MAJOR * 1000000 + COREIO_VERSION_MINOR * 1000 + COREIO_VERSION_PATCH;
}
