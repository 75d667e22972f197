// The figures of a bench as tables of cells, for a screen and for Markdown alike: how fast each contestant is beside the floors, and what it
// takes. Sizes in GB are 10^9 bytes, as the speed of memory is told.
using System.Globalization;
using CoreIO.Log.Bench;

namespace CoreIO.Cli.Show;

internal static class BenchTables
{
    private const int RateWidth = 6;

    public static IReadOnlyList<PageColumn> SpeedColumns { get; } =
    [
        new("question", false), new("who", false), new("GB/s", true), new("min .. max", true), new("M lines/s", true), new("ns/line", true),
        new("of index", true), new("x scalar", true), new("x managed", true),
    ];

    public static IReadOnlyList<PageColumn> CostColumns { get; } =
    [
        new("question", false), new("who", false), new("kernel", false), new("CPU s/GB", true), new("peak", true), new("allocated", true),
        new("crossings", true), new("their share", true),
    ];

    public static IEnumerable<IReadOnlyList<string>> Speed(LogBenchInputResult input) => input.Rows.Select(row => (IReadOnlyList<string>)
    [
        row.Question,
        row.Who,
        Rate(input.Bytes, row.Elapsed.Median),
        $"{Rate(input.Bytes, row.Elapsed.Max)} .. {Rate(input.Bytes, row.Elapsed.Min)}",
        Number((double)input.Lines * 1000 / row.Elapsed.Median, "0.00"),
        Number((double)row.Elapsed.Median / Math.Max(1, input.Lines), "0.0"),
        Ratio(input.OfIndex(row)),
        Ratio(input.OverScalar(row)),
        Ratio(input.OverManaged(row)),
    ]);

    public static IEnumerable<IReadOnlyList<string>> Cost(LogBenchResult result, LogBenchInputResult input) => input.Rows.Select(row => (IReadOnlyList<string>)
    [
        row.Question,
        row.Who,
        row.Kernel ?? "-",
        Number((double)row.Cpu.Median / Math.Max(1, input.Bytes), "0.000"),
        row.PeakBytes is long peak ? Human.Bytes(peak) : "-",
        row.AllocatedBytes is long allocated ? Human.Bytes(allocated) : "-",
        row.Crossings == 0 ? "-" : Human.Count(row.Crossings),
        row.Crossings == 0 ? "-" : Share(result, row),
    ]);

    /// <summary>What is asked, for each name of a question.</summary>
    public static IEnumerable<string> Legend(LogBenchInputResult input) =>
        input.Rows.Select(row => row.Question == LogBenchRow.Floor ? $"{row.Question} {row.Who}: {row.Text}" : $"{row.Question}: {row.Text}")
            .Where(text => !text.Contains("mawk", StringComparison.Ordinal)).Distinct();

    /// <summary>How many times as fast as one worker several are.</summary>
    public static IEnumerable<string> Scaling(LogBenchResult result, LogBenchInputResult input) =>
        from row in input.Rows
        from backend in CoreBackends.Available
        where result.Workers > 1 && row.Who == LogBenchRow.WithWorkers(backend.Name, result.Workers)
        select $"{row.Question} {row.Who}: {Ratio(input.Ratio(row, row.Question, backend.Name))} times one worker";

    /// <summary>A bar for each contestant; the longest takes the whole width.</summary>
    public static IEnumerable<string> Bars(LogBenchInputResult input, int width)
    {
        long fastest = input.Rows.Min(row => row.Elapsed.Median);
        return BenchBars.Lines(
            [.. input.Rows.Select(row => new BenchBar(Label(row), Rate(input.Bytes, row.Elapsed.Median).PadLeft(RateWidth), (double)fastest / row.Elapsed.Median))], width);
    }

    /// <summary>What a reader must know before believing a figure.</summary>
    public static IEnumerable<string> Notes(LogBenchResult result, LogBenchInputResult input)
    {
        string[] noisy =
        [
            .. input.Rows.Where(r => r.Elapsed.Relative > LogBenchRow.NoisySpread)
                .Select(r => $"{Label(r)} {Number(r.Elapsed.Relative * 100, "0")} %"),
        ];
        if (noisy.Length > 0)
        {
            yield return $"noisy, best to worst over {Number(LogBenchRow.NoisySpread * 100, "0")} % of the median: {string.Join(", ", noisy)}; "
                + "measure again on a quiet machine";
        }

        foreach (LogBenchRow row in input.Rows.Where(r => !r.Agrees))
        {
            yield return $"{Label(row)} answers differently: it splits at every space, whatever is quoted";
        }

        if (result.Workers > 1)
        {
            yield return "floors and lex run on one thread, the other questions on one worker and on all";
        }

        if (input.Find(LogBenchRow.Floor, "index") is null)
        {
            yield return "no floors and no crossings: the native backend is not here";
        }
    }

    /// <summary>How the figures are meant; the same for every bench.</summary>
    public static IEnumerable<string> Method(LogBenchResult result)
    {
        yield return $"medians of {result.Repeats} {(result.Repeats == 1 ? "run" : "runs")} after a warm-up, every contestant once a round, the order turned round each time; GB is 10^9 bytes";
        yield return "a run is whole work: from opening the file, which is cached, to the rows shown"
            + (result.Kernels.Count > 1 ? "; answers were compared and are equal" : "");
        yield return result.PeakIsOfTheRun
            ? "peak: most memory resident in the process in any run, the runtime and what it keeps of earlier runs included"
            : "peak: most memory resident in the process so far, for the kernel does not let it begin anew";
        if (result.CrossingPs > 0)
        {
            yield return $"a crossing takes {Number(result.CrossingPs / 1000.0, "0.0")} ns here; share: crossings x that / time of the run";
        }
    }

    public static string Heading(LogBenchInputResult input) =>
        $"{input.Format}: {input.Source}, {Human.Bytes(input.Bytes)}, {Human.Count(input.Lines)} lines, "
        + $"{Number((double)input.Bytes / Math.Max(1, input.Lines), "0")} bytes a line";

    public static string Where(LogBenchResult result) =>
        $"{result.Machine}, {result.MachineCpus} CPUs; {result.Software}; {result.StartedAt.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC";

    public static string How(LogBenchResult result) =>
        $"{result.Workers} {(result.Workers == 1 ? "worker" : "workers")} on CPU {string.Join(',', result.Cpus)}; kernels: "
        + string.Join(", ", result.Kernels.Select(k => $"{k.Key} {k.Value}"));

    private static string Label(LogBenchRow row) => $"{row.Question} {row.Who}";

    private static string Rate(long bytes, long ns) => Number((double)bytes / Math.Max(1, ns), "0.00");

    private static string Ratio(double? ratio) => ratio is double value ? Number(value, "0.00") : "-";

    private static string Share(LogBenchResult result, LogBenchRow row) =>
        Number((double)row.Crossings * result.CrossingPs / 1000 / row.Elapsed.Median * 100, "0.00000") + " %";

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
