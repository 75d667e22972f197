/* Memory that is counted, and memory, threads and processes that are refused.
 *
 * The tests are linked with --wrap, so each malloc, calloc, realloc, posix_memalign, pthread_create and fork of
 * the library and of the test comes through here; what libc itself takes does not. A refusal is for one moment of one
 * call: loops refuse the first, the second, the third and so on, until a call succeeds untouched.
 */
#ifndef COREIO_ALLOCATIONS_H
#define COREIO_ALLOCATIONS_H

#include <stdint.h>

/* Successful allocations since the start, of all threads. */
int64_t allocations_made(void);

/* Lets `passed` more allocations through and refuses all that follow; -1 refuses none. */
void allocations_refuse_after(int64_t passed);

/* Whether an allocation was refused since the last call of allocations_refuse_after. */
int allocations_refused(void);

/* The same for threads and processes. */
void threads_refuse_after(int64_t passed);

#endif
