namespace CoreIO.Cpu;

/// <summary>Instruction sets; the bits of <c>coreio/cpu.h</c>.</summary>
[Flags]
public enum CpuFeatures : ulong
{
    /// <summary>None of the sets below.</summary>
    None = 0,

    /// <summary>x86 SSE2.</summary>
    Sse2 = 1 << 0,

    /// <summary>x86 SSE4.2.</summary>
    Sse42 = 1 << 1,

    /// <summary>x86 carry-less multiplication.</summary>
    Pclmul = 1 << 2,

    /// <summary>x86 AVX2.</summary>
    Avx2 = 1 << 3,

    /// <summary>x86 BMI2.</summary>
    Bmi2 = 1 << 4,

    /// <summary>x86 AVX-512 F, BW, VL.</summary>
    Avx512BW = 1 << 5,

    /// <summary>x86 AVX-512 VBMI2.</summary>
    Avx512Vbmi2 = 1 << 6,

    /// <summary>Arm Advanced SIMD.</summary>
    Neon = 1 << 7,
}
