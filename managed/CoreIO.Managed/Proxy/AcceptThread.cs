// The one thread of a proxy: waits for its listening sockets and takes connections from them, as its limits allow; turns the deadlines of
// connections; checks upstreams. The bytes are carried elsewhere, by the threads of the socket layer.
//
// Other threads reach it by orders, and wake it.
using CoreIO.Loop;
using CoreIO.Managed.Loop;

namespace CoreIO.Managed.Proxy;

internal sealed class AcceptThread : IDisposable
{
    /// <summary>How long accepting rests when descriptors or memory ran out, ns.</summary>
    internal const long Rest = Clock.Second / 10;

    private static readonly TimeSpan RestTime = TimeSpan.FromTicks(Rest / Clock.Tick);

    private const int Batch = 64;
    private const int OwnerBits = 3;

    private readonly ProxyHouse _house;
    private readonly ManagedEventLoop _loop;
    private readonly Ears _ears;
    private readonly Checks _checks;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _deaf = new();
    private readonly Lock _gate = new();
    private bool _woken;
    private bool _disposed;
    private long _drainTimer;

    // Written by others before they wake it.
    private volatile bool _stops;
    private volatile bool _drains;
    private volatile bool _isTired;
    private long _drainTimeout;

    private AcceptThread(ProxyHouse house, ManagedEventLoop loop)
    {
        _house = house;
        _loop = loop;
        _ears = new Ears(house, loop);
        _checks = new Checks(house, loop);
        Deadlines = new Deadlines(Wake);
        _thread = new Thread(Serve) { Name = "coreio-proxy", IsBackground = true };
    }

    /// <summary>What an event of the loop belongs to: the lowest bits of its data; the rest is an index.</summary>
    internal enum Owner
    {
        Ear,
        Rest,
        Check,
        CheckTimer,
        Drain,
    }

    /// <summary>When connections are to be looked at.</summary>
    internal Deadlines Deadlines { get; }

    /// <summary>The data of an event.</summary>
    internal static long Owned(Owner owner, int index = 0) => ((long)index << OwnerBits) | (long)owner;

    /// <summary>Makes the thread of a proxy, which accepts when it is started: 0 or a status.</summary>
    internal static int Create(ProxyHouse house, out AcceptThread? thread)
    {
        thread = null;
        int status = ManagedEventLoop.Create(new LoopOptions(), out ManagedEventLoop? loop);
        if (status < 0)
        {
            return status;
        }

        AcceptThread made = new(house, loop!);
        status = made._checks.Start();
        status = status < 0 ? status : made._ears.Open();
        if (status < 0)
        {
            made.Dispose();
            return status;
        }

        thread = made;
        return 0;
    }

    /// <summary>Starts it: 0, or <see cref="StatusCode.Again"/> when no more threads may be started.</summary>
    internal int Start()
    {
        try
        {
            _thread.UnsafeStart();
            return 0;
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            return StatusCode.Again;
        }
    }

    /// <summary>Ends accepting, and what is left after a time, ns; below 0 is never. Blocks until it accepts nothing more.</summary>
    internal void Drain(long timeout)
    {
        Volatile.Write(ref _drainTimeout, timeout);
        _drains = true;
        Wake();
        _deaf.Wait();
    }

    /// <summary>Ends it, and the connections with it. Blocks until it has ended.</summary>
    internal void Stop()
    {
        _stops = true;
        Wake();
        _thread.Join();
    }

    /// <summary>Whether accepting is to rest, and does not yet.</summary>
    internal bool IsTired => _isTired;

    /// <summary>Lets accepting rest: descriptors or memory ran out on some thread. Those that are queued wait from this moment on.</summary>
    internal void RestFor()
    {
        if (Thread.CurrentThread == _thread)
        {
            _ears.RestFor(Rest);
        }
        else
        {
            _isTired = true;
            Wake();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _ears.Dispose();
            _checks.Dispose();
            _loop.Dispose();
        }
    }

    private void Wake()
    {
        lock (_gate)
        {
            if (!_disposed && !_woken)
            {
                _woken = true;
                _loop.Wake();
            }
        }
    }

    private void Serve()
    {
        LoopEvent[] events = new LoopEvent[Batch];
        int next = 0;
        int count = 0;
        while (!_stops)
        {
            try
            {
                if (next >= count)
                {
                    next = 0;
                    count = 0;
                    count = Wait(events);
                }

                while (next < count)
                {
                    Serve(in events[next++]);
                }

                while (Deadlines.TakeDue() is { } due)
                {
                    due.Expire();
                }
            }
#pragma warning disable CA1031 // Whatever it is, the others go on: after a pause, for it may come again at once.
            catch (Exception)
#pragma warning restore CA1031
            {
                Thread.Sleep(RestTime);
            }
        }

        _ears.Close(take: false);
        _deaf.Set();
        EndAll();
    }

    private int Wait(LoopEvent[] events)
    {
        long until = Deadlines.Sleep();
        int count = _loop.Wait(events, until == long.MaxValue ? -1 : Math.Max(until - Clock.Now, 0));
        Deadlines.Awake();
        _house.Tally.Waits++;
        return count;
    }

    private void Serve(in LoopEvent told)
    {
        int index = (int)(told.Data >> OwnerBits);
        if (told.Kind == LoopEventKind.Woken)
        {
            Obey();
            return;
        }

        switch ((Owner)(told.Data & ((1 << OwnerBits) - 1)))
        {
            case Owner.Ear:
                _ears.Accept(index);
                break;
            case Owner.Rest:
                _ears.Resume();
                break;
            case Owner.Check:
                _checks.Found(index, told.Id, told.Ready);
                break;
            case Owner.CheckTimer:
                _checks.Begin(index, told.Id);
                break;
            default:
                _drainTimer = 0;
                EndAll();
                break;
        }
    }

    private void Obey()
    {
        lock (_gate)
        {
            _woken = false;
        }

        if (_isTired)
        {
            _isTired = false;
            _ears.RestFor(Rest);
        }

        if (_drains && !_stops)
        {
            _drains = false;
            BeginDrain();
        }
    }

    // Ends accepting, and sets the end of what is left.
    private void BeginDrain()
    {
        try
        {
            _ears.Close(take: true);
        }
        finally
        {
            _deaf.Set();
        }

        if (_drainTimer != 0)
        {
            _loop.StopTimer(_drainTimer);
            _drainTimer = 0;
        }

        long timeout = Volatile.Read(ref _drainTimeout);
        if (timeout >= 0)
        {
            _ = _loop.StartTimer(timeout, 0, Owned(Owner.Drain), out _drainTimer);
        }
    }

    private void EndAll()
    {
        foreach (Connection connection in _house.Connections.All())
        {
            connection.Dispose();
        }
    }
}
