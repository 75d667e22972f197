// A proxy as its owner holds it: started, drained, stopped, and read from outside.
using System.Net;
using CoreIO.Proxy;

namespace CoreIO.Managed.Proxy;

internal sealed class ManagedProxy(ProxyHouse house) : IProxy
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);

    private bool _started;
    private volatile bool _stopped;

    public int Start()
    {
        if (_started)
        {
            return StatusCode.Busy;
        }

        if (!house.IsComplete)
        {
            return StatusCode.InvalidArgument;
        }

        int status = AcceptThread.Create(house, out AcceptThread? thread);
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

    public int Drain(TimeSpan? timeout, bool handedOver)
    {
        if (!_started)
        {
            return StatusCode.InvalidArgument;
        }

        if (_stopped)
        {
            return StatusCode.Closed;
        }

        house.Thread!.Drain(Terms.Nanoseconds(timeout), handedOver);
        return 0;
    }

    public int Stop()
    {
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
        foreach (Listener listener in house.Listeners.Where(_ => !thread.HandsOver))
        {
            listener.Unlink();
        }

        _stopped = true;
        return 0;
    }

    public EndPoint Bound(int listener) => ListenerAt(listener).Name.ToEndPoint();

    public IReadOnlyList<int> Descriptors(int listener) => ListenerAt(listener).Sockets;

    public void Read(out ProxyCounters counters) => counters = house.Tally.Read();

    public int ReadWorkers(Span<ProxyWorker> workers)
    {
        if (!_started)
        {
            return 0;
        }

        if (workers.Length > 0)
        {
            // No thread is a worker: connections are wherever the socket layer has them.
            ProxyCounters counters = house.Tally.Read();
            workers[0] = new ProxyWorker { Cpu = -1, Live = counters.Live, Accepted = counters.Accepted, Waits = house.Tally.Waits };
        }

        return 1;
    }

    public int ReadUpstreams(Span<ProxyUpstreamState> upstreams) => house.Upstreams.Read(upstreams);

    public int ReadJournal(Span<ProxyRecord> records) => house.Journal.Read(records);

    public void Dispose()
    {
        _ = Stop();
        if (!_started)
        {
            house.Listeners.ForEach(listener => listener.Abandon());
        }
    }

    private Listener ListenerAt(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)house.Listeners.Count, nameof(index));
        return house.Listeners[index];
    }
}
