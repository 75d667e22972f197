// The figures of a bench of proxies as tables of cells, for a screen and for Markdown alike: one table for each work, contestants as rows.
using System.Globalization;
using CoreIO.Log.Bench;
using CoreIO.Proxy.Bench;

namespace CoreIO.Cli.Show;

/// <summary>A table of one work.</summary>
/// <param name="Heading">What was done.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="Rows">A row for each contestant.</param>
/// <param name="Cells">The cells of a row.</param>
/// <param name="Bars">What compares, as bars.</param>
internal sealed record ProxyBenchTable(
    string Heading,
    IReadOnlyList<PageColumn> Columns,
    IReadOnlyList<ProxyBenchRow> Rows,
    Func<ProxyBenchResult, ProxyBenchRow, IReadOnlyList<string>> Cells,
    IReadOnlyList<BenchBar> Bars);

internal static class ProxyBenchTables
{
    // From here on a spread is worth a warning, as a part of the median: both sides of the load share the machine with the contestant.
    private const double NoisySpread = 0.25;
    private const int NoisyNamed = 3;
    private const string None = "-";

    private static readonly PageColumn[] Ratios = [new("of managed", true), new("of best other", true)];

    private static readonly PageColumn[] BulkColumns =
    [
        new("who", false), new("CPU s/GB", true), new("min .. max", true), new("Gbit/s", true), new("min .. max", true), .. Ratios,
    ];

    private static readonly PageColumn[] HeldColumns =
    [
        new("who", false), new("B/connection", true), new("min .. max", true), new("before", true), new("CPU ms/s", true), .. Ratios,
    ];

    private static readonly PageColumn[] SpreadColumns =
    [
        new("who", false), new("busiest", true), new("min .. max", true), new("connections of each", true), .. Ratios,
    ];

    /// <summary>A table for each work and congestion control.</summary>
    public static IEnumerable<ProxyBenchTable> Tables(ProxyBenchResult result) =>
        from row in result.Rows
        group row by (row.Work, row.Congestion) into rows
        select Table(result, ProxyBenchWork.Find(rows.Key.Work)!, rows.Key.Congestion, [.. rows]);

    public static string Where(ProxyBenchResult result) =>
        $"{result.Machine}, {result.MachineCpus} CPUs; {result.Software}, Linux {result.Kernel}; "
        + $"{result.StartedAt.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC; load {result.Load}; congestion control {result.Congestion}";

    public static string Who(ProxyBenchResult result) =>
        string.Join(", ", result.Contestants.Select(
            party => party.Text.StartsWith(party.Name, StringComparison.OrdinalIgnoreCase) ? party.Text : $"{party.Name} ({party.Text})"));

    public static IEnumerable<string> Absent(ProxyBenchResult result) => result.Absent.Select(party => $"{party.Name} does not take part: {party.Text}");

    public static IEnumerable<string> Faults(ProxyBenchResult result) =>
        result.Rows.Where(row => row.Fault is not null).Select(row => $"{NameOf(row)}: failed, so there are no figures: {row.Fault}");

    public static IEnumerable<string> Method(ProxyBenchResult result)
    {
        string seconds = (result.TimeNs / 1e9).ToString("0.###", CultureInfo.InvariantCulture);
        yield return $"medians of {result.Repeats} {(result.Repeats == 1 ? "run" : "runs")} of {seconds} s after a warm-up, "
            + "every contestant once a round in a process started anew, the order turned round each time";
        yield return "CPU: user and system time of the contestant with all its threads and children, "
            + (result.CpuIsExact ? "from the CPU clocks of its processes, in ns" : "from /proc/PID/stat, in ticks of 10 ms")
            + "; of managed, of best other: the first column beside the managed backend's and the least of HAProxy, nginx and socat, less is better";
        yield return "the load: two threads of this process; everything that was sent arrived, and each reply was that to its request; "
            + "direct is without a proxy: the floor of rates and times";
        yield return "at their best: workers pinned to a CPU each; HAProxy with forced splice and pipes of 1 MiB for bulk, else without; "
            + "nginx with buffers of 64 KiB for bulk, else 16 KiB; bulk goes from the client to the upstream";
        if (result.Rows.Any(row => row.Congestion is string name && name != result.Congestion))
        {
            yield return "another congestion control than the system's is set for the sockets of the load and for those of the contestants";
        }

        if (result.Rows.Any(row => row.SharedConnections is not null))
        {
            yield return "connections of each: the thread or process whose CPU time grows while one connection talks has it, "
                + "or it is shared when none has two thirds of that";
        }

        ProxyBenchRow[] noisy = [.. result.Rows.Where(row => Noise(row) > NoisySpread).OrderByDescending(Noise)];
        if (noisy.Length > 0)
        {
            yield return $"noisy: {noisy.Length} of {result.Rows.Count} rows differ by more than {Percent(NoisySpread)} of the median "
                + "from best to worst, most of all "
                + string.Join(", ", noisy.Take(NoisyNamed).Select(row => $"{NameOf(row)} {Percent(Noise(row))}")) + "; measure again on a quiet machine";
        }

        foreach (string note in result.Notes)
        {
            yield return note;
        }
    }

    public static PageTone ToneOf(ProxyBenchRow row) => row.Fault is not null ? PageTone.Bad
        : row.Who == ProxyBenchRow.Direct ? PageTone.Quiet
        : row.Who == CoreBackends.NativeName ? PageTone.Good : PageTone.Plain;

    private static ProxyBenchTable Table(ProxyBenchResult result, ProxyBenchWork work, string? congestion, ProxyBenchRow[] rows)
    {
        string name = congestion is null ? work.Name : $"{work.Name}, {congestion}";
        if (work.IsBulk)
        {
            return new($"{name}: {work.Text}", BulkColumns, rows, Bulk, Bars(rows, row => row.CpuNs, Seconds));
        }

        if (AsksFor(work, out string unit))
        {
            return new($"{name}: {work.Text}", RequestColumns(unit), rows, Requests, Bars(rows, row => row.CpuNs, Microseconds));
        }

        return work.Name == "spread"
            ? new($"{name}: {work.Text}", SpreadColumns, rows, Spread, [])
            : new($"{name}: {rows.Max(row => row.Connections) ?? 0} {work.Text}", HeldColumns, rows, Held, Bars(rows, row => row.BytesPerConnection, Whole));
    }

    private static PageColumn[] RequestColumns(string unit) =>
    [
        new("who", false), new($"CPU us/{unit}", true), new("min .. max", true), new("k/s", true), new("p50 us", true), new("p99 us", true), .. Ratios,
    ];

    private static IReadOnlyList<string> Bulk(ProxyBenchResult result, ProxyBenchRow row) =>
    [
        row.Who, One(row.CpuNs, Seconds), Range(row.CpuNs, Seconds), One(row.PerSecond, Gigabits), Range(row.PerSecond, Gigabits), .. RatiosOf(result, row),
    ];

    private static IReadOnlyList<string> Requests(ProxyBenchResult result, ProxyBenchRow row) =>
    [
        row.Who, One(row.CpuNs, Microseconds), Range(row.CpuNs, Microseconds), One(row.PerSecond, Thousands), One(row.P50Ns, Whole1000), One(row.P99Ns, Whole1000),
        .. RatiosOf(result, row),
    ];

    private static IReadOnlyList<string> Held(ProxyBenchResult result, ProxyBenchRow row) =>
    [
        row.Who, One(row.BytesPerConnection, Whole), Range(row.BytesPerConnection, Whole), One(row.BaseBytes, Human.Bytes), One(row.CpuNs, Milliseconds),
        .. RatiosOf(result, row),
    ];

    private static IReadOnlyList<string> Spread(ProxyBenchResult result, ProxyBenchRow row) =>
    [
        row.Who, One(row.Busiest, Whole), Range(row.Busiest, Whole), Workers(row), .. RatiosOf(result, row),
    ];

    private static string Workers(ProxyBenchRow row) => row.WorkerConnections is { } counts ? string.Join(" ", counts)
        : row.SharedConnections > 0 ? "shared by its threads" : None;

    private static string[] RatiosOf(ProxyBenchResult result, ProxyBenchRow row) => [Ratio(result.OfManaged(row)), Ratio(result.OfBestOther(row))];

    private static BenchBar[] Bars(ProxyBenchRow[] rows, Func<ProxyBenchRow, LogBenchSpread?> cost, Func<long, string> text)
    {
        long most = rows.Max(row => cost(row)?.Median ?? 0);
        return
        [
            .. from row in rows
               let median = cost(row)?.Median
               where most > 0 && median is not null
               select new BenchBar(row.Who, text(median.Value), (double)median.Value / most),
        ];
    }

    private static bool AsksFor(ProxyBenchWork work, out string unit)
    {
        unit = work.Name == "close" ? "connection" : "request";
        return !work.IsBulk && !work.IsHeld;
    }

    private static string NameOf(ProxyBenchRow row) => row.Congestion is null ? $"{row.Work} {row.Who}" : $"{row.Work} {row.Congestion} {row.Who}";

    private static double Noise(ProxyBenchRow row) => (row.Who == ProxyBenchRow.Direct ? row.PerSecond : row.Cost)?.Relative ?? 0;

    private static string One(LogBenchSpread? spread, Func<long, string> text) => spread is LogBenchSpread known ? text(known.Median) : None;

    private static string Range(LogBenchSpread? spread, Func<long, string> text) => spread is LogBenchSpread known ? $"{text(known.Min)} .. {text(known.Max)}" : None;

    private static string Ratio(double? ratio) => ratio is double known ? Number(known, "0.00") : None;

    private static string Seconds(long ns) => Number(ns / 1e9, "0.000");

    private static string Milliseconds(long ns) => Number(ns / 1e6, "0.00");

    private static string Microseconds(long ns) => Number(ns / 1e3, "0.0");

    private static string Whole1000(long ns) => Number(ns / 1e3, "0");

    private static string Thousands(long count) => Number(count / 1e3, "0.0");

    private static string Gigabits(long bytes) => Number(bytes * 8 / 1e9, "0.0");

    private static string Whole(long count) => Number(count, "0");

    private static string Percent(double part) => Number(part * 100, "0") + " %";

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
