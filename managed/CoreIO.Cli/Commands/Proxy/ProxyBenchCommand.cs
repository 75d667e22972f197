// `coreio bench proxy`. What is measured and how stands in CoreIO/Proxy/Bench; this file reads options and shows the result.
using System.Text;
using CoreIO.Cli.Shell;
using CoreIO.Cli.Show;
using CoreIO.Proxy.Bench;

namespace CoreIO.Cli.Commands;

internal static class ProxyBenchCommand
{
    private static readonly TimeSpan LeastTime = TimeSpan.FromMilliseconds(100);
    private static readonly string[] Works = [.. ProxyBenchWork.All.Select(work => work.Name)];

    public static CliVerb Verb { get; } = new("proxy", "bench the proxy of each backend beside other proxies")
    {
        Run = Run,
        Options =
        [
            new("contestants", "C[,..]", "native, managed, haproxy, nginx, socat, direct")
            {
                Group = "Measuring",
                Choices = [.. ProxyBench.Contestants],
                Open = true,
                More = ["default: all that are installed; direct is no proxy"],
            },
            new("work", "W[,..]", "bulk1, bulk4, http, close, redis, idle, spread")
            {
                Group = "Measuring",
                Choices = Works,
                Open = true,
                More = [.. ProxyBenchWork.All.Select(work => $"{work.Name}: {work.Text}"), "default: all"],
            },
            new("congestion", "NAME,..", "of bulk (the system's, and reno)") { Group = "Measuring" },
            new("connections", "N", "idle ones (4000, or what descriptors allow)") { Group = "Measuring" },
            new("seconds", "T", "of a measurement, after a warm-up (1.5)") { Group = "Measuring", Letter = 's' },
            new("repeat", "N", "measured runs of each contestant (3)") { Group = "Measuring", Letter = 'r' },
            new("json", null, "one JSON document") { Group = "Output" },
            new("markdown", null, "tables to be filed, with machine and command") { Group = "Output" },
            MqCommand.Color,
        ],
        MaxOperands = 0,
        Notes =
        [
            """
            The load is made here, by two threads, and is the same for all; each contestant
            is a process of its own with two workers (spread: four), at its best for the
            work. CPU time for a unit of work is what compares, for load and proxy share
            the machine. What was sent has to arrive, or there is no figure.
            """,
            "Exit codes: 0 done, 2 a contestant failed, 64 wrong usage, 130 interrupted.",
        ],
    };

    private static int Run(CliArguments arguments)
    {
        if (arguments.Has("json") && arguments.Has("markdown"))
        {
            throw new UsageException("--json and --markdown: choose one");
        }

        ProxyBenchOptions options = Read(arguments);
        bool color = Terminal.UseColor(arguments);
        if (Measure(options) is not ProxyBenchResult result)
        {
            return ExitCode.Interrupted;
        }

        // What is not installed is named, and no failure, while somebody is left.
        int exitCode = result.Rows.Count == 0 || result.Rows.Any(row => row.Fault is not null) ? ExitCode.Failure : ExitCode.Done;
        if (arguments.Has("markdown"))
        {
            _ = Cli.Print(Markdown(result, arguments));
            return exitCode;
        }

        using Stream output = StandardOutput.Open();
        if (arguments.Has("json"))
        {
            ProxyBenchJson.Write(output, result);
        }
        else
        {
            using Page page = new(output, color);
            Show(page, result);
        }

        output.Flush();
        return exitCode;
    }

    // Null after Ctrl-C; contestants have ended then.
    private static ProxyBenchResult? Measure(ProxyBenchOptions options)
    {
        using Interrupt interrupt = Interrupt.Listen();
        using CancellationTokenSource cancel = new();
        using Timer watch = new(_ =>
        {
            if (interrupt.IsRequested)
            {
                cancel.Cancel();
            }
        }, null, 100, 100);
        try
        {
            return ProxyBench.Run(options, cancel.Token);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        finally
        {
            if (Terminal.CanRewriteError)
            {
                Console.Error.Write("\r\u001b[K");
            }

            interrupt.Conclude();
        }
    }

    private static ProxyBenchOptions Read(CliArguments arguments)
    {
        TimeSpan time = arguments.Get("seconds") is string text ? Values.Timeout("seconds", text) : TimeSpan.FromSeconds(1.5);
        if (time < LeastTime || time > TimeSpan.FromHours(1))
        {
            throw new UsageException("--seconds: from 0.1 to 3600");
        }

        return new ProxyBenchOptions
        {
            Program = ThisProgram.Start(),
            Contestants = Known(arguments, "contestants", [.. ProxyBench.Contestants]),
            Works = Known(arguments, "work", Works),
            Congestion = arguments.List("congestion") ?? [],
            Connections = arguments.Has("connections") ? arguments.Number("connections", 0, 1, 1_000_000) : null,
            Time = time,
            Repeats = arguments.Number("repeat", 3, 1, 1000),
            Progress = Terminal.CanRewriteError ? line => Console.Error.Write($"\r{line}\u001b[K") : null,
        };
    }

    private static IReadOnlyList<string> Known(CliArguments arguments, string option, string[] names)
    {
        IReadOnlyList<string> asked = arguments.List(option) ?? [];
        return asked.FirstOrDefault(name => !names.Contains(name)) is string unknown
            ? throw new UsageException($"--{option}: '{unknown}' is none of {string.Join(", ", names)}{DidYouMean.Suffix(unknown, names)}")
            : [.. asked.Distinct()];
    }

    private static void Show(Page page, ProxyBenchResult result)
    {
        page.Line(ProxyBenchTables.Where(result), PageTone.Quiet);
        page.Line(ProxyBenchTables.Who(result), PageTone.Quiet);
        foreach (string line in ProxyBenchTables.Absent(result))
        {
            page.Line(line, PageTone.Warning);
        }

        foreach (ProxyBenchTable table in ProxyBenchTables.Tables(result))
        {
            page.Line();
            page.Line(table.Heading, PageTone.Strong);
            page.Rows(table.Columns, table.Rows.Select(row => table.Cells(result, row)), row => ProxyBenchTables.ToneOf(table.Rows[row]));
            foreach (string line in BenchBars.Lines(table.Bars, page.Width))
            {
                page.Line(line, PageTone.Quiet);
            }
        }

        page.Line();
        foreach (string line in ProxyBenchTables.Faults(result))
        {
            page.Line(line, PageTone.Bad);
        }

        foreach (string line in ProxyBenchTables.Method(result))
        {
            page.Line(line, PageTone.Quiet);
        }
    }

    private static string Markdown(ProxyBenchResult result, CliArguments arguments)
    {
        StringBuilder text = new();
        string options = string.Concat(((string[])["contestants", "work", "congestion", "connections", "seconds", "repeat"])
            .Where(arguments.Has).Select(name => $" --{name} {arguments.Get(name)}"));
        text.Append($"`coreio bench proxy{options} --markdown`\n\n{ProxyBenchTables.Where(result)}. {ProxyBenchTables.Who(result)}.\n");
        foreach (ProxyBenchTable table in ProxyBenchTables.Tables(result))
        {
            text.Append($"\n### {table.Heading}\n\n");
            BenchMarkdown.Table(text, table.Columns, table.Rows.Select(row => table.Cells(result, row)));
        }

        text.Append('\n');
        BenchMarkdown.List(text, [.. ProxyBenchTables.Absent(result), .. ProxyBenchTables.Faults(result), .. ProxyBenchTables.Method(result)]);
        return text.ToString();
    }
}
