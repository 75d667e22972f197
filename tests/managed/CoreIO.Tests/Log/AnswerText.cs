// An answer as text in one fixed order, so that two answers are equal exactly when their texts are. Leaves out what may differ from run
// to run: the kernel and where the workers ran.
using System.Globalization;
using System.Text;
using CoreIO.Log;

namespace CoreIO.Tests.Log;

internal static class AnswerText
{
    public static string Of(LogAnswer answer)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"lines {answer.Lines} parsed {answer.Parsed} rejected {answer.Rejected} ");
        text.Append(CultureInfo.InvariantCulture, $"filtered {answer.Filtered} bytes {answer.Bytes}\n");
        foreach (LogReject reject in answer.Rejects)
        {
            text.Append(CultureInfo.InvariantCulture, $"reject {reject.Reason.Name()} {reject.Count}");
            foreach (byte[] sample in reject.Samples)
            {
                text.Append(" [").Append(Escape(sample)).Append(']');
            }

            text.Append('\n');
        }

        foreach (LogTableAnswer table in answer.Tables)
        {
            text.Append("table ").AppendJoin(',', table.Keys.Select(k => $"{k.Name}:{k.Kind}"));
            text.Append(" / ").AppendJoin(',', table.Stats.Select(s => $"{s.Name}:{s.Kind}:{s.Scale}"));
            text.Append(CultureInfo.InvariantCulture, $" / other {table.OtherLines}\n");
            text.AppendJoin('\n', table.Groups.Select(g => Row(table, g)).Order(StringComparer.Ordinal)).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>Bytes as text: what is not printable ASCII, and the backslash, as \xHH.</summary>
    public static string Escape(ReadOnlySpan<byte> bytes)
    {
        StringBuilder text = new(bytes.Length);
        foreach (byte b in bytes)
        {
            _ = b is >= 0x20 and < 0x7f and not (byte)'\\' and not (byte)'"'
                ? text.Append((char)b)
                : text.Append(CultureInfo.InvariantCulture, $"\\x{b:X2}");
        }

        return text.ToString();
    }

    private static string Row(LogTableAnswer table, LogGroup group)
    {
        StringBuilder row = new();
        if (group.IsOther)
        {
            row.Append("(other)");
        }
        else
        {
            for (int part = 0; part < table.Keys.Count; part++)
            {
                row.Append(table.TryGetKey(group, part, out ReadOnlySpan<byte> key) ? $"[{Escape(key)}]" : "null");
            }
        }

        row.Append(CultureInfo.InvariantCulture, $" {group.Count}:");
        for (int stat = 0; stat < table.Stats.Count; stat++)
        {
            LogCell cell = table.Cell(group, stat);
            row.Append(CultureInfo.InvariantCulture, $" {cell.Value}/{cell.Count}");
        }

        return row.ToString();
    }
}
