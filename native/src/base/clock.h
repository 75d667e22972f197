/* A clock of the kernel as one number. */
#ifndef COREIO_BASE_CLOCK_H
#define COREIO_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds. `clock` is one that every kernel has: it is always told. */
static inline int64_t coreio__clock_ns(clockid_t clock)
{
    struct timespec time;
    (void)clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

#endif
