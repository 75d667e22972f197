namespace CoreIO.Mq;

/// <summary>
/// System V queues; each call is the one of <c>coreio/mq.h</c> that bears its name. A message is the <see cref="HeadBytes"/> of its type, in the
/// order of the machine, and its bytes behind them, so that none is copied.
/// </summary>
public interface ISysVQueues
{
    /// <summary>Bytes of the type in front of a message.</summary>
    const int HeadBytes = 8;

    /// <summary>Makes a key of a file and the lower eight bits of <paramref name="project"/>; different files may have the same.</summary>
    int Key(string path, int project, out int key);

    /// <summary>Finds or creates the queue of a key; its identifier. Key 0 always creates.</summary>
    int Get(int key, SysVQueueFlags flags, int mode);

    /// <summary>Sends a message with its head. Blocks up to <paramref name="wait"/> while the queue is full.</summary>
    int Send(int queue, ReadOnlySpan<byte> message, SysVQueueFlags flags, in MqWait wait);

    /// <summary>
    /// Receives a message behind its head; its length without it. <paramref name="type"/> is 0 for the oldest, above 0 for the oldest of this
    /// type, below 0 for the lowest type up to its opposite. Blocks up to <paramref name="wait"/> while there is none.
    /// </summary>
    int Receive(int queue, Span<byte> buffer, long type, SysVQueueFlags flags, in MqWait wait);

    /// <summary>Sends messages in order; how many were sent. Before each are <see cref="HeadBytes"/> of room, which are written.</summary>
    int SendMany(int queue, Span<byte> bytes, ReadOnlySpan<MqMessage> messages, in MqWait wait);

    /// <summary>Receives what is there of a type; how many. Waits for the first alone.</summary>
    int ReceiveMany(
        int queue, Span<byte> bytes, int messageSize, long type, SysVQueueFlags flags, Span<MqMessage> messages, in MqWait wait);

    /// <summary>Describes a queue by its id or an index; its id.</summary>
    int Stat(int queue, SysVStatKind kind, out SysVQueueStatus status);

    /// <summary>Changes owner, mode and room.</summary>
    int Set(int queue, SysVQueueChange change);

    /// <summary>Removes a queue with its messages at once; who waits on it is told.</summary>
    int Remove(int queue);

    /// <summary>Reads limits or usage; the highest index in use.</summary>
    int Info(SysVInfoKind kind, out SysVInfo info);
}
