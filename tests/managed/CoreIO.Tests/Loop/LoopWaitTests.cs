// Waits: batches, fairness, timeouts, wakes from other threads.
using System.Diagnostics;
using CoreIO.Loop;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Loop;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class LoopWaitTests(string backend)
{
    private const LoopInterest Read = LoopInterest.Read;

    [Test]
    public void A_wait_ends_after_its_timeout_and_not_before()
    {
        using TestLoop loop = new(backend);
        foreach (long timeout in (long[])[0, 1, 300_000, 20 * TestLoop.Millisecond])
        {
            long begin = Stopwatch.GetTimestamp();
            Assert.That(loop.Wait(timeout), Is.Empty);
            Assert.That(Stopwatch.GetElapsedTime(begin).TotalNanoseconds, Is.GreaterThanOrEqualTo(timeout));
            Assert.That(loop.Calls.Now, Is.GreaterThanOrEqualTo(begin + timeout));
        }

        Assert.That(loop.Calls.Wait([], 0), Is.EqualTo(StatusCode.InvalidArgument));
    }

    [Test]
    public void A_small_batch_starves_nobody([Range(1, 5)] int capacity)
    {
        const int Descriptors = 20;
        const int Others = 3;
        const int Waits = 600;
        using TestLoop loop = new(backend);
        List<SafeFileHandle> handles = [];
        int[] counts = new int[Descriptors + Others + Others];
        long[] ids = new long[Descriptors + Others];
        for (int i = 0; i < Descriptors + Others; i++)
        {
            handles.Add(LoopLibc.Event(readable: true));
            ids[i] = loop.Add(handles[i], i < Descriptors ? Read : LoopInterest.None, i);
            if (i >= Descriptors)
            {
                loop.Again(ids[i], Read);
            }
        }

        for (int i = 0; i < Others; i++)
        {
            loop.Start(0, data: Descriptors + Others + i);
        }

        for (int wait = 0; wait < Waits; wait++)
        {
            foreach (LoopEvent e in loop.Wait(TestLoop.Forever, capacity))
            {
                counts[e.Data]++;
                if (e.Data >= Descriptors + Others)
                {
                    loop.Start(0, data: e.Data);
                }
                else if (e.Data >= Descriptors)
                {
                    loop.Again(e.Id, Read);
                }
            }
        }

        handles.ForEach(handle => handle.Dispose());
        Assert.That(counts, Is.All.GreaterThanOrEqualTo(Waits / 3 / Descriptors));
    }

    [Test]
    public void An_edge_that_was_left_comes_again_when_it_is_asked_for()
    {
        using TestLoop loop = new(backend);
        (SafeFileHandle first, SafeFileHandle second) = LoopLibc.SocketPair();
        using (first)
        using (second)
        {
            long id = loop.Add(first, Read | LoopInterest.EdgeTriggered, 9);
            LoopLibc.Send(second, 8);
            for (int left = 8; left > 0;)
            {
                // Waits for ever, so an edge that is lost hangs the test.
                Assert.That(loop.One(TestLoop.Forever), Is.EqualTo(new LoopEvent(id, 9, Read, LoopEventKind.Descriptor, 0)));
                left -= LoopLibc.Receive(first, 3);
                if (left > 0)
                {
                    loop.Again(id, Read);
                }
            }

            Assert.That(loop.Wait(), Is.Empty);
            Assert.That(loop.Counters.Again, Is.EqualTo(2));
            loop.Again(id, Read);
            loop.Remove(id);
            Assert.That(loop.Wait(), Is.Empty, "removed while it waited for its turn");
        }
    }

    // Each wait is for ever: with a wake lost after the last number, the loop would sleep beside it.
    [Test]
    [CancelAfter(120_000)]
    public void No_wake_is_lost()
    {
        const int Threads = 4;
        const int Each = 30_000;
        using TestLoop loop = new(backend);
        int handedOver = 0;
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < Each; i++)
            {
                Interlocked.Increment(ref handedOver);
                loop.Calls.Wake();
            }
        }) { IsBackground = true })];
        Array.ForEach(threads, thread => thread.Start());
        int wakes = 0;
        for (int seen = 0; seen < Threads * Each; wakes++)
        {
            LoopEvent woken = loop.One(60 * TestLoop.Second);
            Assert.That(woken, Is.EqualTo(new LoopEvent(0, 0, LoopInterest.None, LoopEventKind.Woken, 0)));
            seen = Volatile.Read(ref handedOver);
        }

        Array.ForEach(threads, thread => thread.Join());
        _ = loop.Wait();
        loop.Calls.Wake();
        loop.Calls.Wake();
        Assert.That(loop.Wait(), Has.Length.EqualTo(1), "wakes before a wait are one");
        Assert.That(loop.Wait(), Is.Empty);
        TestContext.Out.WriteLine($"{wakes} waits for {Threads * Each} wakes");
    }

    [Test]
    public void An_idle_loop_uses_no_cpu([Values] bool watched)
    {
        using TestLoop loop = new(backend);
        loop.Start(86400 * TestLoop.Second);
        if (watched)
        {
            Assert.That(loop.Calls.Descriptor(out _), Is.Zero);
        }

        Assert.That(loop.Wait(200 * TestLoop.Millisecond), Is.Empty);
        Assert.That(loop.Counters.Polls, Is.LessThanOrEqualTo(3));
    }
}
