/* Which CPUs a thread may run on, pinning it to one, and reading back where it runs.
 *
 * The kernel is the judge: sched_getaffinity(2) already respects the cgroup's cpuset, and a pin is believed
 * only after the thread was seen on the CPU.
 */
#include "cpu/cpu.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* Bits of the masks that are passed to the kernel, which refuses one shorter than its possible CPUs. Linux is
 * built for 8192 at most today; 8 KiB of stack leave room, and no call has to be repeated with a larger mask. */
#define MASK_CPUS 65536
#define MASK_BYTES (MASK_CPUS / 8)

union mask {
    cpu_set_t set;
    uint8_t bytes[MASK_BYTES];
};

static int32_t read_mask(pid_t thread, union mask *mask)
{
    memset(mask, 0, sizeof *mask);
    return sched_getaffinity(thread, sizeof *mask, &mask->set) == -1 ? -errno : 0;
}

int32_t coreio__cpu_allowed_of(int32_t thread, uint8_t allowed[COREIO_CPU_LIMIT])
{
    union mask mask;
    const int32_t status = read_mask(thread, &mask);
    if (status < 0) {
        return status;
    }
    for (size_t cpu = 0; cpu < COREIO_CPU_LIMIT; cpu++) {
        allowed[cpu] = CPU_ISSET_S(cpu, sizeof mask, &mask.set) ? 1 : 0;
    }
    return 0;
}

int32_t coreio__cpu_allowed(int32_t *cpus, int32_t capacity)
{
    union mask mask;
    const int32_t status = read_mask(0, &mask);
    if (status < 0) {
        return status;
    }
    int32_t count = 0;
    for (int32_t cpu = 0; cpu < COREIO_CPU_LIMIT; cpu++) {
        if (CPU_ISSET_S((size_t)cpu, sizeof mask, &mask.set)) {
            if (count < capacity) {
                cpus[count] = cpu;
            }
            count++;
        }
    }
    return count;
}

static int32_t read_place(struct coreio_cpu_place *place)
{
    union mask mask;
    const int32_t status = read_mask(0, &mask);
    if (status < 0) {
        return status;
    }
    unsigned int cpu = 0;
    unsigned int node = 0;
    if (getcpu(&cpu, &node) == -1) {
        return -errno;
    }
    place->thread_id = gettid();
    place->cpu = (int32_t)cpu;
    place->node = (int32_t)node;
    place->pinned = CPU_COUNT_S(sizeof mask, &mask.set) == 1;
    return 0;
}

int32_t coreio__cpu_pin_self(int32_t cpu, struct coreio_cpu_place *place)
{
    if (cpu >= COREIO_CPU_LIMIT) {
        return COREIO_ECPU;
    }
    union mask mask;
    memset(&mask, 0, sizeof mask);
    CPU_SET_S((size_t)cpu, sizeof mask, &mask.set);
    if (sched_setaffinity(0, sizeof mask, &mask.set) == -1) {
        /* EINVAL is how the kernel says that no CPU of the mask exists, is online and is in the cpuset. */
        return errno == EINVAL ? COREIO_ECPU : -errno;
    }
    const int32_t status = read_place(place);
    if (status < 0) {
        return status;
    }
    /* A CPU taken away between the two calls moves the thread elsewhere. */
    return place->cpu == cpu && place->pinned ? COREIO_OK : COREIO_ECPU;
}

int32_t coreio_cpu_allowed(int32_t *cpus, int32_t capacity)
{
    if (capacity < 0 || (cpus == NULL && capacity > 0)) {
        return -EINVAL;
    }
    return coreio__cpu_allowed(cpus, capacity);
}

int32_t coreio_cpu_pin(int32_t cpu, struct coreio_cpu_place *place)
{
    if (cpu < 0 || place == NULL) {
        return -EINVAL;
    }
    return coreio__cpu_pin_self(cpu, place);
}

int32_t coreio_cpu_where(struct coreio_cpu_place *place)
{
    if (place == NULL) {
        return -EINVAL;
    }
    return read_place(place);
}
