// Internet addresses without their sockaddr, as records and headers carry them. The same as native/src/proxy/address.c.
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using CoreIO.Proxy;

namespace CoreIO.Managed.Proxy;

/// <summary>
/// An address and a port. An IPv4 address takes the first four bytes; an IPv6 address that maps an IPv4 one is kept as that.
/// </summary>
internal struct InternetAddress
{
    /// <summary>Bytes of the largest socket address: <c>struct sockaddr_storage</c>.</summary>
    internal const int SocketAddressBytes = 128;

    /// <summary><c>AF_UNIX</c>.</summary>
    internal const int Unix = 1;

    /// <summary><c>AF_INET</c>.</summary>
    internal const ushort Version4 = 2;

    /// <summary><c>AF_INET6</c>.</summary>
    internal const ushort Version6 = 10;

    private const int Bytes4 = 16;
    private const int Bytes6 = 28;
    private const int PortOffset = 2;
    private const int Offset4 = 4;
    private const int Offset6 = 8;

    /// <summary><c>AF_INET</c>, <c>AF_INET6</c>, or 0 for none.</summary>
    internal ushort Family;

    internal ushort Port;

    internal ProxyAddressBytes Bytes;

    /// <summary>
    /// A number for the source of a connection: the IPv4 address, or the first 64 bits of an IPv6 one, which is what one subscriber has. 0 for
    /// none. IPv4 lies above every IPv6 prefix in use.
    /// </summary>
    internal readonly ulong Source => Family switch
    {
        Version4 => 0xffff_0000_0000_0000 | MemoryMarshal.Read<uint>(Bytes),
        Version6 => MemoryMarshal.Read<ulong>(Bytes),
        _ => 0,
    };

    /// <summary>The address in a <c>struct sockaddr</c>; none when it is not one of the internet.</summary>
    internal static InternetAddress Read(ReadOnlySpan<byte> from)
    {
        InternetAddress address = default;
        ushort family = from.Length < Bytes4 ? (ushort)0 : MemoryMarshal.Read<ushort>(from);
        if (family == Version4)
        {
            address.Family = Version4;
            from.Slice(Offset4, 4).CopyTo(address.Bytes);
        }
        else if (family == Version6 && from.Length >= Bytes6)
        {
            ReadOnlySpan<byte> bytes = from.Slice(Offset6, 16);
            bool mapped = bytes[..10].IndexOfAnyExcept((byte)0) < 0 && bytes[10] == 0xff && bytes[11] == 0xff;
            address.Family = mapped ? Version4 : Version6;
            (mapped ? bytes[12..] : bytes).CopyTo(address.Bytes);
        }
        else
        {
            return default;
        }

        address.Port = BinaryPrimitives.ReadUInt16BigEndian(from[PortOffset..]);
        return address;
    }

    /// <summary>Writes the <c>struct sockaddr</c> of this address and port; returns its length.</summary>
    internal readonly int Write(Span<byte> to, ushort port)
    {
        int length = Family == Version4 ? Bytes4 : Bytes6;
        to[..length].Clear();
        MemoryMarshal.Write(to, in Family);
        BinaryPrimitives.WriteUInt16BigEndian(to[PortOffset..], port);
        ReadOnlySpan<byte> bytes = Bytes;
        if (Family == Version4)
        {
            bytes[..4].CopyTo(to[Offset4..]);
        }
        else
        {
            bytes.CopyTo(to[Offset6..]);
        }

        return length;
    }

    internal readonly bool Equals(in InternetAddress other) =>
        Family == other.Family && Port == other.Port && ((ReadOnlySpan<byte>)Bytes).SequenceEqual(other.Bytes);
}
