/* The allocator the tests are linked with; see allocations.h. */
#include "allocations.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

static atomic_llong made;
static atomic_llong left = -1;
static atomic_int refused;
static atomic_llong threads_left = -1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
pid_t __real_fork(void);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
pid_t __wrap_fork(void);

/* Takes one of what is left; refuses for good when there is nothing. */
static int take(atomic_llong *rest)
{
    long long now = atomic_load(rest);
    while (now > 0 && !atomic_compare_exchange_weak(rest, &now, now - 1)) {
    }
    return now != 0;
}

static int take_memory(void)
{
    if (!take(&left)) {
        atomic_store(&refused, 1);
        return 0;
    }
    atomic_fetch_add(&made, 1);
    return 1;
}

void *__wrap_malloc(size_t size)
{
    return take_memory() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return take_memory() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *memory, size_t size)
{
    return take_memory() ? __real_realloc(memory, size) : NULL;
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
    return take_memory() ? __real_posix_memalign(memory, alignment, size) : ENOMEM;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    return take(&threads_left) ? __real_pthread_create(thread, attributes, run, argument) : EAGAIN;
}

pid_t __wrap_fork(void)
{
    if (take(&threads_left))
        return __real_fork();
    errno = EAGAIN;
    return -1;
}

int64_t allocations_made(void)
{
    return atomic_load(&made);
}

void allocations_refuse_after(int64_t passed)
{
    atomic_store(&refused, 0);
    atomic_store(&left, passed);
}

int allocations_refused(void)
{
    return atomic_load(&refused);
}

void threads_refuse_after(int64_t passed)
{
    atomic_store(&threads_left, passed);
}
