// A proxy as programs hold it. It reads, and says what to do; the backend carries the connections, and none of them comes through here.
using System.Net;
using System.Runtime.CompilerServices;

namespace CoreIO.Proxy;

/// <summary>
/// A TCP proxy that runs. Members may be used from any thread, the journal by one reader at a time. Disposing ends all connections at once;
/// <see cref="DrainAsync"/> lets them end by themselves first.
/// </summary>
public sealed class TcpProxy : IDisposable
{
    // How often is looked at what changes without a word: finished connections, and whether the last one has ended.
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    private readonly Lock _stopping = new();
    private readonly IProxyBackend _backend;
    private readonly IProxy _proxy;

    private TcpProxy(ProxyPlan plan, IProxyBackend backend, IProxy proxy)
    {
        Plan = plan;
        _backend = backend;
        _proxy = proxy;
    }

    /// <summary>What it was made after.</summary>
    public ProxyPlan Plan { get; }

    /// <summary>The sums of all workers.</summary>
    public ProxyCounters Counters
    {
        get
        {
            _proxy.Read(out ProxyCounters counters);
            return counters;
        }
    }

    /// <summary>Makes a proxy and starts it: it accepts when this returns.</summary>
    /// <param name="plan">What it is made of.</param>
    /// <param name="backend">Null for the default.</param>
    /// <exception cref="TcpProxyException">A part of the plan is refused, or the workers do not start; the message says why.</exception>
    public static TcpProxy Start(ProxyPlan plan, ICoreBackend? backend = null)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return Start(plan, BackendOf(backend));
    }

    /// <summary>The address a listener is bound to; with port 0 asked for, the one the kernel gave.</summary>
    public EndPoint Bound(int listener = 0) => _proxy.Bound(listener);

    /// <summary>The workers as they stand.</summary>
    public ProxyWorker[] Workers()
    {
        ProxyWorker[] workers = new ProxyWorker[_proxy.ReadWorkers([])];
        _ = _proxy.ReadWorkers(workers);
        return workers;
    }

    /// <summary>The upstreams as they stand, in the order of the plan.</summary>
    public ProxyUpstreamState[] Upstreams()
    {
        ProxyUpstreamState[] upstreams = new ProxyUpstreamState[Plan.Upstreams.Count];
        _ = _proxy.ReadUpstreams(upstreams);
        return upstreams;
    }

    /// <summary>Takes finished connections out of the journal; how many. <see cref="ProxyOptions.Journal"/> has to be above 0.</summary>
    public int ReadJournal(Span<ProxyRecord> records) => _proxy.ReadJournal(records);

    /// <summary>
    /// Finished connections as they come, until cancelled; a record that was taken is handed out before that. No thread waits meanwhile.
    /// </summary>
    public async IAsyncEnumerable<ProxyRecord> ReadJournalAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ProxyRecord[] records = new ProxyRecord[256];
        while (!cancellationToken.IsCancellationRequested)
        {
            int count = _proxy.ReadJournal(records);
            for (int i = 0; i < count; i++)
            {
                yield return records[i];
            }

            if (count == 0)
            {
                await Task.Delay(Look, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>
    /// Ends accepting, waits until the connections have ended, and stops. Those left after <paramref name="timeout"/> are ended; null waits for
    /// the last. Cancelling ends the wait alone.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled; the proxy still drains.</exception>
    public Task DrainAsync(TimeSpan? timeout, CancellationToken cancellationToken = default)
    {
        _ = _proxy.Drain(timeout);
        return Drained(cancellationToken);
    }

    /// <summary>
    /// Starts a proxy after another plan in place of this one. Listeners with the same address keep their sockets, so that no connection is
    /// refused in between; of others this proxy takes what is queued. It accepts nothing more when this returns, and is to be drained. When the
    /// new plan is refused, this proxy goes on as it was.
    /// </summary>
    /// <exception cref="TcpProxyException">The new plan is refused; the message says why.</exception>
    public TcpProxy Replace(ProxyPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        List<int> duplicates = [];
        try
        {
            HashSet<int> kept = [];
            TcpProxy successor = Start(WithSockets(plan, duplicates, kept), _backend);
            HandOver(kept);
            return successor;
        }
        catch
        {
            // Not adopted: they are copies of what this proxy still has.
            duplicates.ForEach(ProxySockets.Close);
            throw;
        }
    }

    /// <summary>Ends everything at once; counters and the journal can still be read.</summary>
    public void Stop()
    {
        // A drain that has ended stops it, too, perhaps at this moment; a backend has one owner.
        lock (_stopping)
        {
            _ = _proxy.Stop();
        }
    }

    /// <summary>Ends everything at once.</summary>
    public void Dispose()
    {
        lock (_stopping)
        {
            _proxy.Dispose();
        }
    }

    internal static TcpProxy Start(ProxyPlan plan, IProxyBackend backend)
    {
        int status = backend.Open(plan, out IProxy? proxy, out ProxyFault fault);
        if (status < 0)
        {
            throw ProxyErrors.Open(status, fault, plan);
        }

        status = proxy!.Start();
        if (status < 0)
        {
            proxy.Dispose();
            throw ProxyErrors.Start(status);
        }

        return new TcpProxy(plan, backend, proxy);
    }

    internal static IProxyBackend BackendOf(ICoreBackend? backend) => (backend ?? CoreBackends.Default).Proxy;

    /// <summary>Every listener with its address and its sockets, which stay this proxy's.</summary>
    internal IEnumerable<(EndPoint Address, IReadOnlyList<int> Sockets)> Sockets()
    {
        for (int i = 0; i < Plan.Listeners.Count; i++)
        {
            yield return (_proxy.Bound(i), _proxy.Descriptors(i));
        }
    }

    /// <summary>Ends accepting: listeners that live on in a successor are left to it, of others what is queued is taken.</summary>
    internal void HandOver(IEnumerable<int> kept)
    {
        foreach (int listener in kept)
        {
            _ = _proxy.HandOver(listener);
        }

        _ = _proxy.Drain(null);
    }

    private async Task Drained(CancellationToken cancellationToken)
    {
        while (Counters.Live > 0)
        {
            await Task.Delay(Look, cancellationToken).ConfigureAwait(false);
        }

        Stop();
    }

    private ProxyPlan WithSockets(ProxyPlan plan, List<int> duplicates, HashSet<int> kept)
    {
        Dictionary<string, int> own = [];
        for (int i = 0; i < Plan.Listeners.Count; i++)
        {
            own[ProxyAddress.Text(_proxy.Bound(i))] = i;
            own[ProxyAddress.Text(Plan.Listeners[i].Address)] = i;
        }

        List<ProxyListener> listeners = [];
        foreach (ProxyListener listener in plan.Listeners)
        {
            bool keeps = own.TryGetValue(ProxyAddress.Text(listener.Address), out int number);
            listeners.Add(!keeps ? listener
                : listener with { Descriptors = [.. _proxy.Descriptors(number).Select(socket => Duplicate(socket, duplicates))] });
            if (keeps)
            {
                kept.Add(number);
            }
        }

        return plan with { Listeners = listeners };
    }

    private static int Duplicate(int socket, List<int> duplicates)
    {
        int duplicate = ProxySockets.Duplicate(socket);
        duplicates.Add(duplicate);
        return duplicate;
    }
}
