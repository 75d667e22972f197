// Promises of coreio/loop.h at the edges: time without end, numbers that live on, a loop that is watched and waits itself.
using System.Runtime.InteropServices;
using CoreIO.Loop;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Loop;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
[NonParallelizable]
internal sealed class LoopPromiseTests(string backend)
{
    private const LoopInterest Read = LoopInterest.Read;

    [Test]
    public void A_period_without_end_fires_once()
    {
        using TestLoop loop = new(backend);
        loop.Start(0, long.MaxValue);
        Assert.That(loop.Wait(), Has.Length.EqualTo(1));
        Assert.That(loop.Wait(), Is.Empty);
    }

    [Test]
    public void A_loop_that_is_watched_does_not_spin_when_it_waits_itself()
    {
        for (int round = 0; round < 4; round++)
        {
            using TestLoop loop = new(backend);
            Assert.That(loop.Calls.Descriptor(out _), Is.Zero);
            long timer = loop.Start(150 * TestLoop.Millisecond);
            Assert.That(loop.One(TestLoop.Forever).Id, Is.EqualTo(timer));
            Assert.That(loop.Counters.Polls, Is.LessThan(20));
        }
    }

    [Test]
    public void What_was_removed_while_it_waited_for_its_turn_makes_no_loop_readable()
    {
        using TestLoop loop = new(backend);
        using TestLoop inner = new(backend);
        using SafeFileHandle descriptor = LoopLibc.Event(readable: false);
        Assert.That(inner.Calls.Descriptor(out SafeHandle? own), Is.Zero);
        loop.Add(own!, Read);
        long id = inner.Add(descriptor, Read);
        inner.Again(id, Read);
        Assert.That(loop.Ready(TestLoop.Second), Is.EqualTo(Read));
        inner.Remove(id);
        Assert.That(loop.Wait(), Is.Empty);
    }

    [Test]
    public void What_a_duplicate_keeps_alive_is_not_told_to_the_owner_whose_number_went_on()
    {
        using TestLoop loop = new(backend);
        SafeFileHandle watched = LoopLibc.Event(readable: true);
        using SafeFileHandle duplicate = LoopLibc.Duplicate(watched);
        using SafeFileHandle other = LoopLibc.Event(readable: false);
        using (watched)
        {
            loop.Add(watched, Read);
            LoopLibc.Replace(other, watched);
            loop.Add(watched, Read);
            Assert.That(loop.Wait(), Is.Empty);
            Assert.That(loop.Counters.Stale, Is.EqualTo(1));
        }
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(5)]
    public void What_reaches_nobody_hides_nothing(int capacity)
    {
        const int Stale = 5;
        using TestLoop loop = new(backend);
        List<SafeFileHandle> duplicates = [];
        try
        {
            for (int i = 0; i < Stale; i++)
            {
                SafeFileHandle watched = LoopLibc.Event(readable: true);
                duplicates.Add(LoopLibc.Duplicate(watched));
                loop.Remove(loop.Add(watched, Read), closing: true);
                watched.Dispose();
            }

            using SafeFileHandle other = LoopLibc.Event(readable: true);
            long id = loop.Add(other, Read);
            for (int i = 0; i < 20; i++)
            {
                Assert.That(loop.Wait(0, capacity).Select(told => told.Id), Is.EqualTo((long[])[id]));
            }
        }
        finally
        {
            duplicates.ForEach(duplicate => duplicate.Dispose());
        }
    }
}
