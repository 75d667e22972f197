// Timers: in order, never early, periodic, many.
using System.Diagnostics;
using CoreIO.Loop;

namespace CoreIO.Tests.Loop;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class LoopTimerTests(string backend)
{
    private const long Ms = TestLoop.Millisecond;

    [Test]
    public void They_fire_in_order_and_never_early()
    {
        using TestLoop loop = new(backend);
        long[] delays = [30 * Ms, 0, 10 * Ms, 20 * Ms];
        long begin = loop.Calls.Now;
        long[] ids = [.. delays.Select((delay, i) => loop.Start(delay, data: i))];
        foreach (int next in (int[])[1, 2, 3, 0])
        {
            Assert.That(loop.Calls.Holds(ids[next]));
            Assert.That(loop.One(TestLoop.Forever), Is.EqualTo(new LoopEvent(ids[next], next, LoopInterest.None, LoopEventKind.Timer, 0)));
            Assert.That(Stopwatch.GetTimestamp() - begin, Is.GreaterThanOrEqualTo(delays[next]));
            Assert.That(loop.Calls.Holds(ids[next]), Is.False);
            Assert.That(loop.Calls.RestartTimer(ids[next], 0), Is.EqualTo(StatusCode.NoEntry));
            Assert.That(loop.Calls.StopTimer(ids[next]), Is.EqualTo(StatusCode.NoEntry));
        }

        Assert.That((loop.Counters.Timers, loop.Counters.TimersFired), Is.EqualTo((0L, 4L)));
        Assert.That(loop.Calls.StartTimer(-1, 0, 0, out long none), Is.EqualTo(StatusCode.InvalidArgument));
        Assert.That(none, Is.Zero);
        Assert.That(loop.Calls.StartTimer(0, -1, 0, out _), Is.EqualTo(StatusCode.InvalidArgument));
        long far = loop.Start(long.MaxValue);
        Assert.That(loop.Calls.RestartTimer(far, -1), Is.EqualTo(StatusCode.InvalidArgument));
        Assert.That(loop.Calls.StopTimer(far), Is.Zero);
    }

    [Test]
    public void They_are_moved_and_ended()
    {
        using TestLoop loop = new(backend);
        long moved = loop.Start(5 * Ms);
        long ended = loop.Start(5 * Ms);
        long nearer = loop.Start(3600 * TestLoop.Second);
        Assert.That(loop.Calls.RestartTimer(moved, 3600 * TestLoop.Second), Is.Zero);
        Assert.That(loop.Calls.StopTimer(ended), Is.Zero);
        Assert.That(loop.Calls.RestartTimer(nearer, 10 * Ms), Is.Zero);
        Assert.That(loop.One(TestLoop.Forever).Id, Is.EqualTo(nearer));
        Assert.That(loop.Wait(10 * Ms), Is.Empty);
        Assert.That(loop.Calls.StopTimer(moved & 0x7fffffff_7fffffff), Is.EqualTo(StatusCode.NoEntry), "a descriptor's identifier is no timer's");
        Assert.That(loop.Calls.Remove(moved, closing: false), Is.EqualTo(StatusCode.NoEntry), "nor the other way round");
        Assert.That(loop.Calls.StopTimer(moved), Is.Zero);
    }

    [Test]
    public void A_periodic_one_fires_once_for_what_it_missed()
    {
        using TestLoop loop = new(backend);
        long begin = loop.Calls.Now;
        long id = loop.Start(2 * Ms, 2 * Ms);
        for (int i = 0; i < 5; i++)
        {
            Assert.That(loop.One(TestLoop.Forever).Id, Is.EqualTo(id));
            Assert.That(loop.Calls.Holds(id));
        }

        Assert.That(Stopwatch.GetTimestamp() - begin, Is.GreaterThanOrEqualTo(10 * Ms));
        Thread.Sleep(30);
        Assert.That(loop.Wait(), Has.Length.EqualTo(1));
        Assert.That(loop.Counters.TimersBehind, Is.GreaterThan(0));
        Assert.That(loop.Calls.StopTimer(id), Is.Zero);
        Assert.That(loop.Wait(5 * Ms), Is.Empty);
    }

    [Test]
    public void A_hundred_thousand()
    {
        const int Count = 100_000;
        using TestLoop loop = new(backend);
        long[] ids = new long[Count];
        for (int i = 0; i < Count; i++)
        {
            _ = loop.Calls.StartTimer((1 + (i % 100)) * Ms, 0, i, out ids[i]);
        }

        Assert.That(loop.Counters.Timers, Is.EqualTo(Count));
        // A third is moved out of reach and ended later, a third is ended, a third fires.
        for (int i = 0; i < Count; i++)
        {
            _ = (i % 3) switch { 0 => loop.Calls.RestartTimer(ids[i], 3600 * TestLoop.Second), 1 => loop.Calls.StopTimer(ids[i]), _ => 0 };
        }

        int wrong = 0;
        LoopEvent[] events = new LoopEvent[1000];
        for (int fired = 0; fired < Count / 3;)
        {
            int count = loop.Calls.Wait(events, 10 * TestLoop.Second);
            Assert.That(count, Is.Positive);
            foreach (LoopEvent e in events.AsSpan(0, count))
            {
                wrong += e.Data % 3 != 2 || e.Id != ids[e.Data] ? 1 : 0;
            }

            fired += count;
        }

        Assert.That(wrong, Is.Zero);
        Assert.That(loop.Counters.TimersFired, Is.EqualTo(Count / 3));
        for (int i = 0; i < Count; i += 3)
        {
            wrong += loop.Calls.StopTimer(ids[i]);
        }

        Assert.That((wrong, loop.Counters.Timers), Is.EqualTo((0, 0L)));
    }
}
