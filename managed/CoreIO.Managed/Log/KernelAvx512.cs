// The kernel for AVX-512: 64 bytes a step; two shuffles classify them, and one instruction (VBMI2) compresses the positions of the hits,
// which are widened to 32 bits sixteen at a time. What it does with frames is in MarksAvx512.cs and CutAvx512.cs.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoreIO.Managed.Log;

internal sealed class KernelAvx512 : Kernel, IFrameCutter
{
    internal override string Name => "avx512";

    internal override bool IsSupported => Avx512BW.IsSupported && Avx512Vbmi.IsSupported && Avx512Vbmi2.IsSupported && Bmi2.X64.IsSupported;

    public int Mark(Frame frame, ref byte text, int length, ref ushort positions, ref byte values) =>
        MarksAvx512.Write(frame, ref text, length, ref positions, ref values);

    public int Cut(Frame frame, ref byte text, ref Window window, ref Slice fields, int limit, int width, ref Line lines, int capacity) =>
        CutAvx512.Run(frame, ref text, ref window, ref fields, limit, width, ref lines, capacity);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal override int Index(ref byte text, int start, int end, ByteClass bytes, ref int positions)
    {
        Vector256<byte> halfLo = Vector256.Create(bytes.Lo, bytes.Lo);
        Vector256<byte> halfHi = Vector256.Create(bytes.Hi, bytes.Hi);
        Vector512<byte> lo = Vector512.Create(halfLo, halfLo);
        Vector512<byte> hi = Vector512.Create(halfHi, halfHi);
        Vector512<byte> numbers = Vector512<byte>.Indices;
        int count = 0;
        int i = start;
        for (; end - i >= 64; i += 64)
        {
            count = Write(ref positions, count, i, Match(Vector512.LoadUnsafe(ref Unsafe.Add(ref text, i)), lo, hi), numbers);
        }

        if (i < end)
        {
            // The last bytes go through a copy, as no read may pass the end; a zero byte may belong to a class.
            int rest = end - i;
            Span<byte> copy = stackalloc byte[64];
            copy.Clear();
            MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref text, i), rest).CopyTo(copy);
            Vector512<byte> inside = Vector512.LessThan(numbers, Vector512.Create((byte)rest));
            Vector512<byte> found = Match(Vector512.LoadUnsafe(ref MemoryMarshal.GetReference(copy)), lo, hi) & inside;
            count = Write(ref positions, count, i, found, numbers);
        }

        return count;
    }

    /// <summary>All ones where a byte belongs to the class; the JIT keeps this in a mask register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Match(Vector512<byte> bytes, Vector512<byte> lo, Vector512<byte> hi)
    {
        Vector512<byte> half = Vector512.Create((byte)0x0F);
        Vector512<byte> upper = (bytes.AsUInt16() >>> 4).AsByte() & half;
        Vector512<byte> members = Avx512BW.Shuffle(lo, bytes & half) & Avx512BW.Shuffle(hi, upper);
        return ~Vector512.Equals(members, Vector512<byte>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Write(ref int positions, int count, int at, Vector512<byte> found, Vector512<byte> numbers)
    {
        int hits = BitOperations.PopCount(found.ExtractMostSignificantBits());
        Vector512<byte> compressed = Avx512Vbmi2.Compress(Vector512<byte>.Zero, found, numbers);
        Vector512<int> start = Vector512.Create(at);
        ref int to = ref Unsafe.Add(ref positions, count);
        Widen(ref to, compressed.GetLower().GetLower(), start);
        if (hits > 16)
        {
            Widen(ref Unsafe.Add(ref to, 16), compressed.GetLower().GetUpper(), start);
            if (hits > 32)
            {
                Widen(ref Unsafe.Add(ref to, 32), compressed.GetUpper().GetLower(), start);
                Widen(ref Unsafe.Add(ref to, 48), compressed.GetUpper().GetUpper(), start);
            }
        }

        return count + hits;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Widen(ref int to, Vector128<byte> numbers, Vector512<int> start) =>
        (Avx512F.ConvertToVector512Int32(numbers) + start).StoreUnsafe(ref to);
}
