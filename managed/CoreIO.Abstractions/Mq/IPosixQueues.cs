using Microsoft.Win32.SafeHandles;

namespace CoreIO.Mq;

/// <summary>POSIX queues; each call is the one of <c>coreio/mq.h</c> that bears its name.</summary>
public interface IPosixQueues
{
    /// <summary>Opens or creates a queue.</summary>
    /// <param name="name">With a slash at its beginning and no other.</param>
    /// <param name="flags">How it is opened.</param>
    /// <param name="mode">Nine bits for a queue that is created; the umask takes bits off.</param>
    /// <param name="limits">Of a queue that is created: only the two limits count; null for the defaults of the system.</param>
    /// <param name="queue">The descriptor, close-on-exec, owned by the caller; invalid when the status is negative.</param>
    int Open(string name, PosixQueueFlags flags, int mode, PosixQueueAttributes? limits, out SafeFileHandle queue);

    /// <summary>Takes the name of a queue away; who holds it open goes on.</summary>
    int Unlink(string name);

    /// <summary>Reads the attributes of a queue.</summary>
    int GetAttributes(SafeFileHandle queue, out PosixQueueAttributes attributes);

    /// <summary>Sets or clears <c>O_NONBLOCK</c> of the open queue.</summary>
    int SetNonBlocking(SafeFileHandle queue, bool nonBlocking);

    /// <summary>Sends a message. Blocks up to <paramref name="wait"/> while the queue is full.</summary>
    int Send(SafeFileHandle queue, ReadOnlySpan<byte> message, int priority, in MqWait wait);

    /// <summary>
    /// Receives the oldest message of the highest priority; its length. Blocks up to <paramref name="wait"/> while the queue is empty.
    /// <paramref name="buffer"/> is at least as long as a message of the queue may be.
    /// </summary>
    int Receive(SafeFileHandle queue, Span<byte> buffer, out int priority, in MqWait wait);

    /// <summary>Sends messages in order; how many were sent.</summary>
    int SendMany(SafeFileHandle queue, ReadOnlySpan<byte> bytes, ReadOnlySpan<MqMessage> messages, in MqWait wait);

    /// <summary>Receives what is there, one behind the other; how many. Waits for the first alone.</summary>
    int ReceiveMany(SafeFileHandle queue, Span<byte> bytes, int messageSize, Span<MqMessage> messages, in MqWait wait);

    /// <summary>
    /// Asks to be told once when a message comes into the empty queue. <paramref name="descriptor"/> is set with
    /// <see cref="PosixNotifyKind.Descriptor"/>, readable when there is something to tell, and the caller's to close.
    /// </summary>
    int Notify(SafeFileHandle queue, PosixNotifyKind kind, int signal, long value, out SafeFileHandle? descriptor);

    /// <summary>Mounts the file system of queues where nobody else sees it; <paramref name="root"/> lists them and is the caller's to close.</summary>
    int Mount(out SafeFileHandle root);
}
