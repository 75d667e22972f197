// The server name that a TLS client asks for, read from its ClientHello without decrypting anything. RFC 8446, sections 4.1.2 and 5.1, and
// RFC 5246 for earlier versions, which look the same. The same as native/src/proxy/hello.c.
//
// The handshake message may be cut into several records; the part that is there is put together first, so that the parser sees one run of
// bytes.
namespace CoreIO.Managed.Proxy;

internal static class ClientHello
{
    /// <summary>Not all of it is there yet.</summary>
    internal const int More = 0;

    /// <summary>No TLS, or no ClientHello.</summary>
    internal const int Bad = -1;

    /// <summary>A ClientHello without a name.</summary>
    internal const int Nameless = -2;

    /// <summary>Bytes of the longest name.</summary>
    internal const int LongestName = 253;

    // The longest that is read: one with post-quantum key shares and a session ticket fits several times.
    private const int Longest = 16384;

    private const int RecordHead = 5;
    private const int Handshake = 22;
    private const int Hello = 1;
    private const int ServerName = 0;
    private const int LongestRecord = 16384 + 256;

    /// <summary>
    /// Finds the host_name (RFC 6066, section 3) in what the bytes begin with; writes it in lower case, without a dot at its end, and returns its
    /// length, or one of the codes above.
    /// </summary>
    internal static int Name(ReadOnlySpan<byte> bytes, Span<byte> name)
    {
        Span<byte> joined = stackalloc byte[Longest];
        int count = Join(bytes, joined, out bool complete);
        if (count < 0 || (count > 0 && joined[0] != Hello) || (count >= 4 && 4 + Length(joined) > Longest))
        {
            return Bad;
        }

        if (!complete)
        {
            return More;
        }

        Reader hello = new(joined.Slice(4, Length(joined)));
        _ = hello.Bytes(2 + 32);
        hello.Skip(1);
        hello.Skip(2);
        hello.Skip(1);
        if (hello.Short)
        {
            return Bad;
        }

        if (hello.Left.IsEmpty)
        {
            return Nameless;
        }

        int all = hello.Number(2);
        if (hello.Short || all > hello.Left.Length)
        {
            return Bad;
        }

        Reader extensions = new(hello.Left[..all]);
        while (!extensions.Left.IsEmpty)
        {
            int type = extensions.Number(2);
            Reader body = new(extensions.Bytes(extensions.Number(2)));
            if (extensions.Short)
            {
                return Bad;
            }

            if (type == ServerName)
            {
                return ReadNames(body, name);
            }
        }

        return Nameless;
    }

    private static int Length(ReadOnlySpan<byte> joined) => (joined[1] << 16) | (joined[2] << 8) | joined[3];

    // Puts the handshake bytes of the records at hand together; returns how many, or Bad.
    private static int Join(ReadOnlySpan<byte> bytes, Span<byte> joined, out bool complete)
    {
        complete = false;
        int count = 0;
        while (!bytes.IsEmpty)
        {
            if (bytes[0] != Handshake || (bytes.Length > 1 && bytes[1] != 3))
            {
                return Bad;
            }

            if (bytes.Length < RecordHead)
            {
                return count;
            }

            int size = (bytes[3] << 8) | bytes[4];
            bytes = bytes[RecordHead..];
            int here = Math.Min(size, bytes.Length);
            if (size is 0 or > LongestRecord || count + here > Longest)
            {
                return Bad;
            }

            bytes[..here].CopyTo(joined[count..]);
            count += here;
            bytes = bytes[here..];
            if (count >= 4 && count >= 4 + Length(joined))
            {
                complete = true;
                break;
            }
        }

        return count;
    }

    // The name in the extension server_name: a length, Nameless or Bad.
    private static int ReadNames(Reader names, Span<byte> name)
    {
        _ = names.Number(2);
        while (!names.Left.IsEmpty && !names.Short)
        {
            int type = names.Number(1);
            ReadOnlySpan<byte> text = names.Bytes(names.Number(2));
            if (names.Short || type != 0)
            {
                continue;
            }

            if (!text.IsEmpty && text[^1] == '.')
            {
                text = text[..^1];
            }

            if (text.IsEmpty || text.Length > LongestName || text.Contains((byte)0))
            {
                return Bad;
            }

            RouteTable.Lower(text, name);
            return text.Length;
        }

        return names.Short ? Bad : Nameless;
    }

    /// <summary>Bytes that are read from the front.</summary>
    private ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        internal ReadOnlySpan<byte> Left = bytes;

        /// <summary>Set once more was asked for than is there.</summary>
        internal bool Short;

        internal ReadOnlySpan<byte> Bytes(int count)
        {
            if (Left.Length < count)
            {
                Short = true;
                return [];
            }

            ReadOnlySpan<byte> taken = Left[..count];
            Left = Left[count..];
            return taken;
        }

        internal int Number(int bytes)
        {
            int value = 0;
            foreach (byte one in Bytes(bytes))
            {
                value = (value << 8) | one;
            }

            return value;
        }

        /// <summary>Passes over a field whose length stands before it.</summary>
        internal void Skip(int lengthBytes)
        {
            int length = Number(lengthBytes);
            if (!Short)
            {
                _ = Bytes(length);
            }
        }
    }
}
