using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Proxy;

/// <summary>Why a connection ended. Values are kept for ever.</summary>
public enum ProxyEnd
{
    /// <summary>Both sides ended.</summary>
    Done = 0,

    /// <summary>The client reset it.</summary>
    ClientReset = 1,

    /// <summary>The upstream reset it.</summary>
    UpstreamReset = 2,

    /// <summary>Before there was an upstream.</summary>
    ClientGone = 3,

    /// <summary>No upstream took it.</summary>
    ConnectFailed = 4,

    /// <summary>No upstream answered in time.</summary>
    ConnectTimeout = 5,

    /// <summary>None is up, or no route fits.</summary>
    NoUpstream = 6,

    /// <summary>No byte for the idle timeout.</summary>
    Idle = 7,

    /// <summary>One side ended, and the other was silent for too long.</summary>
    HalfClosed = 8,

    /// <summary>As old as connections may be.</summary>
    Lifetime = 9,

    /// <summary>No valid PROXY header or ClientHello.</summary>
    BadHeader = 10,

    /// <summary>No PROXY header or ClientHello in time.</summary>
    HeaderTimeout = 11,

    /// <summary>Too many of this source.</summary>
    Limit = 12,

    /// <summary>By <see cref="IProxy.Stop"/>, or the end of a drain.</summary>
    Stopped = 13,

    /// <summary>Descriptors or memory ran out.</summary>
    Resources = 14,
}

/// <summary>How many connections ended for each reason: index by <see cref="ProxyEnd"/>.</summary>
[InlineArray(Length)]
public struct ProxyEnds
{
    /// <summary>Reasons there is room for.</summary>
    public const int Length = 16;

    private long _first;
}

/// <summary>The bytes of an IPv4 (the first four) or IPv6 address.</summary>
[InlineArray(16)]
public struct ProxyAddressBytes
{
    private byte _first;
}

/// <summary>What all workers have done. The layout of <c>struct coreio_proxy_counters</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ProxyCounters
{
    /// <summary>Connections of clients.</summary>
    public long Accepted { get; set; }

    /// <summary>Of those, to an upstream.</summary>
    public long Connected { get; set; }

    /// <summary>Of those accepted.</summary>
    public long Ended { get; set; }

    /// <summary>Now.</summary>
    public long Live { get; set; }

    /// <summary>Received from clients.</summary>
    public long BytesToUpstream { get; set; }

    /// <summary>Received from upstreams.</summary>
    public long BytesToClient { get; set; }

    /// <summary>Of both, those that went through a pipe.</summary>
    public long BytesSpliced { get; set; }

    /// <summary>Connects that failed, after which the next upstream was tried, if there was one.</summary>
    public long ConnectRetries { get; set; }

    /// <summary>Times that descriptors or memory ran out; accepting then rests for 100 ms.</summary>
    public long AcceptFailures { get; set; }

    /// <summary>Closed, too many of one source.</summary>
    public long OverLimit { get; set; }

    /// <summary>To a worker that had fewer.</summary>
    public long HandedOver { get; set; }

    /// <summary>Pipes held now.</summary>
    public long Pipes { get; set; }

    /// <summary>Bytes held now for peers that do not read.</summary>
    public long Buffers { get; set; }

    /// <summary>Finished connections that the journal had no room for.</summary>
    public long JournalLost { get; set; }

    /// <summary>Events for what was closed in the same batch.</summary>
    public long StaleEvents { get; set; }

    /// <summary>Why connections ended.</summary>
    public ProxyEnds Ends;
}

/// <summary>One worker. The layout of <c>struct coreio_proxy_worker</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
public record struct ProxyWorker
{
    /// <summary>Linux thread id; 0 where a worker is no thread.</summary>
    public int ThreadId { get; set; }

    /// <summary>The CPU it is pinned to, or -1.</summary>
    public int Cpu { get; set; }

    /// <summary>Connections now.</summary>
    public long Live { get; set; }

    /// <summary>Connections it took from listening sockets.</summary>
    public long Accepted { get; set; }

    /// <summary>Waits of its loop.</summary>
    public long Waits { get; set; }

    /// <summary>CPU time it has used.</summary>
    public long CpuTimeNs { get; set; }
}

/// <summary>One upstream as it stands. The layout of <c>struct coreio_proxy_upstream_state</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
public record struct ProxyUpstreamState
{
    /// <summary>In the order of the plan.</summary>
    public int Index { get; set; }

    /// <summary>Its group.</summary>
    public int Group { get; set; }

    /// <summary>1 when it is up, else 0.</summary>
    public int Up { get; set; }

    /// <summary>errno of the last failed connect, 0 for none.</summary>
    public int LastError { get; set; }

    /// <summary>Connections now.</summary>
    public long Live { get; set; }

    /// <summary>That succeeded.</summary>
    public long Connects { get; set; }

    /// <summary>Connects and checks that failed.</summary>
    public long Failures { get; set; }

    /// <summary>Checks made.</summary>
    public long Checks { get; set; }

    /// <summary>Received from it, over connections that have ended.</summary>
    public long BytesIn { get; set; }

    /// <summary>Sent to it, over connections that have ended.</summary>
    public long BytesOut { get; set; }
}

/// <summary>A connection that ended. The layout of <c>struct coreio_proxy_record</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ProxyRecord
{
    /// <summary>When it was accepted, ns since 1970.</summary>
    public long BeginNs { get; set; }

    /// <summary>From acceptance to the end.</summary>
    public long DurationNs { get; set; }

    /// <summary>From acceptance to the connection to the upstream; -1 when there was none.</summary>
    public long ConnectNs { get; set; }

    /// <summary>Received from the client.</summary>
    public long BytesIn { get; set; }

    /// <summary>Received from the upstream, for the client.</summary>
    public long BytesOut { get; set; }

    /// <summary>Index of the upstream; -1 for none, or for the original destination.</summary>
    public int Upstream { get; set; }

    /// <summary>Index of the listener.</summary>
    public int Listener { get; set; }

    /// <summary>Index of the worker.</summary>
    public int Worker { get; set; }

    /// <summary>Why it ended.</summary>
    public ProxyEnd End { get; set; }

    /// <summary>errno that belongs to it, or 0.</summary>
    public int Error { get; set; }

    /// <summary>Connects that failed before.</summary>
    public int Retries { get; set; }

    /// <summary>2 for IPv4, 10 for IPv6, 0 for none.</summary>
    public ushort SourceFamily { get; set; }

    /// <summary>Port of the client.</summary>
    public ushort SourcePort { get; set; }

    /// <summary>Family of the original destination, or of what the PROXY header said; 0 for none.</summary>
    public ushort TargetFamily { get; set; }

    /// <summary>Its port.</summary>
    public ushort TargetPort { get; set; }

    /// <summary>Address of the client.</summary>
    public ProxyAddressBytes Source;

    /// <summary>The original destination.</summary>
    public ProxyAddressBytes Target;
}
