// `coreio bench log`: how fast the log path is here, on every backend, in one run. What is measured and how stands in CoreIO/Log/Bench; this
// file reads options and shows the result.
using CoreIO.Cli.Shell;
using CoreIO.Cli.Show;
using CoreIO.Log;
using CoreIO.Log.Bench;

namespace CoreIO.Cli.Commands;

internal static class BenchCommand
{
    private const int MaxRepeats = 1000;

    private static CliVerb Log { get; } = new("log", "bench the log path against the limits of the machine")
    {
        Run = Run,
        Options =
        [
            new("file", "FILE", "bench this log (default: logs that bench makes)") { Group = "Input", IsPath = true },
            LogCommand.Format with
            {
                Summary = "of FILE; without one, what to make: combined, edge",
                Choices = [.. LogFormatSource.BuiltIn],
                More = ["default: auto for FILE; without one, both"],
            },
            new("size", "SIZE", "bytes of each log that is made (256M)") { Group = "Input" },
            new("seed", "N", "seed of the logs that are made (1)") { Group = "Input", Short = false },
            new("questions", "Q[,..]", "lex, status, clients, hosts, report, groups, gzip")
            {
                Group = "Measuring",
                Choices = [.. LogBenchQuestion.All.Select(q => q.Name)],
                Open = true,
                More =
                [
                    .. LogBenchQuestion.All.SelectMany(q => (string[])(q.By is null || q.Name == LogBenchQuestion.Gzip
                        ? [$"{q.Name}: {q.Text}"]
                        : [$"{q.Name}: --by {string.Join(',', q.By)}" + (q.Stats is ["count"] ? "" : " --stats"), .. q.Stats is ["count"] ? (string[])[] : ["  " + string.Join(',', q.Stats)]])),
                    "default: what suits the format, but groups and gzip",
                ],
            },
            new("repeat", "N", "measured runs of each contestant (5)") { Group = "Measuring", Letter = 'r' },
            new("workers", "N", "worker threads of a report, beside one (1)") { Group = "Measuring", Letter = 'j' },
            new("cpus", "LIST", "CPUs to pin to, in turn: 0,2-3") { Group = "Measuring" },
            new("json", null, "one JSON document") { Group = "Output" },
            new("markdown", null, "tables to be filed, with machine and command") { Group = "Output" },
            new("color", "WHEN", "auto (default), always, never") { Group = "Output", Short = false, Choices = ["auto", "always", "never"] },
        ],
        MaxOperands = 0,
        Notes =
        [
            """
            A run is whole work on a cached file: from opening it to the rows shown. Every
            contestant runs once a round, and the answers of the backends are compared each
            time. The floors show the limit: reading the bytes, finding newlines, indexing
            every structural byte; scalar is a plain state machine in C. mawk, where it is
            installed, counts the ninth word of combined lines.
            """,
            "Exit codes: 0 done, 2 a failure or two answers that differ, 64 wrong usage.",
        ],
    };

    public static CliVerb Verb { get; } = new("bench", "how fast it is here: native against managed in one run")
    {
        Children = [new("log", () => Log), new("mq", () => MqBenchCommand.OfBench), new("proxy", () => ProxyBenchCommand.Verb)],
    };

    private static int Run(CliArguments arguments)
    {
        if (arguments.Has("json") && arguments.Has("markdown"))
        {
            throw new UsageException("--json and --markdown: choose one");
        }

        LogBenchOptions options = Options(arguments);
        bool color = Terminal.UseColor(arguments);
        LogBenchResult result = LogBench.Run(options);
        Wipe();
        if (arguments.Has("markdown"))
        {
            return Cli.Print(BenchMarkdown.Render(result, Command(arguments)));
        }

        using Stream output = StandardOutput.Open();
        if (arguments.Has("json"))
        {
            LogBenchJson.Write(output, result);
        }
        else
        {
            using Page page = new(output, color);
            Show(page, result);
        }

        output.Flush();
        return ExitCode.Done;
    }

    private static LogBenchOptions Options(CliArguments arguments)
    {
        string? file = arguments.Get("file");
        string? format = arguments.Get("format");
        if (file is null && format is not null && !LogBenchInput.Formats.Contains(format))
        {
            throw new UsageException($"--format: logs are made of {string.Join(" and ", LogBenchInput.Formats)}; for '{format}' give a --file");
        }

        if (file is not null && (arguments.Has("size") || arguments.Has("seed")))
        {
            throw new UsageException("--size and --seed are for logs that are made, not for --file");
        }

        string[] names = [.. LogBenchQuestion.All.Select(q => q.Name)];
        IReadOnlyList<string>? questions = arguments.List("questions");
        if (questions?.FirstOrDefault(q => !names.Contains(q)) is string unknown)
        {
            throw new UsageException($"--questions: '{unknown}' is none of {string.Join(", ", names)}{DidYouMean.Suffix(unknown, names)}");
        }

        return new LogBenchOptions
        {
            Path = file,
            Formats = format is not null ? [format] : file is not null ? [LogFormatSource.Auto] : LogBenchInput.Formats,
            InputBytes = arguments.Get("size") is string size ? Values.FileSize("size", size) : 256L << 20,
            Seed = (ulong)arguments.Number("seed", 1, 0, int.MaxValue),
            Repeats = arguments.Number("repeat", 5, 1, MaxRepeats),
            Workers = arguments.Number("workers", 1, 1, 1024),
            Cpus = arguments.Get("cpus") is string cpus ? Values.Cpus("cpus", cpus) : [],
            Questions = questions,
            Overview = found => LogOverview.Tables(found, new LogTable().MaxGroups, null),
            Progress = Terminal.CanRewriteError ? text => Console.Error.Write($"\r{text}\u001b[K") : null,
        };
    }

    private static void Wipe()
    {
        if (Terminal.CanRewriteError)
        {
            Console.Error.Write("\r\u001b[K");
        }
    }

    private static void Show(Page page, LogBenchResult result)
    {
        page.Line(BenchTables.Where(result), PageTone.Quiet);
        page.Line(BenchTables.How(result), PageTone.Quiet);
        foreach (LogBenchInputResult input in result.Inputs)
        {
            page.Line();
            page.Line(LogText.Escape(BenchTables.Heading(input)), PageTone.Strong);
            page.Line();
            page.Rows(BenchTables.SpeedColumns, BenchTables.Speed(input), row => ToneOf(input.Rows[row]));
            page.Line();
            page.Rows(BenchTables.CostColumns, BenchTables.Cost(result, input), row => ToneOf(input.Rows[row]));
            page.Line();
            page.Line("GB/s", PageTone.Strong);
            int bar = 0;
            foreach (string line in BenchTables.Bars(input, page.Width))
            {
                page.Line(line, ToneOf(input.Rows[bar++]));
            }

            page.Line();
            foreach (string line in BenchTables.Legend(input).Concat(BenchTables.Scaling(result, input)))
            {
                page.Line(line, PageTone.Quiet);
            }

            foreach (string line in BenchTables.Notes(result, input))
            {
                page.Line(line, PageTone.Warning);
            }
        }

        page.Line();
        foreach (string line in BenchTables.Method(result))
        {
            page.Line(line, PageTone.Quiet);
        }
    }

    private static PageTone ToneOf(LogBenchRow row) =>
        row.Question == LogBenchRow.Floor ? PageTone.Quiet : row.Who == CoreBackends.NativeName ? PageTone.Good : PageTone.Plain;

    // The command again, so that a filed result says how to repeat it.
    private static string Command(CliArguments arguments) => string.Join(' ', (string[])
    [
        "coreio bench log",
        .. ((string[])["file", "format", "size", "seed", "questions", "repeat", "workers", "cpus"])
            .Where(arguments.Has).Select(name => $"--{name} {arguments.Get(name)}"),
        "--markdown",
    ]);
}
