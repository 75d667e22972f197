// The kernel for NEON: 64 bytes a step in four vectors, two table lookups classify each, set bits become positions.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace CoreIO.Managed.Log;

internal sealed class KernelNeon : Kernel
{
    internal override string Name => "neon";

    internal override bool IsSupported => AdvSimd.Arm64.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal override int Index(ref byte text, int start, int end, ByteClass bytes, ref int positions)
    {
        Vector128<byte> lo = bytes.Lo;
        Vector128<byte> hi = bytes.Hi;
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

    /// <summary>Four vectors of all-ones or all-zero bytes become 64 bits by three pairwise sums of one bit a byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Match64(ref byte place, Vector128<byte> lo, Vector128<byte> hi)
    {
        Vector128<byte> bit = Vector128.Create(0x8040201008040201UL).AsByte();
        Vector128<byte> first = Match(ref place, lo, hi) & bit;
        Vector128<byte> second = Match(ref Unsafe.Add(ref place, 16), lo, hi) & bit;
        Vector128<byte> third = Match(ref Unsafe.Add(ref place, 32), lo, hi) & bit;
        Vector128<byte> fourth = Match(ref Unsafe.Add(ref place, 48), lo, hi) & bit;
        Vector128<byte> sum = AdvSimd.Arm64.AddPairwise(
            AdvSimd.Arm64.AddPairwise(first, second), AdvSimd.Arm64.AddPairwise(third, fourth));
        return AdvSimd.Arm64.AddPairwise(sum, sum).AsUInt64().ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Match(ref byte place, Vector128<byte> lo, Vector128<byte> hi)
    {
        Vector128<byte> bytes = Vector128.LoadUnsafe(ref place);
        Vector128<byte> lower = AdvSimd.Arm64.VectorTableLookup(lo, bytes & Vector128.Create((byte)0x0F));
        Vector128<byte> upper = AdvSimd.Arm64.VectorTableLookup(hi, AdvSimd.ShiftRightLogical(bytes, 4));
        return AdvSimd.CompareTest(lower, upper);
    }
}
