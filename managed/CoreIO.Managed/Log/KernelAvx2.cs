// The kernel for AVX2: 64 bytes a step, two shuffles classify 32 bytes at once, set bits become positions.
//
// Positions are written eight at a time and the count moves by the true number, so the loop has one hard branch for each 64 bytes.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoreIO.Managed.Log;

internal sealed class KernelAvx2 : Kernel
{
    internal override string Name => "avx2";

    internal override bool IsSupported => Avx2.IsSupported && Bmi1.X64.IsSupported;

    internal override int Index(
        ref byte text, int start, int end, ByteClass bytes, ref int positions, ref int lines, out int lineCount)
    {
        Vector256<byte> lo = Vector256.Create(bytes.Lo, bytes.Lo);
        Vector256<byte> hi = Vector256.Create(bytes.Hi, bytes.Hi);
        int count = 0;
        int newlines = 0;
        int i = start;
        for (; end - i >= 64; i += 64)
        {
            Vector256<byte> first = Vector256.LoadUnsafe(ref Unsafe.Add(ref text, i));
            Vector256<byte> second = Vector256.LoadUnsafe(ref Unsafe.Add(ref text, i + 32));
            ulong mask = Classify(first, second, lo, hi);
            ulong ends = Newlines(first, second);
            count = Emit(i, mask, ends, count, ref positions, ref lines, ref newlines);
        }

        if (i < end)
        {
            // The last bytes go through a copy, as no read may pass the end.
            int rest = end - i;
            Span<byte> copy = stackalloc byte[64];
            copy.Clear();
            MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref text, i), rest).CopyTo(copy);
            Vector256<byte> first = Vector256.Create<byte>(copy);
            Vector256<byte> second = Vector256.Create<byte>(copy[32..]);
            ulong valid = (1UL << rest) - 1;
            ulong mask = Classify(first, second, lo, hi) & valid;
            ulong ends = Newlines(first, second) & valid;
            count = Emit(i, mask, ends, count, ref positions, ref lines, ref newlines);
        }

        lineCount = newlines;
        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Classify(Vector256<byte> first, Vector256<byte> second, Vector256<byte> lo, Vector256<byte> hi)
    {
        uint low = ~Vector256.Equals(Members(first, lo, hi), Vector256<byte>.Zero).ExtractMostSignificantBits();
        uint high = ~Vector256.Equals(Members(second, lo, hi), Vector256<byte>.Zero).ExtractMostSignificantBits();
        return low | (ulong)high << 32;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Members(Vector256<byte> bytes, Vector256<byte> lo, Vector256<byte> hi)
    {
        Vector256<byte> half = Vector256.Create((byte)0x0F);
        Vector256<byte> upper = (bytes.AsUInt16() >>> 4).AsByte() & half;
        return Avx2.Shuffle(lo, bytes & half) & Avx2.Shuffle(hi, upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Newlines(Vector256<byte> first, Vector256<byte> second)
    {
        Vector256<byte> newline = Vector256.Create((byte)'\n');
        return Vector256.Equals(first, newline).ExtractMostSignificantBits()
            | (ulong)Vector256.Equals(second, newline).ExtractMostSignificantBits() << 32;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Emit(int at, ulong mask, ulong ends, int count, ref int positions, ref int lines, ref int newlines)
    {
        while (ends != 0)
        {
            Unsafe.Add(ref lines, newlines++) = count + BitOperations.PopCount(mask & ((ends & (0 - ends)) - 1));
            ends = Bmi1.X64.ResetLowestSetBit(ends);
        }

        int next = count + BitOperations.PopCount(mask);
        while (count < next)
        {
            ref int to = ref Unsafe.Add(ref positions, count);
            for (int k = 0; k < 8; k++)
            {
                Unsafe.Add(ref to, k) = at + (int)Bmi1.X64.TrailingZeroCount(mask);
                mask = Bmi1.X64.ResetLowestSetBit(mask);
            }

            count += 8;
        }

        return next;
    }
}
