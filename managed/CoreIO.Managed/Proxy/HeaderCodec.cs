// The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt, 2020/03/05): one header in front of the bytes of a connection says
// where it really comes from and goes to. Sections are those of that text. The same as native/src/proxy/header.c.
using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CoreIO.Managed.Proxy;

internal static class HeaderCodec
{
    /// <summary>Not all of it is there yet.</summary>
    internal const int More = 0;

    /// <summary>It is no header.</summary>
    internal const int Bad = -1;

    /// <summary>The longest header that is read.</summary>
    internal const int Longest = 4096;

    /// <summary>The longest that is written; section 2.1: the longest line, with its end.</summary>
    internal const int LongestWritten = 107;

    private const int Fixed2 = 16;
    private const int Body4 = 12;
    private const int Body6 = 36;

    private static readonly SearchValues<char> Characters6 = SearchValues.Create("0123456789abcdefABCDEF:.");

    // Section 2.2.
    private static ReadOnlySpan<byte> Signature => [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

    /// <summary>
    /// Reads the header that the bytes begin with; its length, <see cref="More"/> or <see cref="Bad"/>. Source and target are left alone when it
    /// does not tell them (UNKNOWN, LOCAL, other families).
    /// </summary>
    internal static int Read(ReadOnlySpan<byte> bytes, ref InternetAddress source, ref InternetAddress target)
    {
        int second = Math.Min(bytes.Length, Signature.Length);
        if (bytes[..second].SequenceEqual(Signature[..second]))
        {
            return second < Signature.Length ? More : Read2(bytes, ref source, ref target);
        }

        ReadOnlySpan<byte> word = "PROXY "u8;
        int first = Math.Min(bytes.Length, word.Length);
        if (bytes[..first].SequenceEqual(word[..first]))
        {
            return first < word.Length ? More : Read1(bytes, ref source, ref target);
        }

        return Bad;
    }

    /// <summary>Writes a header of version 1 or 2; its length. Addresses of no or of different families are "unknown".</summary>
    internal static int Write(int version, in InternetAddress source, in InternetAddress target, Span<byte> bytes)
    {
        bool known = source.Family != 0 && source.Family == target.Family;
        return version == 1 ? Write1(known, in source, in target, bytes) : Write2(known, in source, in target, bytes);
    }

    private static int Read1(ReadOnlySpan<byte> bytes, ref InternetAddress source, ref InternetAddress target)
    {
        int end = bytes[..Math.Min(bytes.Length, LongestWritten)].IndexOf((byte)'\n');
        if (end < 0)
        {
            return bytes.Length < LongestWritten ? More : Bad;
        }

        if (bytes[end - 1] != '\r' || bytes[..end].Contains((byte)0))
        {
            return Bad;
        }

        // Words are parted by one space each.
        string[] words = Encoding.Latin1.GetString(bytes[..(end - 1)]).Split(' ');
        if (words[1] == "UNKNOWN")
        {
            return end + 1;
        }

        ushort family = words[1] switch
        {
            "TCP4" => InternetAddress.Version4,
            "TCP6" => InternetAddress.Version6,
            _ => 0,
        };
        InternetAddress from = new() { Family = family };
        InternetAddress to = from;
        if (family == 0 || words.Length != 6 || !ReadAddress(words[2], ref from) || !ReadAddress(words[3], ref to)
            || !ReadPort(words[4], out from.Port) || !ReadPort(words[5], out to.Port))
        {
            return Bad;
        }

        source = from;
        target = to;
        return end + 1;
    }

    // An address of one family as inet_pton(3) takes it: four decimal numbers, or IPv6 without brackets, scope and prefix.
    private static bool ReadAddress(string word, ref InternetAddress address)
    {
        if (address.Family == InternetAddress.Version4)
        {
            string[] parts = word.Split('.');
            if (parts.Length != 4)
            {
                return false;
            }

            for (int i = 0; i < parts.Length; i++)
            {
                if (parts[i].Length > 3 || (parts[i].Length > 1 && parts[i][0] == '0')
                    || !byte.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out address.Bytes[i]))
                {
                    return false;
                }
            }

            return true;
        }

        return word.AsSpan().IndexOfAnyExcept(Characters6) < 0 && IPAddress.TryParse(word, out IPAddress? read)
            && read.AddressFamily == AddressFamily.InterNetworkV6 && read.TryWriteBytes(address.Bytes, out _);
    }

    // Decimal without a leading zero.
    private static bool ReadPort(string word, out ushort port) =>
        ushort.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out port) && (word[0] != '0' || word.Length == 1);

    private static int Read2(ReadOnlySpan<byte> bytes, ref InternetAddress source, ref InternetAddress target)
    {
        if (bytes.Length < Fixed2)
        {
            return More;
        }

        int body = BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        int length = Fixed2 + body;
        int command = bytes[12] & 15;
        if (bytes[12] >> 4 != 2 || command > 1 || length > Longest)
        {
            return Bad;
        }

        if (bytes.Length < length)
        {
            return More;
        }

        // LOCAL is a check of the sender itself; the connection's own addresses are the true ones. Unix and unknown families tell none.
        int family = bytes[13] >> 4;
        if (command == 0 || family is 0 or 3)
        {
            return length;
        }

        if (family > 3 || body < (family == 1 ? Body4 : Body6))
        {
            return Bad;
        }

        int size = family == 1 ? 4 : 16;
        ReadOnlySpan<byte> at = bytes[Fixed2..];
        source = ReadOne(at, at[(2 * size)..], size);
        target = ReadOne(at[size..], at[((2 * size) + 2)..], size);
        return length;
    }

    private static InternetAddress ReadOne(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> port, int size)
    {
        InternetAddress address = new()
        {
            Family = size == 4 ? InternetAddress.Version4 : InternetAddress.Version6,
            Port = BinaryPrimitives.ReadUInt16BigEndian(port),
        };
        bytes[..size].CopyTo(address.Bytes);
        return address;
    }

    private static int Write1(bool known, in InternetAddress source, in InternetAddress target, Span<byte> bytes)
    {
        string line = !known ? "PROXY UNKNOWN\r\n" : string.Create(CultureInfo.InvariantCulture,
            $"PROXY {(source.Family == InternetAddress.Version4 ? "TCP4" : "TCP6")} {Text(in source)} {Text(in target)} {source.Port} {target.Port}\r\n");
        return Encoding.ASCII.GetBytes(line, bytes);
    }

    private static IPAddress Text(in InternetAddress address) =>
        new(((ReadOnlySpan<byte>)address.Bytes)[..(address.Family == InternetAddress.Version4 ? 4 : 16)]);

    private static int Write2(bool known, in InternetAddress source, in InternetAddress target, Span<byte> bytes)
    {
        Signature.CopyTo(bytes);
        bytes[12] = 0x21;
        bool inet = source.Family == InternetAddress.Version4;
        int size = inet ? 4 : 16;
        int body = known ? (2 * size) + 4 : 0;
        bytes[13] = !known ? (byte)0 : inet ? (byte)0x11 : (byte)0x21;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[14..], (ushort)body);
        if (known)
        {
            Span<byte> at = bytes[Fixed2..];
            ((ReadOnlySpan<byte>)source.Bytes)[..size].CopyTo(at);
            ((ReadOnlySpan<byte>)target.Bytes)[..size].CopyTo(at[size..]);
            BinaryPrimitives.WriteUInt16BigEndian(at[(2 * size)..], source.Port);
            BinaryPrimitives.WriteUInt16BigEndian(at[((2 * size) + 2)..], target.Port);
        }

        return Fixed2 + body;
    }
}
