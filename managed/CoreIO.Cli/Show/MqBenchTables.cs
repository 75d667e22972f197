// The figures of a bench of queues as tables of cells, for a screen and for Markdown alike: one table for each work and size, the floor first.
using System.Globalization;
using CoreIO.Log.Bench;
using CoreIO.Mq.Bench;

namespace CoreIO.Cli.Show;

internal static class MqBenchTables
{
    private const int NoisyNamed = 3;

    public static IReadOnlyList<PageColumn> Columns { get; } =
    [
        new("through", false), new("who", false), new("processes", true), new("ns", true), new("min .. max", true), new("p99 ns", true),
        new("k/s", true), new("MB/s", true), new("of floor", true), new("more, ns", true), new("B/message", true), new("crossings", true),
    ];

    /// <summary>A table: its heading and its rows.</summary>
    public static IEnumerable<(string Heading, IReadOnlyList<MqBenchRow> Rows)> Tables(MqBenchResult result) =>
        from row in result.Rows
        where row.Transport != MqBenchRow.NoTransport
        group row by (row.Work, row.Size) into table
        orderby table.Key.Work, table.Key.Size
        let futex = table.Key.Work == MqBenchWork.RoundTrip && result.Futex is MqBenchRow floor ? (MqBenchRow[])[floor] : []
        select ($"{Name(table.Key.Work)}, {table.Key.Size} bytes", (IReadOnlyList<MqBenchRow>)[.. futex, .. table.OrderBy(Order)]);

    public static IReadOnlyList<string> Cells(MqBenchResult result, MqBenchRow row)
    {
        // A batch has the floor of a message a call: what it saves.
        MqBenchRow asked = row.Work == MqBenchWork.Batch ? row with { Work = MqBenchWork.OneWay } : row;
        MqBenchRow? floor = row.Transport == MqBenchRow.NoTransport || row.Who == MqBenchRow.Floor ? null : result.Find(asked, MqBenchRow.Floor);
        bool isTrip = row.Work is MqBenchWork.RoundTrip or MqBenchWork.Spin;
        double ns = row.Ps.Median / 1000.0;
        return
        [
            row.Transport,
            row.Who,
            row.Work == MqBenchWork.Pair ? "1" : row.IsOneProcess ? "1 (threads)" : "2",
            Number(ns),
            $"{Number(row.Ps.Min / 1000.0)} .. {Number(row.Ps.Max / 1000.0)}",
            row.P99Ps is LogBenchSpread p99 ? Number(p99.Median / 1000.0) : "-",
            Number(1e6 / ns),
            isTrip || row.Size == 0 ? "-" : Number(row.Size * 1000.0 / ns),
            floor is null ? "-" : Ratio((double)row.Ps.Median / floor.Ps.Median),
            floor is null ? "-" : ((row.Ps.Median - floor.Ps.Median) / 1000.0).ToString("+0;-0;0", CultureInfo.InvariantCulture),
            row.AllocatedPerThousand is long bytes ? (bytes / 1000.0).ToString("0.##", CultureInfo.InvariantCulture) : "-",
            row.CrossingsPerThousand == 0 ? "-" : (row.CrossingsPerThousand / 1000.0).ToString("0.##", CultureInfo.InvariantCulture),
        ];
    }

    public static string Where(MqBenchResult result) =>
        $"{result.Machine}, {result.MachineCpus} CPUs; {result.Software}, Linux {result.Kernel}; "
        + $"{result.StartedAt.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC; load {result.Load}";

    public static string How(MqBenchResult result) =>
        $"this side on CPU {result.Cpus[0]}, its peer on CPU {result.Cpus[^1]}; POSIX queues of {result.PosixDepth} messages, "
        + $"System V queues of {result.SysVBytes} bytes";

    public static IEnumerable<string> Method(MqBenchResult result)
    {
        yield return $"medians of {result.Repeats} {(result.Repeats == 1 ? "run" : "runs")} of {result.Count} messages (blocking round trips: a tenth) "
            + "after a warm-up, every contestant once a round, work by work, in an order that is drawn anew for each round";
        yield return "pair: one thread sends and receives, the median of slices of 64; round trip: there and back, both block, the median of a run; spin: the same, trying for 100 ms before it blocks; "
            + "one way: a message a call, until the peer says it has all; batch: up to 32 messages a call";
        yield return "processes: 2 are this one and a peer, or two children for a C floor; a channel has two pinned threads of one, as it reaches no other process";
        yield return "k/s: thousands of pairs, round trips or messages a second; of floor, more: the time beside the plain calls of libc in C, for batch one a call; "
            + "B/message and crossings: allocated, and into the native library, on this side";
        MqBenchRow[] noisy = [.. result.Rows.Where(row => row.Ps.Relative > LogBenchRow.NoisySpread).OrderByDescending(row => row.Ps.Relative)];
        if (noisy.Length > 0)
        {
            string worst = string.Join(", ", noisy.Take(NoisyNamed).Select(row =>
                $"{Name(row.Work)} {row.Transport} {row.Who} {row.Size} B {(row.Ps.Relative * 100).ToString("0", CultureInfo.InvariantCulture)} %"));
            yield return $"noisy: {noisy.Length} of {result.Rows.Count} rows differ by more than {(LogBenchRow.NoisySpread * 100).ToString("0", CultureInfo.InvariantCulture)} % "
                + $"of the median from best to worst, most of all {worst}; measure again on a quiet machine";
        }

        foreach (string note in result.Notes)
        {
            yield return note;
        }
    }

    public static PageTone ToneOf(MqBenchRow row) => row.Who == MqBenchRow.Floor ? PageTone.Quiet
        : row.Who == CoreBackends.NativeName ? PageTone.Good : PageTone.Plain;

    private static string Name(MqBenchWork work) => MqBenchJson.NameOf(work).Replace('_', ' ');

    // The floor of each family stands above what is held against it.
    private static int Order(MqBenchRow row) => Array.IndexOf((string[])["posix", "sysv", "pipe", "seqpacket", "channel"], row.Transport);

    private static string Ratio(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);

    private static string Number(double value) => value.ToString(value < 100 ? "0.0" : "0", CultureInfo.InvariantCulture);
}
