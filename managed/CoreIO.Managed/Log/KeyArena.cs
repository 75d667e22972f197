// The bytes of keys, in chunks, so that growing never copies them. A key is its parts: each a length of four bytes, or null, and its bytes.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Managed.Log;

/// <summary>Where a key is.</summary>
internal struct KeyPlace
{
    internal byte[] Chunk;
    internal int Offset;
    internal int Length;

    internal readonly ReadOnlySpan<byte> Bytes => Chunk.AsSpan(Offset, Length);
}

internal sealed class KeyArena
{
    /// <summary>The length that marks a null part.</summary>
    internal const uint Null = uint.MaxValue;

    private const int FirstChunk = 4 << 10;
    private const int LargestChunk = 1 << 20;

    private byte[] _chunk = [];
    private int _chunks;
    private int _used;

    internal long Bytes { get; private set; }

    /// <summary>Copies a key of another arena.</summary>
    internal KeyPlace Add(ReadOnlySpan<byte> key)
    {
        key.CopyTo(Room(key.Length, out KeyPlace place));
        return place;
    }

    /// <summary>Writes the key that the texts make.</summary>
    internal KeyPlace Add(ref byte text, ref Slice texts, int[] parts)
    {
        int length = 0;
        foreach (int part in parts)
        {
            length = checked(length + sizeof(uint) + Math.Max(Unsafe.Add(ref texts, part).Length, 0));
        }

        Span<byte> to = Room(length, out KeyPlace place);
        foreach (int part in parts)
        {
            Slice slice = Unsafe.Add(ref texts, part);
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

    /// <summary>Whether the texts make the key at a place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool Matches(in KeyPlace place, ref byte text, ref Slice texts, int[] parts)
    {
        ref byte key = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(place.Chunk), place.Offset);
        foreach (int part in parts)
        {
            Slice slice = Unsafe.Add(ref texts, part);
            if (Unsafe.ReadUnaligned<uint>(ref key) != (uint)slice.Length)
            {
                // The length of a null slice is -1, which is the mark of null.
                return false;
            }

            key = ref Unsafe.Add(ref key, sizeof(uint));
            if (slice.Length > 0)
            {
                if (!Texts.Same(ref Unsafe.Add(ref text, slice.Start), ref key, slice.Length))
                {
                    return false;
                }

                key = ref Unsafe.Add(ref key, slice.Length);
            }
        }

        return true;
    }

    private Span<byte> Room(int length, out KeyPlace place)
    {
        if (_chunks == 0 || _chunk.Length - _used < length)
        {
            int size = (int)Math.Min(LargestChunk, (long)FirstChunk << Math.Min(_chunks, 8));
            _chunk = new byte[Math.Max(size, length)];
            _chunks++;
            _used = 0;
        }

        place = new KeyPlace { Chunk = _chunk, Offset = _used, Length = length };
        _used += length;
        Bytes += length;
        return _chunk.AsSpan(place.Offset, length);
    }
}
