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
        HashSet<string> has = [.. format.Fields.Select(f => f.Name), .. LogDerived.Of(format)];
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

        Totals(page, report.Tables[0].Answer);
        if (report.Tables.Count == 1)
        {
            page.Line();
            page.Line("The format has no field with a meaning; group by a field of your own: --by f1", PageTone.Quiet);
        }

        foreach (LogReportTable table in report.Tables.Skip(1))
        {
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

    private static List<string> TotalStats(HashSet<string> has)
    {
        List<string> stats = ["count"];
        if (has.Contains("bytes"))
        {
            stats.AddRange(["sum(bytes)", "avg(bytes)", "max(bytes)"]);
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
                stats.AddRange(Quantiles.Select(q => $"{q}({field})"));
            }
        }

        return stats;
    }

    private static void Totals(Page page, LogTableAnswer table)
    {
        Dictionary<string, Int128?> values = [];
        for (int i = 0; i < table.Stats.Count; i++)
        {
            values[table.Stats[i].Name] = LogNumber.ValueOf(table.Stats[i], table.Cell(table.Groups[0], i));
        }

        List<string> facts = [];
        if (values.GetValueOrDefault("distinct(client)") is Int128 clients)
        {
            facts.Add($"{Human.Count((long)clients)} clients");
        }

        if (values.GetValueOrDefault("distinct(path)") is Int128 paths)
        {
            facts.Add($"{Human.Count((long)paths)} paths");
        }

        if (values.GetValueOrDefault("sum(bytes)") is Int128 sent)
        {
            string mean = values.GetValueOrDefault("avg(bytes)") is Int128 avg
                ? $" ({Human.Bytes((long)(avg / 1_000_000))} a response)" : "";
            facts.Add(Human.Bytes((long)Int128.Min(sent, long.MaxValue)) + " sent" + mean);
        }

        if (facts.Count > 0)
        {
            page.Line(string.Join(", ", facts));
        }

        foreach (string field in (string[])["request_time", "upstream_response_time"])
        {
            IEnumerable<string> shown = Quantiles
                .Where(q => values.GetValueOrDefault($"{q}({field})") is not null)
                .Select(q => $"{q} {LogNumber.Format(values[$"{q}({field})"]!.Value, 6)}");
            string line = string.Join(", ", shown);
            if (line.Length > 0)
            {
                page.Line($"{field} in s: {line}");
            }
        }
    }
}
