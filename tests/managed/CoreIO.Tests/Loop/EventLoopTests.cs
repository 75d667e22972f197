// The loop as people use it: what is held, what misuse gets, what errors say.
using System.Globalization;
using System.Runtime.InteropServices;
using CoreIO.Loop;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Loop;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
[NonParallelizable]
internal sealed class EventLoopTests(string backend)
{
    private const LoopInterest Read = LoopInterest.Read;
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    private EventLoop _loop = null!;

    [SetUp]
    public void Make() => _loop = new EventLoop(null, Backends.Get(backend));

    [TearDown]
    public void End() => _loop?.Dispose();

    [Test]
    public void Descriptors_timers_and_wakes_come_in_one_batch()
    {
        using SafeFileHandle descriptor = LoopLibc.Event(readable: true);
        long watch = _loop.Add(descriptor, Read, 1);
        long timer = _loop.StartTimer(TimeSpan.Zero, 2);
        _loop.Wake();
        LoopEvent[] events = new LoopEvent[8];
        int count = _loop.Wait(events);
        Assert.That(
            events.AsSpan(0, count).ToArray(),
            Is.EquivalentTo((LoopEvent[])[
                new(watch, 1, Read, LoopEventKind.Descriptor, 0),
                new(timer, 2, LoopInterest.None, LoopEventKind.Timer, 0),
                new(0, 0, LoopInterest.None, LoopEventKind.Woken, 0),
            ]));
        Assert.That(_loop.Holds(watch) && !_loop.Holds(timer));
        Assert.That(_loop.RestartTimer(timer, TimeSpan.Zero) || _loop.StopTimer(timer), Is.False);
        Assert.That(_loop.Counters.Events, Is.EqualTo(3));
        _loop.Again(watch, LoopInterest.Write);
        Assert.That(_loop.Wait(events, TimeSpan.Zero), Is.InRange(1, 2));
        Assert.That(_loop.Remove(watch));
        Assert.That(_loop.Remove(watch), Is.False);
        Assert.That(_loop.Wait(events, TimeSpan.FromMilliseconds(1)), Is.Zero);
    }

    [Test]
    public void A_timer_counts_from_the_loops_time()
    {
        long begin = System.Diagnostics.Stopwatch.GetTimestamp();
        _ = _loop.Wait(new LoopEvent[1], TimeSpan.Zero);
        Assert.That(_loop.Now.TotalNanoseconds, Is.GreaterThan(begin - 100));
        _loop.StartTimer(TimeSpan.FromMilliseconds(5), 9, TimeSpan.FromMilliseconds(5));
        LoopEvent[] events = new LoopEvent[1];
        Assert.That(_loop.Wait(events, Long), Is.EqualTo(1));
        Assert.That(_loop.Wait(events, Long), Is.EqualTo(1));
        Assert.That(System.Diagnostics.Stopwatch.GetElapsedTime(begin).TotalMilliseconds, Is.GreaterThanOrEqualTo(10));
        _ = _loop.StartTimer(TimeSpan.MaxValue, 0, TimeSpan.MaxValue);
    }

    [Test]
    public void A_watched_handle_is_closed_when_it_is_removed()
    {
        (SafeFileHandle first, SafeFileHandle second) = LoopLibc.SocketPair();
        using (second)
        {
            long id = _loop.Add(first, Read);
            string path = $"/proc/self/fd/{first.DangerousGetHandle()}";
            string? target = new FileInfo(path).LinkTarget;
            first.Dispose();
            Assert.That(new FileInfo(path).LinkTarget, Is.EqualTo(target), "its number cannot be another's");
            LoopLibc.Send(second, 1);
            LoopEvent[] events = new LoopEvent[1];
            Assert.That(_loop.Wait(events, Long), Is.EqualTo(1));
            Assert.That(events[0].Id, Is.EqualTo(id));
            Assert.That(_loop.Remove(id));
            Assert.That(new FileInfo(path).LinkTarget, Is.Not.EqualTo(target));
            Assert.That(() => _loop.Add(first, Read), Throws.InstanceOf<ObjectDisposedException>());
        }
    }

    [Test]
    public void A_loop_that_is_disposed_of_gives_its_handles_back()
    {
        SafeFileHandle descriptor = LoopLibc.Event(readable: true);
        string path = $"/proc/self/fd/{descriptor.DangerousGetHandle()}";
        string? target = new FileInfo(path).LinkTarget;
        _loop.Add(descriptor, Read);
        _loop.Dispose();
        Assert.That(new FileInfo(path).LinkTarget, Is.EqualTo(target), "it is not the loop's to close");
        descriptor.Dispose();
        Assert.That(new FileInfo(path).LinkTarget, Is.Not.EqualTo(target));
    }

    [Test]
    public void Errors_say_what_and_why_and_what_to_do()
    {
        using TempFolder folder = new();
        string name = folder.Write("x", [1]);
        using SafeFileHandle file = File.OpenHandle(name);
        using SafeFileHandle closed = new(1_000_000, ownsHandle: false);
        using SafeFileHandle descriptor = LoopLibc.Event(readable: true);
        int number = (int)file.DangerousGetHandle();
        EventLoopException e = Assert.Throws<EventLoopException>(() => _loop.Add(file, Read))!;
        Assert.That(
            e.Message,
            Is.EqualTo($"watch descriptor {number} ({name}): operation not permitted (EPERM): a regular file is always ready; "
                + "epoll does not watch it; read it directly"));
        Assert.That(
            (e.Operation, e.Descriptor, e.Errno, e.ErrnoName, e.Status), Is.EqualTo(("watch", number, 1, "EPERM", StatusCode.NotPermitted)));
        long id = _loop.Add(descriptor, Read | LoopInterest.Exclusive);
        SafeHandle own = _loop.Descriptor;
        Assert.Multiple(() =>
        {
            Says(() => _loop.Add(descriptor, Read), "(EEXIST): this loop watches it already; modify that watch, or remove it first");
            Says(() => _loop.Add(closed, Read), "watch descriptor 1000000: bad file descriptor (EBADF): the descriptor is closed");
            Says(() => _loop.Add(descriptor, Read | LoopInterest.Exclusive | LoopInterest.OneShot), "(EINVAL): beside Exclusive the kernel");
            Says(() => _loop.Add(own, Read), "(EINVAL): the interest has bits that epoll does not know, or a loop is to watch itself");
            Says(() => _loop.Modify(id, Read), "(EINVAL): an Exclusive watch is not changed");
            Says(() => _loop.Modify(77, Read), "change watch 4d: no such file (ENOENT): no descriptor of this loop has this identifier");
            Says(() => _loop.Again(id, LoopInterest.None), "(EINVAL): at least one event is asked for");
        });
        using EventLoop other = new(null, Backends.Get(backend));
        other.Add(own, Read);
        Says(() => _loop.Add(other.Descriptor, Read), "(ELOOP): loops that watch each other");
        Assert.That(() => _loop.Add(null!, Read), Throws.ArgumentNullException);
        Assert.That(() => _loop.Wait([], TimeSpan.Zero), Throws.ArgumentException);
        Assert.That(() => _loop.Wait(new LoopEvent[1], TimeSpan.FromSeconds(-2)), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => _loop.StartTimer(TimeSpan.FromTicks(-1)), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    // The limit of epoll's watches is the machine's, so what the kernel says to it is made here.
    [Test]
    public void The_limit_of_watches_is_told_with_its_value()
    {
        using SafeFileHandle descriptor = LoopLibc.Event(readable: true);
        using EventLoop loop = new(null, new RefusingBackend(StatusCode.NoSpace));
        long most = long.Parse(File.ReadAllText("/proc/sys/fs/epoll/max_user_watches"), CultureInfo.InvariantCulture);
        Assert.That(
            () => loop.Add(descriptor, Read),
            Throws.InstanceOf<EventLoopException>().With.Message.Contains(
                $"(ENOSPC): the loops of this user watch fs.epoll.max_user_watches, {most}, descriptors; remove some, or raise it with sysctl"));
        Assert.That(
            () => new EventLoop(null, new RefusingBackend(StatusCode.TooManyOpenFiles, create: true)),
            Throws.InstanceOf<EventLoopException>().With.Message.Contains("create an event loop: too many open files (EMFILE): a loop takes"));
    }

    [Test]
    public void Two_threads_in_one_loop_are_told()
    {
        Task waiting = Task.Factory.StartNew(
            () => _loop.Wait(new LoopEvent[1], Long), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Assert.That(
            () =>
            {
                try
                {
                    return _loop.Holds(1);
                }
                catch (InvalidOperationException)
                {
                    return true;
                }
            },
            Is.True.After(10_000, 1));
        Assert.That(
            () => _loop.Wait(new LoopEvent[1], TimeSpan.Zero), Throws.InvalidOperationException.With.Message.Contains("another thread uses"));
        Assert.That(() => _loop.StartTimer(TimeSpan.Zero), Throws.InvalidOperationException);
        Assert.That(waiting.IsCompleted, Is.False);
        _loop.Wake();
        Assert.That(waiting.Wait(Long));
    }

    [Test]
    public void Disposing_ends_a_wait_of_another_thread()
    {
        using SafeFileHandle descriptor = LoopLibc.Event(readable: false);
        for (int round = 0; round < 200; round++)
        {
            EventLoop loop = new(null, Backends.Get(backend));
            loop.Add(descriptor, Read);
            using Barrier together = new(2);
            Task waiting = Task.Run(() =>
            {
                together.SignalAndWait();
                _ = loop.Wait(new LoopEvent[1], Long);
            });
            together.SignalAndWait();
            Thread.SpinWait(round * 20);
            loop.Dispose();
            Assert.That(async () => await waiting.WaitAsync(Long), Throws.InstanceOf<ObjectDisposedException>());
            Assert.That(() => loop.Wake(), Throws.InstanceOf<ObjectDisposedException>());
        }
    }

    [Test]
    public void A_loop_that_is_closed_says_so()
    {
        _loop.Dispose();
        _loop.Dispose();
        using SafeFileHandle descriptor = LoopLibc.Event(readable: true);
        Assert.Multiple(() =>
        {
            Assert.That(() => _loop.Wait(new LoopEvent[1]), Throws.InstanceOf<ObjectDisposedException>());
            Assert.That(() => _loop.Add(descriptor, Read), Throws.InstanceOf<ObjectDisposedException>());
            Assert.That(() => _loop.StartTimer(TimeSpan.Zero), Throws.InstanceOf<ObjectDisposedException>());
            Assert.That(() => _loop.Descriptor, Throws.InstanceOf<ObjectDisposedException>());
            Assert.That(() => _loop.Wake(), Throws.InstanceOf<ObjectDisposedException>());
        });
    }

    private static void Says(Action action, string words) =>
        Assert.That(action, Throws.InstanceOf<EventLoopException>().With.Message.Contains(words));

    /// <summary>Loops whose descriptors are all refused, or that cannot be made.</summary>
    private sealed class RefusingBackend(int status, bool create = false) : ICoreBackend, ILoopBackend, IEventLoop
    {
        public string Name => "refusing";

        public BackendFeatures Features => BackendFeatures.None;

        public CoreIO.Cpu.ICpuBackend Cpu => throw new NotSupportedException();

        public CoreIO.Log.ILogBackend Log => throw new NotSupportedException();

        public CoreIO.Mq.IMqBackend Mq => throw new NotSupportedException();

        public CoreIO.Proxy.IProxyBackend Proxy => throw new NotSupportedException();

        public ILoopBackend Loop => this;

        public LoopCounters Counters => default;

        public long Now => 0;

        public int Create(LoopOptions options, out IEventLoop? loop)
        {
            loop = create ? null : this;
            return create ? status : 0;
        }

        public int Add(SafeHandle descriptor, LoopInterest interest, long data, out long id)
        {
            id = 0;
            return status;
        }

        public int Modify(long id, LoopInterest interest) => status;

        public int Remove(long id, bool closing) => status;

        public int Again(long id, LoopInterest ready) => status;

        public int StartTimer(long delayNs, long periodNs, long data, out long id)
        {
            id = 0;
            return status;
        }

        public int RestartTimer(long id, long delayNs) => status;

        public int StopTimer(long id) => status;

        public int Wait(Span<LoopEvent> events, long timeoutNs) => status;

        public int Wake() => 0;

        public bool Holds(long id) => false;

        public int Descriptor(out SafeHandle? descriptor)
        {
            descriptor = null;
            return status;
        }

        public void Dispose()
        {
        }
    }
}
