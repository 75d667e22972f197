// The text between two variables of a template, and whether it stands at a place.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Managed.Log;

internal readonly struct Literal
{
    internal readonly byte[] Bytes;

    /// <summary>Its first eight bytes, or as many as it has, and which bits of a loaded word they are.</summary>
    internal readonly ulong Word;
    internal readonly ulong Mask;

    internal Literal(byte[] bytes)
    {
        Bytes = bytes;
        Span<byte> word = stackalloc byte[sizeof(ulong)];
        word.Clear();
        int part = Math.Min(word.Length, bytes.Length);
        bytes.AsSpan(0, part).CopyTo(word);
        Word = MemoryMarshal.Read<ulong>(word);
        word[..part].Fill(0xFF);
        Mask = MemoryMarshal.Read<ulong>(word);
    }

    internal int Length => Bytes.Length;

    /// <summary>Whether it stands at a place where eight bytes, and all of it, may be read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool StandsAt(ref byte place) =>
        BeginsAt(ref place)
        && (Bytes.Length <= sizeof(ulong) || MemoryMarshal.CreateReadOnlySpan(ref place, Bytes.Length).SequenceEqual(Bytes));

    /// <summary>Whether as much of it as <see cref="Word"/> has stands at a place where eight bytes may be read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool BeginsAt(ref byte place) => (Unsafe.ReadUnaligned<ulong>(ref place) & Mask) == Word;

    /// <summary>Whether it stands at a place, before an end that is not read past.</summary>
    internal bool StandsIn(ref byte text, int at, int end)
    {
        if (Bytes.Length <= sizeof(ulong) && end - at >= sizeof(ulong))
        {
            return (Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref text, at)) & Mask) == Word;
        }

        return end - at >= Bytes.Length
            && MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref text, at), Bytes.Length).SequenceEqual(Bytes);
    }
}
