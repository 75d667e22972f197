// Parts of texts: addresses without ports, request lines, paths (docs/formats.md, section 6). Slices in, slices out.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Managed.Log;

internal static class Texts
{
    private static readonly Slice Null = new(0, -1);

    /// <summary>The bytes of a slice that is not null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ReadOnlySpan<byte> Of(ref byte text, Slice slice) =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref text, slice.Start), slice.Length);

    /// <summary>Whether two texts of a length above 0 are the same; short ones are compared in place, as most keys are short.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool Same(ref byte left, ref byte right, int length)
    {
        if (length > 16)
        {
            return MemoryMarshal.CreateReadOnlySpan(ref left, length).SequenceEqual(MemoryMarshal.CreateReadOnlySpan(ref right, length));
        }

        if (length >= sizeof(ulong))
        {
            // Two words that may overlap.
            int second = length - sizeof(ulong);
            return Load<ulong>(ref left, 0) == Load<ulong>(ref right, 0) && Load<ulong>(ref left, second) == Load<ulong>(ref right, second);
        }

        if (length >= sizeof(uint))
        {
            int second = length - sizeof(uint);
            return Load<uint>(ref left, 0) == Load<uint>(ref right, 0) && Load<uint>(ref left, second) == Load<uint>(ref right, second);
        }

        int last = length - 1;
        int middle = length >> 1;
        return left == right && Unsafe.Add(ref left, middle) == Unsafe.Add(ref right, middle)
            && Unsafe.Add(ref left, last) == Unsafe.Add(ref right, last);
    }

    /// <summary>An address without its port.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static Slice Address(ref byte text, Slice slice)
    {
        if (slice.Length <= 0)
        {
            return slice;
        }

        ReadOnlySpan<byte> bytes = Of(ref text, slice);
        if (bytes[0] == (byte)'[')
        {
            int close = bytes.IndexOf((byte)']');
            return close < 0 ? slice : new Slice(slice.Start + 1, close - 1);
        }

        int colon = bytes.IndexOf((byte)':');
        return colon < 0 || bytes.LastIndexOf((byte)':') != colon ? slice : new Slice(slice.Start, colon);
    }

    /// <summary>What stands before the first question mark.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static Slice Path(ref byte text, Slice uri)
    {
        if (uri.Length > 0)
        {
            int mark = Of(ref text, uri).IndexOf((byte)'?');
            if (mark >= 0)
            {
                uri.Length = mark;
            }
        }

        return uri;
    }

    /// <summary>The parts of a request line; all null when it is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Request(ref byte text, Slice request, out Slice method, out Slice uri, out Slice protocol)
    {
        method = uri = protocol = Null;
        if (request.Length <= 0)
        {
            return;
        }

        ReadOnlySpan<byte> bytes = Of(ref text, request);
        int at = 0;
        while (at < bytes.Length && (char.IsAsciiLetterUpper((char)bytes[at]) || bytes[at] is (byte)'-' or (byte)'_'))
        {
            at++;
        }

        if (at == 0 || at == bytes.Length || bytes[at] != (byte)' ')
        {
            return;
        }

        method = new Slice(request.Start, at);
        ReadOnlySpan<byte> rest = bytes[(at + 1)..];
        int length = rest.Length;
        int space = rest.LastIndexOf((byte)' ');
        if (rest[(space + 1)..].StartsWith("HTTP/"u8))
        {
            protocol = new Slice(request.Start + at + 1 + space + 1, rest.Length - space - 1);
            length = Math.Max(space, 0);
        }

        if (length > 0)
        {
            uri = new Slice(request.Start + at + 1, length);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Load<T>(ref byte text, int at)
        where T : unmanaged => Unsafe.ReadUnaligned<T>(ref Unsafe.Add(ref text, at));
}
