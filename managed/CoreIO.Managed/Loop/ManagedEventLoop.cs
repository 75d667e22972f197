// Loops: made, ended, woken, watched by another; their timers. The same as native/src/loop/loop.c; the contract is in coreio/loop.h.
//
// The descriptors of the loop itself are handles, and a call holds one reference of those it passes to the kernel, so a Dispose by another
// thread closes none from under it.
using System.Diagnostics;
using System.Runtime.InteropServices;
using CoreIO.Loop;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Managed.Loop;

internal sealed partial class ManagedEventLoop : IEventLoop
{
    // The mark of a timer in an identifier; indices of slabs leave it clear.
    private const long TimerMark = 1L << 31;

    // Data of the registrations of the loop's own descriptors, which no identifier is.
    private const ulong WakeData = 0;
    private const ulong TimerData = ulong.MaxValue;

    private readonly SafeFileHandle _epoll;

    // An event descriptor; its value is never read, each write is a new edge.
    private readonly SafeFileHandle _wake;
    private readonly bool _interruptible;
    private readonly TimerWheel _wheel;
    private readonly Slab<Watch> _watches = new();
    private readonly WatchList _again;
    private readonly WatchList _dirty;
    private readonly byte[] _batch = GC.AllocateArray<byte>(BatchEvents * LoopLibc.EventBytes, pinned: true);

    // Slot of each descriptor, -1 for none.
    private int[] _byDescriptor = [];

    // Of a loop that is watched itself, else null; and the time it is set to.
    private SafeFileHandle? _timer;
    private long _timerArmed = long.MaxValue;
    private long _now;

    // Whose turn it is to be first in a batch.
    private int _turn;
    private Counts _counts;
    private Flag _woken;

    private ManagedEventLoop(SafeFileHandle epoll, SafeFileHandle wake, bool interruptible)
    {
        _epoll = epoll;
        _wake = wake;
        _interruptible = interruptible;
        _now = Clock();
        _wheel = new TimerWheel(_now);
        _again = new WatchList(_watches, WatchListKind.Again);
        _dirty = new WatchList(_watches, WatchListKind.Dirty);
    }

    public LoopCounters Counters
    {
        get
        {
            ThrowIfClosed();
            return new LoopCounters
            {
                Waits = _counts.Waits,
                Polls = _counts.Polls,
                Events = _counts.Events,
                Wakes = _counts.Wakes,
                Stale = _counts.Stale,
                Changes = _counts.Changes,
                KernelCalls = _counts.KernelCalls,
                TimersFired = _counts.TimersFired,
                Again = _counts.Again,
                Descriptors = _watches.Taken,
                Timers = _wheel.Timers.Taken,
                TimersBehind = _counts.TimersBehind,
            };
        }
    }

    public long Now
    {
        get
        {
            ThrowIfClosed();
            return _now;
        }
    }

    /// <summary>Makes a loop; the status is 0 or -errno, and then there is none.</summary>
    internal static int Create(LoopOptions options, out ManagedEventLoop? loop)
    {
        loop = null;
        int status = LoopLibc.CreateEpoll(out SafeFileHandle epoll);
        if (status < 0)
        {
            return status;
        }

        status = Libc.CreateEvent(out SafeFileHandle wake);
        if (status >= 0)
        {
            status = WatchOwn(epoll, wake, LoopInterest.Read | LoopInterest.EdgeTriggered, WakeData);
        }

        if (status < 0)
        {
            wake.Dispose();
            epoll.Dispose();
            return status;
        }

        loop = new ManagedEventLoop(epoll, wake, options.Interruptible);
        return 0;
    }

    public bool Holds(long id)
    {
        ThrowIfClosed();
        return id > 0 && ((id & TimerMark) != 0 ? _wheel.Timers.Find(id & ~TimerMark) >= 0 : _watches.Find(id) >= 0);
    }

    public int StartTimer(long delayNs, long periodNs, long data, out long id)
    {
        ThrowIfClosed();
        id = 0;
        if (delayNs < 0 || periodNs < 0)
        {
            return StatusCode.InvalidArgument;
        }

        int index = _wheel.Add(After(_now, delayNs), periodNs, data);
        if (index < 0)
        {
            return index;
        }

        id = _wheel.Timers.Id(index) | TimerMark;
        Arm();
        return 0;
    }

    public int RestartTimer(long id, long delayNs)
    {
        ThrowIfClosed();
        int index = TimerIndex(id);
        if (index < 0)
        {
            return StatusCode.NoEntry;
        }

        if (delayNs < 0)
        {
            return StatusCode.InvalidArgument;
        }

        _wheel.Move(index, After(_now, delayNs));
        Arm();
        return 0;
    }

    public int StopTimer(long id)
    {
        ThrowIfClosed();
        int index = TimerIndex(id);
        if (index < 0)
        {
            return StatusCode.NoEntry;
        }

        _wheel.Remove(index);
        Arm();
        return 0;
    }

    public int Wake()
    {
        ThrowIfClosed();
        // The first waker of a wait writes; the others have nothing to add. The exchange also publishes what was written before it to the
        // wait that clears the flag, by an exchange as well.
        if (Interlocked.Exchange(ref _woken.Value, 1) == 0)
        {
            Libc.Signal(_wake);
        }

        return 0;
    }

    public int Descriptor(out SafeHandle? descriptor)
    {
        descriptor = null;
        if (_timer is null)
        {
            int status = LoopLibc.CreateTimer(out SafeFileHandle timer);
            if (status >= 0)
            {
                status = WatchOwn(_epoll, timer, LoopInterest.Read, TimerData);
            }

            if (status < 0)
            {
                timer.Dispose();
                return status;
            }

            _timer = timer;
            Flush();
            Arm();
        }

        descriptor = _epoll;
        return 0;
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _wake.Dispose();
        _epoll.Dispose();
    }

    // CLOCK_MONOTONIC, whose unit is the nanosecond wherever .NET runs on Linux.
    private static long Clock() => Stopwatch.GetTimestamp();

    // The time so much later, or the end of all time.
    private static long After(long time, long delay) => delay > long.MaxValue - time ? long.MaxValue : time + delay;

    // Watches one of the loop's own descriptors.
    private static int WatchOwn(SafeFileHandle epoll, SafeFileHandle own, LoopInterest interest, ulong data) =>
        LoopLibc.Control(epoll, LoopLibc.Add, (int)own.DangerousGetHandle(), (uint)interest, data);

    private int TimerIndex(long id) => (id & TimerMark) == 0 ? -1 : _wheel.Timers.Find(id & ~TimerMark);

    /// <summary>Keeps the timer descriptor of a loop that is watched itself at what a wait would do next.</summary>
    private void Arm()
    {
        if (_timer is null)
        {
            return;
        }

        long next = _again.First >= 0 ? 0 : _wheel.Next;
        if (next != _timerArmed)
        {
            LoopLibc.SetTimer(_timer, next == long.MaxValue ? null : next);
            _timerArmed = next;
        }
    }

    private void ThrowIfClosed() => ObjectDisposedException.ThrowIf(_epoll.IsClosed, typeof(IEventLoop));

    private struct Counts
    {
        internal long Waits;
        internal long Polls;
        internal long Events;
        internal long Wakes;
        internal long Stale;
        internal long Changes;
        internal long KernelCalls;
        internal long TimersFired;
        internal long Again;
        internal long TimersBehind;
    }

    /// <summary>Alone in its cache line, for other threads write it.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Flag
    {
        /// <summary>1 from the first waker of a wait on.</summary>
        [FieldOffset(64)]
        internal int Value;
    }
}
