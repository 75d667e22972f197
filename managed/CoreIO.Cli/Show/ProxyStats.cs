// `--stats`: what a proxy does now, once a second: a table on a terminal, else one JSON object a line.
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using CoreIO.Cli.Commands;
using CoreIO.Cli.Shell;
using CoreIO.Log;
using CoreIO.Proxy;

namespace CoreIO.Cli.Show;

internal sealed class ProxyStats(bool json)
{
    private const string HomeAndClear = "\u001b[H\u001b[J";

    private static readonly PageColumn[] WorkerColumns =
    [
        new("worker", true), new("CPU", true), new("live", true), new("accepted", true), new("CPU %", true),
    ];

    private static readonly PageColumn[] UpstreamColumns =
    [
        new("upstream", false), new("state", false), new("live", true), new("connects", true), new("failures", true), new("checks", true),
    ];

    private readonly long _start = Stopwatch.GetTimestamp();
    private ProxyCounters _before;
    private ProxyWorker[] _workersBefore = [];
    private double _secondsBefore;

    public void Show(ProxyTenures tenures)
    {
        ProxyCounters now = tenures.Counters;
        TcpProxy proxy = tenures.Current;
        ProxyWorker[] workers = proxy.Workers();
        double seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        using Stream output = StandardOutput.Open();
        if (json)
        {
            WriteJson(output, now, workers, proxy, seconds);
        }
        else
        {
            Draw(output, now, workers, proxy, Math.Max(seconds - _secondsBefore, 1e-3));
        }

        output.Flush();
        (_before, _workersBefore, _secondsBefore) = (now, workers, seconds);
    }

    private void Draw(Stream output, in ProxyCounters now, ProxyWorker[] workers, TcpProxy proxy, double elapsed)
    {
        output.Write(Encoding.ASCII.GetBytes(HomeAndClear));
        using Page page = new(output, color: false);
        page.Line($"{Human.Count(now.Live)} live, {Human.Count(now.Accepted)} accepted ({Rate(now.Accepted - _before.Accepted, elapsed)}/s), "
            + $"{Human.Bytes((long)((now.BytesToUpstream - _before.BytesToUpstream) / elapsed))}/s up, "
            + $"{Human.Bytes((long)((now.BytesToClient - _before.BytesToClient) / elapsed))}/s down, "
            + $"{Human.Share(now.BytesSpliced, now.BytesToClient + now.BytesToUpstream)} spliced");
        page.Line();
        page.Rows(WorkerColumns, workers.Select((worker, i) => (IReadOnlyList<string>)
        [
            i.ToString(CultureInfo.InvariantCulture), worker.Cpu < 0 ? "any" : worker.Cpu.ToString(CultureInfo.InvariantCulture),
            Human.Count(worker.Live), Human.Count(worker.Accepted),
            (100 * (worker.CpuTimeNs - (i < _workersBefore.Length ? _workersBefore[i].CpuTimeNs : 0)) / 1e9 / elapsed)
                .ToString("0.0", CultureInfo.InvariantCulture),
        ]));
        page.Line();
        page.Rows(UpstreamColumns, proxy.Upstreams().Select(upstream => (IReadOnlyList<string>)
        [
            LogText.Escape(ProxyAddress.Text(proxy.Plan.Upstreams[upstream.Index].Address)),
            upstream.Up != 0 ? "up" : "down: " + StatusCode.Describe(-upstream.LastError),
            Human.Count(upstream.Live), Human.Count(upstream.Connects), Human.Count(upstream.Failures), Human.Count(upstream.Checks),
        ]));
    }

    private static string Rate(long count, double elapsed) => (count / elapsed).ToString("0", CultureInfo.InvariantCulture);

    private static void WriteJson(Stream output, in ProxyCounters now, ProxyWorker[] workers, TcpProxy proxy, double seconds)
    {
        using (Utf8JsonWriter json = new(output, LogReportJson.WriterOptions))
        {
            json.WriteStartObject();
            json.WriteNumber("schema"u8, LogReportJson.Schema);
            json.WriteNumber("seconds"u8, Math.Round(seconds, 3));
            foreach ((string name, long value) in ProxyMetrics.Members(now))
            {
                json.WriteNumber(name, value);
            }

            json.WriteStartObject("ends"u8);
            foreach (ProxyEnd end in Enum.GetValues<ProxyEnd>())
            {
                json.WriteNumber(ProxyLogLine.Name(end), now.Ends[(int)end]);
            }

            json.WriteEndObject();
            json.WriteStartArray("workers"u8);
            foreach (ProxyWorker worker in workers)
            {
                json.WriteStartObject();
                json.WriteNumber("thread"u8, worker.ThreadId);
                json.WriteNumber("cpu"u8, worker.Cpu);
                json.WriteNumber("live"u8, worker.Live);
                json.WriteNumber("accepted"u8, worker.Accepted);
                json.WriteNumber("cpu_time_ns"u8, worker.CpuTimeNs);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("upstreams"u8);
            foreach (ProxyUpstreamState upstream in proxy.Upstreams())
            {
                json.WriteStartObject();
                json.WriteString("address"u8, ProxyAddress.Text(proxy.Plan.Upstreams[upstream.Index].Address));
                json.WriteNumber("group"u8, upstream.Group);
                json.WriteBoolean("up"u8, upstream.Up != 0);
                json.WriteNumber("live"u8, upstream.Live);
                json.WriteNumber("connects"u8, upstream.Connects);
                json.WriteNumber("failures"u8, upstream.Failures);
                json.WriteNumber("checks"u8, upstream.Checks);
                json.WriteNumber("last_errno"u8, upstream.LastError);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        output.WriteByte((byte)'\n');
    }
}
