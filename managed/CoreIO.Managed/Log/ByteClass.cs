// The set of bytes a kernel looks for, as two tables of sixteen.
//
// Byte b belongs to the class when lo[b & 15] & hi[b >> 4] is not 0. With more than eight different upper halves, bits are shared and the
// class holds more bytes than asked for; walkers look at the byte itself, so that costs time, never an answer.
using System.Runtime.Intrinsics;

namespace CoreIO.Managed.Log;

internal sealed class ByteClass
{
    internal ByteClass(ReadOnlySpan<byte> members)
    {
        Span<byte> lo = stackalloc byte[16];
        Span<byte> hi = stackalloc byte[16];
        lo.Clear();
        hi.Clear();
        int halves = 0;
        Add((byte)'\n', lo, hi, ref halves);
        foreach (byte member in members)
        {
            Add(member, lo, hi, ref halves);
        }

        Lo = Vector128.Create<byte>(lo);
        Hi = Vector128.Create<byte>(hi);
        for (int b = 0; b < 256; b++)
        {
            Table[b] = (byte)((lo[b & 15] & hi[b >> 4]) != 0 ? 1 : 0);
        }
    }

    internal Vector128<byte> Lo { get; }

    internal Vector128<byte> Hi { get; }

    /// <summary>The same class, one entry a byte: 1 for a member, else 0.</summary>
    internal byte[] Table { get; } = new byte[256];

    private static void Add(byte member, Span<byte> lo, Span<byte> hi, ref int halves)
    {
        ref byte half = ref hi[member >> 4];
        if (half == 0)
        {
            half = (byte)(1 << (halves++ & 7));
        }

        lo[member & 15] |= half;
    }
}
