// The kernel for SSE4.2: 64 bytes a step in four vectors, two shuffles classify each, set bits become positions.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoreIO.Managed.Log;

internal sealed class KernelSse42 : Kernel
{
    internal override string Name => "sse42";

    internal override bool IsSupported => Sse42.IsSupported && Popcnt.IsSupported;

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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Match64(ref byte place, Vector128<byte> lo, Vector128<byte> hi) =>
        Match(ref place, lo, hi)
        | (ulong)Match(ref Unsafe.Add(ref place, 16), lo, hi) << 16
        | (ulong)Match(ref Unsafe.Add(ref place, 32), lo, hi) << 32
        | (ulong)Match(ref Unsafe.Add(ref place, 48), lo, hi) << 48;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Match(ref byte place, Vector128<byte> lo, Vector128<byte> hi)
    {
        Vector128<byte> bytes = Vector128.LoadUnsafe(ref place);
        Vector128<byte> half = Vector128.Create((byte)0x0F);
        Vector128<byte> upper = (bytes.AsUInt16() >>> 4).AsByte() & half;
        Vector128<byte> members = Ssse3.Shuffle(lo, bytes & half) & Ssse3.Shuffle(hi, upper);
        return Vector128.Equals(members, Vector128<byte>.Zero).ExtractMostSignificantBits() ^ 0xFFFFu;
    }
}
