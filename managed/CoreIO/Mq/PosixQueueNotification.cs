using Microsoft.Win32.SafeHandles;

namespace CoreIO.Mq;

/// <summary>The registration of this process to be told of a message; the queue allows one at a time. Used by one thread at a time.</summary>
public sealed class PosixQueueNotification : IDisposable
{
    internal const string WaitFor = "wait for word of";

    private readonly PosixMessageQueue _queue;
    private readonly IPosixQueues _queues;
    private readonly PosixNotifyKind _kind;
    private readonly int _signal;
    private readonly long _value;
    private SafeFileHandle? _descriptor;
    private bool _disposed;

    internal PosixQueueNotification(PosixMessageQueue queue, IPosixQueues queues, PosixNotifyKind kind, int signal, long value)
    {
        if (kind == PosixNotifyKind.Cancel)
        {
            throw new ArgumentException("taking a registration back is to dispose it", nameof(kind));
        }

        _queue = queue;
        _queues = queues;
        _kind = kind;
        _signal = signal;
        _value = value;
        Arm();
    }

    /// <summary>
    /// With <see cref="PosixNotifyKind.Descriptor"/>, readable when there is something to tell, also that the registration has ended
    /// otherwise; another one after each <see cref="Arm"/>.
    /// </summary>
    public SafeFileHandle? Descriptor => _descriptor;

    /// <summary>
    /// Asks to be told again, which is needed after each time. Then take what is in the queue: a message that came between is there and is
    /// not told.
    /// </summary>
    /// <exception cref="MessageQueueException">EBUSY when this registration has not been told yet, or another process has one.</exception>
    public void Arm()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int status = _queues.Notify(_queue.Handle, _kind, _signal, _value, out SafeFileHandle? descriptor);
        if (status < 0)
        {
            throw QueueErrors.Posix(status, "ask for word of", _queue.Name, default, 0, 0);
        }

        _descriptor?.Dispose();
        _descriptor = descriptor;
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

        return status >= 0 ? true : throw QueueErrors.Posix(status, WaitFor, _queue.Name, default, 0, 0);
    }

    /// <summary>Waits to be told. Only with <see cref="PosixNotifyKind.Descriptor"/>.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public ValueTask WaitAsync(CancellationToken cancellationToken = default) => cancellationToken.IsCancellationRequested
        ? ValueTask.FromCanceled(cancellationToken)
        : WaitOnce(MqWait.None) >= 0 ? ValueTask.CompletedTask : new ValueTask(_queue.ListenAsync(this, cancellationToken));

    /// <summary>Takes the registration back.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        // What was told is no registration any more, and another one of this process is not this one's to take back.
        bool told = _descriptor is not null && WaitOnce(MqWait.None) >= 0;
        if (!told && !_queue.Handle.IsClosed)
        {
            _ = _queues.Notify(_queue.Handle, PosixNotifyKind.Cancel, 0, 0, out _);
        }

        _descriptor?.Dispose();
    }

    /// <summary>0 when it was told, or what ended the wait.</summary>
    internal int WaitOnce(in MqWait wait) => Descriptors.WaitReadable(
        _descriptor ?? throw new InvalidOperationException("this registration tells by no descriptor"), wait.Timeout, wait.Cancel);
}
