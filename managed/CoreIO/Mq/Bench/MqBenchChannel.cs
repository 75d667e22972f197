using System.Threading.Channels;

namespace CoreIO.Mq.Bench;

/// <summary>
/// A bounded System.Threading.Channel each way. The bytes are copied out by the receiver, as a queue's are; the array itself is sent again and
/// again, so nothing is allocated for it.
/// </summary>
internal sealed class MqBenchChannel(ChannelWriter<byte[]> writer, ChannelReader<byte[]> reader) : MqBenchTransport
{
    // As many as a POSIX queue of the default size holds.
    private const int Depth = 10;

    private byte[]? _sent;

    public static MqBenchChannel[] CreatePair()
    {
        Channel<byte[]> there = Create();
        Channel<byte[]> back = Create();
        return [new MqBenchChannel(there.Writer, back.Reader), new MqBenchChannel(back.Writer, there.Reader)];
    }

    /// <summary>Both ends of one way, for one thread.</summary>
    public static MqBenchChannel CreateLoop()
    {
        Channel<byte[]> loop = Create();
        return new MqBenchChannel(loop.Writer, loop.Reader);
    }

    public override void Send(ReadOnlySpan<byte> message)
    {
        _sent ??= message.ToArray();
        if (!writer.TryWrite(_sent))
        {
            writer.WriteAsync(_sent).AsTask().GetAwaiter().GetResult();
        }
    }

    public override void Receive(Span<byte> message)
    {
        if (!reader.TryRead(out byte[]? received))
        {
            received = reader.ReadAsync().AsTask().GetAwaiter().GetResult();
        }

        received.CopyTo(message);
    }

    public override void Dispose()
    {
    }

    private static Channel<byte[]> Create() =>
        System.Threading.Channels.Channel.CreateBounded<byte[]>(new BoundedChannelOptions(Depth) { SingleReader = true, SingleWriter = true });
}
