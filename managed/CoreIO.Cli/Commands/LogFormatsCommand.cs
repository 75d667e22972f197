// `coreio log formats`: the built-in formats, their fields with kinds, and the derived fields each one has.
using System.Text.Json;
using CoreIO.Cli.Shell;
using CoreIO.Cli.Show;
using CoreIO.Log;

namespace CoreIO.Cli.Commands;

internal static class LogFormatsCommand
{
    public static CliVerb Verb { get; } = new("formats", "the built-in formats, their templates and fields")
    {
        Run = Run,
        Options =
        [
            new("output", "O", "table (default) or json") { Letter = 'o', Choices = ["table", "json"] },
            new("json", null, "the same as --output json"),
            LogCommand.Backend with { Group = "Options" },
        ],
    };

    private static int Run(CliArguments arguments)
    {
        ILogBackend log = LogCommand.BackendOf(arguments).Log;
        bool json = arguments.Has("json") || arguments.OneOf("output", "table", "table", "json") == "json";
        using Stream output = StandardOutput.Open();
        if (json)
        {
            WriteJson(output, log);
        }
        else
        {
            WriteText(output, log);
        }

        output.Flush();
        return ExitCode.Done;
    }

    private static void WriteText(Stream output, ILogBackend log)
    {
        using StreamWriter text = new(output, leaveOpen: true) { NewLine = "\n" };
        foreach (string name in LogFormatSource.BuiltIn)
        {
            using ILogFormat format = log.CompileFormat(name);
            text.WriteLine(name);
            text.WriteLine($"  {LogFormatSource.Template(name) ?? About(name)}");
            if (format.Fields.Count > 0)
            {
                Lines(text, "fields", format.Fields.Select(f => f.Kind == LogKind.Text ? f.Name : $"{f.Name}:{KindName(f)}"));
                Lines(text, "derived", LogDerived.Of(format));
            }

            text.WriteLine();
        }

        text.WriteLine("A field is text unless its kind is given. Any nginx log_format serves, too: as a");
        text.WriteLine("template, or as @FILE:NAME from a configuration file.");
    }

    private static void Lines(StreamWriter text, string head, IEnumerable<string> words)
    {
        string line = $"  {head}:";
        foreach (string word in words)
        {
            if (line.Length + 1 + word.Length > 80)
            {
                text.WriteLine(line);
                line = "   ";
            }

            line += " " + word;
        }

        text.WriteLine(line);
    }

    private static void WriteJson(Stream output, ILogBackend log)
    {
        using Utf8JsonWriter json = new(output, LogReportJson.WriterOptions);
        json.WriteStartObject();
        json.WriteNumber("schema"u8, LogReportJson.Schema);
        json.WriteStartArray("formats"u8);
        foreach (string name in LogFormatSource.BuiltIn)
        {
            using ILogFormat format = log.CompileFormat(name);
            json.WriteStartObject();
            json.WriteString("name"u8, name);
            json.WriteString("template"u8, LogFormatSource.Template(name));
            json.WriteStartArray("fields"u8);
            foreach (LogFieldInfo field in format.Fields)
            {
                json.WriteStartObject();
                json.WriteString("name"u8, field.Name);
                json.WriteString("kind"u8, KindName(field));
                json.WriteBoolean("list"u8, field.IsList);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("derived"u8);
            foreach (string derived in LogDerived.Of(format))
            {
                json.WriteStringValue(derived);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        output.WriteByte((byte)'\n');
    }

    private static string About(string name) => name == LogFormatSource.Delimited
        ? "fields f1, f2, ... between spaces, tabs and bars, or in \"...\" and [...]"
        : "a syslog header, then bracketed fields as a CDN edge writes them, then f22, f23, ...";

    private static string KindName(LogFieldInfo field) => field.Kind switch
    {
        LogKind.Text => "text",
        LogKind.Integer => "integer",
        LogKind.Seconds => "seconds",
        LogKind.Decimal => "decimal",
        _ => "time",
    };
}
