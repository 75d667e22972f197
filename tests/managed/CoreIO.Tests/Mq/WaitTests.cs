// How long calls wait, and what ends a wait: time, a descriptor, room, a message, the end of the queue, and never a signal.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using CoreIO.Mq;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Mq;

[TestFixture("posix")]
[TestFixture("sysv")]
internal sealed class WaitTests(string family)
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    [Test]
    public void A_timeout_ends_a_wait_and_not_before_its_time([ValueSource(typeof(Backends), nameof(Backends.Names))] string backend)
    {
        using Subject subject = new(family, backend);
        foreach (bool full in (bool[])[false, true])
        {
            subject.Make(full);
            long start = Stopwatch.GetTimestamp();
            Assert.That(subject.Call(full, new MqWait(Short)), Is.EqualTo(StatusCode.TimedOut));
            Assert.That(Stopwatch.GetElapsedTime(start), Is.InRange(Short, Long));
        }
    }

    [Test]
    public void No_time_is_one_try([ValueSource(typeof(Backends), nameof(Backends.Names))] string backend)
    {
        using Subject subject = new(family, backend);
        using SafeFileHandle cancel = TestLibc.Event(readable: true);
        foreach (TimeSpan none in (TimeSpan[])[TimeSpan.Zero, TimeSpan.FromSeconds(-1), TimeSpan.MinValue])
        {
            subject.Make(full: false);
            Assert.That(subject.Call(full: false, new MqWait(none)), Is.EqualTo(subject.Empty));
            Assert.That(subject.Call(full: false, new MqWait(none, Cancel: cancel)), Is.EqualTo(subject.Empty));
            Assert.That(subject.Call(full: true, new MqWait(none)), Is.GreaterThanOrEqualTo(0));
            subject.Make(full: true);
            Assert.That(subject.Call(full: true, new MqWait(none)), Is.EqualTo(StatusCode.Again));
            Assert.That(subject.Call(full: false, new MqWait(none)), Is.GreaterThanOrEqualTo(0));
        }
    }

    [Test]
    public void A_descriptor_ends_a_wait_but_what_is_ready_is_taken([ValueSource(typeof(Backends), nameof(Backends.Names))] string backend)
    {
        using Subject subject = new(family, backend);
        using SafeFileHandle cancel = TestLibc.Event(readable: true);
        using SafeFileHandle never = TestLibc.Event(readable: false);
        foreach (TimeSpan? time in (TimeSpan?[])[null, Long])
        {
            foreach (TimeSpan spin in (TimeSpan[])[default, TimeSpan.FromSeconds(20)])
            {
                subject.Make(full: false);
                Assert.That(subject.Call(full: false, new MqWait(time, spin, cancel)), Is.EqualTo(StatusCode.Canceled));
                Assert.That(subject.Call(full: true, new MqWait(time, spin, cancel)), Is.GreaterThanOrEqualTo(0));
                subject.Make(full: true);
                Assert.That(subject.Call(full: true, new MqWait(time, spin, cancel)), Is.EqualTo(StatusCode.Canceled));
                Assert.That(subject.Call(full: false, new MqWait(time, spin, never)), Is.GreaterThanOrEqualTo(0));
            }
        }
    }

    [Test]
    public void A_closed_cancel_descriptor_is_no_wait_for_ever([ValueSource(typeof(Backends), nameof(Backends.Names))] string backend)
    {
        using Subject subject = new(family, backend);
        SafeFileHandle closed = TestLibc.Event(readable: false);
        closed.Dispose();
        using SafeFileHandle nothing = new(-1, ownsHandle: false);
        subject.Make(full: false);
        Assert.That(() => subject.Call(full: false, new MqWait(Cancel: closed)), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(subject.Call(full: false, new MqWait(Cancel: nothing)), Is.EqualTo(StatusCode.BadDescriptor));
    }

    [Test]
    public void A_wait_ends_with_what_it_waits_for(
        [ValueSource(typeof(Backends), nameof(Backends.Names))] string backend, [Values("plain", "timed", "spin", "cancel")] string kind)
    {
        using Subject subject = new(family, backend);
        using SafeFileHandle cancel = TestLibc.Event(readable: false);
        MqWait wait = kind switch
        {
            "timed" => new MqWait(Long),
            "spin" => new MqWait(null, TimeSpan.FromSeconds(1)),
            "cancel" => new MqWait(Cancel: cancel),
            _ => default,
        };
        foreach (bool full in (bool[])[false, true])
        {
            subject.Make(full);
            using Waiter waiter = new(() => subject.Call(full, wait), spins: kind == "spin");
            Assert.That(subject.Call(!full, MqWait.None), Is.GreaterThanOrEqualTo(0));
            Assert.That(waiter.Result(), Is.GreaterThanOrEqualTo(0));
        }
    }

    [Test]
    public void A_signal_ends_no_wait(
        [ValueSource(typeof(Backends), nameof(Backends.Names))] string backend, [Values("plain", "timed")] string kind)
    {
        using PosixSignalRegistration registration = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => { });
        using Subject subject = new(family, backend);
        MqWait wait = kind == "timed" ? new MqWait(Long) : default;
        foreach (bool full in (bool[])[false, true])
        {
            subject.Make(full);
            using Waiter waiter = new(() => subject.Call(full, wait));
            for (int i = 0; i < 20; i++)
            {
                Assert.That(TestLibc.Signal(Environment.ProcessId, waiter.ThreadId, TestLibc.WindowChanged), Is.Zero);
                Thread.Sleep(2);
            }

            Assert.That(waiter.IsWaiting);
            Assert.That(subject.Call(!full, MqWait.None), Is.GreaterThanOrEqualTo(0));
            Assert.That(waiter.Result(), Is.GreaterThanOrEqualTo(0));
        }
    }

    // ppoll(2) and its relative time know the monotonic clock alone, so that a step of the system's clock is nothing to it; a call with
    // the standard's deadline would.
    [Test]
    public void A_wait_with_a_time_sleeps_where_no_step_of_the_clock_matters(
        [ValueSource(typeof(Backends), nameof(Backends.Names))] string backend)
    {
        using Subject subject = new(family, backend);
        string poll = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? "271" : "73";
        foreach (bool full in (bool[])[false, true])
        {
            subject.Make(full);
            using Waiter waiter = new(() => subject.Call(full, new MqWait(Long)));
            string? found = waiter.SystemCall(poll);
            if (found is null)
            {
                Assert.Ignore("this kernel does not tell the system call of a thread");
            }

            Assert.That(found, Is.EqualTo(poll));
            Assert.That(subject.Call(!full, MqWait.None), Is.GreaterThanOrEqualTo(0));
            Assert.That(waiter.Result(), Is.GreaterThanOrEqualTo(0));
        }
    }

    [Test]
    public void Cancelling_wakes_who_waits(
        [ValueSource(typeof(Backends), nameof(Backends.Names))] string backend, [Values] bool full)
    {
        using Subject subject = new(family, backend);
        subject.Make(full);
        using SafeFileHandle cancel = TestLibc.Event(readable: false);
        using Waiter waiter = new(() => subject.Call(full, new MqWait(Cancel: cancel)));
        using FileStream stream = new(new SafeFileHandle(cancel.DangerousGetHandle(), ownsHandle: false), FileAccess.Write, 0);
        stream.Write(BitConverter.GetBytes(1L));
        Assert.That(waiter.Result(), Is.EqualTo(StatusCode.Canceled));
    }

    [Test]
    public void Removing_a_queue_wakes_who_waits(
        [ValueSource(typeof(Backends), nameof(Backends.Names))] string backend, [Values] bool full, [Values] bool timed)
    {
        if (family == "posix")
        {
            Assert.Pass("a POSIX queue is there as long as somebody holds it");
        }

        using Subject subject = new(family, backend);
        subject.Make(full);
        using Waiter waiter = new(() => subject.Call(full, timed ? new MqWait(Long) : default));
        subject.Remove();
        Assert.That(waiter.Result(), Is.EqualTo(StatusCode.Removed));
    }

    [Test]
    public void A_whole_batch_has_one_time([ValueSource(typeof(Backends), nameof(Backends.Names))] string backend)
    {
        using Subject subject = new(family, backend);
        subject.Make(full: true);
        using Waiter waiter = new(() => subject.SendMany(3, new MqWait(TimeSpan.FromMilliseconds(300))));
        Assert.That(subject.Call(full: false, default), Is.GreaterThanOrEqualTo(0));
        Assert.That(waiter.Result(), Is.EqualTo(1), "one found room before the time was over");
    }

    /// <summary>A queue of either family, by the calls of a backend, with messages of one size.</summary>
    private sealed class Subject : IDisposable
    {
        private readonly PosixQueue? _posix;
        private readonly SysVQueue? _sysV;
        private readonly byte[] _message = new byte[8 + 4096];
        private readonly byte[] _buffer = new byte[8 + 8192];

        public Subject(string family, string backend)
        {
            if (family == "posix")
            {
                _posix = new PosixQueue(backend, messages: 2);
            }
            else
            {
                _sysV = new SysVQueue(backend);
            }

            BitConverter.TryWriteBytes(_message, 1L);
        }

        public int Empty => _posix is null ? StatusCode.NoMessage : StatusCode.Again;

        /// <summary>Sends when the queue is to be full, for that waits; receives when it is to be empty.</summary>
        public int Call(bool full, in MqWait wait) => (_posix, full) switch
        {
            (not null, true) => _posix.Calls.Send(_posix.Queue.Handle, _message.AsSpan(8), 0, wait),
            (not null, false) => _posix.Calls.Receive(_posix.Queue.Handle, _buffer, out _, wait),
            (null, true) => _sysV!.Calls.Send(_sysV.Id, _message, SysVQueueFlags.None, wait),
            (null, false) => _sysV!.Calls.Receive(_sysV.Id, _buffer, 0, SysVQueueFlags.None, wait),
        };

        public int SendMany(int count, in MqWait wait)
        {
            MqMessage[] messages = [.. Enumerable.Repeat(new MqMessage(8, 4096, _posix is null ? 1 : 0), count)];
            return _posix is null
                ? _sysV!.Calls.SendMany(_sysV.Id, _message, messages, wait)
                : _posix.Calls.SendMany(_posix.Queue.Handle, _message, messages, wait);
        }

        /// <summary>Fills or drains it.</summary>
        public void Make(bool full)
        {
            while (Call(full, MqWait.None) >= 0)
            {
            }
        }

        public void Remove() => _sysV!.Queue.Remove();

        public void Dispose()
        {
            _posix?.Dispose();
            _sysV?.Dispose();
        }
    }

    /// <summary>A thread that is in a call.</summary>
    private sealed class Waiter : IDisposable
    {
        // mq_timedsend, mq_timedreceive, msgsnd, msgrcv, ppoll, clock_nanosleep.
        private static readonly string[] Waits = RuntimeInformation.ProcessArchitecture == Architecture.X64
            ? ["242", "243", "69", "70", "271", "230"] : ["182", "183", "189", "188", "73", "115"];

        private readonly Thread _thread;
        private int _result;
        private volatile int _threadId;

        public Waiter(Func<int> call, bool spins = false)
        {
            _thread = new Thread(() =>
            {
                _threadId = TestLibc.ThreadId();
                _result = call();
            })
            { IsBackground = true };
            _thread.Start();
            Assert.That(() => _threadId, Is.Not.Zero.After(20).Seconds.PollEvery(1).MilliSeconds);
            WaitUntilItWaits(spins);
            Assert.That(IsWaiting);
        }

        public int ThreadId => _threadId;

        public bool IsWaiting => _thread.IsAlive && _threadId != 0;

        /// <summary>The system call it sleeps in; looks more than once for the expected one, for it tries in between. Null: not told.</summary>
        public string? SystemCall(string expected)
        {
            string found = "running";
            for (int i = 0; i < 100 && found != expected; i++)
            {
                Thread.Sleep(1);
                try
                {
                    found = File.ReadAllText($"/proc/self/task/{_threadId}/syscall").Split(' ')[0].Trim();
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    return null;
                }
            }

            return found;
        }

        public int Result()
        {
            Assert.That(_thread.Join(TimeSpan.FromSeconds(20)), "it still waits");
            return _result;
        }

        public void Dispose() => _thread.Join(TimeSpan.FromSeconds(1));

        // Asleep in a call that waits; or, for one that spins, two ticks of CPU time after it began.
        private void WaitUntilItWaits(bool spins)
        {
            string folder = $"/proc/self/task/{_threadId}";
            long ticks = Ticks(folder) + 2;
            long start = Stopwatch.GetTimestamp();
            while (!IsAsleepIn(folder) && !(spins && Ticks(folder) >= ticks))
            {
                Assert.That(Stopwatch.GetElapsedTime(start), Is.LessThan(TimeSpan.FromSeconds(20)), "it does not wait");
                Thread.Sleep(1);
            }
        }

        private static bool IsAsleepIn(string folder)
        {
            string call;
            try
            {
                call = File.ReadAllText(folder + "/syscall").Split(' ')[0];
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Not told, so any sleep that lasts has to do.
                Peer.UntilAsleep(folder);
                return true;
            }

            return Waits.Contains(call) && Stat(folder)[0] == "S";
        }

        // User and system time, in hundredths of a second.
        private static long Ticks(string folder) => Stat(folder)[11..13].Sum(ticks => long.Parse(ticks, CultureInfo.InvariantCulture));

        // From the state on: the name before may hold anything.
        private static string[] Stat(string folder)
        {
            string text = File.ReadAllText(folder + "/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
    }
}
