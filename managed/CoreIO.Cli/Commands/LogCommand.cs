using CoreIO.Cli.Shell;
using CoreIO.Log;

namespace CoreIO.Cli.Commands;

/// <summary>The word <c>log</c>, and the options its verbs share.</summary>
internal static class LogCommand
{
    public static readonly CliOption Format = new("format", "F", "auto (default), a name, a template, @nginx.conf:NAME")
    {
        Letter = 'f',
        Group = "Input",
        Choices = [LogFormatSource.Auto, .. LogFormatSource.BuiltInNames],
        Open = true,
        More =
        [
            "names: see 'coreio log formats'; a template is nginx's",
            "log_format: '$remote_addr [$time_local] ...'",
        ],
    };

    public static readonly CliOption Rejects = new("rejects", "FILE", "write lines that do not fit there, whole")
    {
        Group = "Output",
        IsPath = true,
    };

    public static readonly CliOption Backend = new("backend", "B", "native (default) or managed")
    {
        Group = "Work",
        Choices = [CoreBackends.NativeName, CoreBackends.ManagedName],
    };

    public static readonly CliOption Kernel = new("kernel", "K", "force an inner loop by name; see 'coreio cpu'")
    {
        Group = "Work",
        Short = false,
        Choices = ["scalar", "sse42", "avx2", "avx512", "neon"],
        Open = true,
    };

    public static CliVerb Verb { get; } = new("log", "access logs: reports, fields, formats")
    {
        Children =
        [
            new("report", () => LogReportCommand.Verb),
            new("lex", () => LogLexCommand.Verb),
            new("formats", () => LogFormatsCommand.Verb),
        ],
    };

    /// <summary>The backend that was asked for, or the best one.</summary>
    public static ICoreBackend BackendOf(CliArguments arguments) => arguments.Get("backend") is null
        ? CoreBackends.Default
        : CoreBackends.Get(arguments.OneOf("backend", "", CoreBackends.NativeName, CoreBackends.ManagedName));

    /// <summary>What an input is called in messages.</summary>
    public static string NameOf(string input) => input == "-" ? "standard input" : input;

    /// <summary>Where lines that do not fit go; null for nowhere.</summary>
    public static string? RejectsOf(CliArguments arguments) => arguments.Get("rejects") is not "-" ? arguments.Get("rejects")
        : throw new UsageException("--rejects: '-' is no file here; write /dev/stderr, or ./- for a file of that name");

    /// <summary>Says which format was guessed, so that nobody wonders about an answer.</summary>
    public static void SayFormat(CliArguments arguments, LogFormatChoice format)
    {
        if (format.Sampled > 0)
        {
            Cli.Say(arguments.Speaker, format.Fitted > 0
                ? string.Concat((string[])[
                    "format ", format.Name, " (", LogNumber.Format(format.Fitted, 0), " of the first ", LogNumber.Format(format.Sampled, 0),
                    " lines fit); --format chooses another"])
                : $"format {format.Name}: no other fits half of the first {format.Sampled} lines; --format chooses one");
        }
    }
}
