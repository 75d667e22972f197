// A loop as people use it: one thread's, in batches.
//
// The backends trust their caller; this class does not. A call marks the loop as in use by one exchange, so a second thread gets an
// exception instead of a broken loop, and Dispose from another thread lets the call that runs finish: who leaves last gives all back.
// Watched handles are held until they are removed, so that no number is used again behind the loop's back.
//
// Hot path: nothing here allocates for an event, a wait or a timer; a wait is one crossing.
using System.Runtime.InteropServices;

namespace CoreIO.Loop;

/// <summary>
/// Descriptors, timers and wake-ups of one thread, in batches, on epoll(7). One thread at a time uses it; <see cref="Wake"/> and
/// <see cref="Dispose"/> are for any.
/// </summary>
public sealed class EventLoop : IDisposable
{
    private const int Idle = 0;
    private const int InUse = 1;

    private readonly IEventLoop _loop;
    private readonly Dictionary<long, SafeHandle> _held = [];
    private SafeHandle? _descriptor;
    private int _state;
    private volatile bool _disposed;

    /// <summary>Makes a loop.</summary>
    /// <param name="options">Null for the default.</param>
    /// <param name="backend">Null for the default.</param>
    /// <exception cref="EventLoopException">It cannot be made; the message says why.</exception>
    public EventLoop(LoopOptions? options = null, ICoreBackend? backend = null)
    {
        int status = (backend ?? CoreBackends.Default).Loop.Create(options ?? new LoopOptions(), out IEventLoop? loop);
        _loop = status >= 0 ? loop! : throw LoopErrors.Create(status);
    }

    /// <summary>What the loop has done and holds.</summary>
    public LoopCounters Counters
    {
        get
        {
            using Turn turn = new(this);
            return _loop.Counters;
        }
    }

    /// <summary>The time of the loop: the monotonic clock as of the end of the last wait. Timers count from it.</summary>
    public TimeSpan Now
    {
        get
        {
            using Turn turn = new(this);
            return TimeSpan.FromTicks(_loop.Now / TimeSpan.NanosecondsPerTick);
        }
    }

    /// <summary>
    /// The descriptor of the loop, for another loop or poll(2): readable when a wait would return at once. It is the loop's; from the first
    /// use on every change of interest is a system call.
    /// </summary>
    /// <exception cref="EventLoopException">There are too many descriptors.</exception>
    public SafeHandle Descriptor
    {
        get
        {
            using Turn turn = new(this);
            if (_descriptor is null)
            {
                int status = _loop.Descriptor(out _descriptor);
                if (status < 0)
                {
                    throw LoopErrors.Create(status);
                }
            }

            return _descriptor!;
        }
    }

    /// <summary>Watches a descriptor and returns the identifier of the watch, which is above 0 and never given twice.</summary>
    /// <param name="descriptor">
    /// Anything that epoll takes: a socket, a pipe, an eventfd, timerfd, signalfd, inotify or pidfd, a terminal, a POSIX queue, another
    /// loop's <see cref="Descriptor"/>. It is held until it is removed: disposed of meanwhile, it stays open until then.
    /// </param>
    /// <param name="interest">For what.</param>
    /// <param name="data">Comes back with each event.</param>
    /// <exception cref="EventLoopException">It cannot be watched; the message says why.</exception>
    /// <exception cref="ObjectDisposedException">The loop or the descriptor is closed.</exception>
    public long Add(SafeHandle descriptor, LoopInterest interest, long data = 0)
    {
        ArgumentNullException.ThrowIfNull(descriptor);
        using Turn turn = new(this);
        bool held = false;
        bool kept = false;
        try
        {
            descriptor.DangerousAddRef(ref held);
            int status = _loop.Add(descriptor, interest, data, out long id);
            if (status < 0)
            {
                throw LoopErrors.Add(status, (int)descriptor.DangerousGetHandle(), interest);
            }

            _held.Add(id, descriptor);
            kept = true;
            return id;
        }
        finally
        {
            if (held && !kept)
            {
                descriptor.DangerousRelease();
            }
        }
    }

    /// <summary>
    /// Changes what a descriptor is watched for. The kernel hears of it at the next wait, and only when something differs then. After an
    /// event of <see cref="LoopInterest.OneShot"/> this watches for the next one.
    /// </summary>
    /// <exception cref="EventLoopException">No such watch, or it is <see cref="LoopInterest.Exclusive"/>.</exception>
    public void Modify(long id, LoopInterest interest)
    {
        using Turn turn = new(this);
        Check(_loop.Modify(id, interest), "change", id);
    }

    /// <summary>Ends a watch and gives the descriptor back; false when there is none. Its events may still follow in the batch at hand.</summary>
    public bool Remove(long id)
    {
        using Turn turn = new(this);
        if (_loop.Remove(id, closing: false) < 0)
        {
            return false;
        }

        if (_held.Remove(id, out SafeHandle? descriptor))
        {
            descriptor.DangerousRelease();
        }

        return true;
    }

    /// <summary>Whether an identifier, of a watch or of a timer that runs, is held.</summary>
    public bool Holds(long id)
    {
        using Turn turn = new(this);
        return _loop.Holds(id);
    }

    /// <summary>
    /// Lets <paramref name="ready"/> of a descriptor come again with the next wait, which then does not block: for who stops before it has
    /// run dry, so that others get their turn.
    /// </summary>
    /// <exception cref="EventLoopException">No such watch, or nothing is asked for.</exception>
    public void Again(long id, LoopInterest ready)
    {
        using Turn turn = new(this);
        Check(_loop.Again(id, ready), "ask again for", id);
    }

    /// <summary>
    /// Starts a timer that fires so long after <see cref="Now"/>, and then every <paramref name="period"/> unless that is zero; returns its
    /// identifier, which is above 0. It never fires early. A periodic timer that falls behind fires once for what it missed.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A time is below zero.</exception>
    public long StartTimer(TimeSpan delay, long data = 0, TimeSpan period = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(period, TimeSpan.Zero);
        using Turn turn = new(this);
        int status = _loop.StartTimer(Nanoseconds(delay), Nanoseconds(period), data, out long id);
        return status >= 0 ? id : throw LoopErrors.Timer(status);
    }

    /// <summary>Moves a timer to so long after <see cref="Now"/>; its period stays. False when it does not run any more.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The delay is below zero.</exception>
    public bool RestartTimer(long id, TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        using Turn turn = new(this);
        return _loop.RestartTimer(id, Nanoseconds(delay)) >= 0;
    }

    /// <summary>Ends a timer; false when it does not run any more.</summary>
    public bool StopTimer(long id)
    {
        using Turn turn = new(this);
        return _loop.StopTimer(id) >= 0;
    }

    /// <summary>Waits for ever for events, and writes some of them; returns how many, one at least.</summary>
    public int Wait(Span<LoopEvent> events) => Wait(events, Timeout.InfiniteTimeSpan);

    /// <summary>Waits for events and writes some of them; returns how many, 0 after the timeout.</summary>
    /// <param name="events">Room for one at least.</param>
    /// <param name="timeout">Zero does not wait; <see cref="Timeout.InfiniteTimeSpan"/> waits for ever.</param>
    /// <exception cref="ObjectDisposedException">The loop is closed, or was closed during the wait.</exception>
    /// <exception cref="InvalidOperationException">Another thread waits.</exception>
    /// <exception cref="EventLoopException">EINTR, when it was asked for.</exception>
    public int Wait(Span<LoopEvent> events, TimeSpan timeout)
    {
        if (events.IsEmpty)
        {
            throw new ArgumentException("a wait has room for one event at least", nameof(events));
        }

        if (timeout < TimeSpan.Zero && timeout != Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "a time is not below zero, but for Timeout.InfiniteTimeSpan");
        }

        int count;
        using (Turn turn = new(this))
        {
            count = _loop.Wait(events, timeout < TimeSpan.Zero ? -1 : Nanoseconds(timeout));
            ObjectDisposedException.ThrowIf(_disposed, this);
        }

        return count >= 0 ? count : throw LoopErrors.Wait(count);
    }

    /// <summary>
    /// Lets the wait that runs, or else the next one, return with <see cref="LoopEventKind.Woken"/>; calls before that are one. What the
    /// caller wrote before is visible to the thread that gets the event. From any thread.
    /// </summary>
    public void Wake()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _ = _loop.Wake();
    }

    /// <summary>
    /// Gives back what the loop holds, watched descriptors included; none of them is closed by that. A wait of another thread ends with
    /// <see cref="ObjectDisposedException"/>. From any thread.
    /// </summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        Interlocked.MemoryBarrier();
        if (!Close())
        {
            try
            {
                _ = _loop.Wake();
            }
            catch (ObjectDisposedException)
            {
                // Who was in a call has left and closed it.
            }
        }
    }

    /// <summary>The descriptor of a watch, -1 for none.</summary>
    internal int DescriptorOf(long id) => _held.TryGetValue(id, out SafeHandle? held) ? (int)held.DangerousGetHandle() : -1;

    private static long Nanoseconds(TimeSpan time) =>
        time.Ticks > long.MaxValue / TimeSpan.NanosecondsPerTick ? long.MaxValue : time.Ticks * TimeSpan.NanosecondsPerTick;

    private void Check(int status, string operation, long id)
    {
        if (status < 0)
        {
            throw LoopErrors.Watch(status, operation, id, DescriptorOf(id));
        }
    }

    // Gives everything back, unless a call runs; whoever gets in here keeps the state, so it happens once.
    private bool Close()
    {
        if (Interlocked.CompareExchange(ref _state, InUse, Idle) != Idle)
        {
            return false;
        }

        _loop.Dispose();
        foreach (SafeHandle descriptor in _held.Values)
        {
            descriptor.DangerousRelease();
        }

        _held.Clear();
        return true;
    }

    /// <summary>A call of one thread.</summary>
    private readonly ref struct Turn : IDisposable
    {
        private readonly EventLoop _owner;

        internal Turn(EventLoop owner)
        {
            ObjectDisposedException.ThrowIf(owner._disposed, owner);
            if (Interlocked.CompareExchange(ref owner._state, InUse, Idle) != Idle)
            {
                ObjectDisposedException.ThrowIf(owner._disposed, owner);
                throw new InvalidOperationException(
                    "another thread uses this event loop; a loop is one thread's, and Wake is what others may call");
            }

            _owner = owner;
        }

        public void Dispose()
        {
            // A full barrier: either Dispose of the loop sees that nobody is inside, or this sees that it was called.
            _ = Interlocked.Exchange(ref _owner._state, Idle);
            if (_owner._disposed)
            {
                _ = _owner.Close();
            }
        }
    }
}
