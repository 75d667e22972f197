// Which descriptors are told, how often, and what the kernel hears of it.
using System.Runtime.InteropServices;
using CoreIO.Loop;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Loop;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
[NonParallelizable]
internal sealed class LoopWatchTests(string backend)
{
    private const LoopInterest Read = LoopInterest.Read;
    private const LoopInterest Write = LoopInterest.Write;

    private TestLoop _loop = null!;

    [SetUp]
    public void Make() => _loop = new TestLoop(backend);

    [TearDown]
    public void End() => _loop?.Dispose();

    [Test]
    public void A_level_comes_until_it_is_gone()
    {
        using SafeFileHandle descriptor = LoopLibc.Event(readable: false);
        long id = _loop.Add(descriptor, Read, 7);
        Assert.That(_loop.Wait(), Is.Empty);
        LoopLibc.Set(descriptor);
        LoopEvent expected = new(id, 7, Read, LoopEventKind.Descriptor, 0);
        Assert.That(_loop.One(TestLoop.Forever), Is.EqualTo(expected));
        Assert.That(_loop.One(), Is.EqualTo(expected));
        LoopLibc.Clear(descriptor);
        Assert.That(_loop.Wait(), Is.Empty);
    }

    [Test]
    public void An_edge_comes_once()
    {
        using SafeFileHandle descriptor = LoopLibc.Event(readable: true);
        long id = _loop.Add(descriptor, Read | LoopInterest.EdgeTriggered);
        Assert.That(_loop.Ready(), Is.EqualTo(Read));
        Assert.That(_loop.Wait(), Is.Empty);
        LoopLibc.Set(descriptor);
        Assert.That(_loop.Ready(), Is.EqualTo(Read));
        _loop.Modify(id, Read | LoopInterest.EdgeTriggered);
        Assert.That(_loop.Wait(), Is.Empty, "a change that changes nothing is no edge");
    }

    [Test]
    public void One_shot_comes_once_until_it_is_asked_for()
    {
        using SafeFileHandle descriptor = LoopLibc.Event(readable: true);
        long id = _loop.Add(descriptor, Read | LoopInterest.OneShot);
        for (int i = 0; i < 3; i++)
        {
            Assert.That(_loop.Ready(), Is.EqualTo(Read));
            Assert.That(_loop.Wait(), Is.Empty);
            _loop.Modify(id, Read | LoopInterest.OneShot);
        }

        Assert.That(_loop.Counters.KernelCalls, Is.EqualTo(3), "one to add, and one for each change that was waited for");
    }

    [Test]
    public void Of_loops_that_watch_exclusively_not_all_are_told()
    {
        using SafeFileHandle descriptor = LoopLibc.Event(readable: false);
        TestLoop[] loops = [.. Enumerable.Range(0, 4).Select(_ => new TestLoop(backend))];
        try
        {
            foreach (TestLoop loop in loops)
            {
                long id = loop.Add(descriptor, Read | LoopInterest.Exclusive);
                Assert.That(loop.Calls.Modify(id, Read), Is.EqualTo(StatusCode.InvalidArgument));
            }

            // Only a waiter is woken, and the others find the level when they look; one that consumes it leaves nothing for them.
            LoopLibc.Set(descriptor);
            Assert.That(loops[0].Ready(TestLoop.Second), Is.EqualTo(Read));
            LoopLibc.Clear(descriptor);
            Assert.That(loops.Sum(loop => loop.Wait().Length), Is.Zero);
        }
        finally
        {
            Array.ForEach(loops, loop => loop.Dispose());
        }

        using SafeFileHandle other = LoopLibc.Event(readable: false);
        long plain = _loop.Add(other, Read);
        Assert.That(_loop.Calls.Modify(plain, Read | LoopInterest.Exclusive), Is.EqualTo(StatusCode.InvalidArgument));
        Assert.That(
            _loop.Calls.Add(descriptor, Read | LoopInterest.Exclusive | LoopInterest.OneShot, 0, out _), Is.EqualTo(StatusCode.InvalidArgument));
    }

    [Test]
    public void Changes_that_come_to_nothing_are_no_system_calls()
    {
        (SafeFileHandle first, SafeFileHandle second) = LoopLibc.SocketPair();
        using (first)
        using (second)
        {
            long id = _loop.Add(first, Read);
            for (int i = 0; i < 100; i++)
            {
                _loop.Modify(id, Read | Write);
                _loop.Modify(id, Read);
            }

            Assert.That(_loop.Wait(), Is.Empty);
            Assert.That((_loop.Counters.Changes, _loop.Counters.KernelCalls), Is.EqualTo((201, 1)));
            _loop.Modify(id, Write);
            _loop.Modify(id, Read | Write);
            Assert.That(_loop.Counters.KernelCalls, Is.EqualTo(1));
            Assert.That(_loop.Ready(), Is.EqualTo(Write));
            Assert.That(_loop.Counters.KernelCalls, Is.EqualTo(2));
            _loop.Modify(id, LoopInterest.None);
            Assert.That(_loop.Wait(), Is.Empty);
            second.Dispose();
            Assert.That(_loop.Ready(), Is.EqualTo(LoopInterest.HangUp), "comes unasked");
            _loop.Remove(id);
            Assert.That(_loop.Counters.KernelCalls, Is.EqualTo(4));
        }
    }

    [Test]
    public void Both_ways_and_the_other_sides_end_are_told()
    {
        (SafeFileHandle first, SafeFileHandle second) = LoopLibc.SocketPair();
        using (first)
        {
            _loop.Add(first, Read | Write | LoopInterest.ReadHangUp);
            Assert.That(_loop.Ready(), Is.EqualTo(Write));
            LoopLibc.Send(second, 1);
            Assert.That(_loop.Ready(), Is.EqualTo(Read | Write));
            second.Dispose();
            Assert.That(_loop.Ready(), Is.EqualTo(Read | Write | LoopInterest.ReadHangUp | LoopInterest.HangUp));
        }
    }

    [Test]
    public void An_identifier_is_never_given_twice()
    {
        HashSet<long> seen = [];
        using SafeFileHandle descriptor = LoopLibc.Event(readable: true);
        for (int i = 0; i < 1000; i++)
        {
            long id = _loop.Add(descriptor, Read);
            Assert.That(seen.Add(id));
            Assert.That(_loop.Calls.Holds(id));
            _loop.Remove(id);
            Assert.That(_loop.Calls.Holds(id), Is.False);
            Assert.That(_loop.Calls.Remove(id, false), Is.EqualTo(StatusCode.NoEntry));
            Assert.That(_loop.Calls.Modify(id, Read), Is.EqualTo(StatusCode.NoEntry));
            Assert.That(_loop.Calls.Again(id, Read), Is.EqualTo(StatusCode.NoEntry));
        }

        Assert.That(_loop.Wait(), Is.Empty);
        Assert.That(_loop.Counters.Descriptors, Is.Zero);
    }

    [Test]
    public void A_number_that_lives_on_in_another_descriptor_tells_the_earlier_owner_nothing()
    {
        SafeFileHandle watched = LoopLibc.Event(readable: true);
        using SafeFileHandle other = LoopLibc.Event(readable: true);
        using (watched)
        {
            long before = _loop.Add(watched, Read, 1);
            LoopLibc.Replace(other, watched);
            Assert.That(_loop.Wait(), Is.Empty, "what was closed is gone from the kernel");
            long after = _loop.Add(watched, Read, 2);
            Assert.That(after, Is.Not.EqualTo(before));
            LoopEvent told = _loop.One();
            Assert.That((told.Id, told.Data), Is.EqualTo((after, 2L)));
            // The earlier one is still held by its owner, who is told when something is asked of it.
            Assert.That(_loop.Calls.Holds(before));
            _loop.Modify(before, Write);
            LoopEvent lost = _loop.Wait().Single(e => e.Id == before);
            Assert.That((lost.Kind, lost.Status, lost.Ready), Is.EqualTo((LoopEventKind.Lost, StatusCode.BadDescriptor, LoopInterest.None)));
            _loop.Remove(before);
            Assert.That(_loop.One().Id, Is.EqualTo(after), "removing the earlier one leaves the later one alone");
            _loop.Remove(after, closing: true);
        }

        Assert.That(_loop.Wait(), Is.Empty);
    }

    [Test]
    public void What_was_closed_is_told_as_lost_when_its_interest_changes()
    {
        SafeFileHandle descriptor = LoopLibc.Event(readable: true);
        long id = _loop.Add(descriptor, Read, 3);
        descriptor.Dispose();
        Assert.That(_loop.Wait(), Is.Empty);
        _loop.Modify(id, Write);
        LoopEvent lost = _loop.One();
        Assert.That((lost.Id, lost.Data, lost.Kind), Is.EqualTo((id, 3L, LoopEventKind.Lost)));
        Assert.That(lost.Status, Is.AnyOf(StatusCode.BadDescriptor, StatusCode.NoEntry));
        Assert.That(_loop.Wait(), Is.Empty);
        _loop.Remove(id);
    }

    [Test]
    public void What_epoll_refuses_is_refused()
    {
        using SafeFileHandle descriptor = LoopLibc.Event(readable: true);
        using TempFolder folder = new();
        using SafeFileHandle file = File.OpenHandle(folder.Write("x", [1]));
        using SafeFileHandle never = new(-1, ownsHandle: false);
        using SafeFileHandle closed = new(1_000_000, ownsHandle: false);
        Assert.That(_loop.Calls.Add(file, Read, 0, out long id), Is.EqualTo(StatusCode.NotPermitted));
        Assert.That(id, Is.Zero);
        Assert.That(_loop.Calls.Add(never, Read, 0, out _), Is.EqualTo(StatusCode.BadDescriptor));
        Assert.That(_loop.Calls.Add(closed, Read, 0, out _), Is.EqualTo(StatusCode.BadDescriptor));
        Assert.That(_loop.Calls.Add(descriptor, (LoopInterest)0x800, 0, out _), Is.EqualTo(StatusCode.InvalidArgument));
        id = _loop.Add(descriptor, Read);
        Assert.That(_loop.Calls.Add(descriptor, Write, 0, out _), Is.EqualTo(StatusCode.Exists));
        Assert.That(_loop.Calls.Modify(id, (LoopInterest)0x800), Is.EqualTo(StatusCode.InvalidArgument));
        Assert.That(_loop.Calls.Again(id, LoopInterest.None), Is.EqualTo(StatusCode.InvalidArgument));
        Assert.That(_loop.Counters.Descriptors, Is.EqualTo(1));
    }

    [Test]
    public void Loops_watch_loops_and_timers_wake_them()
    {
        using TestLoop inner = new(backend);
        inner.Start(5 * TestLoop.Millisecond, data: 1);
        Assert.That(inner.Calls.Descriptor(out SafeHandle? descriptor), Is.Zero);
        long id = _loop.Add(descriptor!, Read);
        Assert.That(_loop.Wait(), Is.Empty);
        Assert.That(_loop.One(TestLoop.Forever).Id, Is.EqualTo(id));
        Assert.That(inner.One(TestLoop.Second).Data, Is.EqualTo(1));
        Assert.That(_loop.Wait(), Is.Empty);
        inner.Calls.Wake();
        Assert.That(_loop.One().Id, Is.EqualTo(id));
        Assert.That(inner.One().Kind, Is.EqualTo(LoopEventKind.Woken));
        using SafeFileHandle ready = LoopLibc.Event(readable: true);
        long watch = inner.Add(ready, LoopInterest.None);
        Assert.That(_loop.Wait(), Is.Empty);
        inner.Modify(watch, Read);
        Assert.That(_loop.One().Id, Is.EqualTo(id), "a change goes to the kernel at once");
        inner.Modify(watch, LoopInterest.None);
        Assert.That(_loop.Wait(), Is.Empty);
        inner.Again(watch, Read);
        Assert.That(_loop.One(TestLoop.Second).Id, Is.EqualTo(id));
        Assert.That(inner.One().Id, Is.EqualTo(watch));
        Assert.That(_loop.Wait(), Is.Empty);
        // A loop cannot watch one that watches it.
        Assert.That(_loop.Calls.Descriptor(out SafeHandle? outer), Is.Zero);
        Assert.That(inner.Calls.Add(outer!, Read, 0, out _), Is.EqualTo(StatusCode.TooManyLinks));
        Assert.That(_loop.Calls.Add(outer!, Read, 0, out _), Is.EqualTo(StatusCode.InvalidArgument));
    }

    [Test]
    public void A_loop_that_is_watched_stays_while_its_descriptor_is_held()
    {
        TestLoop inner = new(backend);
        Assert.That(inner.Calls.Descriptor(out SafeHandle? descriptor), Is.Zero);
        bool held = false;
        descriptor!.DangerousAddRef(ref held);
        inner.Dispose();
        Assert.That(File.Exists($"/proc/self/fd/{descriptor.DangerousGetHandle()}"));
        descriptor.DangerousRelease();
        Assert.That(() => inner.Calls.Wake(), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void A_loop_that_is_closed_says_so()
    {
        IEventLoop calls = _loop.Calls;
        long timer = _loop.Start(TestLoop.Second);
        calls.Dispose();
        calls.Dispose();
        using SafeFileHandle descriptor = LoopLibc.Event(readable: true);
        Assert.Multiple(() =>
        {
            Assert.That(() => calls.Wait(new LoopEvent[1], 0), Throws.InstanceOf<ObjectDisposedException>());
            Assert.That(() => calls.Add(descriptor, Read, 0, out _), Throws.InstanceOf<ObjectDisposedException>());
            Assert.That(() => calls.StartTimer(0, 0, 0, out _), Throws.InstanceOf<ObjectDisposedException>());
            Assert.That(() => calls.StopTimer(timer), Throws.InstanceOf<ObjectDisposedException>());
            Assert.That(() => calls.Counters, Throws.InstanceOf<ObjectDisposedException>());
            Assert.That(() => calls.Holds(timer), Throws.InstanceOf<ObjectDisposedException>());
        });
    }

    [Test]
    public void A_loop_leaves_no_descriptor_behind()
    {
        Round();
        int before = LoopLibc.OpenDescriptors();
        for (int i = 0; i < 20; i++)
        {
            Round();
        }

        Assert.That(LoopLibc.OpenDescriptors(), Is.LessThan(before + 20));

        void Round()
        {
            using TestLoop loop = new(backend);
            using SafeFileHandle descriptor = LoopLibc.Event(readable: true);
            loop.Add(descriptor, Read);
            Assert.That(loop.Calls.Descriptor(out _), Is.Zero);
            Assert.That(loop.Wait(), Has.Length.EqualTo(1));
        }
    }
}
