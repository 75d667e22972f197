/* The machine as the kernel shows it: instruction sets, topology, and where a thread runs.
 *
 * A CPU is named by its Linux number. Topology comes from /sys/devices/system; which CPUs may be used
 * comes from sched_getaffinity(2), which already respects the cgroup's cpuset.
 */
#ifndef COREIO_CPU_H
#define COREIO_CPU_H

#include <coreio/base.h>

/* Instruction sets that matter to kernels of this library. The bit is set only when both the CPU and
 * the operating system (saved registers, XGETBV) support the set. */
#define COREIO_CPU_SSE2 (1u << 0)
#define COREIO_CPU_SSE42 (1u << 1)
#define COREIO_CPU_PCLMUL (1u << 2)
#define COREIO_CPU_AVX2 (1u << 3)
#define COREIO_CPU_BMI2 (1u << 4)
#define COREIO_CPU_AVX512BW (1u << 5)
#define COREIO_CPU_AVX512VBMI2 (1u << 6)
#define COREIO_CPU_NEON (1u << 7)

/* The largest CPU number this library can pin to, plus one. */
#define COREIO_CPU_LIMIT 4096

/* One CPU of the machine. A number the kernel does not tell is -1. */
struct coreio_cpu_core {
    int32_t cpu;
    int32_t core;    /* core id within the package; CPUs that share it are hardware threads of one core */
    int32_t package; /* socket */
    int32_t node;    /* NUMA node */
    int32_t allowed; /* 1 when this process may run there */
    int32_t max_mhz;
    int32_t l2_kib;
    int32_t l3_kib;
};

/* Where a thread was found running. */
struct coreio_cpu_place {
    int32_t thread_id; /* Linux thread id, as in /proc/PID/task */
    int32_t cpu;       /* CPU the thread ran on when asked */
    int32_t node;      /* NUMA node of that CPU */
    int32_t pinned;    /* 1 when exactly one CPU is allowed to the thread */
};

/* Writes the COREIO_CPU_ bits of this machine.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EINVAL
 * Since:   1
 */
COREIO_API int32_t coreio_cpu_features(uint64_t *features);

/* Writes the online CPUs in ascending order and returns how many there are.
 *
 * At most `capacity` are written; a larger return value says how many there would have been. The caches
 * are per instance, as the kernel lists them for that CPU.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EINVAL, -errno of reading /sys
 * Since:   1
 */
COREIO_API int32_t coreio_cpu_topology(struct coreio_cpu_core *cores, int32_t capacity);

/* Writes the CPUs the calling thread may run on in ascending order and returns how many there are.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EINVAL, -errno of sched_getaffinity
 * Since:   1
 */
COREIO_API int32_t coreio_cpu_allowed(int32_t *cpus, int32_t capacity);

/* Pins the calling thread to one CPU and reads back where it runs.
 *
 * Threads: any
 * Blocks:  until the kernel has moved the thread
 * Errors:  -EINVAL, COREIO_ECPU (no such CPU, or not allowed to this process), -errno of sched_setaffinity
 * Since:   1
 */
COREIO_API int32_t coreio_cpu_pin(int32_t cpu, struct coreio_cpu_place *place);

/* Tells where the calling thread runs now.
 *
 * Threads: any
 * Blocks:  no
 * Errors:  -EINVAL, -errno of sched_getaffinity
 * Since:   1
 */
COREIO_API int32_t coreio_cpu_where(struct coreio_cpu_place *place);

#endif
