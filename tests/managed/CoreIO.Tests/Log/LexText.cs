// What a lexer makes of bytes, as text: for each line its reason, then each field on a line of its own, in quotes.
using System.Globalization;
using System.Text;
using CoreIO.Log;

namespace CoreIO.Tests.Log;

internal static class LexText
{
    /// <summary>Cuts all of the bytes, a few records at a time.</summary>
    public static string Of(ICoreBackend backend, string format, ReadOnlySpan<byte> bytes, string? kernel = null, int records = 7)
    {
        using ILogFormat compiled = backend.Log.CompileFormat(format);
        using ILogLexer lexer = backend.Log.CreateLexer(compiled, kernel);
        return Of(lexer, bytes, records);
    }

    public static string Of(ILogLexer lexer, ReadOnlySpan<byte> bytes, int recordRoom)
    {
        StringBuilder text = new();
        LogRecord[] records = new LogRecord[recordRoom];
        LogField[] fields = new LogField[16];
        while (!bytes.IsEmpty)
        {
            LogLexResult result = lexer.Feed(bytes, last: true, records, fields);
            if (result.Records == 0)
            {
                Assert.That(result.NeededFields, Is.GreaterThan(fields.Length), "a lexer that does nothing needs more room");
                fields = new LogField[result.NeededFields];
                continue;
            }

            foreach (LogRecord record in records.AsSpan(0, result.Records))
            {
                text.Append(record.Reason.Name());
                text.Append(record.Reason == LogReason.Parsed ? string.Create(CultureInfo.InvariantCulture, $" {record.FieldCount}\n") : "\n");
                foreach (LogField field in fields.AsSpan((int)record.FirstField, (int)record.FieldCount))
                {
                    text.Append("  \"").Append(AnswerText.Escape(field.Of(bytes))).Append("\"\n");
                }
            }

            bytes = bytes[result.Consumed..];
        }

        return text.ToString();
    }
}
