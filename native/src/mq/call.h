/* The system calls of queues, made without the C library in between, but for the floors of a bench (floor.c).
 *
 * That saves a frame to return from, which the CPU has forgotten after a system call, and a page of the C library to
 * look up again where the kernel has flushed the page tables: 25 ns a call, which is what this library adds itself. A
 * program may also define mq_send(3) and its like by calls of this library, which must then not use these names. A call
 * is no cancellation point of pthread_cancel(3), and leaves errno alone.
 */
#ifndef COREIO_SRC_MQ_CALL_H
#define COREIO_SRC_MQ_CALL_H

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Returns what the kernel returns: -errno for an error. */
#if defined(__x86_64__)
static inline int64_t coreio__mq_call(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e)
{
    register int64_t fourth __asm__("r10") = d;
    register int64_t fifth __asm__("r8") = e;
    int64_t result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
static inline int64_t coreio__mq_call(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e)
{
    register int64_t call __asm__("x8") = number;
    register int64_t first __asm__("x0") = a;
    register int64_t second __asm__("x1") = b;
    register int64_t third __asm__("x2") = c;
    register int64_t fourth __asm__("x3") = d;
    register int64_t fifth __asm__("x4") = e;
    __asm__ volatile("svc 0" : "+r"(first) : "r"(call), "r"(second), "r"(third), "r"(fourth), "r"(fifth) : "memory");
    return first;
}
#else
static inline int64_t coreio__mq_call(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e)
{
    const int64_t result = syscall(number, a, b, c, d, e);
    return result == -1 ? -errno : result;
}
#endif

#endif
