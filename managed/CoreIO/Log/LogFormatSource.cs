// From what a user calls a format to a compiled one: a name or template as it is, `@FILE:NAME` from an nginx configuration, `auto` from the
// first lines of the input. Compiling is the backend's; what fits is judged by its lexer and the rules of docs/formats.md, section 8.
using System.Buffers.Text;

namespace CoreIO.Log;

/// <summary>A format that was chosen, and what was learned from the sample.</summary>
/// <param name="Format">The format.</param>
/// <param name="Name">What to call it: its name, its template, or <c>@FILE:NAME</c>.</param>
/// <param name="Sampled">Lines of the sample, when the format was guessed; else 0.</param>
/// <param name="Fitted">How many of them fit it.</param>
public sealed record LogFormatChoice(ILogFormat Format, string Name, int Sampled, int Fitted);

/// <summary>Finds formats.</summary>
public static class LogFormatSource
{
    /// <summary>The name that stands for a guess by the first lines.</summary>
    public const string Auto = "auto";

    /// <summary>The name of the free lexer.</summary>
    public const string Delimited = "delimited";

    /// <summary>The names of the formats that every backend has built in, in the order in which they are tried.</summary>
    public static IReadOnlyList<string> BuiltIn => BuiltInNames;

    /// <summary>The same as an array, which is gone over without the types of an enumerator.</summary>
    internal static readonly string[] BuiltInNames = ["combined", "main", "common", "vhost_combined", "edge", Delimited];

    /// <summary>The templates of the built-in formats that are templates; the others have rules of their own.</summary>
    public static string? Template(string name) => name switch
    {
        "common" => CommonTemplate,
        "combined" => CombinedTemplate,
        "main" => CombinedTemplate + " \"$http_x_forwarded_for\"",
        "vhost_combined" => "$server_name:$server_port $remote_addr - $remote_user [$time_local] \"$request\" $status $bytes_sent"
            + " \"$http_referer\" \"$http_user_agent\"",
        _ => null,
    };

    private const string CommonTemplate = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent";
    private const string CombinedTemplate = CommonTemplate + " \"$http_referer\" \"$http_user_agent\"";

    /// <summary>
    /// Finds the format called <paramref name="name"/>; <paramref name="sample"/> is asked for the first lines when it must be guessed.
    /// </summary>
    /// <exception cref="LogFormatException">The file cannot be read or has no such format.</exception>
    /// <exception cref="LogSyntaxException">It does not compile.</exception>
    internal static LogFormatChoice Find(ILogBackend log, string name, LogSample sample)
    {
        if (name == Auto)
        {
            return Guess(log, sample);
        }

        string text = name.StartsWith('@') ? FromFile(name) : name;
        return new LogFormatChoice(log.CompileFormat(text), name, 0, 0);
    }

    /// <summary>The template that <c>@FILE:NAME</c> means.</summary>
    /// <exception cref="LogFormatException">The file cannot be read or has no such format.</exception>
    public static string FromFile(string reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        int colon = reference.LastIndexOf(':');
        string path = colon < 0 ? reference[1..] : reference[1..colon];
        string? name = colon < 0 ? null : reference[(colon + 1)..];
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            CoreIOException fault = FileFault.Of(path, e);
            throw new LogFormatException(fault.Status, $"--format: {fault.Message}");
        }

        IReadOnlyList<KeyValuePair<string, string>> formats = NginxConfig.LogFormats(text);
        string names = formats.Count == 0 ? "it has none" : $"it has {string.Join(", ", formats.Select(f => f.Key).Distinct())}";
        if (name is null)
        {
            return formats.Count == 1
                ? formats[0].Value
                : throw new LogFormatException(StatusCode.Format, $"--format: {path}: say which log_format, as in @{path}:NAME; {names}");
        }

        // nginx refuses a name given twice, so the first is the only one. It has `combined` even where no file says so.
        foreach (KeyValuePair<string, string> format in formats)
        {
            if (format.Key == name)
            {
                return format.Value;
            }
        }

        return name == "combined"
            ? CombinedTemplate
            : throw new LogFormatException(
                StatusCode.Format,
                $"--format: {path}: no log_format '{name}'; {names} (include directives are not followed: name the file that holds it)");
    }

    private static LogFormatChoice Guess(ILogBackend log, LogSample sample)
    {
        LogFormatChoice? best = null;
        foreach (string name in BuiltInNames)
        {
            if (name == Delimited)
            {
                continue;
            }

            ILogFormat format = log.CompileFormat(name);
            (int lines, int fitted) = Count(log, format, sample);
            // No line at all is no reason against the first: a question about an empty log still compiles, and nothing matches it.
            if (fitted > (best?.Fitted ?? -1) && fitted * 2 >= lines)
            {
                best?.Format.Dispose();
                best = new LogFormatChoice(format, name, lines, fitted);
            }
            else
            {
                format.Dispose();
            }

            if (best is not null && best.Fitted == lines)
            {
                break;
            }
        }

        return best ?? new LogFormatChoice(log.CompileFormat(Delimited), Delimited, sample.Lines, 0);
    }

    private static (int Lines, int Fitted) Count(ILogBackend log, ILogFormat format, LogSample sample)
    {
        int status = IndexOf(format, "status");
        int clock = ClockOf(format, out string clockName);
        int lines = 0;
        int fitted = 0;
        sample.Each(log, format, (ReadOnlySpan<byte> line, in LogRecord record, LogBatch batch) =>
        {
            lines++;
            bool fits = record.Reason == LogReason.Parsed
                && IsIntegerOrNull(Field(line, batch.Field(record, status)))
                && (IsNull(Field(line, batch.Field(record, clock))) || LogClock.TryRead(clockName, Field(line, batch.Field(record, clock)), out _));
            fitted += fits ? 1 : 0;
            return true;
        });
        return (lines, fitted);
    }

    /// <summary>Minutes that the clock of the first line with a time is ahead of UTC; 0 where there is none.</summary>
    internal static int OffsetMinutes(ILogBackend log, ILogFormat format, LogSample sample)
    {
        int clock = ClockOf(format, out string name);
        int offset = 0;
        if (clock >= 0)
        {
            sample.Each(log, format, (ReadOnlySpan<byte> line, in LogRecord record, LogBatch batch) =>
            {
                bool found = LogClock.TryRead(name, Field(line, batch.Field(record, clock)), out LogInstant instant);
                offset = instant.OffsetMinutes;
                return !found;
            });
        }

        return offset;
    }

    internal static int IndexOf(ILogFormat format, string field)
    {
        for (int i = 0; i < format.Fields.Count; i++)
        {
            if (format.Fields[i].Name == field)
            {
                return i;
            }
        }

        return -1;
    }

    private static int ClockOf(ILogFormat format, out string name)
    {
        foreach (string candidate in LogClock.Fields)
        {
            int index = IndexOf(format, candidate);
            if (index >= 0)
            {
                name = candidate;
                return index;
            }
        }

        name = "";
        return -1;
    }

    private static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> text, LogField field) => text.Slice((int)field.Offset, (int)field.Length);

    private static bool IsNull(ReadOnlySpan<byte> value) => value is [] or [(byte)'-'];

    private static bool IsIntegerOrNull(ReadOnlySpan<byte> value) =>
        IsNull(value) || (value[0] != '+' && Utf8Parser.TryParse(value, out long _, out int used) && used == value.Length);
}
