/* The online CPUs with their cores, packages, nodes and caches, from /sys/devices/system.
 *
 * Only the list of online CPUs must be there; each other file may be missing (a container, a virtual machine
 * without frequency scaling, a kernel without NUMA), and its number is then -1.
 */
#include "base/base.h"
#include "cpu/cpu.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* Enough for a list of COREIO_CPU_LIMIT single numbers of four digits with their commas. */
#define LIST_BYTES 24576

/* A walk over the numbers of a list as the kernel writes it: 0-3,8,10-11. */
struct list_walk {
    const char *at;
    int32_t next;
    int32_t last; /* of the range being walked; below next when a new range begins */
};

/* Returns the next number of the list below COREIO_CPU_LIMIT, or -1 at its end. */
static int32_t next_of_list(struct list_walk *walk)
{
    if (walk->next > walk->last) {
        if (*walk->at == ',') {
            walk->at++;
        }
        walk->next = coreio__parse_number(&walk->at);
        walk->last = walk->next;
        if (walk->next >= 0 && *walk->at == '-') {
            walk->at++;
            walk->last = coreio__parse_number(&walk->at);
        }
    }
    if (walk->next < 0 || walk->next > walk->last || walk->next >= COREIO_CPU_LIMIT) {
        return -1;
    }
    return walk->next++;
}

static struct list_walk walk_list(const char *text)
{
    const struct list_walk walk = {.at = text, .next = 0, .last = -1};
    return walk;
}

static void cpu_path(struct coreio__path *path, const char *system, int32_t cpu, const char *file)
{
    coreio__path_start(path, system);
    coreio__path_add(path, "/cpu/cpu");
    coreio__path_add_number(path, cpu);
    coreio__path_add(path, file);
}

static int32_t cpu_number(const char *system, int32_t cpu, const char *file)
{
    struct coreio__path path;
    cpu_path(&path, system, cpu, file);
    return coreio__read_number(path.text);
}

/* Fills l2_kib and l3_kib from cache/index0 and on; the kernel numbers them without gaps. */
static void read_caches(const char *system, struct coreio_cpu_core *core)
{
    for (int32_t index = 0;; index++) {
        struct coreio__path folder;
        cpu_path(&folder, system, core->cpu, "/cache/index");
        coreio__path_add_number(&folder, index);

        struct coreio__path path = folder;
        coreio__path_add(&path, "/level");
        const int32_t level = coreio__read_number(path.text);
        if (level < 0) {
            return;
        }
        if (level != 2 && level != 3) {
            continue;
        }

        char text[32];
        path = folder;
        coreio__path_add(&path, "/type");
        if (coreio__read_text(path.text, text, (int32_t)sizeof text) > 0 && text[0] == 'I') {
            continue;
        }
        /* The kernel writes the size in KiB, followed by a K. */
        path = folder;
        coreio__path_add(&path, "/size");
        const int32_t kib = coreio__read_number(path.text);
        if (level == 2) {
            core->l2_kib = kib;
        } else {
            core->l3_kib = kib;
        }
    }
}

/* Sets `node` of those of the `count` cores that the nodes list; the cores are ascending. */
static void read_nodes(const char *system, struct coreio_cpu_core *cores, int32_t count)
{
    char nodes[4096];
    char text[LIST_BYTES];
    struct coreio__path path;
    coreio__path_start(&path, system);
    coreio__path_add(&path, "/node/online");
    if (coreio__read_text(path.text, nodes, (int32_t)sizeof nodes) < 0) {
        return;
    }
    struct list_walk node_walk = walk_list(nodes);
    for (int32_t node = next_of_list(&node_walk); node >= 0; node = next_of_list(&node_walk)) {
        coreio__path_start(&path, system);
        coreio__path_add(&path, "/node/node");
        coreio__path_add_number(&path, node);
        coreio__path_add(&path, "/cpulist");
        if (coreio__read_text(path.text, text, (int32_t)sizeof text) < 0) {
            continue;
        }
        int32_t at = 0;
        struct list_walk walk = walk_list(text);
        for (int32_t cpu = next_of_list(&walk); cpu >= 0; cpu = next_of_list(&walk)) {
            while (at < count && cores[at].cpu < cpu) {
                at++;
            }
            if (at < count && cores[at].cpu == cpu) {
                cores[at].node = node;
            }
        }
    }
}

int32_t coreio__cpu_topology_at(const char *system, struct coreio_cpu_core *cores, int32_t capacity)
{
    char online[LIST_BYTES];
    struct coreio__path path;
    coreio__path_start(&path, system);
    coreio__path_add(&path, "/cpu/online");
    const int32_t length = coreio__read_text(path.text, online, (int32_t)sizeof online);
    if (length < 0) {
        return length;
    }

    int32_t count = 0;
    struct list_walk walk = walk_list(online);
    for (int32_t cpu = next_of_list(&walk); cpu >= 0; cpu = next_of_list(&walk)) {
        if (count < capacity) {
            struct coreio_cpu_core *core = &cores[count];
            core->cpu = cpu;
            core->core = cpu_number(system, cpu, "/topology/core_id");
            core->package = cpu_number(system, cpu, "/topology/physical_package_id");
            core->node = -1;
            core->allowed = 0;
            const int32_t max_khz = cpu_number(system, cpu, "/cpufreq/cpuinfo_max_freq");
            core->max_mhz = max_khz < 0 ? -1 : max_khz / 1000;
            core->l2_kib = -1;
            core->l3_kib = -1;
            read_caches(system, core);
        }
        count++;
    }
    const int32_t written = count < capacity ? count : capacity;
    read_nodes(system, cores, written);

    /* The process's own mask is that of its first thread: a worker pinned by this library asks here, too. */
    uint8_t allowed[COREIO_CPU_LIMIT];
    const int32_t status = coreio__cpu_allowed_of(getpid(), allowed);
    if (status < 0) {
        return status;
    }
    for (int32_t i = 0; i < written; i++) {
        cores[i].allowed = allowed[cores[i].cpu];
    }
    return count;
}

int32_t coreio_cpu_topology(struct coreio_cpu_core *cores, int32_t capacity)
{
    if (capacity < 0 || (cores == NULL && capacity > 0)) {
        return -EINVAL;
    }
    return coreio__cpu_topology_at("/sys/devices/system", cores, capacity);
}
