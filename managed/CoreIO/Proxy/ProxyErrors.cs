// The one place where the status of a proxy becomes an exception, with what a user needs to go on.
using System.Net;
using System.Net.Sockets;

namespace CoreIO.Proxy;

internal static class ProxyErrors
{
    private const int FirstFreePort = 1024;

    /// <summary>A part of a plan was refused.</summary>
    internal static TcpProxyException Open(int status, ProxyFault fault, ProxyPlan plan) => fault.Part switch
    {
        ProxyPart.Listener => Listen(status, plan.Listeners[fault.Index]),
        ProxyPart.Upstream => new(status, "use upstream", ProxyAddress.Text(plan.Upstreams[fault.Index].Address), status switch
        {
            StatusCode.InvalidArgument => "a weight is from 1 to 256, a group not below 0",
            _ => null,
        }),
        ProxyPart.Route => new(status, "route", plan.Routes[fault.Index].Host, status switch
        {
            StatusCode.InvalidArgument => "a host is a name, or *. and a name, of at most 253 bytes",
            StatusCode.Exists => "it is routed already",
            _ => null,
        }),
        _ => new(status, "make", "a proxy", status switch
        {
            StatusCode.InvalidArgument => "an option is out of its range",
            StatusCode.Cpu => "a CPU that workers are to be pinned to is not allowed for this process",
            _ => null,
        }),
    };

    /// <summary>The workers did not start.</summary>
    internal static TcpProxyException Start(int status) => new(status, "start", "the proxy", status switch
    {
        StatusCode.InvalidArgument => "a listener or a route leads to a group without upstreams",
        StatusCode.TooManyOpenFiles => "each worker needs a few descriptors, and each connection two; raise 'ulimit -n'",
        StatusCode.Again => "no more threads may be started; see 'ulimit -u'",
        _ => null,
    });

    /// <summary>A hand-over did not take place.</summary>
    internal static TcpProxyException HandOver(int status, string path, string? advice) => new(status, "take over from", path, advice);

    private static TcpProxyException Listen(int status, ProxyListener listener) =>
        new(status, "listen on", ProxyAddress.Text(listener.Address), status switch
        {
            StatusCode.AddressInUse => "somebody listens there; 'ss -ltnp' shows who, and a running proxy hands its sockets over by --handover",
            StatusCode.AddressNotAvailable => "this machine has no such address; 'ip addr' shows those it has",
            StatusCode.AccessDenied when listener.Address is IPEndPoint { Port: < FirstFreePort } =>
                "ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE: "
                + "setcap cap_net_bind_service+ep, or AmbientCapabilities of systemd",
            StatusCode.NotPermitted when listener.Transparent || listener.Spoof =>
                "IP_TRANSPARENT needs CAP_NET_RAW or CAP_NET_ADMIN: setpriv --inh-caps +net_raw --ambient-caps +net_raw, "
                + "or AmbientCapabilities of systemd",
            StatusCode.TooManyOpenFiles => "raise 'ulimit -n'",
            StatusCode.NoEntry when listener.Address is UnixDomainSocketEndPoint => "its folder does not exist",
            StatusCode.NoEntry => "'sysctl net.ipv4.tcp_allowed_congestion_control' shows which congestion controls there are",
            _ => null,
        });
}
