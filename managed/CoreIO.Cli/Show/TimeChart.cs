// A small chart over time from counts by the minute: at most 60 columns, each a round number of minutes, four lines high.
using CoreIO.Log;

namespace CoreIO.Cli.Show;

internal static class TimeChart
{
    private const int MaxColumns = 60;
    private const int Lines = 4;
    private const long MinuteMicros = 60_000_000;
    private const string Eighths = " ▁▂▃▄▅▆▇█";

    private static readonly int[] RoundMinutes = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 20160, 40320];

    public static void Show(Page page, LogReport report, LogReportTable table)
    {
        List<Part> parts = Parts(table);
        if (parts.Count == 0)
        {
            return;
        }

        long first = long.MaxValue;
        long last = long.MinValue;
        foreach (Part part in parts)
        {
            first = Math.Min(first, part.Minute);
            last = Math.Max(last, part.Minute);
        }

        // Columns begin at round times of the log's own clock.
        long width = WidthFor(first + report.OffsetMinutes, last + report.OffsetMinutes);
        long begin = Floor(first + report.OffsetMinutes, width);
        int columns = (int)((Floor(last + report.OffsetMinutes, width) - begin) / width) + 1;
        long[] counts = new long[columns];
        long[] errors = new long[columns];
        foreach (Part part in parts)
        {
            long column = (Floor(part.Minute + report.OffsetMinutes, width) - begin) / width;
            counts[column] += part.Count;
            errors[column] += part.IsError ? part.Count : 0;
        }

        page.Line(string.Concat("requests, ", WidthName(width), " a column, highest ", Human.Count(Highest(counts))), PageTone.Strong);
        foreach (string line in Draw(counts, Lines))
        {
            page.Line(line);
        }

        if (Highest(errors) > 0)
        {
            page.Line($"5xx, highest {Human.Count(Highest(errors))}", PageTone.Bad);
            page.Line(Draw(errors, 1)[0].TrimEnd(), PageTone.Bad);
        }

        string from = TimeOf(begin, report.OffsetMinutes);
        string to = TimeOf(begin + (columns * width), report.OffsetMinutes);
        page.Line($"{from} to {to}", PageTone.Quiet);
    }

    /// <summary>The chart's lines, the highest first.</summary>
    internal static string[] Draw(long[] counts, int height)
    {
        long highest = Math.Max(1, Highest(counts));
        string[] lines = new string[height];
        char[] columns = new char[counts.Length];
        for (int line = 0; line < height; line++)
        {
            int below = (height - 1 - line) * 8;
            for (int i = 0; i < columns.Length; i++)
            {
                columns[i] = Eighths[Math.Clamp(EighthsOf(counts[i], highest, height) - below, 0, 8)];
            }

            lines[line] = new string(columns).TrimEnd();
        }

        return lines;
    }

    // Rounded up: one request is seen. Counts that eighths would take beyond 64 bits are far more than eighths, which may be rounded then.
    private static int EighthsOf(long count, long highest, int height) =>
        highest < long.MaxValue / (height * 8 + 1)
            ? (int)(((count * height * 8) + highest - 1) / highest)
            : (int)Math.Ceiling((double)count * height * 8 / highest);

    private static long Highest(long[] counts)
    {
        long highest = long.MinValue;
        foreach (long count in counts)
        {
            highest = Math.Max(highest, count);
        }

        return highest;
    }

    internal static long WidthFor(long first, long last)
    {
        foreach (int width in RoundMinutes)
        {
            if (((Floor(last, width) - Floor(first, width)) / width) + 1 <= MaxColumns)
            {
                return width;
            }
        }

        // Years of minutes: whatever number of days makes it fit. Where $msec is no time at all these are millions of days.
        return (((last - first) / (MaxColumns - 1) / 1440) + 1) * 1440;
    }

    private static List<Part> Parts(LogReportTable table)
    {
        LogTableAnswer answer = table.Answer;
        List<Part> parts = [];
        foreach (int row in table.Rows)
        {
            LogGroup group = answer.Groups[row];
            if (!group.IsOther && answer.TryGetKey(group, 0, out ReadOnlySpan<byte> time))
            {
                long micros = LogTableAnswer.TimeOf(time);
                long minute = (micros / MinuteMicros) - (micros % MinuteMicros < 0 ? 1 : 0);
                bool isError = answer.Keys.Count > 1
                    && answer.TryGetKey(group, 1, out ReadOnlySpan<byte> status) && status is [(byte)'5', ..];
                parts.Add(new Part(minute, group.Count, isError));
            }
        }

        return parts;
    }

    // A column may begin or end beyond what a clock of microseconds holds; it is shown as far as that goes.
    private static string TimeOf(long minute, int offsetMinutes) => LogClock.Format(
        Math.Clamp(minute - offsetMinutes, long.MinValue / MinuteMicros, long.MaxValue / MinuteMicros) * MinuteMicros, offsetMinutes);

    private static long Floor(long value, long width) => value - (((value % width) + width) % width);

    private static string WidthName(long minutes) =>
        minutes % 1440 == 0 ? LogNumber.Format(minutes / 1440, 0) + " d"
        : minutes % 60 == 0 ? LogNumber.Format(minutes / 60, 0) + " h"
        : LogNumber.Format(minutes, 0) + " min";

    // Requests of a minute, those of a class of statuses where the log has them. A class, for the runtime has lists of objects compiled ahead
    // of time, and a report on a small file would wait for another.
    private sealed record Part(long Minute, long Count, bool IsError);
}
