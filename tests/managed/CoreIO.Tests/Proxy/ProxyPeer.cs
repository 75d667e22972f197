// Either end of a proxied connection, and what a test says and expects there.
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CoreIO.Tests.Proxy;

internal static class ProxyPeer
{
    /// <summary>A client whose every wait ends.</summary>
    public static Socket Connect(EndPoint address, Action<Socket>? prepare = null)
    {
        Socket client = new(address.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            prepare?.Invoke(client);
            client.Connect(address);
            return Patient(client);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public static Socket Patient(Socket socket)
    {
        socket.ReceiveTimeout = socket.SendTimeout = ProxyRig.PatienceMs;
        if (socket.AddressFamily != AddressFamily.Unix)
        {
            socket.NoDelay = true;
        }

        return socket;
    }

    /// <summary>Whether a connect is refused.</summary>
    public static bool Refuses(EndPoint address)
    {
        try
        {
            Connect(address).Dispose();
            return false;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.ConnectionRefused;
        }
    }

    public static void Say(this Socket socket, string text) => socket.Say(Encoding.Latin1.GetBytes(text));

    public static void Say(this Socket socket, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[socket.Send(bytes)..];
        }
    }

    /// <summary>Reads exactly so many bytes.</summary>
    public static byte[] Hear(this Socket socket, int length)
    {
        byte[] bytes = new byte[length];
        for (int at = 0; at < length;)
        {
            int count = socket.Receive(bytes.AsSpan(at));
            Assert.That(count, Is.Positive, $"the end comes after {at} of {length} bytes");
            at += count;
        }

        return bytes;
    }

    public static void Expect(this Socket socket, string text) =>
        Assert.That(Encoding.Latin1.GetString(socket.Hear(text.Length)), Is.EqualTo(text));

    public static void Expect(this Socket socket, ReadOnlySpan<byte> bytes) =>
        Assert.That(Convert.ToHexString(socket.Hear(bytes.Length)), Is.EqualTo(Convert.ToHexString(bytes)));

    /// <summary>Bytes go from one to the other.</summary>
    public static void Reaches(this Socket from, Socket to, string text = "hello")
    {
        from.Say(text);
        to.Expect(text);
    }

    /// <summary>Nothing more comes, and this in the right way.</summary>
    public static void ExpectEnd(this Socket socket) => Assert.That(socket.Receive(new byte[1]), Is.Zero);

    public static void ExpectReset(this Socket socket) => Assert.That(
        () => socket.Receive(new byte[1]), Throws.TypeOf<SocketException>().With.Property("SocketErrorCode").EqualTo(SocketError.ConnectionReset));

    /// <summary>An end or a reset.</summary>
    public static void ExpectGone(this Socket socket)
    {
        try
        {
            socket.ExpectEnd();
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
        }
    }

    /// <summary>Neither bytes nor an end come for so long.</summary>
    public static void ExpectSilence(this Socket socket, int milliseconds) =>
        Assert.That(socket.Poll(milliseconds * 1000, SelectMode.SelectRead), Is.False, "nothing comes");

    /// <summary>Reads to the end: how many bytes.</summary>
    public static long Drain(this Socket socket)
    {
        byte[] bytes = new byte[1 << 16];
        long sum = 0;
        for (int count; (count = socket.Receive(bytes)) > 0; sum += count)
        {
        }

        return sum;
    }

    /// <summary>Writes until nothing has been taken for a while: how many bytes.</summary>
    public static long Fill(this Socket socket)
    {
        byte[] bytes = new byte[1 << 16];
        long sum = 0;
        while (socket.Poll(300_000, SelectMode.SelectWrite))
        {
            socket.Blocking = false;
            int now = socket.Send(bytes, 0, bytes.Length, SocketFlags.None, out SocketError error);
            socket.Blocking = true;
            Assert.That(error, Is.EqualTo(SocketError.Success).Or.EqualTo(SocketError.WouldBlock));
            sum += now;
        }

        return sum;
    }

    public static void EndSending(this Socket socket) => socket.Shutdown(SocketShutdown.Send);

    /// <summary>Closes with a reset.</summary>
    public static void Reset(this Socket socket)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    public static int Port(this EndPoint address) => ((IPEndPoint)address).Port;
}
