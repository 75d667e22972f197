using Microsoft.Win32.SafeHandles;

namespace CoreIO.Mq;

/// <summary>How long a call may wait, and what ends the wait. The default waits for ever, unless the queue or the call is non-blocking.</summary>
/// <param name="Timeout">From now, on the monotonic clock; zero or less does not wait; null for ever.</param>
/// <param name="Spin">Tries again and again for this long before it blocks: a core for the price of a wake-up.</param>
/// <param name="Cancel">A descriptor; when it can be read the wait ends with <see cref="StatusCode.Canceled"/>. It is not read.</param>
public readonly record struct MqWait(TimeSpan? Timeout = null, TimeSpan Spin = default, SafeFileHandle? Cancel = null)
{
    /// <summary>Does not wait.</summary>
    public static MqWait None { get; } = new(TimeSpan.Zero);
}
