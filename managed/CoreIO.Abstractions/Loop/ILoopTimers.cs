namespace CoreIO.Loop;

/// <summary>The timers of a loop; none of the calls is a system call. For the thread that waits.</summary>
public interface ILoopTimers
{
    /// <summary>The time of the loop: CLOCK_MONOTONIC in ns, as of the end of the last wait. Timers count from it.</summary>
    long Now { get; }

    /// <summary>Starts a timer that fires <paramref name="delayNs"/> from <see cref="Now"/>, and then every period unless that is 0.</summary>
    int StartTimer(long delayNs, long periodNs, long data, out long id);

    /// <summary>Moves a timer that runs to <paramref name="delayNs"/> from <see cref="Now"/>; its period stays.</summary>
    int RestartTimer(long id, long delayNs);

    /// <summary>Ends a timer.</summary>
    int StopTimer(long id);
}
