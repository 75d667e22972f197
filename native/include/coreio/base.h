/* Status codes, version and ABI of libcoreio.
 *
 * Every function of the library returns int32_t, or int64_t where it counts bytes: zero and above is
 * success or a count, -1 to -4095 is -errno from the kernel, unchanged, and -5001 and below are the
 * codes of this file. A value, once given, never changes its meaning.
 */
#ifndef COREIO_BASE_H
#define COREIO_BASE_H

#include <stdint.h>

/* The binding generator sees plain declarations; the linker sees the visibility. */
#ifdef COREIO_BINDGEN
#define COREIO_API
#else
#define COREIO_API __attribute__((visibility("default")))
#endif

/* Raised when a declared function, structure or constant changes in a way old callers cannot use. */
#define COREIO_ABI 1

#define COREIO_VERSION_MAJOR 0
#define COREIO_VERSION_MINOR 1
#define COREIO_VERSION_PATCH 0

enum coreio_status {
    COREIO_OK = 0,
    /* An options structure is longer than this library knows and its extra bytes are not zero. */
    COREIO_EABI = -5001,
    /* A format, a question or a filter does not compile; the result structure says where and why. */
    COREIO_EFORMAT = -5002,
    /* A CPU, a CPU feature or a kernel that this machine or this build does not have. */
    COREIO_ECPU = -5003,
    /* The object was stopped, finished or closed before this call. */
    COREIO_ECLOSED = -5004,
    /* One item alone is larger than the capacity given; the result structure says how large. */
    COREIO_ECAPACITY = -5005,
    /* The input became shorter while it was being read. */
    COREIO_ETRUNCATED = -5006
};

/* Returns COREIO_ABI of the library as built.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  none
 * Since:   1
 */
COREIO_API int32_t coreio_abi(void);

/* Returns the version as major * 1000000 + minor * 1000 + patch.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  none
 * Since:   1
 */
COREIO_API int32_t coreio_version(void);

#endif
