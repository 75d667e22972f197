// `coreio log report`: options to a question, the answer to a table, JSON or CSV. The work is done in CoreIO/Log/LogReportRun.cs.
using CoreIO.Cli.Shell;
using CoreIO.Cli.Show;
using CoreIO.Log;

namespace CoreIO.Cli.Commands;

internal static class LogReportCommand
{
    private const int MinBlock = 4 * 1024;
    private const int MaxBlock = 16 * 1024 * 1024;

    public static CliVerb Verb { get; } = new("report", "count, sum and rank the lines of access logs")
    {
        Operands = "[FILE...|-]",
        Run = Run,
        Options =
        [
            LogCommand.Format,
            new("by", "FIELD[,..]", "group: status, path, host, client, minute, ...")
            {
                Group = "Question",
                Letter = 'b',
                Choices = ["status", "status_class", "host", "path", "uri", "method", "protocol", "client", "minute", "time"],
                Open = true,
                More =
                [
                    "a field of the format, or a derived one: client host",
                    "bytes method uri path protocol status_class minute time",
                    "attempts",
                ],
            },
            new("where", "EXPR", "keep lines: 'status>=500 and not path^=\"/health\"'")
            {
                Group = "Question",
                Letter = 'w',
                More =
                [
                    "numbers and strings; == != < <= > >=, ^= begins with,",
                    "$= ends with, *= contains, =~ matches; and or not ( )",
                ],
            },
            new("stats", "STAT[,..]", "count (default), sum(bytes), avg(F), p99(F), ...")
            {
                Group = "Question",
                Letter = 's',
                More =
                [
                    "count sum(F) avg(F) min(F) max(F) distinct(F) pN(F),",
                    "N from 0 to 100 with up to four decimals, as in p99.9",
                ],
            },
            new("interval", "TIME", "a series over time: 10s, 1m, 1h (adds the key time)") { Group = "Question" },
            new("since", "TIME", "keep lines from 2019-01-22T03:56:00+03:30 on")
            {
                Group = "Question",
                More = ["without an offset: in that of the log"],
            },
            new("until", "TIME", "keep lines before that") { Group = "Question" },
            new("top", "N", "show N rows, of each interval; 0 for all")
            {
                Group = "Output",
                Letter = 'n',
                More = ["tables show " + LogNumber.Format(LogReportTableOptions.ScreenRows, 0) + " unless told, JSON and CSV all"],
            },
            new("sort", "COLUMN", "a key or a statistic, as in 'sum(bytes):asc'")
            {
                Group = "Output",
                More = ["statistics from the largest, keys from the smallest;",
                    "the default is the count, and for a series the time"],
            },
            new("output", "O", "table (default), json, csv") { Group = "Output", Letter = 'o', Choices = ["table", "json", "csv"] },
            new("json", null, "the same as --output json") { Group = "Output", Short = false },
            LogCommand.Rejects,
            new("color", "WHEN", "auto (default), always, never")
            {
                Group = "Output",
                Short = false,
                Choices = ["auto", "always", "never"],
                More = ["auto: on a terminal that is not dumb, without NO_COLOR"],
            },
            new("no-progress", null, "no line on stderr that tells how far it is") { Group = "Output", Short = false },
            LogCommand.Backend,
            new("workers", "N", "worker threads (default: one a CPU)") { Group = "Work", Letter = 'j' },
            new("cpus", "LIST", "CPUs the workers are pinned to, in turn: 0,2-3") { Group = "Work", Short = false },
            LogCommand.Kernel,
            new("block-size", "SIZE", "bytes a worker takes at a time: 4K to 16M") { Group = "Work", Short = false },
            new("max-groups", "N", "groups that keep a row of their own (1048576)")
            {
                Group = "Work",
                Short = false,
                More = ["all others are one (other) row, and the report says so"],
            },
        ],
        Notes =
        [
            """
            Files that begin as gzip does are decompressed; - is standard input, the
            default. Without a question, a table shows what is looked at first: totals,
            statuses, hosts, paths, clients, latency, a chart over time.
            """,
            """
            Examples:
              coreio log report access.log
              coreio log report -b status,host -s 'count,sum(bytes)' access.log*
              coreio log report -w 'status>=500' --interval 1m -o json access.log
              coreio log report -f @/etc/nginx/nginx.conf:main -b path -n 50 access.log
            """,
            """
            Exit codes: 0 done, 1 no line matched, 2 an input could not be read (the others
            are reported), 64 wrong usage, 130 interrupted.
            """,
        ],
    };

    // A field that is not there may be one of the format that was not guessed.
    private static void Start(LogReportRun run, CliArguments arguments)
    {
        try
        {
            run.Start();
        }
        catch (LogSyntaxException) when (run.HasFormat)
        {
            LogCommand.SayFormat(arguments, run.Format);
            throw;
        }
    }

    private static int Run(CliArguments arguments)
    {
        string output = arguments.Has("json") && arguments.Get("output") is null
            ? "json" : arguments.OneOf("output", "table", "table", "json", "csv");
        bool color = Terminal.UseColor(arguments);
        bool overview = output == "table" && !IsQuestion(arguments);
        LogReportOptions options = Options(arguments, output, overview);
        LogReport report;
        using (LogReportRun run = new(LogCommand.BackendOf(arguments), options))
        {
            Start(run, arguments);
            LogCommand.SayFormat(arguments, run.Format);
            using ProgressLine? progress = arguments.Has("no-progress") ? null : ProgressLine.Of(run);
            report = run.Finish();
        }

        // Nothing that was read means nothing to report; why follows on standard error.
        if (report.InputsRead > 0)
        {
            Write(report, output, overview, color);
        }

        foreach (LogInputError error in report.Errors)
        {
            Cli.Say(arguments.Speaker, $"{LogCommand.NameOf(error.Input)}: {error.Cause}");
        }

        return report.Errors.Count > 0 ? ExitCode.Failure : report.Answer.Parsed == 0 ? ExitCode.NothingMatched : ExitCode.Done;
    }

    private static void Write(LogReport report, string output, bool overview, bool color)
    {
        using Stream stream = StandardOutput.Open();
        switch (output)
        {
            case "json":
                LogReportJson.Write(stream, report, report.Tables[0]);
                break;
            case "csv":
                LogReportCsv.Write(stream, report, report.Tables[0]);
                break;
            default:
                using (Page page = new(stream, color))
                {
                    if (overview)
                    {
                        LogOverview.Show(page, report);
                    }
                    else
                    {
                        LogTables.Show(page, report, report.Tables[0]);
                    }
                }

                break;
        }

        stream.Flush();
    }

    private static bool IsQuestion(CliArguments arguments) =>
        arguments.Has("by") || arguments.Has("stats") || arguments.Has("interval") || arguments.Has("sort");

    private static LogReportOptions Options(CliArguments arguments, string output, bool overview)
    {
        int maxGroups = arguments.Number("max-groups", 1 << 20, 1, int.MaxValue);
        int top = arguments.Number("top", output == "table" ? LogReportTableOptions.ScreenRows : 0, 0, int.MaxValue);
        TimeSpan interval = arguments.Get("interval") is string width ? Values.Duration("interval", width) : default;
        string[] by = arguments.List("by") ?? [];
        if (interval != default && Array.IndexOf(by, "time") < 0)
        {
            by = ["time", .. by];
        }

        LogReportTableOptions table = new()
        {
            Table = new LogTable { By = by, Stats = arguments.List("stats") ?? (string[])["count"], MaxGroups = maxGroups },
            Sort = arguments.Get("sort"),
            Top = top,
        };
        return new LogReportOptions
        {
            Inputs = arguments.Operands.Count > 0 ? arguments.Operands : Inputs(),
            Format = arguments.Get("format") ?? LogFormatSource.Auto,
            Where = arguments.Get("where"),
            Since = arguments.Get("since") is string since ? Values.Moment("since", since) : null,
            Until = arguments.Get("until") is string until ? Values.Moment("until", until) : null,
            Interval = interval,
            Tables = overview ? format => LogOverview.Tables(format, maxGroups, arguments.Has("top") ? top : null) : _ => (LogReportTableOptions[])[table],
            RejectsPath = LogCommand.RejectsOf(arguments),
            Scan = new LogScanOptions
            {
                Workers = arguments.Number("workers", 0, 1, 1024),
                Cpus = arguments.Get("cpus") is string cpus ? Values.Cpus("cpus", cpus) : [],
                Kernel = arguments.Get("kernel"),
                BlockBytes = arguments.Get("block-size") is string size ? Values.Size("block-size", size, MinBlock, MaxBlock) : 0,
            },
        };
    }

    // Standard input is the default where something is sent to it; a person at a terminal who forgot the file should not wait for ever.
    private static string[] Inputs() => !Terminal.IsInput
        ? ["-"]
        : throw new UsageException("which FILE? (- reads standard input from this terminal)");
}
