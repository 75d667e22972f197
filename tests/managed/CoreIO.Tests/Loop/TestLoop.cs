// A loop of a backend for one test: statuses that are not looked at are checked here.
using System.Runtime.InteropServices;
using CoreIO.Loop;

namespace CoreIO.Tests.Loop;

internal sealed class TestLoop : IDisposable
{
    public const long Millisecond = 1_000_000;
    public const long Second = 1000 * Millisecond;
    public const long Forever = -1;

    private readonly LoopEvent[] _events = new LoopEvent[64];

    public TestLoop(string backend)
    {
        Assert.That(Backends.Get(backend).Loop.Create(new LoopOptions(), out IEventLoop? loop), Is.Zero);
        Calls = loop!;
    }

    public IEventLoop Calls { get; }

    public LoopCounters Counters => Calls.Counters;

    public long Add(SafeHandle descriptor, LoopInterest interest, long data = 0)
    {
        Assert.That(Calls.Add(descriptor, interest, data, out long id), Is.Zero);
        Assert.That(id, Is.Positive);
        return id;
    }

    public void Modify(long id, LoopInterest interest) => Assert.That(Calls.Modify(id, interest), Is.Zero);

    public void Remove(long id, bool closing = false) => Assert.That(Calls.Remove(id, closing), Is.Zero);

    public void Again(long id, LoopInterest ready) => Assert.That(Calls.Again(id, ready), Is.Zero);

    public long Start(long delay, long period = 0, long data = 0)
    {
        Assert.That(Calls.StartTimer(delay, period, data, out long id), Is.Zero);
        Assert.That(id, Is.Positive);
        return id;
    }

    /// <summary>A batch.</summary>
    public LoopEvent[] Wait(long timeout = 0, int capacity = 64)
    {
        int count = Calls.Wait(_events.AsSpan(0, capacity), timeout);
        Assert.That(count, Is.InRange(0, capacity));
        return _events[..count];
    }

    /// <summary>The one event of a batch.</summary>
    public LoopEvent One(long timeout = 0)
    {
        LoopEvent[] events = Wait(timeout);
        Assert.That(events, Has.Length.EqualTo(1));
        return events[0];
    }

    /// <summary>What the one event of a batch says is ready; none without event.</summary>
    public LoopInterest Ready(long timeout = 0) => Wait(timeout) is { Length: > 0 } events ? events.Single().Ready : LoopInterest.None;

    public void Dispose() => Calls.Dispose();
}
