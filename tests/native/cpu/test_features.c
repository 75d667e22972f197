/* The features agree with the compiler's own detection, which reads the same CPU by other code. */
#include "check.h"

#include "cpu/cpu.h"

#include <errno.h>

TEST(features_need_a_place_to_go)
{
    CHECK_EQ(coreio_cpu_features(NULL), -EINVAL);
}

TEST(features_are_the_same_each_time)
{
    uint64_t first = 0;
    uint64_t second = 0;
    CHECK_EQ(coreio_cpu_features(&first), COREIO_OK);
    CHECK_EQ(coreio_cpu_features(&second), COREIO_OK);
    CHECK_EQ(first, second);
    CHECK_EQ(first, coreio__cpu_features());
    CHECK_EQ(first >> 8, 0);
}

#if defined(__x86_64__)

static void check_feature(const char *name, uint64_t bit, int expected)
{
    check_context("%s", name);
    CHECK_EQ((coreio__cpu_features() & bit) != 0, expected != 0);
    check_context(NULL);
}

TEST(features_are_those_the_compiler_finds)
{
    __builtin_cpu_init();
    check_feature("sse2", COREIO_CPU_SSE2, __builtin_cpu_supports("sse2"));
    check_feature("sse4.2", COREIO_CPU_SSE42, __builtin_cpu_supports("sse4.2"));
    check_feature("pclmul", COREIO_CPU_PCLMUL, __builtin_cpu_supports("pclmul"));
    check_feature("avx2", COREIO_CPU_AVX2, __builtin_cpu_supports("avx2"));
    check_feature("bmi2", COREIO_CPU_BMI2, __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"));
    check_feature("avx512bw", COREIO_CPU_AVX512BW,
        __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"));
    check_feature("avx512vbmi2", COREIO_CPU_AVX512VBMI2,
        __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512bw"));
    check_feature("neon", COREIO_CPU_NEON, 0);
}

#else

TEST(features_of_aarch64_are_neon_alone)
{
    CHECK_EQ(coreio__cpu_features(), COREIO_CPU_NEON);
}

#endif
