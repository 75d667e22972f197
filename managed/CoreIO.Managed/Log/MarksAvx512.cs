// The marks of a text by AVX-512: 64 bytes a step, whose marks one instruction (VBMI2) compresses.
//
// Bit i of a mask stands for byte i. A step with a backslash or a newline inside quotes is rare, and leaves the quick loop (Quotes.cs).
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoreIO.Managed.Log;

internal static class MarksAvx512
{
    private const int Step = 64;

    /// <summary>See <see cref="IFrameCutter.Mark"/>.</summary>
    internal static int Write(Frame frame, ref byte text, int length, ref ushort positions, ref byte values)
    {
        Progress progress = default;
        while (length - progress.At >= Step)
        {
            WriteQuickly(frame.Only, ref text, length, ref positions, ref values, ref progress);
            while (length - progress.At >= Step)
            {
                WriteStep(frame.Only, Vector512.LoadUnsafe(ref Unsafe.Add(ref text, progress.At)), ref positions, ref values, ref progress);
                if (!progress.Quotes.Escapes)
                {
                    break;
                }
            }
        }

        int rest = length - progress.At;
        if (rest > 0)
        {
            // The last bytes go through a copy, as no read may pass the end. A zero is never a mark.
            Span<byte> copy = stackalloc byte[Step];
            copy.Clear();
            MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref text, progress.At), rest).CopyTo(copy);
            WriteStep(frame.Only, Vector512.Create<byte>(copy), ref positions, ref values, ref progress);
        }

        return progress.Count;
    }

    /// <summary>Up to the first step that has a backslash, or a newline inside quotes. Nothing is called here, so that all stays in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WriteQuickly(
        Vector128<byte> only, ref byte text, int length, ref ushort positions, ref byte values, ref Progress progress)
    {
        Vector256<byte> twice = Vector256.Create(only, only);
        Vector512<byte> members = Vector512.Create(twice, twice);
        ulong inside = progress.Quotes.Inside;
        int count = progress.Count;
        int at = progress.At;
        for (; length - at >= Step; at += Step)
        {
            Vector512<byte> block = Vector512.LoadUnsafe(ref Unsafe.Add(ref text, at));
            ulong quotes = Equal(block, (byte)'"');

            ulong within = Quotes.PrefixXor(quotes) ^ inside;
            ulong newlines = Equal(block, (byte)'\n');
            if ((within & newlines) != 0 || Vector512.EqualsAny(block, Vector512.Create((byte)'\\')))
            {
                break;
            }

            inside = 0 - (within >> 63);
            ulong hits = Vector512.Equals(Avx512BW.Shuffle(members, block), block).ExtractMostSignificantBits();
            ulong marks = (hits & ~within) | quotes | newlines;
            WriteBlock(block, marks, at, ref Unsafe.Add(ref positions, count), ref Unsafe.Add(ref values, count));
            count += BitOperations.PopCount(marks);
        }

        progress.Quotes.Inside = inside;
        progress.Count = count;
        progress.At = at;
    }

    /// <summary>One step, whatever it has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WriteStep(Vector128<byte> only, Vector512<byte> block, ref ushort positions, ref byte values, ref Progress progress)
    {
        Vector256<byte> twice = Vector256.Create(only, only);
        ulong hits = Vector512.Equals(Avx512BW.Shuffle(Vector512.Create(twice, twice), block), block).ExtractMostSignificantBits();
        ulong marks = progress.Quotes.Mark(Equal(block, (byte)'"'), Equal(block, (byte)'\\'), Equal(block, (byte)'\n'), hits);
        ref byte value = ref Unsafe.Add(ref values, progress.Count);
        WriteBlock(block, marks, progress.At, ref Unsafe.Add(ref positions, progress.Count), ref value);
        progress.Count += BitOperations.PopCount(marks);
        progress.At += Step;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Equal(Vector512<byte> block, byte wanted) =>
        Vector512.Equals(block, Vector512.Create(wanted)).ExtractMostSignificantBits();

    /// <summary>Writes position and byte of each bit, and what is behind them up to 64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteBlock(Vector512<byte> block, ulong marks, int at, ref ushort positions, ref byte values)
    {
        Vector512<byte> hits = Avx512Vbmi2.Compress(Vector512<byte>.Zero, Spread(marks), Vector512<byte>.Indices);
        Vector512<byte> found = Avx512Vbmi.PermuteVar64x8(block, hits);
        Vector512<ushort> start = Vector512.Create((ushort)at);
        if (BitOperations.PopCount(marks) <= 16)
        {
            // Nearly always; and what is stored goes over the end of a cache line more seldom.
            found.GetLower().GetLower().StoreUnsafe(ref values);
            (Avx2.ConvertToVector256Int16(hits.GetLower().GetLower()).AsUInt16() + start.GetLower()).StoreUnsafe(ref positions);
            return;
        }

        found.StoreUnsafe(ref values);
        (Avx512BW.ConvertToVector512UInt16(hits.GetLower()) + start).StoreUnsafe(ref positions);
        (Avx512BW.ConvertToVector512UInt16(hits.GetUpper()) + start).StoreUnsafe(ref positions, 32);
    }

    /// <summary>All ones where a bit is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> Spread(ulong bits)
    {
        // Each sixteen bytes get the two bytes of their bits, eight times each.
        Vector512<byte> places = Vector512.Create(
            0x0000000000000000UL, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303,
            0x0404040404040404, 0x0505050505050505, 0x0606060606060606, 0x0707070707070707).AsByte();
        Vector512<byte> bit = Vector512.Create(0x8040201008040201UL).AsByte();
        return ~Vector512.Equals(Avx512BW.Shuffle(Vector512.Create(bits).AsByte(), places) & bit, Vector512<byte>.Zero);
    }

    /// <summary>How far a text is marked, and what carries over.</summary>
    private struct Progress
    {
        internal Quotes Quotes;
        internal int At;
        internal int Count;
    }
}
