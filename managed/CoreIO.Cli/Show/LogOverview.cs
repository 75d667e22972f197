// What an operator looks at first, from one scan: totals, statuses, hosts, paths, clients, latency, a chart over time. Which of them there
// are depends on the fields of the format.
using CoreIO.Log;

namespace CoreIO.Cli.Show;

internal static class LogOverview
{
    private const int DefaultRows = 10;

    private static readonly string[] Quantiles = ["p50", "p90", "p99", "p99.9", "max"];

    /// <summary>The tables to ask for: the totals first, the chart last.</summary>
    public static IReadOnlyList<LogReportTableOptions> Tables(ILogFormat format, int maxGroups, int? top)
    {
        List<string> has = LogDerived.NamesOf(format);
        has.AddRange(LogDerived.Of(format));
        List<LogReportTableOptions> tables = [Make([], TotalStats(has), maxGroups, 0)];
        string[] stats = has.Contains("bytes") ? ["count", "sum(bytes)"] : ["count"];
        foreach (string key in (string[])["status", "host", "path", "client"])
        {
            if (has.Contains(key))
            {
                bool timed = key is "host" or "path" && has.Contains("request_time");
                tables.Add(Make([key], timed ? [.. stats, "p99(request_time)"] : stats, maxGroups, top ?? DefaultRows));
            }
        }

        if (has.Contains("minute"))
        {
            tables.Add(Make(has.Contains("status_class") ? ["minute", "status_class"] : ["minute"], ["count"], maxGroups, 0));
        }

        return tables;
    }

    public static void Show(Page page, LogReport report)
    {
        LogTables.Totals(page, report);
        LogTables.Rejects(page, report.Answer);
        if (report.Answer.Parsed == 0)
        {
            return;
        }

        Totals(page, report);
        if (report.Tables.Count == 1)
        {
            page.Line();
            page.Line("The format has no field with a meaning; group by a field of your own: --by f1", PageTone.Quiet);
        }

        for (int i = 1; i < report.Tables.Count; i++)
        {
            LogReportTable table = report.Tables[i];
            page.Line();
            if (LogOrder.IsTime(table.Answer.Keys[0]))
            {
                TimeChart.Show(page, report, table);
            }
            else
            {
                LogTables.Rows(page, report, table, share: true);
            }
        }
    }

    private static LogReportTableOptions Make(IReadOnlyList<string> by, IReadOnlyList<string> stats, int maxGroups, int top) =>
        new() { Table = new LogTable { By = by, Stats = stats, MaxGroups = maxGroups }, Top = top };

    private static List<string> TotalStats(List<string> has)
    {
        List<string> stats = ["count"];
        if (has.Contains("bytes"))
        {
            stats.Add("sum(bytes)");
        }

        if (has.Contains("client"))
        {
            stats.Add("distinct(client)");
        }

        if (has.Contains("path"))
        {
            stats.Add("distinct(path)");
        }

        foreach (string field in (string[])["request_time", "upstream_response_time"])
        {
            if (has.Contains(field))
            {
                foreach (string quantile in Quantiles)
                {
                    stats.Add($"{quantile}({field})");
                }
            }
        }

        return stats;
    }

    private static void Totals(Page page, LogReport report)
    {
        LogTableAnswer table = report.Tables[0].Answer;
        List<string> facts = [];
        AddDistinct(facts, report, "client");
        AddDistinct(facts, report, "path");

        if (CellOf(table, "sum(bytes)", out LogCell sent) && sent.Count > 0)
        {
            facts.Add(sent.TryGetInt64(out long bytes)
                ? $"{Human.Bytes(bytes)} sent ({Human.Bytes(bytes / sent.Count)} a response)"
                : WideSent(sent));
        }

        if (facts.Count > 0)
        {
            page.Line(string.Join(", ", facts));
        }

        foreach (string field in (string[])["request_time", "upstream_response_time"])
        {
            List<string> shown = [];
            foreach (string quantile in Quantiles)
            {
                if (TextOf(table, $"{quantile}({field})") is string text)
                {
                    shown.Add($"{quantile} {text}");
                }
            }

            if (shown.Count > 0)
            {
                page.Line($"{field} in s: {string.Join(", ", shown)}");
            }
        }
    }

    // As many as the table of the key has rows, or an estimate where that has a limit.
    private static void AddDistinct(List<string> facts, LogReport report, string key)
    {
        if (!CellOf(report.Tables[0].Answer, $"distinct({key})", out LogCell estimate))
        {
            return;
        }

        long? exact = KeysOf(report, key);
        long count = exact ?? Narrow(estimate);
        facts.Add((exact is null ? "about " : "") + Human.Count(count) + " " + key + (count == 1 ? "" : "s"));
    }

    // How many keys the table by one key has, lines without it left out; null where some have no row of their own.
    private static long? KeysOf(LogReport report, string key)
    {
        foreach (LogReportTable one in report.Tables)
        {
            LogTableAnswer table = one.Answer;
            if (table.Keys.Count != 1 || table.Keys[0].Name != key)
            {
                continue;
            }

            long keys = 0;
            foreach (LogGroup group in table.Groups)
            {
                if (group.IsOther)
                {
                    return null;
                }

                keys += table.TryGetKey(group, 0, out _) ? 1 : 0;
            }

            return keys;
        }

        return null;
    }

    // On its own, for almost no report needs 128 bits. The average of values of 64 bits is one.
    private static string WideSent(LogCell sent) =>
        $"{Human.Bytes((double)sent.Value)} sent ({Human.Bytes((long)(sent.Value / sent.Count))} a response)";

    // The cell of a statistic of the totals; false when it is not among them.
    private static bool CellOf(LogTableAnswer table, string stat, out LogCell cell)
    {
        int index = IndexOf(table, stat);
        cell = index < 0 ? default : table.Cell(table.Groups[0], index);
        return index >= 0;
    }

    private static string? TextOf(LogTableAnswer table, string stat) =>
        CellOf(table, stat, out LogCell cell) ? LogNumber.TextOf(table.Stats[IndexOf(table, stat)], cell) : null;

    private static int IndexOf(LogTableAnswer table, string stat)
    {
        int index = table.Stats.Count - 1;
        while (index >= 0 && table.Stats[index].Name != stat)
        {
            index--;
        }

        return index;
    }

    private static long Narrow(LogCell cell) => cell.TryGetInt64(out long value) ? value : long.MaxValue;
}
