using System.Runtime.InteropServices;

namespace CoreIO.Loop;

/// <summary>
/// Descriptors, timers and wake-ups of one thread, in batches. One thread at a time, but for <see cref="Wake"/>, which is for any; it is
/// disposed of when no other call runs. Calls return what the kernel returned, or <c>-errno</c>; nothing allocates for an event or a wait.
/// </summary>
public interface IEventLoop : ILoopWatches, ILoopTimers, IDisposable
{
    /// <summary>What the loop has done and holds.</summary>
    LoopCounters Counters { get; }

    /// <summary>Waits for events and writes some of them: how many, or 0 after the timeout. Below 0 waits for ever, 0 not at all.</summary>
    int Wait(Span<LoopEvent> events, long timeoutNs);

    /// <summary>Lets the wait that runs, or else the next one, return with <see cref="LoopEventKind.Woken"/>. From any thread.</summary>
    int Wake();

    /// <summary>Whether an identifier, of a descriptor or of a timer that runs, is held.</summary>
    bool Holds(long id);

    /// <summary>
    /// The descriptor of the loop, readable when a wait would return at once; it stays open while a reference of the handle is held.
    /// From the first call on every change goes to the kernel at once.
    /// </summary>
    int Descriptor(out SafeHandle? descriptor);
}
