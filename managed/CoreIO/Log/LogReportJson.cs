// Writes a report as the one JSON document of docs/json.md. Streams: the rows of a large table never stand in memory as text. The same
// report is the same text, byte for byte; only seconds, backend, kernel and workers tell how it was made. Methods that hold structures of
// the JSON library are never compiled ahead of time, so there is one, and it is short.
using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace CoreIO.Log;

/// <summary>Writes reports as JSON.</summary>
public static class LogReportJson
{
    /// <summary>The version of the document, raised when a member changes its meaning.</summary>
    public const int Schema = 1;

    // Scripts and people read this, browsers do not: only what JSON itself demands is escaped.
    internal static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    private const int FlushAt = 64 * 1024;

    /// <summary>Writes the document of one table, and a newline.</summary>
    public static void Write(Stream output, LogReport report, LogReportTable table)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(table);
        LogAnswer answer = report.Answer;
        using Utf8JsonWriter json = Writer(output);
        json.WriteStartObject();
        json.WriteNumber("schema"u8, Schema);
        json.WriteNumber("lines"u8, answer.Lines);
        json.WriteNumber("parsed"u8, answer.Parsed);
        json.WriteNumber("rejected"u8, answer.Rejected);
        json.WriteNumber("filtered"u8, answer.Filtered);
        json.WriteNumber("bytes"u8, answer.Bytes);
        json.WritePropertyName("seconds"u8);
        WriteNumber(json, report.Elapsed.Ticks / TimeSpan.TicksPerMicrosecond, 6);
        json.WriteString("backend"u8, report.Backend);
        json.WriteString("kernel"u8, answer.Kernel);
        json.WriteNumber("workers"u8, answer.Workers.Count);
        WriteGroups(json, table, report.OffsetMinutes);
        json.WriteNumber("other_lines"u8, table.Answer.OtherLines);
        WriteRejects(json, answer.Rejects);
        json.WriteEndObject();
        json.Flush();
        output.WriteByte((byte)'\n');
    }

    private static void WriteGroups(Utf8JsonWriter json, LogReportTable table, int offsetMinutes)
    {
        LogTableAnswer answer = table.Answer;
        byte[][] keys = new byte[answer.Keys.Count][];
        for (int i = 0; i < keys.Length; i++)
        {
            keys[i] = Encoding.UTF8.GetBytes(answer.Keys[i].Name);
        }

        byte[][] stats = new byte[answer.Stats.Count][];
        for (int i = 0; i < stats.Length; i++)
        {
            stats[i] = Encoding.UTF8.GetBytes(answer.Stats[i].Name);
        }

        Span<byte> number = stackalloc byte[LogNumber.MaxLength];
        json.WriteStartArray("groups"u8);
        foreach (int row in table.Rows)
        {
            LogGroup group = answer.Groups[row];
            json.WriteStartObject();
            for (int i = 0; i < keys.Length; i++)
            {
                json.WritePropertyName(keys[i]);
                WriteKey(json, answer, group, i, offsetMinutes);
            }

            for (int i = 0; i < stats.Length; i++)
            {
                json.WritePropertyName(stats[i]);
                if (LogNumber.TryWrite(answer.Stats[i], answer.Cell(group, i), number, out int length))
                {
                    json.WriteRawValue(number[..length], skipInputValidation: true);
                }
                else
                {
                    json.WriteNullValue();
                }
            }

            json.WriteEndObject();
            if (json.BytesPending > FlushAt)
            {
                json.Flush();
            }
        }

        json.WriteEndArray();
    }

    private static void WriteKey(Utf8JsonWriter json, LogTableAnswer table, in LogGroup group, int part, int offsetMinutes)
    {
        if (group.IsOther)
        {
            json.WriteStringValue("(other)"u8);
        }
        else if (!table.TryGetKey(group, part, out ReadOnlySpan<byte> key))
        {
            json.WriteNullValue();
        }
        else if (LogOrder.IsTime(table.Keys[part]))
        {
            json.WriteStringValue(LogClock.Format(LogTableAnswer.TimeOf(key), offsetMinutes));
        }
        else
        {
            WriteText(json, key);
        }
    }

    private static void WriteRejects(Utf8JsonWriter json, IReadOnlyList<LogReject> rejects)
    {
        json.WriteStartArray("rejects"u8);
        foreach (LogReject reject in rejects)
        {
            json.WriteStartObject();
            json.WriteString("reason"u8, reject.Reason.Name());
            json.WriteNumber("count"u8, reject.Count);
            json.WriteStartArray("samples"u8);
            foreach (byte[] sample in reject.Samples)
            {
                json.WriteStringValue(LogText.ShowRaw(sample));
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Writes a value of a line, decoded.</summary>
    internal static void WriteText(Utf8JsonWriter json, ReadOnlySpan<byte> value)
    {
        if (LogText.IsPlain(value, LogTextUse.Data))
        {
            json.WriteStringValue(value);
            return;
        }

        int room = LogText.MaxLength(value.Length);
        byte[]? rented = room > 2048 ? ArrayPool<byte>.Shared.Rent(room) : null;
        Span<byte> text = rented ?? stackalloc byte[2048];
        json.WriteStringValue(text[..LogText.Decode(value, text, LogTextUse.Data)]);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static Utf8JsonWriter Writer(Stream output) => new(output, WriterOptions);

    // An integer or a decimal fraction, never a binary one.
    private static void WriteNumber(Utf8JsonWriter json, long value, int scale)
    {
        Span<byte> text = stackalloc byte[LogNumber.MaxLength];
        json.WriteRawValue(text[..LogNumber.Format(value, scale, text)], skipInputValidation: true);
    }
}
