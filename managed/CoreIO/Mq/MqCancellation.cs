using Microsoft.Win32.SafeHandles;

namespace CoreIO.Mq;

/// <summary>
/// Ends waits from any thread: <c>queue.Receive(buffer, out _, new MqWait(Cancel: cancellation.Handle))</c> then throws
/// <see cref="OperationCanceledException"/> and has taken nothing. One may end any number of waits. It is disposed of when none uses it.
/// </summary>
public sealed class MqCancellation : IDisposable
{
    private readonly CancellationTokenRegistration _registration;

    /// <summary>Makes one that a token sets off, or <see cref="Cancel"/>.</summary>
    /// <exception cref="CoreIOException">There are too many descriptors.</exception>
    public MqCancellation(CancellationToken token = default)
    {
        Handle = Descriptors.CreateEvent();
        _registration = token.UnsafeRegister(static state => ((MqCancellation)state!).Cancel(), this);
    }

    /// <summary>Readable once it is cancelled; for <see cref="MqWait.Cancel"/>.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Ends the waits that run, and all later ones.</summary>
    public void Cancel() => Descriptors.Set(Handle);

    /// <inheritdoc/>
    public void Dispose()
    {
        _registration.Dispose();
        Handle.Dispose();
    }
}
