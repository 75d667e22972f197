// Awaiting descriptors and delays: no thread of the pool is held, nothing is lost or left behind by cancelling, and the end is an end.
using System.Diagnostics;
using System.Runtime.InteropServices;
using CoreIO.Loop;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Loop;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
[NonParallelizable]
internal sealed class AsyncEventLoopTests(string backend)
{
    private const LoopInterest Read = LoopInterest.Read;
    private const LoopInterest Write = LoopInterest.Write;
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private AsyncEventLoop _loop = null!;

    [SetUp]
    public void Make() => _loop = new AsyncEventLoop(null, Backends.Get(backend));

    [TearDown]
    public async Task End()
    {
        if (_loop is not null)
        {
            await _loop.DisposeAsync();
        }
    }

    [Test]
    public async Task What_is_ready_now_and_later_is_told()
    {
        (SafeFileHandle first, SafeFileHandle second) = LoopLibc.SocketPair();
        using (first)
        using (second)
        {
            Assert.That(await _loop.ReadyAsync(first, Read | Write).AsTask().WaitAsync(Long), Is.EqualTo(Write));
            Task<LoopInterest> reads = _loop.ReadyAsync(first, Read).AsTask();
            Task<LoopInterest> writes = _loop.ReadyAsync(first, Write).AsTask();
            Task<LoopInterest> both = _loop.ReadyAsync(first, Read | LoopInterest.ReadHangUp).AsTask();
            Assert.That(await writes.WaitAsync(Long), Is.EqualTo(Write), "several wait on one descriptor, each for its own");
            Assert.That(reads.IsCompleted || both.IsCompleted, Is.False);
            LoopLibc.Send(second, 1);
            Assert.That(await reads.WaitAsync(Long), Is.EqualTo(Read));
            Assert.That(await both.WaitAsync(Long), Is.EqualTo(Read));
            _ = LoopLibc.Receive(first);
            Task<LoopInterest> ends = _loop.ReadyAsync(first, LoopInterest.ReadHangUp).AsTask();
            second.Dispose();
            Assert.That(await ends.WaitAsync(Long), Is.EqualTo(LoopInterest.ReadHangUp | LoopInterest.HangUp));
            await AssertNothingHeld();
        }
    }

    [Test]
    public async Task A_wait_that_has_ended_has_given_the_descriptor_back()
    {
        (SafeFileHandle first, SafeFileHandle second) = LoopLibc.SocketPair();
        using (second)
        {
            Assert.That(await _loop.ReadyAsync(first, Write).AsTask().WaitAsync(Long), Is.EqualTo(Write));
            first.Dispose();
            Assert.That(await _loop.ReadyAsync(second, Read).AsTask().WaitAsync(Long), Is.EqualTo(Read | LoopInterest.HangUp));
            Assert.That(() => _loop.ReadyAsync(first, Read), Throws.InstanceOf<ObjectDisposedException>());
        }
    }

    [Test]
    public async Task What_cannot_be_watched_is_told()
    {
        using TempFolder folder = new();
        using SafeFileHandle file = File.OpenHandle(folder.Write("x", [1]));
        Assert.That(
            async () => await _loop.ReadyAsync(file, Read).AsTask().WaitAsync(Long),
            Throws.InstanceOf<EventLoopException>().With.Message.Contains("(EPERM): a regular file is always ready"));
        Assert.That(
            async () => await _loop.WatchAsync(file, Read).GetAsyncEnumerator().MoveNextAsync().AsTask().WaitAsync(Long),
            Throws.InstanceOf<EventLoopException>());
        Assert.That(() => _loop.ReadyAsync(file, LoopInterest.None), Throws.ArgumentException);
        Assert.That(() => _loop.WatchAsync(file, Read | LoopInterest.OneShot), Throws.ArgumentException);
        Assert.That(() => _loop.ReadyAsync(null!, Read), Throws.ArgumentNullException);
        await AssertNothingHeld();
    }

    [Test]
    public async Task Delays_end_in_order_and_never_early()
    {
        long begin = Stopwatch.GetTimestamp();
        int[] delays = [40, 10, 30, 20];
        List<int> order = [];
        // On the loop, for the pool may turn round what follows.
        await using AsyncEventLoop loop = new(new AsyncEventLoopOptions { RunContinuationsOnLoop = true }, Backends.Get(backend));
        await Task.WhenAll(delays.Select(async delay =>
        {
            await loop.DelayAsync(TimeSpan.FromMilliseconds(delay)).ConfigureAwait(false);
            Assert.That(Stopwatch.GetElapsedTime(begin).TotalMilliseconds, Is.GreaterThanOrEqualTo(delay));
            order.Add(delay);
        })).WaitAsync(Long);
        Assert.That(order, Is.Ordered);
        Assert.That(_loop.DelayAsync(TimeSpan.Zero).AsTask().IsCompletedSuccessfully);
        Assert.That(() => _loop.DelayAsync(TimeSpan.FromSeconds(-1)), Throws.InstanceOf<ArgumentOutOfRangeException>());
        using CancellationTokenSource source = new();
        Task[] endless =
        [
            _loop.DelayAsync(Timeout.InfiniteTimeSpan, source.Token).AsTask(), _loop.DelayAsync(TimeSpan.MaxValue, source.Token).AsTask(),
            _loop.DelayAsync(TimeSpan.FromHours(1), source.Token).AsTask(),
        ];
        await _loop.DelayAsync(TimeSpan.FromMilliseconds(5));
        Assert.That(endless.Any(task => task.IsCompleted), Is.False);
        await source.CancelAsync();
        Assert.That(async () => await Task.WhenAll(endless).WaitAsync(Long), Throws.InstanceOf<OperationCanceledException>());
        await AssertNothingHeld();
    }

    [Test]
    public async Task A_stream_tells_as_long_as_something_is_there()
    {
        (SafeFileHandle first, SafeFileHandle second) = LoopLibc.SocketPair();
        using (first)
        using (second)
        {
            using CancellationTokenSource source = new();
            LoopLibc.Send(second, 5);
            int seen = 0;
            async Task Watch()
            {
                await foreach (LoopInterest ready in _loop.WatchAsync(first, Read, source.Token))
                {
                    Assert.That(ready, Is.EqualTo(Read));
                    Assert.That(LoopLibc.Receive(first, 1), Is.EqualTo(1));
                    if (++seen == 5)
                    {
                        Assert.That((await _loop.GetCountersAsync()).Descriptors, Is.EqualTo(1), "it stays registered between");
                        await source.CancelAsync();
                    }
                }
            }

            Assert.That(async () => await Watch().WaitAsync(Long), Throws.InstanceOf<OperationCanceledException>());
            Assert.That(seen, Is.EqualTo(5));
            await AssertNothingHeld();
            second.Dispose();
            // A descriptor that has hung up, with a stream that nobody asks for more, keeps nobody busy.
            await using IAsyncEnumerator<LoopInterest> stream = _loop.WatchAsync(first, Read).GetAsyncEnumerator();
            Assert.That(await stream.MoveNextAsync().AsTask().WaitAsync(Long));
            LoopCounters before = await _loop.GetCountersAsync();
            await Task.Delay(50);
            Assert.That((await _loop.GetCountersAsync()).Polls - before.Polls, Is.LessThan(20));
            Assert.That(await stream.MoveNextAsync().AsTask().WaitAsync(Long), "and is told again");
        }
    }

    [Test]
    public async Task Cancelling_ends_a_wait_and_no_other()
    {
        using SafeFileHandle descriptor = LoopLibc.Event(readable: false);
        using CancellationTokenSource source = new();
        Task<LoopInterest>[] cancelled = [.. Enumerable.Range(0, 10).Select(_ => _loop.ReadyAsync(descriptor, Read, source.Token).AsTask())];
        Task<LoopInterest> stays = _loop.ReadyAsync(descriptor, Read).AsTask();
        await source.CancelAsync();
        foreach (Task<LoopInterest> task in cancelled)
        {
            OperationCanceledException e = Assert.CatchAsync<OperationCanceledException>(async () => await task.WaitAsync(Long))!;
            Assert.That(e.CancellationToken, Is.EqualTo(source.Token));
        }

        Assert.That(stays.IsCompleted, Is.False);
        LoopLibc.Set(descriptor);
        Assert.That(await stays.WaitAsync(Long), Is.EqualTo(Read));
        Assert.That(async () => await _loop.ReadyAsync(descriptor, Read, new CancellationToken(true)), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(async () => await _loop.DelayAsync(Long, new CancellationToken(true)), Throws.InstanceOf<OperationCanceledException>());
        await AssertNothingHeld();
    }

    // Readers that are cancelled all the time, while numbers come through a pipe: each is read once, in order.
    [Test]
    [CancelAfter(120_000)]
    public async Task Cancellation_loses_no_event()
    {
        const int Count = 3000;
        (SafeFileHandle first, SafeFileHandle second) = LoopLibc.SocketPair();
        using (first)
        using (second)
        {
            Thread sender = new(() =>
            {
                for (int i = 0; i < Count; i++)
                {
                    while (!LoopLibc.TrySend(second))
                    {
                        Thread.Sleep(1);
                    }

                    Thread.SpinWait(i % 3 == 0 ? 3000 : 50);
                }
            })
            { IsBackground = true };
            sender.Start();
            CancellationToken late = TestContext.CurrentContext.CancellationToken;
            Random random = new(7);
            int received = 0;
            int cancellations = 0;
            while (received < Count)
            {
                late.ThrowIfCancellationRequested();
                using CancellationTokenSource source = new();
                ValueTask<LoopInterest> waiting = _loop.ReadyAsync(first, Read, source.Token);
                Thread.SpinWait(random.Next(4000));
                Task cancel = random.Next(2) == 0 ? Task.CompletedTask : source.CancelAsync();
                try
                {
                    Assert.That(await waiting, Is.EqualTo(Read));
                    received += LoopLibc.Receive(first, 1);
                }
                catch (OperationCanceledException)
                {
                    cancellations++;
                }

                await cancel;
            }

            sender.Join();
            TestContext.Out.WriteLine($"{cancellations} cancellations");
            Assert.That(cancellations, Is.Positive);
            await AssertNothingHeld();
        }
    }

    [Test]
    public async Task Cancelling_from_many_threads_while_events_come_ends_each_wait_once()
    {
        using SafeFileHandle descriptor = LoopLibc.Event(readable: false);
        for (int round = 0; round < 200; round++)
        {
            using CancellationTokenSource source = new();
            Task<LoopInterest>[] waits = [.. Enumerable.Range(0, 50).Select(_ => _loop.ReadyAsync(descriptor, Read, source.Token).AsTask())];
            Task[] delays = [.. Enumerable.Range(0, 20).Select(i => _loop.DelayAsync(TimeSpan.FromTicks(1 + (i * 500)), source.Token).AsTask())];
            Task cancel = Task.Run(source.Cancel);
            LoopLibc.Set(descriptor);
            foreach (Task task in waits.Concat(delays))
            {
                await task.WaitAsync(Long).ContinueWith(
                    ended => Assert.That(ended.IsCompletedSuccessfully || ended.IsCanceled, $"{ended.Exception}"),
                    CancellationToken.None,
                    TaskContinuationOptions.ExecuteSynchronously,
                    TaskScheduler.Default);
            }

            await cancel;
            LoopLibc.Clear(descriptor);
        }

        await AssertNothingHeld();
    }

    [Test]
    public async Task Disposing_ends_all_who_wait_and_leaves_nothing()
    {
        int descriptors = LoopLibc.OpenDescriptors();
        using SafeFileHandle descriptor = LoopLibc.Event(readable: false);
        for (int round = 0; round < 50; round++)
        {
            AsyncEventLoop loop = new(null, Backends.Get(backend));
            using CancellationTokenSource source = new();
            Task[] waiting =
            [
                .. Enumerable.Range(0, 100).Select(_ => loop.ReadyAsync(descriptor, Read, source.Token).AsTask()),
                .. Enumerable.Range(0, 100).Select(_ => loop.DelayAsync(Long, source.Token).AsTask()),
                loop.WatchAsync(descriptor, Read).GetAsyncEnumerator().MoveNextAsync().AsTask(),
            ];
            using Barrier together = new(2);
            Task cancel = Task.Run(() =>
            {
                together.SignalAndWait();
                source.Cancel();
            });
            together.SignalAndWait();
            Thread.SpinWait(round * 100);
            await loop.DisposeAsync().AsTask().WaitAsync(Long);
            await cancel.WaitAsync(Long);
            foreach (Task task in waiting)
            {
                Assert.That(
                    async () => await task.WaitAsync(Long),
                    Throws.InstanceOf<OperationCanceledException>().Or.InstanceOf<ObjectDisposedException>());
            }

            await loop.DisposeAsync();
            Assert.That(() => loop.ReadyAsync(descriptor, Read), Throws.InstanceOf<ObjectDisposedException>());
            Assert.That(() => loop.DelayAsync(Long), Throws.InstanceOf<ObjectDisposedException>());
        }

        Assert.That(LoopLibc.OpenDescriptors(), Is.LessThan(descriptors + 20));
        // That of this test's own loop; the kernel may take a moment to forget a thread that was joined.
        Assert.That(LoopThreads, Is.EqualTo(1).After(10_000, 10));
        string path = $"/proc/self/fd/{descriptor.DangerousGetHandle()}";
        Assert.That(new FileInfo(path).LinkTarget, Is.Not.Null);
        descriptor.Dispose();
        Assert.That(new FileInfo(path).LinkTarget ?? "", Does.Not.Contain("eventfd"), "no reference is left");
    }

    // While threads ask for more, so that requests meet the end of the queue.
    [Test]
    public async Task Requests_that_meet_the_end_end_too()
    {
        using SafeFileHandle descriptor = LoopLibc.Event(readable: true);
        for (int round = 0; round < 50; round++)
        {
            AsyncEventLoop loop = new(null, Backends.Get(backend));
            Task[] askers = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
            {
                using CancellationTokenSource source = new();
                while (true)
                {
                    await loop.ReadyAsync(descriptor, Read, source.Token).ConfigureAwait(false);
                }
            }))];
            await Task.Delay(round % 5);
            await loop.DisposeAsync().AsTask().WaitAsync(Long);
            foreach (Task asker in askers)
            {
                Assert.That(async () => await asker.WaitAsync(Long), Throws.InstanceOf<ObjectDisposedException>());
            }
        }
    }

    [Test]
    [CancelAfter(120_000)]
    public async Task Ten_thousand_wait_and_hold_no_thread_of_the_pool()
    {
        // Both ends of each pair are waited for; some descriptors are for everybody else.
        int pairs = Math.Min(5000, (int)(OpenFilesLimit() - LoopLibc.OpenDescriptors() - 500) / 2);
        List<SafeFileHandle> ends = [];
        try
        {
            for (int i = 0; i < pairs; i++)
            {
                (SafeFileHandle first, SafeFileHandle second) = LoopLibc.SocketPair();
                ends.Add(first);
                ends.Add(second);
            }

            int threads = ThreadPool.ThreadCount;
            Task<LoopInterest>[] waits = [.. ends.Select(end => _loop.ReadyAsync(end, Read).AsTask())];
            Assert.That((await _loop.GetCountersAsync()).Descriptors, Is.EqualTo(ends.Count));
            Assert.That(ThreadPool.ThreadCount - threads, Is.LessThan(20));
            Assert.That(LoopThreads(), Is.EqualTo(1));
            Assert.That(waits.Any(wait => wait.IsCompleted), Is.False);
            foreach (SafeFileHandle end in ends)
            {
                LoopLibc.Send(end, 1);
            }

            LoopInterest[] ready = await Task.WhenAll(waits).WaitAsync(TimeSpan.FromSeconds(60));
            Assert.That(ready, Is.All.EqualTo(Read));
            await AssertNothingHeld();
        }
        finally
        {
            ends.ForEach(end => end.Dispose());
        }

        TestContext.Out.WriteLine($"{ends.Count} waits");
    }

    [Test]
    public async Task Steady_use_allocates_nothing([Values] bool cancellable)
    {
        const int Rounds = 5000;
        using SafeFileHandle descriptor = LoopLibc.Event(readable: true);
        using CancellationTokenSource source = new();
        CancellationToken token = cancellable ? source.Token : default;
        await Rent(1000);
        // Of three, for what the runtime and the test runner make meanwhile; a wait would show in each.
        long least = long.MaxValue;
        for (int times = 0; times < 3; times++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            await Rent(Rounds);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.That((double)least / Rounds, Is.LessThan(2));

        async Task Rent(int rounds)
        {
            for (int i = 0; i < rounds; i++)
            {
                await _loop.ReadyAsync(descriptor, Read, token).ConfigureAwait(false);
                await _loop.DelayAsync(TimeSpan.FromTicks(1), token).ConfigureAwait(false);
            }
        }
    }

    [Test]
    public async Task What_follows_runs_on_the_loop_when_asked_and_only_then([Values] bool asked)
    {
        await using AsyncEventLoop loop = new(new AsyncEventLoopOptions { RunContinuationsOnLoop = asked }, Backends.Get(backend));
        using SafeFileHandle descriptor = LoopLibc.Event(readable: false);
        ValueTask<LoopInterest> waiting = loop.ReadyAsync(descriptor, Read);
        string? ready = null;
        string? delayed = null;
        Task following = Follow();
        LoopLibc.Set(descriptor);
        await following.WaitAsync(Long);
        Assert.That((ready == "coreio-loop", delayed == "coreio-loop"), Is.EqualTo((asked, asked)));

        async Task Follow()
        {
            await waiting.ConfigureAwait(false);
            ready = Thread.CurrentThread.Name;
            await loop.DelayAsync(TimeSpan.FromMilliseconds(1)).ConfigureAwait(false);
            delayed = Thread.CurrentThread.Name;
        }
    }

    [Test]
    public async Task A_value_task_that_is_awaited_twice_says_so()
    {
        using SafeFileHandle descriptor = LoopLibc.Event(readable: true);
        ValueTask<LoopInterest> waiting = _loop.ReadyAsync(descriptor, Read);
        _ = await waiting;
        Assert.That(async () => await waiting, Throws.InvalidOperationException);
    }

    private async Task AssertNothingHeld()
    {
        LoopCounters counters = await _loop.GetCountersAsync().WaitAsync(Long);
        Assert.That((counters.Descriptors, counters.Timers), Is.EqualTo((0L, 0L)));
    }

    private static int LoopThreads() => Directory.GetDirectories("/proc/self/task").Count(thread =>
    {
        try
        {
            return File.ReadAllText(thread + "/comm").Trim() == "coreio-loop";
        }
        catch (IOException)
        {
            return false;
        }
    });

    private static long OpenFilesLimit()
    {
        string line = File.ReadLines("/proc/self/limits").Single(l => l.StartsWith("Max open files", StringComparison.Ordinal));
        return long.Parse(line["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], System.Globalization.CultureInfo.InvariantCulture);
    }
}
