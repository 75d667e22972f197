using Microsoft.Win32.SafeHandles;

namespace CoreIO.Mq;

/// <summary>
/// The registration of this process to be told of a message; the queue allows one at a time. Used by one thread at a time, and to be disposed
/// of: it is kept until then, or until the queue is closed.
/// </summary>
public sealed class PosixQueueNotification : IDisposable
{
    internal const string WaitFor = "wait for word of";

    // The kernel writes what ended it into the last byte of the cookie that it was given.
    private const int CookieBytes = 32;

    private readonly IPosixQueues _queues;
    private readonly PosixNotifyKind _kind;
    private readonly int _signal;
    private readonly long _value;
    private readonly FileId _file;
    private SafeFileHandle? _descriptor;
    private bool _disposed;

    internal PosixQueueNotification(PosixMessageQueue queue, IPosixQueues queues, PosixNotifyKind kind, int signal, long value)
    {
        if (kind == PosixNotifyKind.Cancel)
        {
            throw new ArgumentException("taking a registration back is to dispose it", nameof(kind));
        }

        Queue = queue;
        _queues = queues;
        _kind = kind;
        _signal = signal;
        _value = value;
        int status = FileOwner.Read(queue.Handle, out FileOwner owner);
        _file = status >= 0 ? owner.File : throw Fault(status, "look at");
        Arm();
    }

    /// <summary>
    /// With <see cref="PosixNotifyKind.Descriptor"/>, readable when there is something to tell, also that the registration has ended
    /// otherwise; another one after each <see cref="Arm"/>.
    /// </summary>
    public SafeFileHandle? Descriptor => _descriptor;

    /// <summary>
    /// What ended it, with <see cref="PosixNotifyKind.Descriptor"/>: <see cref="Wait"/> returns for a message and for any other end alike. Nothing
    /// after the next <see cref="Arm"/>.
    /// </summary>
    public PosixNotifyEnd End =>
        _descriptor is { IsClosed: false } descriptor && Descriptors.Peek(descriptor, CookieBytes) is { Length: CookieBytes } cookie
            ? (PosixNotifyEnd)cookie[^1]
            : PosixNotifyEnd.None;

    /// <summary>The queue it is about.</summary>
    internal PosixMessageQueue Queue { get; }

    /// <summary>The signal it tells by; 0 where it tells otherwise.</summary>
    internal int Signal => _kind == PosixNotifyKind.Signal ? _signal : 0;

    /// <summary>Whether it is known to be no registration any more.</summary>
    internal bool HasEnded => Queue.Handle.IsClosed || (_descriptor is { IsClosed: false } descriptor && IsTold(descriptor));

    /// <summary>
    /// Asks to be told again, which is needed after each time. Then take what is in the queue: a message that came between is there and is
    /// not told.
    /// </summary>
    /// <exception cref="MessageQueueException">EBUSY when this registration has not been told yet, or another process has one.</exception>
    public void Arm()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        SafeFileHandle? descriptor;
        lock (OwnNotifications.Gate)
        {
            int status = _queues.Notify(Queue.Handle, _kind, _signal, _value, out descriptor);
            if (status < 0)
            {
                throw Fault(status, "ask for word of");
            }

            OwnNotifications.Enter(_file, this);
            (_descriptor, descriptor) = (descriptor, _descriptor);
        }

        descriptor?.Dispose();
    }

    /// <summary>Waits to be told; false when the wait ended before. Only with <see cref="PosixNotifyKind.Descriptor"/>.</summary>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public bool Wait(in MqWait wait = default)
    {
        int status = WaitOnce(wait);
        if (status is StatusCode.Again or StatusCode.TimedOut)
        {
            return false;
        }

        return status >= 0 ? true : throw Fault(status, WaitFor);
    }

    /// <summary>Waits to be told. Only with <see cref="PosixNotifyKind.Descriptor"/>.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ValueTask WaitAsync(CancellationToken cancellationToken = default) => cancellationToken.IsCancellationRequested
        ? ValueTask.FromCanceled(cancellationToken)
        : WaitOnce(MqWait.None) >= 0 ? ValueTask.CompletedTask : new ValueTask(Queue.ListenAsync(this, cancellationToken));

    /// <summary>Takes the registration back, if it is still this one's.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        lock (OwnNotifications.Gate)
        {
            // What was told is no registration any more, and another one of this process is not this one's to take back.
            bool ended = HasEnded;
            if (OwnNotifications.Leave(_file, this) && !ended)
            {
                _ = _queues.Notify(Queue.Handle, PosixNotifyKind.Cancel, 0, 0, out _);
            }
        }

        _descriptor?.Dispose();
    }

    /// <summary>0 when it was told, or what ended the wait.</summary>
    internal int WaitOnce(in MqWait wait)
    {
        int status = Descriptors.WaitReadable(
            _descriptor ?? throw new InvalidOperationException("this registration tells by no descriptor"), wait.Timeout, wait.Cancel);
        if (status >= 0)
        {
            _ = OwnNotifications.Leave(_file, this);
        }

        return status;
    }

    /// <summary>Whether a name is that of the queue now: another queue may have it since it was unlinked.</summary>
    internal bool IsOf(string name) => PosixQueues.NameOf(Queue.Handle) is string now ? now == name : Queue.Name == name;

    private static bool IsTold(SafeFileHandle descriptor) => Descriptors.WaitReadable(descriptor, TimeSpan.Zero, null) >= 0;

    private Exception Fault(int status, string operation) => QueueErrors.Posix(status, operation, Queue.Name, default, 0, 0);
}
