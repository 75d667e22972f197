/* The numbers of the library are those of the header, and the status codes have room to grow. */
#include "check.h"

#include <coreio/base.h>

TEST(abi_is_that_of_the_header)
{
    CHECK_EQ(coreio_abi(), COREIO_ABI);
}

TEST(version_is_that_of_the_header)
{
    CHECK_EQ(coreio_version() / 1000000, COREIO_VERSION_MAJOR);
    CHECK_EQ(coreio_version() / 1000 % 1000, COREIO_VERSION_MINOR);
    CHECK_EQ(coreio_version() % 1000, COREIO_VERSION_PATCH);
}

TEST(codes_keep_their_values)
{
    CHECK_EQ(COREIO_OK, 0);
    CHECK_EQ(COREIO_EABI, -5001);
    CHECK_EQ(COREIO_EFORMAT, -5002);
    CHECK_EQ(COREIO_ECPU, -5003);
    CHECK_EQ(COREIO_ECLOSED, -5004);
    CHECK_EQ(COREIO_ECAPACITY, -5005);
    CHECK_EQ(COREIO_ETRUNCATED, -5006);
}
