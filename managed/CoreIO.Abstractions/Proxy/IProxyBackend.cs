using System.Net;
using System.Runtime.InteropServices;

namespace CoreIO.Proxy;

/// <summary>Which part of a plan a status belongs to.</summary>
public enum ProxyPart
{
    /// <summary>The options, or the proxy as a whole.</summary>
    Options = 0,

    /// <summary>A listener.</summary>
    Listener = 1,

    /// <summary>An upstream.</summary>
    Upstream = 2,

    /// <summary>A route.</summary>
    Route = 3,
}

/// <summary>The part of a plan that was refused.</summary>
/// <param name="Part">Which kind.</param>
/// <param name="Index">Which of that kind.</param>
public readonly record struct ProxyFault(ProxyPart Part, int Index);

/// <summary>Makes proxies.</summary>
public interface IProxyBackend
{
    /// <summary>
    /// Makes a proxy after a plan and binds its listeners, which queue connections from then on; nothing is accepted before
    /// <see cref="IProxy.Start"/>. 0 or a status, and then <paramref name="fault"/> says what it belongs to; descriptors of the plan stay the
    /// caller's in that case, and until <see cref="IProxy.Start"/> has succeeded.
    /// </summary>
    int Open(ProxyPlan plan, out IProxy? proxy, out ProxyFault fault);

    /// <summary>
    /// Sends descriptors over a connected unix socket in one message with <paramref name="bytes"/>, one at least (<c>SCM_RIGHTS</c>); the bytes
    /// sent, or a status. Blocks until sent.
    /// </summary>
    int Pass(SafeHandle socket, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> descriptors);

    /// <summary>
    /// Receives such a message; its bytes, 0 at the end, or a status: <see cref="StatusCode.Capacity"/> when not all descriptors fit, and then
    /// none is kept. They are close-on-exec and the caller's. Blocks until one comes.
    /// </summary>
    int Take(SafeHandle socket, Span<byte> bytes, Span<int> descriptors, out int count);
}

/// <summary>
/// A proxy. Counters, workers, upstreams and the journal may be read from any thread, also after the stop; the journal by one thread at a
/// time. The rest is for its owner. Disposing stops it.
/// </summary>
public interface IProxy : IDisposable
{
    /// <summary>Starts the workers; 0 or a status. Blocks until each runs.</summary>
    int Start();

    /// <summary>
    /// Says that the sockets of a listener live on in a successor, which has them by <see cref="Descriptors"/>: a drain takes nothing more from
    /// them, and a unix path stays. 0 or a status. Any thread.
    /// </summary>
    int HandOver(int listener);

    /// <summary>
    /// Ends accepting; connections go on, and those left after <paramref name="timeout"/> are ended (null: never). What is queued is still
    /// taken, but of listeners that were handed over.
    /// </summary>
    int Drain(TimeSpan? timeout);

    /// <summary>Ends everything. Blocks until every worker has ended.</summary>
    int Stop();

    /// <summary>The address a listener is bound to; with port 0 asked for, the one the kernel gave.</summary>
    EndPoint Bound(int listener);

    /// <summary>The listening sockets of a listener, borrowed: for a successor.</summary>
    IReadOnlyList<int> Descriptors(int listener);

    /// <summary>The sums of all workers.</summary>
    void Read(out ProxyCounters counters);

    /// <summary>Writes the workers, as many as fit; how many there are.</summary>
    int ReadWorkers(Span<ProxyWorker> workers);

    /// <summary>Writes the upstreams, as many as fit; how many there are.</summary>
    int ReadUpstreams(Span<ProxyUpstreamState> upstreams);

    /// <summary>Takes finished connections out of the journal; how many.</summary>
    int ReadJournal(Span<ProxyRecord> records);
}
