// Proxies of the library: a plan goes over part by part, and what is refused is named.
using System.Runtime.InteropServices;
using System.Text;
using CoreIO.Interop;
using CoreIO.Proxy;

namespace CoreIO.Native.Proxy;

internal sealed unsafe class NativeProxyBackend : IProxyBackend
{
    private const int CongestionBytes = 16;
    private const long NanosecondsOfTick = 100;

    public int Open(ProxyPlan plan, out IProxy? proxy, out ProxyFault fault)
    {
        ArgumentNullException.ThrowIfNull(plan);
        proxy = null;
        fault = default;
        int status = Options(plan.Options, out coreio_proxy_options options);
        ProxyHandle? handle = null;
        if (status == 0)
        {
            status = ProxyHandle.Create(options, [.. plan.Options.Cpus], out handle);
        }

        for (int i = 0; i < plan.Upstreams.Count && status >= 0; i++)
        {
            fault = new ProxyFault(ProxyPart.Upstream, i);
            status = Add(handle!, plan.Upstreams[i]);
        }

        for (int i = 0; i < plan.Routes.Count && status >= 0; i++)
        {
            fault = new ProxyFault(ProxyPart.Route, i);
            status = Add(handle!, plan.Routes[i]);
        }

        // Last, for they take names that others may want: nothing after this can fail.
        status = status < 0 ? status : Listen(handle!, plan.Listeners, ref fault);
        if (status < 0)
        {
            handle?.Dispose();
            return status;
        }

        fault = default;
        proxy = new NativeProxy(handle!, plan);
        return 0;
    }

    public int Pass(SafeHandle socket, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> descriptors)
    {
        using Borrowed borrowed = new(socket);
        Crossings.Add();
        fixed (byte* start = bytes)
        fixed (int* first = descriptors)
        {
            return LibCoreIO.coreio_proxy_pass((int)socket.DangerousGetHandle(), start, bytes.Length, first, descriptors.Length);
        }
    }

    public int Take(SafeHandle socket, Span<byte> bytes, Span<int> descriptors, out int count)
    {
        using Borrowed borrowed = new(socket);
        Crossings.Add();
        fixed (byte* start = bytes)
        fixed (int* first = descriptors)
        {
            int taken;
            int status = LibCoreIO.coreio_proxy_take(
                (int)socket.DangerousGetHandle(), start, bytes.Length, first, descriptors.Length, &taken);
            count = taken;
            return status;
        }
    }

    /// <summary>A time of the library: null is never, which is below 0, for 0 is its default.</summary>
    internal static long Nanoseconds(TimeSpan? time) =>
        time is not { } some ? -1 : some.Ticks > long.MaxValue / NanosecondsOfTick ? long.MaxValue : some.Ticks * NanosecondsOfTick;

    private static int Options(ProxyOptions from, out coreio_proxy_options options)
    {
        uint flags = from.Pin ? LibCoreIO.COREIO_PROXY_PIN : 0;
        flags |= from.KeepPlace ? LibCoreIO.COREIO_PROXY_KEEP_PLACE : 0;
        flags |= from.PassResets ? 0 : LibCoreIO.COREIO_PROXY_NO_RESET;
        flags |= from.Journal > 0 ? LibCoreIO.COREIO_PROXY_JOURNAL : 0;
        options = new coreio_proxy_options
        {
            flags = flags,
            workers = from.Workers,
            accept = (int)from.Accept,
            balance = (int)from.Balance,
            splice = (int)from.Splice,
            connect_tries = from.ConnectTries,
            connect_timeout_ns = Nanoseconds(from.ConnectTimeout),
            idle_timeout_ns = Nanoseconds(from.IdleTimeout),
            half_close_timeout_ns = Nanoseconds(from.HalfCloseTimeout),
            lifetime_ns = Nanoseconds(from.Lifetime),
            header_timeout_ns = Nanoseconds(from.HeaderTimeout),
            max_connections = from.MaxConnections,
            max_per_source = from.MaxPerSource,
            rate = from.Rate,
            backlog = from.Backlog,
            bandwidth = from.Bandwidth,
            pipe_bytes = from.PipeBytes,
            pipes = from.Pipes,
            journal_capacity = from.Journal,
            fall = from.Fall,
            rise = from.Rise,
            check_interval_ns = Nanoseconds(from.CheckInterval),
            retry_ns = Nanoseconds(from.Retry),
        };
        byte[] congestion = Encoding.ASCII.GetBytes(from.Congestion);
        if (congestion.Length >= CongestionBytes)
        {
            return StatusCode.InvalidArgument;
        }

        for (int i = 0; i < congestion.Length; i++)
        {
            options.congestion[i] = congestion[i];
        }

        return 0;
    }

    private static int Add(ProxyHandle handle, ProxyUpstream from)
    {
        using Borrowed borrowed = new(handle);
        coreio_proxy_upstream upstream = new()
        {
            size = (uint)sizeof(coreio_proxy_upstream),
            flags = from.Header switch
            {
                ProxyHeader.V1 => LibCoreIO.COREIO_PROXY_SEND_V1,
                ProxyHeader.V2 => LibCoreIO.COREIO_PROXY_SEND_V2,
                _ => 0,
            },
            group = from.Group,
            weight = from.Weight,
        };
        upstream.flags |= from.Spoof ? LibCoreIO.COREIO_PROXY_SPOOF : 0;
        upstream.flags |= from.Backup ? LibCoreIO.COREIO_PROXY_BACKUP : 0;
        Crossings.Add();
        return ProxyAddresses.TryWrite(from.Address, out upstream.address)
            ? LibCoreIO.coreio_proxy_upstream(handle.Pointer, &upstream)
            : StatusCode.InvalidArgument;
    }

    private static int Add(ProxyHandle handle, ProxyRoute route)
    {
        using Borrowed borrowed = new(handle);
        byte[] host = Encoding.UTF8.GetBytes(route.Host);
        Crossings.Add();
        fixed (byte* start = host)
        {
            return LibCoreIO.coreio_proxy_route(handle.Pointer, start, host.Length, route.Group);
        }
    }

    private static int Listen(ProxyHandle handle, IReadOnlyList<ProxyListener> listeners, ref ProxyFault fault)
    {
        for (int i = 0; i < listeners.Count; i++)
        {
            fault = new ProxyFault(ProxyPart.Listener, i);
            int status = Add(handle, listeners[i]);
            if (status < 0)
            {
                return status;
            }
        }

        return 0;
    }

    private static int Add(ProxyHandle handle, ProxyListener from)
    {
        using Borrowed borrowed = new(handle);
        coreio_proxy_listener listener = new()
        {
            size = (uint)sizeof(coreio_proxy_listener),
            group = from.Group,
            fd_count = from.Descriptors.Count,
        };
        listener.flags |= from.Transparent ? LibCoreIO.COREIO_PROXY_LISTEN_TRANSPARENT : 0;
        listener.flags |= from.Redirected ? LibCoreIO.COREIO_PROXY_LISTEN_REDIRECTED : 0;
        listener.flags |= from.Spoof ? LibCoreIO.COREIO_PROXY_LISTEN_SPOOF : 0;
        listener.flags |= from.Header ? LibCoreIO.COREIO_PROXY_LISTEN_HEADER : 0;
        listener.flags |= from.Names ? LibCoreIO.COREIO_PROXY_LISTEN_NAMES : 0;
        listener.flags |= from.V6Only ? LibCoreIO.COREIO_PROXY_LISTEN_V6ONLY : 0;
        if (!ProxyAddresses.TryWrite(from.Address, out listener.address))
        {
            return StatusCode.InvalidArgument;
        }

        Crossings.Add();
        fixed (int* fds = (int[])[.. from.Descriptors])
        {
            listener.fds = fds;
            return LibCoreIO.coreio_proxy_listen(handle.Pointer, &listener);
        }
    }
}
