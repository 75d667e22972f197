/* Asking for memory before it is needed, so that the waits of a batch of lines overlap. */
#ifndef COREIO_LOG_PREFETCH_H
#define COREIO_LOG_PREFETCH_H

/* Brings a cache line near. The address may be any: nothing is read through it. */
static inline void coreio__prefetch(const void *address)
{
    __builtin_prefetch(address);
    /* gcc takes a function that does nothing else for one without effect, and drops its calls. */
    __asm__ volatile("");
}

#endif
