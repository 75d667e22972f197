// The hash of keys and of distinct texts; bit for bit that of native/src/log/hash.h.
//
// It is a part of the answer: distinct counts and the choice of groups beyond the limit depend on it. The construction is the 64x64 to 128
// bit multiply-and-fold of wyhash (Wang Yi, public domain). No read passes the text.
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace CoreIO.Managed.Log;

internal static class Hash
{
    private const ulong K0 = 0x9E3779B97F4A7C15;
    private const ulong K1 = 0xBF58476D1CE4E5B9;
    private const ulong K2 = 0x94D049BB133111EB;
    private const ulong K3 = 0xD6E8FEB86659FD93;

    /// <summary>The hash of <paramref name="length"/> bytes; <paramref name="seed"/> is the hash of what comes before them, or 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Of(ref byte text, int length, ulong seed)
    {
        ulong a;
        ulong b;
        seed ^= K0;
        if (length <= 16)
        {
            if (length >= 4)
            {
                int middle = (length >> 3) << 2;
                a = Load32(ref text) << 32 | Load32(ref Unsafe.Add(ref text, middle));
                b = Load32(ref Unsafe.Add(ref text, length - 4)) << 32 | Load32(ref Unsafe.Add(ref text, length - 4 - middle));
            }
            else if (length > 0)
            {
                a = (ulong)text << 16 | (ulong)Unsafe.Add(ref text, length >> 1) << 8 | Unsafe.Add(ref text, length - 1);
                b = 0;
            }
            else
            {
                a = 0;
                b = 0;
            }

            return Fold(K2 ^ (ulong)length, Fold(a ^ K1, b ^ seed));
        }

        return OfLong(ref text, length, seed);
    }

    /// <summary>The hash of a null part of a key.</summary>
    internal static ulong OfNull(ulong seed) => Fold(seed ^ K2, K0);

    /// <summary>Whether a text has one to eight bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsShort(Slice text) => (uint)(text.Length - 1) < sizeof(ulong);

    /// <summary>The bytes of a text of one to eight, which with its length say which it is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong ShortWord(ref byte text, Slice slice)
    {
        ref byte first = ref Unsafe.Add(ref text, slice.Start);
        int length = slice.Length;
        return length >= 4
            ? Load32(ref first) << 32 | Load32(ref Unsafe.Add(ref first, length - 4))
            : (ulong)first << 16 | (ulong)Unsafe.Add(ref first, length >> 1) << 8 | Unsafe.Add(ref first, length - 1);
    }

    /// <summary>A quick hash of two words, in its upper bits; no part of an answer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong OfWords(ulong first, ulong second) => (first * K0) + (second * K1);

    // More than 16 bytes: up to four lanes of 16 bytes that do not wait for each other; the last ones overlap what was read before.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ulong OfLong(ref byte text, int length, ulong seed)
    {
        ref byte end = ref Unsafe.Add(ref text, length);
        ulong a = seed;
        ulong b = seed;
        ulong c = 0;
        ulong d = 0;
        if (length <= 32)
        {
            a = Lane(ref text, K1, a);
            b = Lane(ref Unsafe.Subtract(ref end, 16), K2, b);
        }
        else
        {
            c = seed;
            d = seed;
            for (int rest = length; rest > 64; rest -= 64)
            {
                a = Lane(ref text, K1, a);
                b = Lane(ref Unsafe.Add(ref text, 16), K2, b);
                c = Lane(ref Unsafe.Add(ref text, 32), K0, c);
                d = Lane(ref Unsafe.Add(ref text, 48), K3, d);
                text = ref Unsafe.Add(ref text, 64);
            }

            // The last 64 bytes, or both halves of fewer.
            ref byte last = ref length > 64 ? ref Unsafe.Subtract(ref end, 64) : ref text;
            a = Lane(ref last, K1, a);
            b = Lane(ref Unsafe.Add(ref last, 16), K2, b);
            c = Lane(ref Unsafe.Subtract(ref end, 32), K0, c);
            d = Lane(ref Unsafe.Subtract(ref end, 16), K3, d);
        }

        return Fold(K2 ^ (ulong)length, Fold(a ^ c ^ K1, b ^ d ^ K0));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Lane(ref byte text, ulong key, ulong lane) =>
        Fold(Load64(ref text) ^ key, Load64(ref Unsafe.Add(ref text, 8)) ^ lane);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return low ^ high;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Load64(ref byte text)
    {
        ulong word = Unsafe.ReadUnaligned<ulong>(ref text);
        return BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Load32(ref byte text)
    {
        uint word = Unsafe.ReadUnaligned<uint>(ref text);
        return BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
    }
}
