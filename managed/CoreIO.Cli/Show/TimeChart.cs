// A small chart over time from counts by the minute: at most 60 columns, each a round number of minutes, four lines high.
using CoreIO.Log;

namespace CoreIO.Cli.Show;

internal static class TimeChart
{
    private const int MaxColumns = 60;
    private const int Lines = 4;
    private const string Eighths = " ▁▂▃▄▅▆▇█";

    private static readonly int[] RoundMinutes = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 20160, 40320];

    public static void Show(Page page, LogReport report, LogReportTable table)
    {
        List<(long Minute, long Count, bool IsError)> minutes = Minutes(table);
        if (minutes.Count == 0)
        {
            return;
        }

        (long first, long last) = (minutes.Min(m => m.Minute), minutes.Max(m => m.Minute));
        // Columns begin at round times of the log's own clock.
        int width = WidthFor(first + report.OffsetMinutes, last + report.OffsetMinutes);
        long begin = Floor(first + report.OffsetMinutes, width);
        int columns = (int)((Floor(last + report.OffsetMinutes, width) - begin) / width) + 1;
        long[] counts = new long[columns];
        long[] errors = new long[columns];
        foreach ((long minute, long count, bool isError) in minutes)
        {
            long column = (Floor(minute + report.OffsetMinutes, width) - begin) / width;
            counts[column] += count;
            errors[column] += isError ? count : 0;
        }

        page.Line($"requests, {WidthName(width)} a column, highest {Human.Count(counts.Max())}", PageTone.Strong);
        foreach (string line in Draw(counts, Lines))
        {
            page.Line(line);
        }

        if (errors.Max() > 0)
        {
            page.Line(Draw(errors, 1)[0].TrimEnd(), PageTone.Bad);
            page.Line($"5xx, highest {Human.Count(errors.Max())}", PageTone.Bad);
        }

        string from = LogClock.Format((begin - report.OffsetMinutes) * 60_000_000, report.OffsetMinutes);
        string to = LogClock.Format((begin + ((long)columns * width) - report.OffsetMinutes) * 60_000_000, report.OffsetMinutes);
        page.Line($"{from} to {to}", PageTone.Quiet);
    }

    /// <summary>The chart's lines, the highest first.</summary>
    internal static string[] Draw(long[] counts, int height)
    {
        long highest = Math.Max(1, counts.Max());
        string[] lines = new string[height];
        for (int line = 0; line < height; line++)
        {
            int below = (height - 1 - line) * 8;
            lines[line] = string.Concat(counts.Select(count =>
            {
                // Rounded up: one request is seen.
                int eighths = (int)(((Int128)count * height * 8 + highest - 1) / highest);
                return Eighths[Math.Clamp(eighths - below, 0, 8)];
            })).TrimEnd();
        }

        return lines;
    }

    internal static int WidthFor(long first, long last)
    {
        foreach (int width in RoundMinutes)
        {
            if (((Floor(last, width) - Floor(first, width)) / width) + 1 <= MaxColumns)
            {
                return width;
            }
        }

        // Years of minutes: whatever number of days makes it fit.
        return (int)(((last - first) / (MaxColumns - 1) / 1440 + 1) * 1440);
    }

    private static List<(long Minute, long Count, bool IsError)> Minutes(LogReportTable table)
    {
        LogTableAnswer answer = table.Answer;
        List<(long, long, bool)> minutes = [];
        foreach (int row in table.Rows)
        {
            LogGroup group = answer.Groups[row];
            if (!group.IsOther && answer.TryGetKey(group, 0, out ReadOnlySpan<byte> time))
            {
                long minute = Floor(LogTableAnswer.TimeOf(time), 60_000_000) / 60_000_000;
                bool isError = answer.Keys.Count > 1
                    && answer.TryGetKey(group, 1, out ReadOnlySpan<byte> status) && status is [(byte)'5', ..];
                minutes.Add((minute, group.Count, isError));
            }
        }

        return minutes;
    }

    private static long Floor(long value, long width) => value - (((value % width) + width) % width);

    private static string WidthName(int minutes) =>
        minutes % 1440 == 0 ? $"{minutes / 1440} d" : minutes % 60 == 0 ? $"{minutes / 60} h" : $"{minutes} min";
}
