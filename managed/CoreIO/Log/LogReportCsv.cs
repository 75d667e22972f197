// Writes a table as CSV (RFC 4180, with the line ends of Unix): a line of names, then the rows. Null is an empty cell, an empty text is "".
using System.Buffers;

namespace CoreIO.Log;

/// <summary>Writes reports as CSV.</summary>
public static class LogReportCsv
{
    // Cells up to this length are looked at byte by byte: to search by vectors takes code that is made at run time.
    private const int ShortCell = 32;

    /// <summary>Writes one table of a report.</summary>
    public static void Write(Stream output, LogReport report, LogReportTable table)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(table);
        LogTableAnswer answer = table.Answer;
        int cell = 0;
        foreach (LogKeyColumn key in answer.Keys)
        {
            Separate(output, cell++);
            WriteText(output, ShortText.BytesOf(key.Name));
        }

        foreach (LogStatColumn stat in answer.Stats)
        {
            Separate(output, cell++);
            WriteText(output, ShortText.BytesOf(stat.Name));
        }

        output.WriteByte((byte)'\n');
        foreach (int row in table.Rows)
        {
            WriteRow(output, answer, answer.Groups[row], report.OffsetMinutes);
        }
    }

    private static void WriteRow(Stream output, LogTableAnswer answer, in LogGroup group, int offsetMinutes)
    {
        int cell = 0;
        for (int i = 0; i < answer.Keys.Count; i++)
        {
            Separate(output, cell++);
            if (group.IsOther)
            {
                output.Write("(other)"u8);
            }
            else if (answer.TryGetKey(group, i, out ReadOnlySpan<byte> key))
            {
                WriteText(output, LogOrder.IsTime(answer.Keys[i])
                    ? ShortText.BytesOf(LogClock.Format(LogTableAnswer.TimeOf(key), offsetMinutes))
                    : ShortText.BytesOf(LogText.Decode(key)));
            }
        }

        Span<byte> text = stackalloc byte[LogNumber.MaxLength];
        for (int i = 0; i < answer.Stats.Count; i++)
        {
            Separate(output, cell++);
            if (LogNumber.TryWrite(answer.Stats[i], answer.Cell(group, i), text, out int length))
            {
                output.Write(text[..length]);
            }
        }

        output.WriteByte((byte)'\n');
    }

    private static void Separate(Stream output, int cell)
    {
        if (cell > 0)
        {
            output.WriteByte((byte)',');
        }
    }

    private static void WriteText(Stream output, ReadOnlySpan<byte> text)
    {
        if (!text.IsEmpty && !NeedsQuotes(text))
        {
            output.Write(text);
            return;
        }

        output.WriteByte((byte)'"');
        while (!text.IsEmpty)
        {
            int quote = text.IndexOf((byte)'"');
            int length = quote < 0 ? text.Length : quote + 1;
            output.Write(text[..length]);
            if (quote >= 0)
            {
                output.WriteByte((byte)'"');
            }

            text = text[length..];
        }

        output.WriteByte((byte)'"');
    }

    private static bool NeedsQuotes(ReadOnlySpan<byte> text)
    {
        if (text.Length > ShortCell)
        {
            return text.ContainsAny(Special.Bytes);
        }

        foreach (byte b in text)
        {
            if (b is (byte)',' or (byte)'"' or (byte)'\r' or (byte)'\n')
            {
                return true;
            }
        }

        return false;
    }

    // On its own, so that it is made only for a cell that is long.
    private static class Special
    {
        public static readonly SearchValues<byte> Bytes = SearchValues.Create(",\"\r\n"u8);
    }
}
