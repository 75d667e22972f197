// Streams of bytes that are known at every place, so that one that is lost, doubled or moved is seen where it happens.
using System.Net.Sockets;

namespace CoreIO.Tests.Proxy;

internal static class ProxyStreams
{
    // A prime, so that no size of a buffer divides it.
    private const int Period = 1_048_573;
    private const int Longest = 200_000;

    private static readonly byte[] Bytes = Make();

    /// <summary>Sends a stream in writes of random sizes and ends it.</summary>
    public static async Task Send(Socket socket, int stream, long length, int most, CancellationToken cancellationToken)
    {
        Random random = new(stream);
        for (long sent = 0; sent < length;)
        {
            int size = (int)Math.Min(length - sent, Size(random, most));
            sent += await socket.SendAsync(At(stream, sent, size), SocketFlags.None, cancellationToken);
            await Stall(random, cancellationToken);
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Reads a stream in reads of random sizes to its end and compares it.</summary>
    public static async Task Receive(Socket socket, int stream, long length, int most, CancellationToken cancellationToken)
    {
        Random random = new(~stream);
        byte[] buffer = new byte[Longest];
        long received = 0;
        while (true)
        {
            int count = await socket.ReceiveAsync(buffer.AsMemory(0, Size(random, most)), SocketFlags.None, cancellationToken);
            if (count == 0)
            {
                break;
            }

            if (!buffer.AsSpan(0, count).SequenceEqual(At(stream, received, count).Span))
            {
                throw new AssertionException($"stream {stream} is not what was sent, in the {count} bytes from {received}");
            }

            received += count;
            await Stall(random, cancellationToken);
        }

        Assert.That(received, Is.EqualTo(length), $"bytes of stream {stream}");
    }

    /// <summary>Both directions of a connection at once.</summary>
    public static async Task Exchange(Socket client, Socket server, int stream, long up, long down, int most, CancellationToken cancellationToken)
    {
        await Task.WhenAll(
            Send(client, stream, up, most, cancellationToken),
            Receive(server, stream, up, most, cancellationToken),
            Send(server, ~stream, down, most, cancellationToken),
            Receive(client, ~stream, down, most, cancellationToken));
    }

    private static ReadOnlyMemory<byte> At(int stream, long position, int length) =>
        Bytes.AsMemory((int)((position + (uint)stream * 104_729L) % Period), length);

    private static int Size(Random random, int most) => 1 + random.Next(random.Next(3) == 0 ? most : Math.Min(100, most));

    // Now and then one side does nothing for a moment, while the other goes on.
    private static async ValueTask Stall(Random random, CancellationToken cancellationToken)
    {
        if (random.Next(200) == 0)
        {
            await Task.Delay(random.Next(1, 10), cancellationToken);
        }
    }

    private static byte[] Make()
    {
        byte[] bytes = new byte[Period + Longest];
        new Random(20251126).NextBytes(bytes.AsSpan(0, Period));
        bytes.AsSpan(0, Longest).CopyTo(bytes.AsSpan(Period));
        return bytes;
    }
}
