// Ends of the bench that are queues, through the package, as a program would use it.
namespace CoreIO.Mq.Bench;

/// <summary>Two POSIX queues, one each way; in one thread both may be the same.</summary>
internal sealed class MqBenchPosix : MqBenchTransport
{
    private readonly PosixMessageQueue _out;
    private readonly PosixMessageQueue _in;
    private readonly MqWait _wait;
    private readonly MqBenchBatch _batch;

    public MqBenchPosix(PosixMessageQueue output, PosixMessageQueue input, int size, TimeSpan spin)
    {
        _out = output;
        _in = input;
        _wait = new MqWait(Spin: spin);
        _batch = new MqBenchBatch(size, head: 0);
    }

    public override void Send(ReadOnlySpan<byte> message) => _out.Send(message, 0, _wait);

    public override void Receive(Span<byte> message) => _ = _in.Receive(message, out _, _wait);

    public override int SendBatch(int count) => _out.SendMany(_batch.Bytes, _batch.Sent(count));

    public override int ReceiveBatch(int count) => _in.ReceiveMany(_batch.Bytes, _batch.Received(count));

    public override void Dispose()
    {
        _out.Dispose();
        _in.Dispose();
    }
}

/// <summary>Two System V queues, one each way; in one thread both may be the same.</summary>
/// <param name="output">Where it sends.</param>
/// <param name="input">Where it receives.</param>
/// <param name="size">Bytes of a message.</param>
/// <param name="spin">How long it tries before it blocks.</param>
/// <param name="closed">Removes the queues; null at the end that did not make them.</param>
internal sealed class MqBenchSysV(SysVMessageQueue output, SysVMessageQueue input, int size, TimeSpan spin, Action? closed = null) : MqBenchTransport
{
    private readonly MqWait _wait = new(Spin: spin);
    private readonly MqBenchBatch _batch = new(size, ISysVQueues.HeadBytes);

    public override void Send(ReadOnlySpan<byte> message) => output.Send(message, 1, SysVQueueFlags.None, _wait);

    public override void Receive(Span<byte> message) => _ = input.Receive(message, out _, 0, SysVQueueFlags.None, _wait);

    public override int SendBatch(int count) => output.SendMany(_batch.Bytes, _batch.Sent(count));

    public override int ReceiveBatch(int count) => input.ReceiveMany(_batch.Bytes, _batch.Size, _batch.Received(count));

    public override void Dispose() => closed?.Invoke();
}

/// <summary>The bytes and the places of the messages of a batch.</summary>
internal sealed class MqBenchBatch
{
    /// <summary>Messages of a batch: more than a queue of the default size holds, so that each call fills it.</summary>
    public const int Most = 32;

    private readonly MqMessage[] _sent = new MqMessage[Most];
    private readonly MqMessage[] _received = new MqMessage[Most];

    public MqBenchBatch(int size, int head)
    {
        // Each message stands at a multiple of eight, behind room for its type.
        int stride = head + ((size + 7) & ~7);
        Size = size;
        Bytes = new byte[stride * Most];
        for (int i = 0; i < Most; i++)
        {
            _sent[i] = new MqMessage((stride * i) + head, size, 1);
        }
    }

    public int Size { get; }

    public byte[] Bytes { get; }

    public ReadOnlySpan<MqMessage> Sent(int count) => _sent.AsSpan(0, Math.Min(count, Most));

    public Span<MqMessage> Received(int count) => _received.AsSpan(0, Math.Min(count, Most));
}
