// From the words of a command line to an exit code. Every fault that a user can cause ends here as one line on standard error.
using CoreIO.Cli.Commands;
using CoreIO.Cli.Shell;
using CoreIO.Log;

namespace CoreIO.Cli;

internal static class Cli
{
    /// <summary>The tree of verbs.</summary>
    public static CliVerb Root { get; } = new("coreio", "Linux I/O for .NET: access logs, message queues, proxies, CPUs, limits")
    {
        Children =
        [
            new("log", () => LogCommand.Verb),
            new("mq", () => MqCommand.Verb),
            new("proxy", () => ProxyCommand.Verb),
            new("cpu", () => CpuCommand.Verb),
            new("doctor", () => DoctorCommand.Verb),
            new("bench", () => BenchCommand.Verb),
            new("completions", () => CompletionsCommand.Verb),
        ],
        Options = [new CliOption("version", null, "the version of coreio")],
        Notes =
        [
            """
            Exit codes:
              0  done                1  nothing matched      2  a failure
              64 wrong usage         130 interrupted
            """,
        ],
    };

    // The version needs no tree of verbs.
    public static int Run(string[] args) => args is ["--version"] ? Print(Version + "\n") : RunWords(args);

    /// <summary>The version, without the build's mark.</summary>
    public static string Version => "coreio " + (typeof(Cli).Assembly.GetName().Version?.ToString(3) ?? "0.0.0");

    /// <summary>One line on standard error, safe for a terminal.</summary>
    public static int Say(string speaker, string message, int exitCode = 0)
    {
        _ = Libc.Write(Libc.StandardError, ShortText.BytesOf($"{speaker}: {LogText.Escape(message)}\n"));
        return exitCode;
    }

    /// <summary>Text on standard output.</summary>
    public static int Print(string text)
    {
        using Stream output = StandardOutput.Open();
        output.Write(ShortText.BytesOf(text));
        output.Flush();
        return ExitCode.Done;
    }

    private static int RunWords(string[] args)
    {
        string speaker = "coreio";
        try
        {
            CliRequest request = CliParser.Parse(Root, args);
            if (request.Arguments is null)
            {
                return Print(CliHelp.Render(request.Verb, request.Path, request.LongHelp));
            }

            if (ReferenceEquals(request.Verb, Root) && request.Arguments.Has("version"))
            {
                return Print(Version + "\n");
            }

            if (request.Verb.Run is null)
            {
                return SayVerbs(request);
            }

            speaker = request.Arguments.Speaker;
            return RunVerb(request);
        }
        catch (UsageException e)
        {
            string path = ("coreio " + e.VerbPath).Trim();
            return Say(path, e.Message + (e.Message.EndsWith('?') ? " See" : "; see") + $" '{path} -h'", ExitCode.Usage);
        }
        catch (LogSyntaxException e)
        {
            return Say(speaker, e.Message, ExitCode.Usage);
        }
        catch (CoreIOException e)
        {
            return Say(speaker, e.Message, IsUsage(e) ? ExitCode.Usage : ExitCode.Failure);
        }
    }

    private static int SayVerbs(CliRequest request)
    {
        string path = ("coreio " + request.Path).Trim();
        string verbs = string.Join(", ", request.Verb.Children.Where(v => !v.IsHidden).Select(v => v.Name));
        return Say(path, $"which verb? {verbs}; see '{path} -h'", ExitCode.Usage);
    }

    private static bool IsUsage(CoreIOException e) => e is LogSortException or LogFormatException { Status: StatusCode.Format };

    private static int RunVerb(CliRequest request)
    {
        try
        {
            return request.Verb.Run!(request.Arguments!);
        }
        catch (UsageException e) when (e.Verb is null)
        {
            // A verb knows what is wrong with a value; which help is the way out is known here.
            throw new UsageException(e.Message, request.Verb, request.Path);
        }
    }
}
