// `coreio bench mq`, which `coreio mq bench` is, too. What is measured and how stands in CoreIO/Mq/Bench; this file reads options, starts this
// program again as the other process, and shows the result.
using System.Globalization;
using System.Text;
using CoreIO.Cli.Shell;
using CoreIO.Cli.Show;
using CoreIO.Mq.Bench;

namespace CoreIO.Cli.Commands;

internal static class MqBenchCommand
{
    private const string PeerVerb = "bench-peer";

    private static readonly CliOption[] Options =
    [
        new("sizes", "N[,..]", "bytes of the messages (64,1024,8192)") { Group = "Measuring", Letter = 's' },
        new("count", "N", "messages of a run (20000)") { Group = "Measuring", Letter = 'n' },
        new("repeat", "N", "measured runs of each contestant (5)") { Group = "Measuring", Letter = 'r' },
        new("time", "T", "no round is begun after this long (2m)") { Group = "Measuring" },
        new("cpus", "A,B", "this side's CPU and its peer's (the first two)") { Group = "Measuring" },
        new("json", null, "one JSON document") { Group = "Output" },
        new("markdown", null, "tables to be filed, with machine and command") { Group = "Output" },
        MqCommand.Color,
    ];

    /// <summary>As a verb of <c>bench</c>.</summary>
    public static CliVerb OfBench { get; } = New("mq");

    /// <summary>As a verb of <c>mq</c>.</summary>
    public static CliVerb OfMq { get; } = New("bench");

    /// <summary>The other process; no help shows it.</summary>
    public static CliChild Peer { get; } = new(PeerVerb, () => new CliVerb(PeerVerb, "the other process of a bench")
    {
        Operands = "CPU",
        MaxOperands = 1,
        Run = arguments => arguments.Operands is [string cpu] && int.TryParse(cpu, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? MqBenchPeer.Run(number)
            : throw new UsageException("a bench starts this itself: see 'coreio bench mq'"),
    })
    { IsHidden = true };

    private static CliVerb New(string name) => new(name, "bench message queues against the limits of the machine")
    {
        Run = Run,
        Options = Options,
        MaxOperands = 0,
        Notes =
        [
            """
            Both families through both backends, beside the plain calls of libc in C, a bare
            futex hand-over between two CPUs, and pipes, AF_UNIX SEQPACKET sockets and
            System.Threading.Channels. Every contestant runs once a round. The peer is a
            process of its own, pinned to the second CPU. Queues are removed, also on
            Ctrl-C.
            """,
            "Exit codes: 0 done, 2 a failure, 64 wrong usage, 130 interrupted.",
        ],
    };

    private static int Run(CliArguments arguments)
    {
        if (arguments.Has("json") && arguments.Has("markdown"))
        {
            throw new UsageException("--json and --markdown: choose one");
        }

        MqBenchOptions options = Read(arguments);
        using Interrupt interrupt = Interrupt.Listen();
        using CancellationTokenSource cancel = new();
        using Timer watch = new(_ =>
        {
            if (interrupt.IsRequested)
            {
                cancel.Cancel();
            }
        }, null, 100, 100);
        MqBenchResult result = MqBench.Run(options, cancel.Token);
        if (Terminal.CanRewriteError)
        {
            Console.Error.Write("\r\u001b[K");
        }

        interrupt.Conclude();
        if (arguments.Has("markdown"))
        {
            return Cli.Print(Markdown(result, arguments));
        }

        if (arguments.Has("json"))
        {
            using Stream output = StandardOutput.Open();
            MqBenchJson.Write(output, result);
            output.Flush();
            return ExitCode.Done;
        }

        return MqCommand.Show(arguments, page => Show(page, result));
    }

    private static MqBenchOptions Read(CliArguments arguments)
    {
        IReadOnlyList<int> cpus = arguments.Get("cpus") is string list ? Values.Cpus("cpus", list) : [];
        if (cpus.Count is 1 or > 2)
        {
            throw new UsageException("--cpus: two of them, as in 0,1");
        }

        return new MqBenchOptions
        {
            Sizes = arguments.List("sizes") is { } sizes ? [.. sizes.Select(Size)] : [64, 1024, 8192],
            Count = arguments.Number("count", 20_000, 10, 100_000_000),
            Repeats = arguments.Number("repeat", 5, 1, 1000),
            Time = arguments.Get("time") is string time ? Values.Timeout("time", time) : TimeSpan.FromMinutes(2),
            Cpus = cpus,
            Peer = ThisProgram.Start("mq", PeerVerb),
            Progress = Terminal.CanRewriteError ? text => Console.Error.Write($"\r{text}\u001b[K") : null,
        };
    }

    private static int Size(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int size) && size is > 0 and <= 1 << 24 ? size
            : throw new UsageException($"--sizes: '{text}' is no size of a message; write 64,1024");

    private static void Show(Page page, MqBenchResult result)
    {
        page.Line(MqBenchTables.Where(result), PageTone.Quiet);
        page.Line(MqBenchTables.How(result), PageTone.Quiet);
        foreach ((string heading, IReadOnlyList<MqBenchRow> rows) in MqBenchTables.Tables(result))
        {
            page.Line();
            page.Line(heading, PageTone.Strong);
            page.Rows(MqBenchTables.Columns, rows.Select(row => MqBenchTables.Cells(result, row)), row => MqBenchTables.ToneOf(rows[row]));
        }

        page.Line();
        foreach (string line in MqBenchTables.Method(result))
        {
            page.Line(line, PageTone.Quiet);
        }
    }

    private static string Markdown(MqBenchResult result, CliArguments arguments)
    {
        StringBuilder text = new();
        string options = string.Concat(((string[])["sizes", "count", "repeat", "time", "cpus"]).Where(arguments.Has).Select(name => $" --{name} {arguments.Get(name)}"));
        text.Append($"`coreio bench mq{options} --markdown`\n\n{MqBenchTables.Where(result)}. {MqBenchTables.How(result)}.\n");
        foreach ((string heading, IReadOnlyList<MqBenchRow> rows) in MqBenchTables.Tables(result))
        {
            text.Append($"\n### {heading}\n\n");
            BenchMarkdown.Table(text, MqBenchTables.Columns, rows.Select(row => MqBenchTables.Cells(result, row)));
        }

        text.Append('\n');
        BenchMarkdown.List(text, MqBenchTables.Method(result));
        return text.ToString();
    }
}
