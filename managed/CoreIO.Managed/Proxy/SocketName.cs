// The addresses of a plan as the kernel takes them: the bytes of a struct sockaddr_in, sockaddr_in6 or sockaddr_un.
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace CoreIO.Managed.Proxy;

internal sealed class SocketName
{
    private const int PathOffset = 2;
    private const int UnixBytes = 110;

    private readonly byte[] _bytes;

    private SocketName(byte[] bytes) => _bytes = bytes;

    internal ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary><c>AF_INET</c>, <c>AF_INET6</c> or <c>AF_UNIX</c>.</summary>
    internal int Family => MemoryMarshal.Read<ushort>(_bytes);

    internal bool IsUnix => Family == InternetAddress.Unix;

    /// <summary>The path of a unix socket, its bytes with a NUL behind them; null for abstract names, which are no files.</summary>
    internal byte[]? Path => IsUnix && _bytes[PathOffset] != 0 ? [.. _bytes.AsSpan(PathOffset), 0] : null;

    /// <summary>The name of an address; null when sockets do not take it.</summary>
    internal static SocketName? Of(EndPoint endPoint)
    {
        if (endPoint is not (IPEndPoint or UnixDomainSocketEndPoint))
        {
            return null;
        }

        SocketAddress written = endPoint.Serialize();
        SocketName name = new(written.Buffer.Span[..written.Size].ToArray());
        // A name is there: autobind and unnamed sockets are nothing to listen on or to connect to.
        return !name.IsUnix || written.Size is > PathOffset and <= UnixBytes ? name : null;
    }

    /// <summary>The name of an internet address.</summary>
    internal static SocketName Of(in InternetAddress address)
    {
        byte[] bytes = new byte[InternetAddress.SocketAddressBytes];
        return new SocketName(bytes[..address.Write(bytes, address.Port)]);
    }

    /// <summary>The name with the bytes that the kernel gave.</summary>
    internal static SocketName Of(ReadOnlySpan<byte> bytes) => new(bytes.ToArray());

    internal EndPoint ToEndPoint()
    {
        SocketAddress address = new(
            Family switch
            {
                InternetAddress.Unix => AddressFamily.Unix,
                InternetAddress.Version4 => AddressFamily.InterNetwork,
                _ => AddressFamily.InterNetworkV6,
            },
            _bytes.Length);
        _bytes.AsSpan(PathOffset).CopyTo(address.Buffer.Span[PathOffset..]);
        return IsUnix ? new UnixDomainSocketEndPoint("/").Create(address) : new IPEndPoint(IPAddress.Any, 0).Create(address);
    }
}
