using System.Net;

namespace CoreIO.Proxy;

/// <summary>How workers get connections.</summary>
public enum ProxyAccept
{
    /// <summary>A listening socket a worker, <c>SO_REUSEPORT</c>: the kernel spreads by hash.</summary>
    ReusePort = 0,

    /// <summary>One socket, <c>EPOLLEXCLUSIVE</c>: the kernel wakes one worker or few.</summary>
    Exclusive = 1,

    /// <summary>One socket, every worker is woken.</summary>
    Shared = 2,
}

/// <summary>Which upstream a connection goes to.</summary>
public enum ProxyBalance
{
    /// <summary>In turn, by weight.</summary>
    RoundRobin = 0,

    /// <summary>The one with the fewest connections for its weight.</summary>
    LeastConnections = 1,

    /// <summary>By the source address, rendezvous hashing: few clients move when an upstream comes or goes.</summary>
    Source = 2,
}

/// <summary>
/// When bytes go through a pipe in the kernel instead of a buffer. A backend without <see cref="BackendFeatures.ProxySplice"/> reads a stream
/// in larger pieces instead, but for <see cref="Never"/>.
/// </summary>
public enum ProxySplice
{
    /// <summary>Once a direction carries much.</summary>
    Auto = 0,

    /// <summary>Never.</summary>
    Never = 1,

    /// <summary>From the first byte.</summary>
    Always = 2,
}

/// <summary>The PROXY protocol (haproxy.org, proxy-protocol.txt), as it is sent to an upstream.</summary>
public enum ProxyHeader
{
    /// <summary>No header.</summary>
    None = 0,

    /// <summary>Version 1, a line of text.</summary>
    V1 = 1,

    /// <summary>Version 2, binary.</summary>
    V2 = 2,
}

/// <summary>How a proxy works. Times that are null are never, unless a default is named.</summary>
public sealed record ProxyOptions
{
    /// <summary>
    /// Workers; 0 is one for each allowed CPU. Without <see cref="BackendFeatures.ProxyWorkers"/> there is one, which the runtime's threads are; how
    /// many these are, where they run and how they share connections is not for a plan to say.
    /// </summary>
    public int Workers { get; init; }

    /// <summary>Whether each worker is pinned to a CPU.</summary>
    public bool Pin { get; init; }

    /// <summary>CPUs of the workers when they are pinned; empty is the allowed ones in order.</summary>
    public IReadOnlyList<int> Cpus { get; init; } = [];

    /// <summary>How workers get connections.</summary>
    public ProxyAccept Accept { get; init; }

    /// <summary>Whether a connection stays with the worker that accepted it, also when others have fewer.</summary>
    public bool KeepPlace { get; init; }

    /// <summary>Which upstream a connection goes to.</summary>
    public ProxyBalance Balance { get; init; }

    /// <summary>When bytes go through a pipe.</summary>
    public ProxySplice Splice { get; init; }

    /// <summary>Bytes of a pipe; the system may give less.</summary>
    public int PipeBytes { get; init; } = 1 << 20;

    /// <summary>Pipes a worker holds at most.</summary>
    public int Pipes { get; init; } = 64;

    /// <summary>Upstreams that are tried for a connection, 1 to 64; 0 is as 3.</summary>
    public int ConnectTries { get; init; } = 3;

    /// <summary>Of one try to connect.</summary>
    public TimeSpan? ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Without a byte in either direction.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>Without a byte after one side has ended.</summary>
    public TimeSpan? HalfCloseTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Of a connection.</summary>
    public TimeSpan? Lifetime { get; init; }

    /// <summary>For a PROXY header or a ClientHello.</summary>
    public TimeSpan? HeaderTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Connections at a time; more wait in the backlog. 0 is no limit.</summary>
    public int MaxConnections { get; init; }

    /// <summary>Connections of one source at a time (IPv6: of one /64); more are closed. 0 is no limit.</summary>
    public int MaxPerSource { get; init; }

    /// <summary>New connections a second; more wait in the backlog. 0 is no limit.</summary>
    public int Rate { get; init; }

    /// <summary>Bytes a second of one direction of one connection. 0 is no limit.</summary>
    public long Bandwidth { get; init; }

    /// <summary>Connections that wait to be accepted; the kernel cuts it to <c>net.core.somaxconn</c>.</summary>
    public int Backlog { get; init; } = 4096;

    /// <summary>Failures in a row that take an upstream down; 0 is as 3.</summary>
    public int Fall { get; init; } = 3;

    /// <summary>Good checks in a row that bring it back; 0 is as 2.</summary>
    public int Rise { get; init; } = 2;

    /// <summary>Between checks of an upstream, by connecting.</summary>
    public TimeSpan? CheckInterval { get; init; }

    /// <summary>After this an upstream that is down, and not checked, is tried again; <see cref="Timeout.InfiniteTimeSpan"/> is never.</summary>
    public TimeSpan Retry { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary><c>TCP_CONGESTION</c> of both sides, 15 bytes at most; empty is the system's.</summary>
    public string Congestion { get; init; } = "";

    /// <summary>Whether a reset of one side is passed on as a reset, when no byte is lost by it; else as an end.</summary>
    public bool PassResets { get; init; } = true;

    /// <summary>Finished connections a worker keeps until they are read; 0 keeps none.</summary>
    public int Journal { get; init; }
}

/// <summary>Where clients connect to.</summary>
public sealed record ProxyListener
{
    /// <summary>An <see cref="IPEndPoint"/> or a <see cref="System.Net.Sockets.UnixDomainSocketEndPoint"/>.</summary>
    public required EndPoint Address { get; init; }

    /// <summary>The group of upstreams its connections go to.</summary>
    public int Group { get; init; }

    /// <summary><c>IP_TRANSPARENT</c>: connections go to their original destination, unless the group has upstreams.</summary>
    public bool Transparent { get; init; }

    /// <summary><c>SO_ORIGINAL_DST</c>: connections go to the destination they had before netfilter's REDIRECT.</summary>
    public bool Redirected { get; init; }

    /// <summary>Upstreams see the address of the client.</summary>
    public bool Spoof { get; init; }

    /// <summary>Each connection begins with a PROXY header of either version.</summary>
    public bool Header { get; init; }

    /// <summary>The group is chosen by the name in the ClientHello (<see cref="ProxyPlan.Routes"/>).</summary>
    public bool Names { get; init; }

    /// <summary>An IPv6 socket takes no IPv4 connections.</summary>
    public bool V6Only { get; init; }

    /// <summary>Listening sockets from an earlier proxy, adopted when the proxy starts; empty opens new ones.</summary>
    public IReadOnlyList<int> Descriptors { get; init; } = [];
}

/// <summary>Where connections go.</summary>
public sealed record ProxyUpstream
{
    /// <summary>An <see cref="IPEndPoint"/> or a <see cref="System.Net.Sockets.UnixDomainSocketEndPoint"/>.</summary>
    public required EndPoint Address { get; init; }

    /// <summary>The group it belongs to.</summary>
    public int Group { get; init; }

    /// <summary>1 to 256; 0 is as 1.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>What it is told of the client.</summary>
    public ProxyHeader Header { get; init; }

    /// <summary>It sees the address of the client.</summary>
    public bool Spoof { get; init; }

    /// <summary>Used only when no other of its group is up.</summary>
    public bool Backup { get; init; }
}

/// <summary>Sends connections whose ClientHello names a host to a group of upstreams.</summary>
/// <param name="Host">A name, or <c>*.</c> and a name for all below it; the longest fits.</param>
/// <param name="Group">The group.</param>
public sealed record ProxyRoute(string Host, int Group);

/// <summary>Everything a proxy is made of.</summary>
public sealed record ProxyPlan
{
    /// <summary>How it works.</summary>
    public ProxyOptions Options { get; init; } = new();

    /// <summary>Where clients connect to; one at least.</summary>
    public required IReadOnlyList<ProxyListener> Listeners { get; init; }

    /// <summary>Where connections go.</summary>
    public IReadOnlyList<ProxyUpstream> Upstreams { get; init; } = [];

    /// <summary>By name.</summary>
    public IReadOnlyList<ProxyRoute> Routes { get; init; } = [];
}
