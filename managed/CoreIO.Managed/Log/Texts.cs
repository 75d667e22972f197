// Parts of texts: addresses without ports, request lines, paths (docs/formats.md, section 6). Slices in, slices out.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Managed.Log;

/// <summary>The parts of a request line, each a slice or null.</summary>
internal struct Request
{
    internal Slice Method;
    internal Slice Uri;
    internal Slice Protocol;
}

internal static class Texts
{
    /// <summary>Bytes of HTTP/1.1.</summary>
    private const int ShortProtocol = 8;

    private static Slice Null => new(0, -1);

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

        if (IsShortWithoutColon(ref Unsafe.Add(ref text, slice.Start), slice.Length))
        {
            return slice;
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
    internal static void TakeRequest(ref byte text, Slice line, out Request request)
    {
        request = new Request { Method = Null, Uri = Null, Protocol = Null };
        if (line.Length <= 0)
        {
            return;
        }

        ReadOnlySpan<byte> bytes = Of(ref text, line);
        int at = 0;
        while (at < bytes.Length && (char.IsAsciiLetterUpper((char)bytes[at]) || bytes[at] is (byte)'-' or (byte)'_'))
        {
            at++;
        }

        if (at == 0 || at == bytes.Length || bytes[at] != (byte)' ')
        {
            return;
        }

        request.Method = new Slice(line.Start, at);
        int begin = line.Start + at + 1;
        ReadOnlySpan<byte> rest = bytes[(at + 1)..];
        if (rest.Length > ShortProtocol + 1 && IsShortProtocol(rest[^(ShortProtocol + 1)..]))
        {
            // Nearly every request ends like this.
            request.Protocol = new Slice(begin + rest.Length - ShortProtocol, ShortProtocol);
            request.Uri = new Slice(begin, rest.Length - ShortProtocol - 1);
            return;
        }

        int length = rest.Length;
        int space = rest.LastIndexOf((byte)' ');
        if (rest[(space + 1)..].StartsWith("HTTP/"u8))
        {
            request.Protocol = new Slice(begin + space + 1, rest.Length - space - 1);
            length = Math.Max(space, 0);
        }

        if (length > 0)
        {
            request.Uri = new Slice(begin, length);
        }
    }

    /// <summary>Whether the end of a request is a space and eight bytes such as HTTP/1.1, which hold no other space.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsShortProtocol(ReadOnlySpan<byte> end) =>
        end[0] == (byte)' ' && end[1..].StartsWith("HTTP/"u8) && end[6] != (byte)' ' && end[7] != (byte)' ' && end[8] != (byte)' ';

    /// <summary>Whether a text of 8 to 16 bytes, as addresses of four numbers are, holds no colon: two words that may overlap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsShortWithoutColon(ref byte text, int length)
    {
        if (length is < sizeof(ulong) or > 2 * sizeof(ulong))
        {
            return false;
        }

        const ulong Ones = 0x01010101_01010101;
        ulong first = Load<ulong>(ref text, 0) ^ (Ones * ':');
        ulong last = Load<ulong>(ref text, length - sizeof(ulong)) ^ (Ones * ':');

        // A zero byte borrows from its highest bit (Mycroft); what a borrow makes of the bytes above it does not matter.
        return ((((first - Ones) & ~first) | ((last - Ones) & ~last)) & (Ones << 7)) == 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Load<T>(ref byte text, int at)
        where T : unmanaged => Unsafe.ReadUnaligned<T>(ref Unsafe.Add(ref text, at));
}
