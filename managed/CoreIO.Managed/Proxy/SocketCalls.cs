// Sockets as a proxy opens them: non-blocking, close-on-exec, without Nagle's delay; tcp(7), ip(7), unix(7). The same as
// native/src/proxy/socket.c. What .NET has no call for is asked of libc; carrying bytes is left to System.Net.Sockets.
using System.Net.Sockets;

namespace CoreIO.Managed.Proxy;

internal static class SocketCalls
{
    private const int SocketLevel = 1;
    private const int IpLevel = 0;
    private const int TcpLevel = 6;
    private const int Ip6Level = 41;

    private const int ReuseAddress = 2;
    private const int SocketErrorOption = 4;
    private const int NoDelay = 1;
    private const int Congestion = 13;
    private const int Transparent4 = 19;
    private const int Transparent6 = 75;
    private const int BindWithoutPort = 24;
    private const int OnlyVersion6 = 26;

    // SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST of netfilter.
    private const int Original = 80;

    // EMFILE, ENFILE, ENOBUFS and ENOMEM.
    private const int NoBuffers = -105;

    // EPIPE and EIO, for what has no other number.
    private const int Pipe = 32;
    private const int InputOutput = 5;

    private static readonly LingerOption Reset = new(enable: true, seconds: 0);

    /// <summary>Whether a status says that descriptors or memory ran out.</summary>
    internal static bool Exhausted(int status) =>
        status is StatusCode.TooManyOpenFiles or StatusCode.TooManyFilesInSystem or NoBuffers or StatusCode.NoMemory;

    /// <summary>The errno of an error of System.Net.Sockets.</summary>
    internal static int Errno(SocketError error) => error switch
    {
        SocketError.ConnectionReset => -StatusCode.ConnectionReset,
        SocketError.ConnectionRefused => -StatusCode.ConnectionRefused,
        SocketError.TimedOut => -StatusCode.TimedOut,
        SocketError.HostUnreachable => -StatusCode.HostUnreachable,
        SocketError.NetworkUnreachable => -StatusCode.NetworkUnreachable,
        SocketError.AddressNotAvailable => -StatusCode.AddressNotAvailable,
        SocketError.AccessDenied => -StatusCode.AccessDenied,
        SocketError.NetworkDown => 100,
        SocketError.HostDown => 112,
        SocketError.ConnectionAborted => 103,
        SocketError.NoBufferSpaceAvailable => -NoBuffers,
        SocketError.Shutdown => Pipe,
        _ => InputOutput,
    };

    /// <summary>Opens a listening socket: its descriptor, or -errno. A unix path nobody listens on any more is taken over.</summary>
    internal static int Listen(SocketName name, Terms terms, bool transparent, bool onlyVersion6)
    {
        int socket = ProxyLibc.OpenStream(name.Family);
        if (socket < 0)
        {
            return socket;
        }

        int status = name.IsUnix ? BindUnix(socket, name) : BindInternet(socket, name, terms, transparent, onlyVersion6);
        status = status < 0 ? status : ProxyLibc.Listen(socket, terms.Backlog);
        if (status < 0)
        {
            _ = ProxyLibc.Close(socket);
            return status;
        }

        return socket;
    }

    /// <summary>Sets on a listening socket that somebody else has opened what may be set later: 0 or -errno.</summary>
    internal static int Adopt(int socket, SocketName name, Terms terms, bool transparent)
    {
        int status = name.IsUnix ? 0 : Prepare(socket, terms.Congestion);
        if (status == 0 && transparent)
        {
            status = SetTransparent(socket, name.Family);
        }

        // Once more changes the backlog alone.
        return status < 0 ? status : ProxyLibc.Listen(socket, terms.Backlog);
    }

    /// <summary>
    /// Begins to connect, from an address unless its family is 0: 1 when it is connected, 0 when that is under way, or -errno.
    /// </summary>
    internal static int Connect(int socket, SocketName to, in InternetAddress from, ReadOnlySpan<byte> congestion)
    {
        int status = 0;
        if (!to.IsUnix)
        {
            // System.Net.Sockets opens them for IPv6 alone; the kernel's default takes mapped addresses of IPv4, too.
            status = to.Family == InternetAddress.Version6 ? ProxyLibc.Set(socket, Ip6Level, OnlyVersion6, 0) : 0;
            status = status < 0 ? status : Prepare(socket, congestion);
            if (status == 0 && from.Family != 0)
            {
                status = BindFrom(socket, to.Family, in from);
            }
        }

        status = status < 0 ? status : ProxyLibc.Connect(socket, to.Bytes);
        return status == 0 ? 1 : status == -ProxyLibc.InProgress ? 0 : status;
    }

    /// <summary>The errno that is pending, which is cleared; 0 for none.</summary>
    internal static int Error(int socket)
    {
        Span<byte> error = stackalloc byte[sizeof(int)];
        int status = ProxyLibc.Get(socket, SocketLevel, SocketErrorOption, error);
        return status < 0 ? -status : BitConverter.ToInt32(error);
    }

    /// <summary>The address a socket is bound to; none when it is none of the internet.</summary>
    internal static InternetAddress Local(int socket)
    {
        Span<byte> name = stackalloc byte[InternetAddress.SocketAddressBytes];
        int length = ProxyLibc.Name(socket, name);
        return length < 0 ? default : InternetAddress.Read(name[..length]);
    }

    /// <summary>The destination before netfilter changed it; none when it did not.</summary>
    internal static InternetAddress OriginalDestination(int socket)
    {
        // The length asked for has to be that of the family.
        Span<byte> name = stackalloc byte[28];
        int length = ProxyLibc.Get(socket, IpLevel, Original, name[..16]);
        length = length < 0 ? ProxyLibc.Get(socket, Ip6Level, Original, name) : length;
        return length < 0 ? default : InternetAddress.Read(name[..length]);
    }

    /// <summary>Whether an address belongs to this machine.</summary>
    internal static bool IsLocal(in InternetAddress address)
    {
        int socket = ProxyLibc.OpenDatagram(address.Family);
        if (socket < 0)
        {
            return false;
        }

        Span<byte> name = stackalloc byte[InternetAddress.SocketAddressBytes];
        int status = ProxyLibc.Bind(socket, name[..address.Write(name, port: 0)]);
        _ = ProxyLibc.Close(socket);
        return status == 0;
    }

    /// <summary>
    /// Closes a socket. With <paramref name="reset"/> the peer is told so, unless that would throw away bytes it has not got yet. A socket that
    /// somebody waits for (<paramref name="awaited"/>) would be reset by the runtime; one that was shut down is not. Nothing is thrown: there is
    /// another socket to close, and counts to lower.
    /// </summary>
    internal static void Close(Socket socket, bool reset, bool awaited)
    {
        try
        {
            if (reset && ProxyLibc.Unsent((int)socket.SafeHandle.DangerousGetHandle(), out int unsent) == 0 && unsent == 0)
            {
                socket.LingerState = Reset;
            }
            else if (awaited)
            {
                socket.Shutdown(SocketShutdown.Send);
            }
        }
#pragma warning disable CA1031 // See above.
        catch (Exception)
        {
            // It is gone already, or a connect that took too long has closed it.
        }

        try
        {
            socket.Dispose();
        }
        catch (Exception)
        {
            // Its handle is given up with it, and closed by the finalizer at last.
        }
#pragma warning restore CA1031
    }

    /// <summary>Closes the socket of a check, which leaves nothing in TIME_WAIT.</summary>
    internal static void Abort(int socket)
    {
        // struct linger: on, for no time.
        _ = ProxyLibc.Set(socket, SocketLevel, 13, [1, 0, 0, 0, 0, 0, 0, 0]);
        _ = ProxyLibc.Close(socket);
    }

    private static int BindInternet(int socket, SocketName name, Terms terms, bool transparent, bool onlyVersion6)
    {
        // SO_REUSEADDR alone: ReuseAddress of System.Net.Sockets would let a second proxy share the port unnoticed.
        int status = ProxyLibc.Set(socket, SocketLevel, ReuseAddress, 1);
        if (status == 0 && transparent)
        {
            status = SetTransparent(socket, name.Family);
        }

        if (status == 0 && name.Family == InternetAddress.Version6)
        {
            status = ProxyLibc.Set(socket, Ip6Level, OnlyVersion6, onlyVersion6 ? 1 : 0);
        }

        // What an accepted socket inherits saves a call for each connection.
        status = status < 0 ? status : Prepare(socket, terms.Congestion);
        return status < 0 ? status : ProxyLibc.Bind(socket, name.Bytes);
    }

    // Binds a unix socket, after a path that is left over was taken away.
    private static int BindUnix(int socket, SocketName name)
    {
        int status = ProxyLibc.Bind(socket, name.Bytes);
        if (status != StatusCode.AddressInUse || name.Path is not { } path || !IsLeftOver(name, path))
        {
            return status;
        }

        status = ProxyLibc.Unlink(path);
        return status < 0 ? status : ProxyLibc.Bind(socket, name.Bytes);
    }

    // Whether a path is a socket that nobody listens on.
    private static bool IsLeftOver(SocketName name, byte[] path)
    {
        int socket = ProxyLibc.IsSocket(path) ? ProxyLibc.OpenStream(InternetAddress.Unix) : -1;
        if (socket < 0)
        {
            return false;
        }

        int status = ProxyLibc.Connect(socket, name.Bytes);
        _ = ProxyLibc.Close(socket);
        return status == StatusCode.ConnectionRefused;
    }

    // Lets a socket come from an address that is another's. The port is chosen when it connects, so that those to different destinations
    // share one.
    private static int BindFrom(int socket, int family, in InternetAddress from)
    {
        // EAFNOSUPPORT.
        int status = from.Family == family ? SetTransparent(socket, family) : -97;
        status = status < 0 ? status : ProxyLibc.Set(socket, IpLevel, BindWithoutPort, 1);
        Span<byte> name = stackalloc byte[InternetAddress.SocketAddressBytes];
        return status < 0 ? status : ProxyLibc.Bind(socket, name[..from.Write(name, port: 0)]);
    }

    private static int SetTransparent(int socket, int family) => family == InternetAddress.Version6
        ? ProxyLibc.Set(socket, Ip6Level, Transparent6, 1)
        : ProxyLibc.Set(socket, IpLevel, Transparent4, 1);

    private static int Prepare(int socket, ReadOnlySpan<byte> congestion)
    {
        int status = ProxyLibc.Set(socket, TcpLevel, NoDelay, 1);
        return status < 0 || congestion.IsEmpty ? status : ProxyLibc.Set(socket, TcpLevel, Congestion, congestion);
    }
}
