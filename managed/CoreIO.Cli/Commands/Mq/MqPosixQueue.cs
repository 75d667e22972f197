using CoreIO.Mq;

namespace CoreIO.Cli.Commands;

/// <summary>A POSIX queue for the verbs of both families.</summary>
internal sealed class MqPosixQueue(PosixMessageQueue queue, int priority = 0) : MqQueue
{
    public override string Name => queue.Name;

    public override string TypeName => "priority";

    public override int MessageSize => queue.MessageSize;

    public override bool TrySend(ReadOnlySpan<byte> message, in MqWait wait) => queue.TrySend(message, priority, wait);

    public override bool TryReceive(Span<byte> buffer, out int length, out long type, in MqWait wait)
    {
        bool received = queue.TryReceive(buffer, out length, out int found, wait);
        type = found;
        return received;
    }

    public override void Dispose()
    {
        queue.Dispose();
        base.Dispose();
    }
}
