using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace CoreIO.Proxy;

/// <summary>
/// Addresses of a proxy as people write them: <c>192.0.2.1:80</c>, <c>[2001:db8::1]:80</c>, <c>:80</c> for every address of the machine,
/// <c>unix:/run/x.sock</c>, <c>unix:@name</c> for an abstract name, and <c>example.org:80</c>, which is looked up.
/// </summary>
public static class ProxyAddress
{
    private const string Unix = "unix:";

    /// <summary>Reads an address; a host name is looked up, and the first of its addresses is taken.</summary>
    /// <param name="text">The address.</param>
    /// <exception cref="FormatException">It is none; the message shows what one looks like.</exception>
    public static EndPoint Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.StartsWith(Unix, StringComparison.Ordinal))
        {
            return ParseUnix(text, text[Unix.Length..]);
        }

        int colon = text.LastIndexOf(':');
        if (colon < 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
        {
            throw Malformed(text);
        }

        string host = text[..colon];
        if (host is "" or "*")
        {
            return new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, port);
        }

        // A resolver takes no name at all for this machine's own.
        if (host == "[]")
        {
            throw Malformed(text);
        }

        bool bracketed = host.StartsWith('[') && host.EndsWith(']');
        if (bracketed || !host.Contains(':', StringComparison.Ordinal))
        {
            return new IPEndPoint(AddressOf(text, bracketed ? host[1..^1] : host), port);
        }

        throw new FormatException($"'{text}' is no address: an IPv6 address stands in brackets, as in [::1]:80");
    }

    /// <summary>Writes an address as <see cref="Parse"/> reads it.</summary>
    public static string Text(EndPoint address) => address switch
    {
        IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } ip => $"[{ip.Address}]:{ip.Port}",
        IPEndPoint ip => $"{ip.Address}:{ip.Port}",
        // An abstract name comes with the @ that it is written with.
        UnixDomainSocketEndPoint unix => Unix + unix,
        _ => address.ToString() ?? "",
    };

    private static UnixDomainSocketEndPoint ParseUnix(string text, string path)
    {
        if (path.Length == 0 || path == "@")
        {
            throw new FormatException($"'{text}' is no address: a path stands behind unix:, as in unix:/run/proxy.sock");
        }

        try
        {
            return new UnixDomainSocketEndPoint(path[0] == '@' ? '\0' + path[1..] : Path.GetFullPath(path));
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new FormatException($"'{text}' is no address: the path of a unix socket has at most 107 bytes");
        }
    }

    private static IPAddress AddressOf(string text, string host)
    {
        if (IPAddress.TryParse(host, out IPAddress? address))
        {
            return address;
        }

        try
        {
            return Dns.GetHostAddresses(host) is [IPAddress first, ..] ? first : throw Unknown(text, host);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw Unknown(text, host);
        }
    }

    private static FormatException Unknown(string text, string host) => new($"'{text}' is no address: there is no host '{host}'");

    private static FormatException Malformed(string text) =>
        new($"'{text}' is no address; write 192.0.2.1:80, [2001:db8::1]:80, :80, example.org:80 or unix:/run/proxy.sock");
}
