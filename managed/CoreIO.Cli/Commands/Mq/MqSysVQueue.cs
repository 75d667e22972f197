using CoreIO.Mq;

namespace CoreIO.Cli.Commands;

/// <summary>A System V queue for the verbs of both families.</summary>
/// <param name="queue">The queue.</param>
/// <param name="type">The type that is sent, or wanted.</param>
/// <param name="flags">Of a receive.</param>
/// <param name="messageSize">Bytes a message may have.</param>
internal sealed class MqSysVQueue(SysVMessageQueue queue, long type, SysVQueueFlags flags, int messageSize) : MqQueue
{
    public override string Name { get; } = queue.ToString();

    public override string TypeName => "type";

    public override int MessageSize => messageSize;

    public override bool TrySend(ReadOnlySpan<byte> message, in MqWait wait) => queue.TrySend(message, type, wait);

    public override bool TryReceive(Span<byte> buffer, out int length, out long found, in MqWait wait) =>
        queue.TryReceive(buffer, out length, out found, type, flags, wait);
}
