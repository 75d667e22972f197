// A wait, an event, a change and a timer cost no allocation on the calling thread.
using CoreIO.Loop;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Loop;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
[NonParallelizable]
internal sealed class LoopMemoryTests(string backend)
{
    private const int Rounds = 1000;

    [Test]
    public void A_turn_of_the_loop_allocates_nothing()
    {
        using EventLoop loop = new(null, Backends.Get(backend));
        using SafeFileHandle ready = LoopLibc.Event(readable: true);
        using SafeFileHandle quiet = LoopLibc.Event(readable: false);
        LoopEvent[] events = new LoopEvent[16];
        long first = loop.Add(ready, LoopInterest.Read, 1);
        TimeSpan hour = TimeSpan.FromHours(1);
        long least = Allocations.Least(() =>
        {
            long second = loop.Add(quiet, LoopInterest.Read, 2);
            loop.Modify(second, LoopInterest.Read | LoopInterest.Write);
            loop.Again(first, LoopInterest.Priority);
            long timer = loop.StartTimer(hour, 3, hour);
            _ = loop.RestartTimer(timer, TimeSpan.Zero);
            loop.Wake();
            _ = loop.Wait(events, TimeSpan.FromMilliseconds(1));
            _ = loop.Wait(events, TimeSpan.Zero);
            _ = loop.Counters;
            _ = loop.Now;
            _ = loop.StopTimer(timer);
            _ = loop.Remove(second);
        }, Rounds);
        Assert.That(least, Is.Zero);
        Assert.That(loop.Counters.Descriptors, Is.EqualTo(1));
    }
}
