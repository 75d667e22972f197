// The kernel for AVX2: 64 bytes a step, two shuffles classify 32 bytes at once, set bits become positions.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoreIO.Managed.Log;

internal sealed class KernelAvx2 : Kernel
{
    internal override string Name => "avx2";

    internal override bool IsSupported => Avx2.IsSupported && Bmi1.X64.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal override int Index(ref byte text, int start, int end, ByteClass bytes, ref int positions)
    {
        Vector256<byte> lo = Vector256.Create(bytes.Lo, bytes.Lo);
        Vector256<byte> hi = Vector256.Create(bytes.Hi, bytes.Hi);
        int count = 0;
        int i = start;
        for (; end - i >= 64; i += 64)
        {
            count = PositionWriter.Write(ref positions, count, i, Match64(ref Unsafe.Add(ref text, i), lo, hi));
        }

        if (i < end)
        {
            // The last bytes go through a copy, as no read may pass the end.
            int rest = end - i;
            Span<byte> copy = stackalloc byte[64];
            copy.Clear();
            MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref text, i), rest).CopyTo(copy);
            ulong mask = Match64(ref MemoryMarshal.GetReference(copy), lo, hi) & ((1UL << rest) - 1);
            count = PositionWriter.Write(ref positions, count, i, mask);
        }

        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Match64(ref byte place, Vector256<byte> lo, Vector256<byte> hi) =>
        Match(Vector256.LoadUnsafe(ref place), lo, hi)
        | (ulong)Match(Vector256.LoadUnsafe(ref Unsafe.Add(ref place, 32)), lo, hi) << 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Match(Vector256<byte> bytes, Vector256<byte> lo, Vector256<byte> hi)
    {
        Vector256<byte> half = Vector256.Create((byte)0x0F);
        Vector256<byte> upper = (bytes.AsUInt16() >>> 4).AsByte() & half;
        Vector256<byte> members = Avx2.Shuffle(lo, bytes & half) & Avx2.Shuffle(hi, upper);
        return ~Vector256.Equals(members, Vector256<byte>.Zero).ExtractMostSignificantBits();
    }
}
