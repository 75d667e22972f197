// The table of a question: a line of totals, the rows, what is left out and why.
using CoreIO.Log;

namespace CoreIO.Cli.Show;

internal static class LogTables
{
    private const int SampleLength = 60;

    public static void Show(Page page, LogReport report, LogReportTable table)
    {
        Rows(page, report, table, share: false);
        page.Line();
        Totals(page, report);
        Rejects(page, report.Answer);
    }

    /// <summary>One line: what was read, how it was divided, how fast.</summary>
    public static void Totals(Page page, LogReport report)
    {
        LogAnswer answer = report.Answer;
        double seconds = Math.Max(report.Elapsed.TotalSeconds, 1e-6);
        // Joined, not interpolated: five values and more would take a handler, and code that is made at run time.
        page.Line(string.Concat((string[])[
            Human.Count(answer.Lines), " lines (", Human.Count(answer.Parsed), " parsed, ", Human.Count(answer.Rejected), " rejected, ",
            Human.Count(answer.Filtered), " filtered), ", Human.Bytes(answer.Bytes)]));
        string elapsed = LogNumber.Format(report.Elapsed.Ticks / TimeSpan.TicksPerMillisecond * 1000, 6);
        string workers = answer.Workers.Count == 1 ? " worker" : " workers";
        page.Line(
            string.Concat((string[])[
                elapsed, " s, ", Human.Bytes((long)(answer.Bytes / seconds)), "/s, ", report.Backend, " backend, ", answer.Kernel, " kernel, ",
                LogNumber.Format(answer.Workers.Count, 0), workers]),
            PageTone.Quiet);
    }

    /// <summary>The reasons lines were rejected for, each with its first samples.</summary>
    public static void Rejects(Page page, LogAnswer answer)
    {
        foreach (LogReject reject in answer.Rejects)
        {
            page.Line($"rejected {Human.Count(reject.Count)}: {reject.Reason.Name()}", PageTone.Warning);
            foreach (byte[] sample in reject.Samples)
            {
                string text = LogText.ShowRaw(sample, LogTextUse.Terminal);
                int length = Math.Max(SampleLength, page.Width - 6);
                page.Line("    " + (text.Length > length ? text[..(length - 3)] + "..." : text), PageTone.Quiet);
            }
        }
    }

    /// <summary>The rows of a table; with <paramref name="share"/> also the part of all lines that each one is.</summary>
    public static void Rows(Page page, LogReport report, LogReportTable table, bool share)
    {
        LogTableAnswer answer = table.Answer;
        List<PageColumn> columns = [];
        int status = -1;
        for (int i = 0; i < answer.Keys.Count; i++)
        {
            string name = answer.Keys[i].Name;
            columns.Add(new PageColumn(name, false));
            status = status < 0 && name is "status" or "status_class" ? i : status;
        }

        for (int i = 0; i < answer.Stats.Count; i++)
        {
            columns.Add(new PageColumn(answer.Stats[i].Name, true));
            if (share && i == 0)
            {
                columns.Add(new PageColumn("share", true));
            }
        }

        page.Rows(
            columns,
            Rows(report, table, share),
            row => ToneOf(answer, answer.Groups[table.Rows[row]], status));
        if (table.Hidden > 0)
        {
            page.Line($"... and {Human.Count(table.Hidden)} more; --top 0 shows all", PageTone.Quiet);
        }

        if (answer.OtherLines > 0)
        {
            page.Line(
                $"(other): {Human.Count(answer.OtherLines)} lines of groups beyond --max-groups; the rows are exact, "
                + "but a sample of all groups, not the largest",
                PageTone.Warning);
        }
    }

    private static IEnumerable<List<string>> Rows(LogReport report, LogReportTable table, bool share)
    {
        foreach (int row in table.Rows)
        {
            yield return Cells(report, table.Answer, table.Answer.Groups[row], share);
        }
    }

    private static List<string> Cells(LogReport report, LogTableAnswer answer, LogGroup group, bool share)
    {
        List<string> cells = [];
        for (int i = 0; i < answer.Keys.Count; i++)
        {
            cells.Add(group.IsOther ? "(other)"
                : !answer.TryGetKey(group, i, out ReadOnlySpan<byte> key) ? "-"
                : LogOrder.IsTime(answer.Keys[i]) ? LogClock.Format(LogTableAnswer.TimeOf(key), report.OffsetMinutes)
                : LogText.Decode(key, LogTextUse.Terminal));
        }

        for (int i = 0; i < answer.Stats.Count; i++)
        {
            cells.Add(LogNumber.TextOf(answer.Stats[i], answer.Cell(group, i)) ?? "-");
            if (share && i == 0)
            {
                cells.Add(Human.Share(group.Count, report.Answer.Parsed));
            }
        }

        return cells;
    }

    private static PageTone ToneOf(LogTableAnswer answer, LogGroup group, int status)
    {
        if (status < 0 || group.IsOther || !answer.TryGetKey(group, status, out ReadOnlySpan<byte> key))
        {
            return PageTone.Plain;
        }

        return key is [(byte)'5', ..] ? PageTone.Bad : key is [(byte)'4', ..] ? PageTone.Warning : PageTone.Plain;
    }
}
