/* What the rooms above `cpu` use of it without going through the checks of the public functions. */
#ifndef COREIO_SRC_CPU_H
#define COREIO_SRC_CPU_H

#include <coreio/cpu.h>

/* The COREIO_CPU_ bits of this machine; any thread, cheap after the first call. */
uint64_t coreio__cpu_features(void);

/* The allowed CPUs of the calling thread in ascending order; returns how many there are, or -errno. */
int32_t coreio__cpu_allowed(int32_t *cpus, int32_t capacity);

/* Sets allowed[cpu] to 1 for the CPUs that the thread with this id may run on (0 is the calling thread), else to
 * 0; returns 0 or -errno. */
int32_t coreio__cpu_allowed_of(int32_t thread, uint8_t allowed[COREIO_CPU_LIMIT]);

/* Pins the calling thread, reads back where it runs, and returns 0, COREIO_ECPU or -errno. */
int32_t coreio__cpu_pin_self(int32_t cpu, struct coreio_cpu_place *place);

/* coreio_cpu_topology with the files below `system` in place of /sys/devices/system. */
int32_t coreio__cpu_topology_at(const char *system, struct coreio_cpu_core *cores, int32_t capacity);

#endif
