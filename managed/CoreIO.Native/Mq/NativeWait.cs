using CoreIO.Interop;
using CoreIO.Mq;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Native.Mq;

/// <summary>A wait as C takes it; keeps the cancel descriptor open until the end of the <c>using</c>.</summary>
internal readonly unsafe ref struct NativeWait : IDisposable
{
    private readonly SafeFileHandle? _cancel;

    /// <summary>Fills <paramref name="native"/>, and takes a reference of the cancel descriptor if there is one.</summary>
    /// <exception cref="ObjectDisposedException">The cancel descriptor is closed.</exception>
    internal NativeWait(in MqWait wait, out coreio_mq_wait native)
    {
        native = default;
        if (wait.Timeout is null && wait.Cancel is null && wait.Spin <= TimeSpan.Zero)
        {
            return;
        }

        native.size = (uint)sizeof(coreio_mq_wait);
        native.spin_ns = Nanoseconds(wait.Spin);
        if (wait.Timeout is { } timeout)
        {
            native.flags |= LibCoreIO.COREIO_MQ_TIMED;
            native.timeout_ns = Nanoseconds(timeout);
        }

        if (wait.Cancel is { } cancel)
        {
            bool added = false;
            cancel.DangerousAddRef(ref added);
            _cancel = cancel;
            native.flags |= LibCoreIO.COREIO_MQ_CANCELLABLE;
            native.cancel_fd = (int)cancel.DangerousGetHandle();
        }
    }

    /// <summary>What C is passed: nothing for a plain wait, which C then need not look into.</summary>
    internal static coreio_mq_wait* Argument(coreio_mq_wait* native) => native->size == 0 ? null : native;

    public void Dispose() => _cancel?.DangerousRelease();

    // A hundred nanoseconds a tick; 292 years are as good as more.
    private static long Nanoseconds(TimeSpan time) => time.Ticks > long.MaxValue / 100 ? long.MaxValue : Math.Max(time.Ticks, 0) * 100;
}
