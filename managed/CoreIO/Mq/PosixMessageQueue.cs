// A POSIX queue: calls that the calling thread makes itself. PosixMessageQueue.Async.cs has those that somebody awaits.
//
// Hot path: a send or a receive allocates nothing, takes no lock and makes one system call unless it has to wait.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Mq;

/// <summary>An open POSIX queue (mq_overview(7)). All members may be used from any thread.</summary>
public sealed partial class PosixMessageQueue : IDisposable
{
    private readonly IPosixQueues _queues;
    private readonly PosixQueueAttributes _limits;

    private PosixMessageQueue(string name, SafeFileHandle handle, PosixQueueAttributes limits, IPosixQueues queues)
    {
        Name = name;
        Handle = handle;
        _limits = limits;
        _queues = queues;
    }

    /// <summary>The name it was opened with.</summary>
    public string Name { get; }

    /// <summary>Its descriptor, which poll and epoll take: readable with a message, writable with room.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Messages it holds.</summary>
    public int MaxMessages => (int)_limits.MaxMessages;

    /// <summary>Bytes a message may have, and a buffer to receive must have, however short the message.</summary>
    public int MessageSize => (int)_limits.MessageSize;

    /// <summary>What it is now.</summary>
    /// <exception cref="MessageQueueException">It cannot be told.</exception>
    public PosixQueueAttributes Attributes
    {
        get
        {
            Check(_queues.GetAttributes(Handle, out PosixQueueAttributes attributes), "look at", 0, 0);
            return attributes;
        }
    }

    /// <summary>Whether calls fail with EAGAIN where they would wait; a wait that is given with a timeout waits all the same.</summary>
    public bool NonBlocking
    {
        get => Attributes.NonBlocking;
        set => Check(_queues.SetNonBlocking(Handle, value), "change", 0, 0);
    }

    /// <summary>Opens a queue, or creates it when the flags say so.</summary>
    /// <param name="name">With a slash at its beginning and no other.</param>
    /// <param name="options">To send and receive unless said otherwise.</param>
    /// <param name="backend">Null for the default.</param>
    /// <exception cref="MessageQueueException">It cannot be opened; the message says why.</exception>
    public static PosixMessageQueue Open(string name, PosixQueueOptions? options = null, ICoreBackend? backend = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        options ??= new PosixQueueOptions();
        IPosixQueues queues = (backend ?? CoreBackends.Default).Mq.Posix;
        bool creates = (options.Flags & PosixQueueFlags.Create) != 0;
        PosixQueueAttributes? limits = creates ? Limits(options) : null;
        int status = queues.Open(name, options.Flags, options.Mode, limits, out SafeFileHandle handle);
        if (status < 0)
        {
            throw QueueErrors.OpenPosix(status, creates ? "create" : QueueErrors.Open, name, limits, queues);
        }

        try
        {
            status = queues.GetAttributes(handle, out PosixQueueAttributes found);
            if (status < 0)
            {
                throw QueueErrors.OpenPosix(status, "look at", name, limits, queues);
            }

            CheckOwner(name, handle, options.ExpectedOwner, queues);
            return new PosixMessageQueue(name, handle, found, queues);
        }
        catch
        {
            OwnNotifications.Close(handle);
            throw;
        }
    }

    /// <summary>Creates a queue that must not be there; who created the name before would own it.</summary>
    /// <exception cref="MessageQueueException">It cannot be created; the message says why.</exception>
    public static PosixMessageQueue Create(string name, PosixQueueOptions? options = null, ICoreBackend? backend = null)
    {
        options ??= new PosixQueueOptions();
        return Open(name, options with { Flags = options.Flags | PosixQueueFlags.Create | PosixQueueFlags.Exclusive }, backend);
    }

    /// <summary>Takes the name of a queue away; who holds it open goes on, and the name is free at once.</summary>
    /// <exception cref="MessageQueueException">There is none, or this user may not.</exception>
    public static void Unlink(string name, ICoreBackend? backend = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        IPosixQueues queues = (backend ?? CoreBackends.Default).Mq.Posix;
        int status = queues.Unlink(name);
        if (status < 0)
        {
            throw QueueErrors.OpenPosix(status, "unlink", name, null, queues);
        }
    }

    /// <summary>Sends a message; waits while the queue is full, for ever unless <paramref name="wait"/> or the queue says otherwise.</summary>
    /// <param name="message">At most <see cref="MessageSize"/> bytes.</param>
    /// <param name="priority">0 to 32767; the highest is received first.</param>
    /// <param name="wait">How long, and what ends it.</param>
    /// <exception cref="MessageQueueException">It was not sent; EAGAIN or ETIMEDOUT when the queue was full.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public void Send(ReadOnlySpan<byte> message, int priority = 0, in MqWait wait = default) =>
        Check(_queues.Send(Handle, message, priority, wait), QueueErrors.SendTo, message.Length, priority);

    /// <summary>Sends a message if there is room now.</summary>
    /// <exception cref="MessageQueueException">It cannot be sent.</exception>
    public bool TrySend(ReadOnlySpan<byte> message, int priority = 0) => TrySend(message, priority, MqWait.None);

    /// <summary>Sends a message; false when the queue was full until the wait ended.</summary>
    /// <exception cref="MessageQueueException">It cannot be sent.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public bool TrySend(ReadOnlySpan<byte> message, int priority, in MqWait wait)
    {
        int status = _queues.Send(Handle, message, priority, wait);
        return !IsOver(status) && Check(status, QueueErrors.SendTo, message.Length, priority) >= 0;
    }

    /// <summary>Receives the oldest message of the highest priority and returns its length; waits while the queue is empty.</summary>
    /// <param name="buffer">At least <see cref="MessageSize"/> bytes.</param>
    /// <param name="priority">That of the message.</param>
    /// <param name="wait">How long, and what ends it.</param>
    /// <exception cref="MessageQueueException">None was received; EAGAIN or ETIMEDOUT when the queue was empty.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public int Receive(Span<byte> buffer, out int priority, in MqWait wait = default) =>
        Check(_queues.Receive(Handle, buffer, out priority, wait), QueueErrors.ReceiveFrom, buffer.Length, 0);

    /// <summary>Receives a message if there is one now.</summary>
    /// <exception cref="MessageQueueException">None can be received.</exception>
    public bool TryReceive(Span<byte> buffer, out int length, out int priority) =>
        TryReceive(buffer, out length, out priority, MqWait.None);

    /// <summary>Receives a message; false when the queue was empty until the wait ended.</summary>
    /// <exception cref="MessageQueueException">None can be received.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public bool TryReceive(Span<byte> buffer, out int length, out int priority, in MqWait wait)
    {
        length = _queues.Receive(Handle, buffer, out priority, wait);
        if (IsOver(length))
        {
            length = 0;
            return false;
        }

        Check(length, QueueErrors.ReceiveFrom, buffer.Length, 0);
        return true;
    }

    /// <summary>Sends messages in order, pieces of <paramref name="bytes"/>, and returns how many were sent; one crossing for all.</summary>
    /// <remarks>Fewer than all when the wait ended or an error came between; the next call tells which error.</remarks>
    /// <exception cref="MessageQueueException">Not even the first was sent.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled before the first.</exception>
    public int SendMany(ReadOnlySpan<byte> bytes, ReadOnlySpan<MqMessage> messages, in MqWait wait = default)
    {
        int sent = _queues.SendMany(Handle, bytes, messages, wait);
        return sent >= 0
            ? sent
            : Check(sent, QueueErrors.SendTo, messages.IsEmpty ? 0 : messages[0].Length, messages.IsEmpty ? 0 : (int)messages[0].Type);
    }

    /// <summary>Receives what is there, one behind the other in <paramref name="bytes"/>, and returns how many; waits for the first alone.</summary>
    /// <exception cref="MessageQueueException">None was received.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public int ReceiveMany(Span<byte> bytes, Span<MqMessage> messages, in MqWait wait = default) =>
        Check(_queues.ReceiveMany(Handle, bytes, MessageSize, messages, wait), QueueErrors.ReceiveFrom, bytes.Length, 0);

    /// <summary>Sends a value as the bytes it has in memory.</summary>
    /// <exception cref="MessageQueueException">It was not sent.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public void Send<T>(in T value, int priority = 0, in MqWait wait = default)
        where T : unmanaged => Send(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)), priority, wait);

    /// <summary>Receives a value.</summary>
    /// <exception cref="MessageQueueException">None was received, or the message has another length; then it was taken.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public T Receive<T>(out int priority, in MqWait wait = default)
        where T : unmanaged
    {
        Span<byte> buffer = Scratch.Of(MessageSize);
        int length = Receive(buffer, out priority, wait);
        return length == Unsafe.SizeOf<T>()
            ? MemoryMarshal.Read<T>(buffer)
            : throw QueueErrors.WrongLength(Name, length, Unsafe.SizeOf<T>());
    }

    /// <summary>Receives a value.</summary>
    /// <exception cref="MessageQueueException">None was received, or the message has another length; then it was taken.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public T Receive<T>(in MqWait wait = default)
        where T : unmanaged => Receive<T>(out _, wait);

    /// <summary>Closes it: who awaits it gets <see cref="ObjectDisposedException"/>, and a registration of this process for the queue is
    /// taken back, as the kernel does whenever a process closes a descriptor of a queue that it is registered for.</summary>
    /// <remarks>A call of another thread that blocks goes on until it ends, and the descriptor is closed then; a wait can be cancelled.</remarks>
    public void Dispose()
    {
        CloseLanes();
        OwnNotifications.Close(Handle);
    }

    private static bool IsOver(int status) => status is StatusCode.Again or StatusCode.TimedOut;

    /// <summary>The limits of a queue to be created: one alone goes with the system's default for the other.</summary>
    private static PosixQueueAttributes? Limits(PosixQueueOptions options) =>
        options.MaxMessages is null && options.MessageSize is null
            ? null
            : new PosixQueueAttributes(
                NonBlocking: false,
                options.MaxMessages ?? Default("msg_default", "msg_max", 10),
                options.MessageSize ?? Default("msgsize_default", "msgsize_max", 8192),
                Messages: 0);

    // As the kernel itself does: no default is above the limit. Where /proc is not there, what the kernel is built with.
    private static long Default(string name, string most, long built)
    {
        long value = KernelNumbers.Posix(name) ?? built;
        return Math.Min(value, KernelNumbers.Posix(most) ?? value);
    }

    private static void CheckOwner(string name, SafeFileHandle handle, uint? expected, IPosixQueues queues)
    {
        if (expected is { } user)
        {
            int status = FileOwner.Read(handle, out FileOwner owner);
            if (status < 0)
            {
                throw QueueErrors.OpenPosix(status, "look at", name, null, queues);
            }

            if (owner.Uid != user)
            {
                throw QueueErrors.ForeignOwner(name, owner.Uid, owner.Mode, user);
            }
        }
    }

    private int Check(int status, string operation, long length, int priority) =>
        status >= 0 ? status : throw Fault(status, operation, length, priority);

    private Exception Fault(int status, string operation, long length, int priority) =>
        QueueErrors.Posix(status, operation, Name, _limits, length, priority);
}
