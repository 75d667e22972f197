// A proxy as its owner holds it: started, drained, stopped, and read from outside.
using System.Net;
using CoreIO.Proxy;

namespace CoreIO.Managed.Proxy;

internal sealed class ManagedProxy(ProxyHouse own) : IProxy
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private bool _started;
    private volatile bool _stopped;
    private volatile bool _disposed;

    private ProxyHouse House
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(IProxy));
            return own;
        }
    }

    public int Start() => Start(rehearse: true);

    /// <summary>Starts it, after what it will use was used once.</summary>
    internal int Start(bool rehearse)
    {
        ProxyHouse house = House;
        if (_started)
        {
            return StatusCode.Busy;
        }

        if (!house.IsComplete)
        {
            return StatusCode.InvalidArgument;
        }

        int status = rehearse ? Rehearsal.Run() : 0;
        if (status < 0)
        {
            return status;
        }

        status = AcceptThread.Create(house, out AcceptThread? thread);
        if (status < 0)
        {
            return status;
        }

        house.Thread = thread;
        status = thread!.Start();
        if (status < 0)
        {
            house.Thread = null;
            thread.Dispose();
            return status;
        }

        _started = true;
        return 0;
    }

    public int HandOver(int listener)
    {
        ProxyHouse house = House;
        if (!_started || listener < 0 || listener >= house.Listeners.Count)
        {
            return StatusCode.InvalidArgument;
        }

        if (_stopped)
        {
            return StatusCode.Closed;
        }

        house.Listeners[listener].HandedOver = true;
        return 0;
    }

    public int Drain(TimeSpan? timeout)
    {
        ProxyHouse house = House;
        if (!_started)
        {
            return StatusCode.InvalidArgument;
        }

        if (_stopped)
        {
            return StatusCode.Closed;
        }

        house.Thread!.Drain(Terms.Nanoseconds(timeout));
        return 0;
    }

    public int Stop()
    {
        ProxyHouse house = House;
        if (!_started || _stopped)
        {
            return 0;
        }

        AcceptThread thread = house.Thread!;
        thread.Stop();
        // Those that a thread has in hand at this moment end there.
        while (Volatile.Read(ref house.Tally.Live) > 0)
        {
            Thread.Sleep(Moment);
        }

        thread.Dispose();
        foreach (Listener listener in house.Listeners.Where(listener => !listener.HandedOver))
        {
            listener.Unlink();
        }

        _stopped = true;
        return 0;
    }

    public EndPoint Bound(int listener) => ListenerAt(listener).Name.ToEndPoint();

    public IReadOnlyList<int> Descriptors(int listener) => ListenerAt(listener).Sockets;

    public void Read(out ProxyCounters counters) => counters = House.Tally.Read();

    public int ReadWorkers(Span<ProxyWorker> workers)
    {
        Tally tally = House.Tally;
        if (!_started)
        {
            return 0;
        }

        if (workers.Length > 0)
        {
            // No thread is a worker: connections are wherever the socket layer has them.
            ProxyCounters counters = tally.Read();
            workers[0] = new ProxyWorker { Cpu = -1, Live = counters.Live, Accepted = counters.Accepted, Waits = tally.Waits };
        }

        return 1;
    }

    public int ReadUpstreams(Span<ProxyUpstreamState> upstreams) => House.Upstreams.Read(upstreams);

    public int ReadJournal(Span<ProxyRecord> records) => House.Journal.Read(records);

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _ = Stop();
        if (!_started)
        {
            own.Listeners.ForEach(listener => listener.Abandon());
        }

        _disposed = true;
    }

    private Listener ListenerAt(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)House.Listeners.Count, nameof(index));
        return House.Listeners[index];
    }
}
