using System.Net;
using System.Net.Sockets;
using CoreIO.Interop;

namespace CoreIO.Native.Proxy;

/// <summary>Endpoints of .NET as socket addresses of the kernel, and back.</summary>
internal static class ProxyAddresses
{
    private const int Capacity = 120;
    private const int FamilyUnix = 1;
    private const int PathOffset = 2;

    /// <summary>Writes an address; false when it is none of the internet's and no unix path.</summary>
    internal static bool TryWrite(EndPoint endPoint, out coreio_proxy_address address)
    {
        address = default;
        if (endPoint is not (IPEndPoint or UnixDomainSocketEndPoint))
        {
            return false;
        }

        SocketAddress written = endPoint.Serialize();
        if (written.Size > Capacity)
        {
            return false;
        }

        address.length = (uint)written.Size;
        written.Buffer.Span[..written.Size].CopyTo(((Span<byte>)address.bytes)[..Capacity]);
        return true;
    }

    /// <summary>Reads an address that the library wrote.</summary>
    internal static EndPoint Read(in coreio_proxy_address address)
    {
        ReadOnlySpan<byte> bytes = ((ReadOnlySpan<byte>)address.bytes)[..(int)address.length];
        int family = BitConverter.ToUInt16(bytes);
        SocketAddress read = new(
            family == FamilyUnix ? AddressFamily.Unix : family == 2 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6, bytes.Length);
        bytes[PathOffset..].CopyTo(read.Buffer.Span[PathOffset..]);
        return read.Family switch
        {
            AddressFamily.Unix => new UnixDomainSocketEndPoint("/").Create(read),
            _ => new IPEndPoint(IPAddress.Any, 0).Create(read),
        };
    }
}
