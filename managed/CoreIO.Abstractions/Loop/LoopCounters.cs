using System.Runtime.InteropServices;

namespace CoreIO.Loop;

/// <summary>What a loop has done since it was made, and holds now, as <c>coreio_loop_counters</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct LoopCounters
{
    /// <summary>Waits asked for.</summary>
    public long Waits { get; init; }

    /// <summary>System calls made to wait.</summary>
    public long Polls { get; init; }

    /// <summary>Events given out, of all kinds.</summary>
    public long Events { get; init; }

    /// <summary>Events given out as <see cref="LoopEventKind.Woken"/>.</summary>
    public long Wakes { get; init; }

    /// <summary>Events of the kernel for what was removed meanwhile, and dropped.</summary>
    public long Stale { get; init; }

    /// <summary>Changes asked for: added, modified, removed.</summary>
    public long Changes { get; init; }

    /// <summary>Calls of epoll_ctl(2) made for them.</summary>
    public long KernelCalls { get; init; }

    /// <summary>Timers given out.</summary>
    public long TimersFired { get; init; }

    /// <summary>Events given out once more because the owner asked.</summary>
    public long Again { get; init; }

    /// <summary>Descriptors held now.</summary>
    public long Descriptors { get; init; }

    /// <summary>Timers that run now.</summary>
    public long Timers { get; init; }

    /// <summary>Nanoseconds that the last timer given out was late.</summary>
    public long TimersBehind { get; init; }
}
