// `--metrics`: what a proxy has done, as Prometheus reads it (text format 0.0.4), served by the runtime's own HTTP listener.
using System.Globalization;
using System.Net;
using System.Text;
using CoreIO.Cli.Commands;
using CoreIO.Proxy;

namespace CoreIO.Cli.Show;

internal sealed class ProxyMetrics : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ProxyTenures _tenures;

    private ProxyMetrics(ProxyTenures tenures) => _tenures = tenures;

    /// <summary>Serves <c>/metrics</c> at an address.</summary>
    /// <exception cref="CoreIOException">It cannot be listened on.</exception>
    public static ProxyMetrics Serve(IPEndPoint address, ProxyTenures tenures)
    {
        ProxyMetrics metrics = new(tenures);
        bool any = address.Address.Equals(IPAddress.Any) || address.Address.Equals(IPAddress.IPv6Any);
        metrics._listener.Prefixes.Add($"http://{(any ? "+:" + address.Port.ToString(CultureInfo.InvariantCulture) : ProxyAddress.Text(address))}/metrics/");
        try
        {
            metrics._listener.Start();
        }
        catch (HttpListenerException e)
        {
            metrics.Dispose();
            int status = e.ErrorCode is > 0 and < 4096 ? -e.ErrorCode : StatusCode.InputOutput;
            throw new CoreIOException(status, $"--metrics: {ProxyAddress.Text(address)}");
        }

        _ = Task.Run(metrics.AnswerAsync);
        return metrics;
    }

    /// <summary>The counters by the names they have in JSON and in metrics.</summary>
    public static (string Name, long Value)[] Members(in ProxyCounters counters) =>
    [
        ("accepted", counters.Accepted), ("connected", counters.Connected), ("ended", counters.Ended), ("live", counters.Live),
        ("bytes_to_upstream", counters.BytesToUpstream), ("bytes_to_client", counters.BytesToClient),
        ("bytes_spliced", counters.BytesSpliced), ("connect_retries", counters.ConnectRetries),
        ("accept_failures", counters.AcceptFailures), ("over_limit", counters.OverLimit), ("handed_over", counters.HandedOver),
        ("pipes", counters.Pipes), ("buffers", counters.Buffers), ("journal_lost", counters.JournalLost),
        ("stale_events", counters.StaleEvents),
    ];

    /// <summary>The whole page.</summary>
    public static string Text(ProxyTenures tenures)
    {
        StringBuilder text = new();
        ProxyCounters counters = tenures.Counters;
        foreach ((string name, long value) in Members(counters))
        {
            bool gauge = name is "live" or "pipes" or "buffers";
            string full = $"coreio_proxy_{name}" + (gauge ? "" : "_total");
            text.Append(CultureInfo.InvariantCulture, $"# TYPE {full} {(gauge ? "gauge" : "counter")}\n{full} {value}\n");
        }

        text.Append("# TYPE coreio_proxy_ends_total counter\n");
        foreach (ProxyEnd end in Enum.GetValues<ProxyEnd>())
        {
            text.Append(CultureInfo.InvariantCulture, $"coreio_proxy_ends_total{{reason=\"{ProxyLogLine.Name(end)}\"}} {counters.Ends[(int)end]}\n");
        }

        TcpProxy proxy = tenures.Current;
        ProxyWorker[] workers = proxy.Workers();
        Each(text, "coreio_proxy_worker_live", "gauge", workers.Select((worker, i) => ($"worker=\"{i}\"", worker.Live)));
        Each(text, "coreio_proxy_worker_accepted_total", "counter", workers.Select((worker, i) => ($"worker=\"{i}\"", worker.Accepted)));
        ProxyUpstreamState[] upstreams = proxy.Upstreams();
        string Label(ProxyUpstreamState upstream) =>
            $"upstream=\"{ProxyAddress.Text(proxy.Plan.Upstreams[upstream.Index].Address).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\",index=\"{upstream.Index}\"";
        Each(text, "coreio_proxy_upstream_up", "gauge", upstreams.Select(u => (Label(u), (long)u.Up)));
        Each(text, "coreio_proxy_upstream_live", "gauge", upstreams.Select(u => (Label(u), u.Live)));
        Each(text, "coreio_proxy_upstream_connects_total", "counter", upstreams.Select(u => (Label(u), u.Connects)));
        Each(text, "coreio_proxy_upstream_failures_total", "counter", upstreams.Select(u => (Label(u), u.Failures)));
        Each(text, "coreio_proxy_upstream_checks_total", "counter", upstreams.Select(u => (Label(u), u.Checks)));
        return text.ToString();
    }

    public void Dispose() => _listener.Close();

    private static void Each(StringBuilder text, string name, string type, IEnumerable<(string Labels, long Value)> samples)
    {
        text.Append(CultureInfo.InvariantCulture, $"# TYPE {name} {type}\n");
        foreach ((string labels, long value) in samples)
        {
            text.Append(CultureInfo.InvariantCulture, $"{name}{{{labels}}} {value}\n");
        }
    }

    private async Task AnswerAsync()
    {
        while (true)
        {
            try
            {
                HttpListenerContext context = await _listener.GetContextAsync().ConfigureAwait(false);
                context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(Text(_tenures))).ConfigureAwait(false);
                context.Response.Close();
            }
            catch (Exception e) when (e is ObjectDisposedException || !_listener.IsListening)
            {
                return;
            }
            catch (Exception e) when (e is HttpListenerException or IOException)
            {
                // Who asked has gone.
            }
        }
    }
}
