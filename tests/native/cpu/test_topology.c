/* The topology of this machine, and of machines made of files. */
#include "check.h"

#include "cpu/cpu.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void put(const char *system, const char *name, const char *text)
{
    (void)check_write(system, name, text, (int64_t)strlen(text));
}

/* Two packages of two hardware threads, a node each, CPU 2 offline; L2 a core, L3 a package. */
static const char *two_packages(void)
{
    static const int32_t online[] = {0, 1, 3, 4};
    const char *system = check_directory();
    put(system, "cpu/online", "0-1,3-4\n");
    put(system, "node/online", "0-1\n");
    put(system, "node/node0/cpulist", "0-1\n");
    put(system, "node/node1/cpulist", "2-4\n");
    for (size_t i = 0; i < sizeof online / sizeof online[0]; i++) {
        const int32_t cpu = online[i];
        const char *names[] = {"topology/core_id", "topology/physical_package_id", "cpufreq/cpuinfo_max_freq",
            "cache/index0/level", "cache/index0/type", "cache/index0/size", "cache/index1/level", "cache/index1/type",
            "cache/index1/size", "cache/index2/level", "cache/index2/type", "cache/index2/size", "cache/index3/level",
            "cache/index3/type", "cache/index3/size"};
        const char *texts[] = {"7\n", cpu < 2 ? "0\n" : "1\n", "3600000\n", "1\n", "Data\n", "32K\n", "2\n",
            "Instruction\n", "999K\n", "2\n", "Unified\n", "1024K\n", "3\n", "Unified\n", "16384K\n"};
        for (size_t name = 0; name < sizeof names / sizeof names[0]; name++) {
            char path[128];
            snprintf(path, sizeof path, "cpu/cpu%d/%s", cpu, names[name]);
            put(system, path, texts[name]);
        }
    }
    return system;
}

TEST(arguments_are_checked)
{
    struct coreio_cpu_core core;
    CHECK_EQ(coreio_cpu_topology(NULL, 1), -EINVAL);
    CHECK_EQ(coreio_cpu_topology(&core, -1), -EINVAL);
}

TEST(this_machine_has_its_online_cpus)
{
    static struct coreio_cpu_core cores[COREIO_CPU_LIMIT];
    const int32_t count = coreio_cpu_topology(cores, COREIO_CPU_LIMIT);
    REQUIRE(count > 0);
    CHECK_EQ(count, sysconf(_SC_NPROCESSORS_ONLN));
    CHECK_EQ(coreio_cpu_topology(NULL, 0), count);

    static int32_t allowed[COREIO_CPU_LIMIT];
    const int32_t allowed_count = coreio_cpu_allowed(allowed, COREIO_CPU_LIMIT);
    int32_t found = 0;
    for (int32_t i = 0; i < count; i++) {
        CHECK(i == 0 || cores[i].cpu > cores[i - 1].cpu);
        CHECK(cores[i].core >= -1);
        CHECK(cores[i].package >= -1);
        found += cores[i].allowed;
    }
    CHECK_EQ(found, allowed_count);
}

TEST(every_number_is_read)
{
    struct coreio_cpu_core cores[8];
    REQUIRE(coreio__cpu_topology_at(two_packages(), cores, 8) == 4);
    static const int32_t cpus[] = {0, 1, 3, 4};
    for (int32_t i = 0; i < 4; i++) {
        check_context("core %d", i);
        CHECK_EQ(cores[i].cpu, cpus[i]);
        CHECK_EQ(cores[i].core, 7);
        CHECK_EQ(cores[i].package, i / 2);
        CHECK_EQ(cores[i].node, i / 2);
        CHECK_EQ(cores[i].max_mhz, 3600);
        CHECK_EQ(cores[i].l2_kib, 1024);
        CHECK_EQ(cores[i].l3_kib, 16384);
    }
}

TEST(a_small_buffer_gets_the_first_ones_and_the_count)
{
    struct coreio_cpu_core cores[3];
    memset(cores, 0x55, sizeof cores);
    CHECK_EQ(coreio__cpu_topology_at(two_packages(), cores, 2), 4);
    CHECK_EQ(cores[1].cpu, 1);
    CHECK_EQ(cores[1].node, 0);
    CHECK_EQ(cores[2].cpu, 0x55555555);
}

TEST(what_the_kernel_does_not_tell_is_minus_one)
{
    struct coreio_cpu_core core;
    const char *system = check_directory();
    put(system, "cpu/online", "0\n");
    REQUIRE(coreio__cpu_topology_at(system, &core, 1) == 1);
    CHECK_EQ(core.cpu, 0);
    CHECK_EQ(core.core, -1);
    CHECK_EQ(core.package, -1);
    CHECK_EQ(core.node, -1);
    CHECK_EQ(core.max_mhz, -1);
    CHECK_EQ(core.l2_kib, -1);
    CHECK_EQ(core.l3_kib, -1);
}

TEST(cpus_beyond_the_limit_are_left_out)
{
    static struct coreio_cpu_core cores[COREIO_CPU_LIMIT];
    const char *system = check_directory();
    put(system, "cpu/online", "4094-5000\n");
    REQUIRE(coreio__cpu_topology_at(system, cores, COREIO_CPU_LIMIT) == 2);
    CHECK_EQ(cores[1].cpu, COREIO_CPU_LIMIT - 1);
}

TEST(a_list_that_is_none_is_empty)
{
    struct coreio_cpu_core core;
    const char *system = check_directory();
    static const char *const lists[] = {"", "\n", "x", "-3", ",", "5-", "5-3", "99999999999"};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        check_context("list '%s'", lists[i]);
        put(system, "cpu/online", lists[i]);
        CHECK_EQ(coreio__cpu_topology_at(system, &core, 1), 0);
    }
}

TEST(without_sys_the_error_is_the_kernels)
{
    struct coreio_cpu_core core;
    CHECK_EQ(coreio__cpu_topology_at("/nonexistent", &core, 1), -ENOENT);
}
