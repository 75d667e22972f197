// The word `mq`, and what its verbs share.
using System.Text.Json;
using CoreIO.Cli.Shell;
using CoreIO.Cli.Show;
using CoreIO.Log;
using CoreIO.Mq;

namespace CoreIO.Cli.Commands;

internal static class MqCommand
{
    public static readonly CliOption Json = new("json", null, "one JSON document") { Group = "Output" };

    public static readonly CliOption Backend = new("backend", "B", "native (default) or managed")
    {
        Group = "Output",
        Short = false,
        Choices = [CoreBackends.NativeName, CoreBackends.ManagedName],
    };

    public static readonly CliOption Color = new("color", "WHEN", "auto (default), always, never")
    {
        Group = "Output",
        Short = false,
        Choices = ["auto", "always", "never"],
    };

    public static readonly CliOption Owner = new("owner", "N", "the user (a number) that must own it (anybody)");

    public static CliVerb Verb { get; } = new("mq", "message queues of both families: POSIX and System V")
    {
        Children =
        [
            new("posix", () => MqPosixCommand.Verb),
            new("sysv", () => MqSysVCommand.Verb),
            new("ls", () => MqList.Verb),
            new("limits", () => MqLimitsCommand.Both),
            new("bench", () => MqBenchCommand.OfMq),
            MqBenchCommand.Peer,
        ],
    };

    /// <summary>How long a call may wait; null for ever.</summary>
    public static TimeSpan? TimeoutOf(CliArguments arguments) =>
        arguments.Get("timeout") is string text ? Values.Timeout("timeout", text) : null;

    /// <summary>The user that must own the queue; null for anybody.</summary>
    public static uint? OwnerOf(CliArguments arguments) =>
        arguments.Has("owner") ? (uint)arguments.Number("owner", 0, 0, int.MaxValue) : null;

    /// <summary>Writes one JSON document, and a newline.</summary>
    public static void PrintJson(Action<Utf8JsonWriter> members)
    {
        using Stream output = StandardOutput.Open();
        WriteJson(output, members);
        output.Flush();
    }

    /// <summary>Writes a JSON object with its schema, and a newline.</summary>
    public static void WriteJson(Stream output, Action<Utf8JsonWriter> members)
    {
        using Utf8JsonWriter json = new(output, LogReportJson.WriterOptions);
        json.WriteStartObject();
        json.WriteNumber("schema"u8, LogReportJson.Schema);
        members(json);
        json.WriteEndObject();
        json.Flush();
        output.WriteByte((byte)'\n');
    }

    /// <summary>The queues that are gone, with <c>--json</c>.</summary>
    public static void PrintRemoved(CliArguments arguments, IReadOnlyList<string> removed)
    {
        if (arguments.Has("json"))
        {
            PrintJson(json =>
            {
                json.WriteStartArray("removed"u8);
                foreach (string name in removed)
                {
                    json.WriteStringValue(name);
                }

                json.WriteEndArray();
            });
        }
    }

    /// <summary>A number that may not be known.</summary>
    public static void WriteKnown(Utf8JsonWriter json, string name, long? value)
    {
        if (value is long known)
        {
            json.WriteNumber(name, known);
        }
        else
        {
            json.WriteNull(name);
        }
    }

    /// <summary>Shows a page.</summary>
    public static int Show(CliArguments arguments, Action<Page> show)
    {
        using Stream output = StandardOutput.Open();
        using (Page page = new(output, Terminal.UseColor(arguments)))
        {
            show(page);
        }

        output.Flush();
        return ExitCode.Done;
    }

    /// <summary><c>rw-------</c>, as ls(1) writes nine bits.</summary>
    public static string ModeText(int? mode) => mode is not int bits ? "-"
        : string.Create(9, bits, static (text, bits) =>
        {
            for (int i = 0; i < text.Length; i++)
            {
                text[i] = ((bits >> (8 - i)) & 1) == 1 ? "rwx"[i % 3] : '-';
            }
        });

    /// <summary>A number for a table; a dash where it is not known.</summary>
    public static string Known(long? value) => value?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "-";

    /// <summary><c>1234 (worker)</c>; a dash for nobody.</summary>
    public static string ProcessText(int? process) =>
        process is null or 0 ? "-" : $"{process} ({LogText.Escape(MqNames.Process(process.Value)!)})";

    /// <summary>A time of the kernel, in UTC; a dash for never.</summary>
    public static string TimeText(long seconds) => seconds == 0 ? "-"
        : DateTimeOffset.FromUnixTimeSeconds(seconds).UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture);
}
