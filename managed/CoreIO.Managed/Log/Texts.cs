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

    /// <summary>An address without its port.</summary>
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
}
