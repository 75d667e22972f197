// What the verbs of both families need of a queue, so that sending, receiving and waiting are written once.
using CoreIO.Mq;

namespace CoreIO.Cli.Commands;

internal abstract class MqQueue : IDisposable
{
    /// <summary>As messages call it: <c>/jobs</c>, or <c>queue 7 (key 0x4a010203)</c>.</summary>
    public abstract string Name { get; }

    /// <summary>What the type of a message is called: <c>priority</c> or <c>type</c>.</summary>
    public abstract string TypeName { get; }

    /// <summary>Bytes a message may have.</summary>
    public abstract int MessageSize { get; }

    /// <summary>Sends; false when the queue was full until the wait ended.</summary>
    public abstract bool TrySend(ReadOnlySpan<byte> message, in MqWait wait);

    /// <summary>Receives into <paramref name="buffer"/>; false when nothing was there until the wait ended.</summary>
    /// <exception cref="OperationCanceledException">The wait's descriptor ended it, and nothing was taken.</exception>
    public abstract bool TryReceive(Span<byte> buffer, out int length, out long type, in MqWait wait);

    public virtual void Dispose()
    {
    }
}
