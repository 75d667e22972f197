using System.Diagnostics;

namespace CoreIO.Managed.Proxy;

/// <summary>Times of a proxy: nanoseconds of the monotonic clock, which is the unit of .NET's time stamps on Linux.</summary>
internal static class Clock
{
    /// <summary>Nanoseconds of a second.</summary>
    internal const long Second = 1_000_000_000;

    /// <summary>Nanoseconds of a tick of .NET.</summary>
    internal const long Tick = 100;

    internal static long Now => Stopwatch.GetTimestamp();

    /// <summary>Now by the system's clock, since 1970.</summary>
    internal static long Wall => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * Tick;

    /// <summary>A time so much after another; never where the delay is 0.</summary>
    internal static long After(long time, long delay) => delay > 0 && delay < long.MaxValue - time ? time + delay : long.MaxValue;
}
