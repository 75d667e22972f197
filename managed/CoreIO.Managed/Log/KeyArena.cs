// The bytes of keys, in chunks, so that growing never copies them. A key is its length, then its parts: each a length of four bytes, or
// null, and its bytes.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Managed.Log;

internal sealed class KeyArena
{
    /// <summary>The length that marks a null part.</summary>
    internal const uint Null = uint.MaxValue;

    private const int FirstChunk = 4 << 10;
    private const int LargestChunk = 1 << 20;

    private byte[][] _chunks = [];
    private int _count;
    private int _used;

    /// <summary>Bytes of all keys, without their lengths.</summary>
    internal long Bytes { get; private set; }

    /// <summary>The key at a place, which is its chunk in the upper half and its offset there in the lower.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref byte At(long place) =>
        ref Unsafe.Add(
            ref MemoryMarshal.GetArrayDataReference(Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_chunks), (int)(place >> 32))),
            (int)place);

    internal ReadOnlySpan<byte> Of(long place)
    {
        ReadOnlySpan<byte> chunk = _chunks[place >> 32].AsSpan((int)place - sizeof(int));
        return chunk.Slice(sizeof(int), MemoryMarshal.Read<int>(chunk));
    }

    /// <summary>Copies a key of another arena; returns its place.</summary>
    internal long Add(ReadOnlySpan<byte> key)
    {
        key.CopyTo(Room(key.Length, out long place));
        return place;
    }

    /// <summary>Writes the key that texts make; returns its place.</summary>
    /// <param name="text">The byte that slices count from.</param>
    /// <param name="texts">The line's place in the first column of texts.</param>
    /// <param name="columns">Where the columns of the parts begin.</param>
    internal long Add(ref byte text, ref Slice texts, int[] columns)
    {
        int length = 0;
        foreach (int column in columns)
        {
            length = checked(length + sizeof(uint) + Math.Max(Unsafe.Add(ref texts, column).Length, 0));
        }

        Span<byte> to = Room(length, out long place);
        foreach (int column in columns)
        {
            Slice slice = Unsafe.Add(ref texts, column);
            MemoryMarshal.Write(to, slice.IsNull ? Null : (uint)slice.Length);
            to = to[sizeof(uint)..];
            if (!slice.IsNull)
            {
                Texts.Of(ref text, slice).CopyTo(to);
                to = to[slice.Length..];
            }
        }

        return place;
    }

    /// <summary>Whether a text is the part of a key that begins at <paramref name="part"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsPart(ref byte part, ref byte text, Slice slice, out int length)
    {
        // The length of a null slice is -1, which is the mark of null.
        length = sizeof(uint) + Math.Max(slice.Length, 0);
        return Unsafe.ReadUnaligned<uint>(ref part) == (uint)slice.Length
            && (slice.Length <= 0
                || Texts.Same(ref Unsafe.Add(ref text, slice.Start), ref Unsafe.Add(ref part, sizeof(uint)), slice.Length));
    }

    private Span<byte> Room(int length, out long place)
    {
        int size = checked(sizeof(int) + length);
        if (_count == 0 || _chunks[_count - 1].Length - _used < size)
        {
            if (_count == _chunks.Length)
            {
                Array.Resize(ref _chunks, Math.Max(4, _count * 2));
            }

            int least = (int)Math.Min(LargestChunk, (long)FirstChunk << Math.Min(_count, 8));
            _chunks[_count++] = new byte[Math.Max(least, size)];
            _used = 0;
        }

        Span<byte> room = _chunks[_count - 1].AsSpan(_used, size);
        MemoryMarshal.Write(room, length);
        place = (long)(_count - 1) << 32 | (uint)(_used + sizeof(int));
        _used += size;
        Bytes += length;
        return room[sizeof(int)..];
    }
}
