// `coreio log lex`: each line that fits as one JSON array, or object where the format names its fields. Buffers and the writer are used
// again for every line, so nothing is allocated per line; rejects are counted and the first ones named.
using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using CoreIO.Cli.Shell;
using CoreIO.Log;

namespace CoreIO.Cli.Commands;

internal static class LogLexCommand
{
    private const int WriteAt = 64 * 1024;
    private const int NamedRejects = 3;

    public static CliVerb Verb { get; } = new("lex", "cut lines into fields, one JSON array or object a line")
    {
        Operands = "[FILE|-]",
        MaxOperands = 1,
        Run = Run,
        Options =
        [
            LogCommand.Format,
            new("output", "O", "json, the only one and the default") { Group = "Output", Letter = 'o', Choices = ["json"] },
            new("json", null, "the same") { Group = "Output", Short = false },
            LogCommand.Rejects,
            LogCommand.Backend,
            LogCommand.Kernel with { Short = true },
        ],
        Notes =
        [
            """
            A line of the format delimited is an array, one of any other format an object.
            Values are decoded (\xHH, \", \\); nginx's - and a missing field are null. Lines
            that do not fit are counted on standard error. The format auto looks at 64 KiB
            first; name one where the lines come slowly.
            """,
            "Exit codes: 0 done, 1 no line fits, 2 a failure, 64 wrong usage.",
        ],
    };

    private static int Run(CliArguments arguments)
    {
        _ = arguments.OneOf("output", "json", "json");
        string name = arguments.Operands.Count > 0 ? arguments.Operands[0]
            : !Terminal.IsInput ? "-"
            : throw new UsageException("which FILE? (- reads standard input from this terminal)");
        ICoreBackend backend = LogCommand.BackendOf(arguments);
        LogInput opened;
        try
        {
            opened = LogInput.Open(name);
        }
        catch (LogInputException e)
        {
            return Cli.Say(arguments.Speaker, $"{LogCommand.NameOf(name)}: {e.Message}", ExitCode.Failure);
        }

        using LogInput input = opened;
        string formatName = arguments.Get("format") ?? LogFormatSource.Auto;
        LogSample sample = LogSample.Empty;
        if (formatName == LogFormatSource.Auto)
        {
            sample = new LogSample(input.Sample(out bool end).ToArray(), end);
        }

        LogFormatChoice format = LogFormatSource.Find(backend.Log, formatName, sample);
        using ILogFormat compiled = format.Format;
        using RejectsFile? rejects = LogCommand.RejectsOf(arguments) is string path ? RejectsFile.Open(path, [name]) : null;
        using LogReader reader = new(input.AsStream(), backend.Log, compiled, arguments.Get("kernel"));
        LogCommand.SayFormat(arguments, format);
        rejects?.Begin();
        try
        {
            using Stream? rejected = rejects?.OpenStream();
            reader.PassedOn = rejected;
            return Lex(arguments, input.Name, reader, rejected);
        }
        catch (IOException e) when (rejects is not null)
        {
            throw rejects.Fault(e);
        }
    }

    private static int Lex(CliArguments arguments, string name, LogReader reader, Stream? rejected)
    {
        JsonEncodedText[] names =
            [.. reader.Format.Fields.Select(f => JsonEncodedText.Encode(f.Name, JavaScriptEncoder.UnsafeRelaxedJsonEscaping))];
        using Stream output = StandardOutput.Open();
        ArrayBufferWriter<byte> lines = new(WriteAt * 2);
        using Utf8JsonWriter json = new(lines, LogReportJson.WriterOptions);
        Rejected counts = new();
        CoreIOException? fault = null;
        long parsed = 0;
        try
        {
            while (reader.MoveNext())
            {
                LogLine line = reader.Current;
                if (line.Reason != LogReason.Parsed)
                {
                    counts.Add(line);
                    rejected?.Write(reader.CurrentWhole);
                    continue;
                }

                parsed++;
                Write(json, lines, line, names);
                if (lines.WrittenCount >= WriteAt)
                {
                    output.Write(lines.WrittenSpan);
                    lines.ResetWrittenCount();
                }
            }
        }
        catch (CoreIOException e)
        {
            // What came before the fault is shown before the fault is told.
            fault = e;
        }

        output.Write(lines.WrittenSpan);
        output.Flush();
        counts.Say(arguments.Speaker);
        if (fault is not null)
        {
            string cause = fault is LogInputException ? fault.Message : StatusCode.Describe(fault.Status);
            return Cli.Say(arguments.Speaker, $"{LogCommand.NameOf(name)}: {cause}", ExitCode.Failure);
        }

        return parsed == 0 ? ExitCode.NothingMatched : ExitCode.Done;
    }

    private static void Write(Utf8JsonWriter json, ArrayBufferWriter<byte> lines, in LogLine line, JsonEncodedText[] names)
    {
        bool named = names.Length > 0;
        if (named)
        {
            json.WriteStartObject();
        }
        else
        {
            json.WriteStartArray();
        }

        int count = Math.Max(line.Count, names.Length);
        for (int i = 0; i < count; i++)
        {
            if (i < names.Length)
            {
                json.WritePropertyName(names[i]);
            }
            else if (named)
            {
                WriteNumberedName(json, i + 1);
            }

            if (line.IsNull(i))
            {
                json.WriteNullValue();
            }
            else
            {
                LogReportJson.WriteText(json, line[i]);
            }
        }

        if (named)
        {
            json.WriteEndObject();
        }
        else
        {
            json.WriteEndArray();
        }

        json.Flush();
        json.Reset();
        lines.Write("\n"u8);
    }

    // Fields behind those with names are f22, f23, ... by their place in the bracketed part, which begins after the syslog header.
    private static void WriteNumberedName(Utf8JsonWriter json, int field)
    {
        Span<byte> name = stackalloc byte[12];
        name[0] = (byte)'f';
        _ = (field - SyslogFields).TryFormat(name[1..], out int digits, default, System.Globalization.CultureInfo.InvariantCulture);
        json.WritePropertyName(name[..(digits + 1)]);
    }

    /// <summary>syslog_time, syslog_host and tag are no bracketed fields.</summary>
    private const int SyslogFields = 3;

    /// <summary>Counts by reason, and the places of the first.</summary>
    private sealed class Rejected
    {
        private readonly Dictionary<LogReason, (long Count, List<string> Places)> _reasons = [];

        public void Add(in LogLine line)
        {
            (long count, List<string> places) = _reasons.TryGetValue(line.Reason, out (long, List<string>) found) ? found : (0, []);
            if (places.Count < NamedRejects)
            {
                places.Add($"line {line.Number} at byte {line.Offset}");
            }

            _reasons[line.Reason] = (count + 1, places);
        }

        public void Say(string speaker)
        {
            foreach ((LogReason reason, (long count, List<string> places)) in _reasons.OrderBy(r => r.Key))
            {
                string more = count > places.Count ? ", ..." : "";
                string lines = count == 1 ? "line" : "lines";
                Cli.Say(speaker, $"rejected {count} {lines}: {reason.Name()} ({string.Join(", ", places)}{more})");
            }
        }
    }
}
