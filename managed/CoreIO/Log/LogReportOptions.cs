namespace CoreIO.Log;

/// <summary>A report: what is read, what is asked, how it runs.</summary>
public sealed record LogReportOptions
{
    /// <summary>Paths; <c>-</c> is standard input.</summary>
    public IReadOnlyList<string> Inputs { get; init; } = (string[])["-"];

    /// <summary>Name, template, <c>@FILE:NAME</c> or <c>auto</c>.</summary>
    public string Format { get; init; } = LogFormatSource.Auto;

    /// <summary>Filter expression (docs/queries.md, section 2), or null.</summary>
    public string? Where { get; init; }

    /// <summary>First instant that is let through, or null.</summary>
    public LogMoment? Since { get; init; }

    /// <summary>First instant that is not let through any more, or null.</summary>
    public LogMoment? Until { get; init; }

    /// <summary>Width of the key <c>time</c>; zero when no table uses it.</summary>
    public TimeSpan Interval { get; init; }

    /// <summary>The tables of the question, 1 to 16, for the format that was found.</summary>
    public Func<ILogFormat, IReadOnlyList<LogReportTableOptions>> Tables { get; init; } = _ => [new LogReportTableOptions()];

    /// <summary>How the scan runs; its <see cref="LogScanOptions.Rejects"/> is made from <see cref="RejectsPath"/>.</summary>
    public LogScanOptions Scan { get; init; } = new();

    /// <summary>Where rejected lines are written whole, or null.</summary>
    public string? RejectsPath { get; init; }
}

/// <summary>A table of a report: the question, and the order and number of the rows that are shown.</summary>
public sealed record LogReportTableOptions
{
    /// <summary>Rows that suffice on a screen: what <c>coreio log report</c> shows of a table unless told.</summary>
    public const int ScreenRows = 20;

    /// <summary>Keys and statistics.</summary>
    public LogTable Table { get; init; } = new();

    /// <summary>What rows are sorted by, as <c>sum(bytes):desc</c>; null for the order that suits the keys.</summary>
    public string? Sort { get; init; }

    /// <summary>Most rows shown, of each interval when the first key is a time; 0 for all.</summary>
    public int Top { get; init; }
}

/// <summary>An instant as a person writes it; without an offset it is meant in the log's own.</summary>
/// <param name="Wall">The wall clock.</param>
/// <param name="Offset">How far that is ahead of UTC, or null for the log's own.</param>
public readonly record struct LogMoment(DateTime Wall, TimeSpan? Offset)
{
    private static readonly string[] Formats = ["yyyy-MM-dd", "yyyy-MM-ddTHH:mm", "yyyy-MM-ddTHH:mm:ss", "yyyy-MM-ddTHH:mm:ss.FFFFFF"];

    /// <summary>
    /// Reads <c>2019-01-22</c>, <c>2019-01-22T03:56[:14[.5]][Z|+03:30]</c> (a space for the T is fine), or nginx's
    /// <c>22/Jan/2019:03:56:14 +0330</c>.
    /// </summary>
    public static bool TryParse(string text, out LogMoment moment)
    {
        ArgumentNullException.ThrowIfNull(text);
        moment = default;
        if (LogClock.TryRead("time_local", System.Text.Encoding.UTF8.GetBytes(text), out LogInstant instant))
        {
            TimeSpan ahead = TimeSpan.FromMinutes(instant.OffsetMinutes);
            moment = new LogMoment(DateTime.UnixEpoch.AddMicroseconds(instant.Micros) + ahead, ahead);
            return true;
        }

        string wall = text.Trim().Replace(' ', 'T');
        TimeSpan? offset = null;
        int zone = wall.Length > 10 ? wall.IndexOfAny(['Z', '+', '-'], 10) : -1;
        if (zone >= 0)
        {
            string name = wall[zone..];
            wall = wall[..zone];
            if (name == "Z")
            {
                offset = TimeSpan.Zero;
            }
            else if (TimeSpan.TryParseExact(name[1..], @"hh\:mm", null, out TimeSpan ahead) && ahead < TimeSpan.FromHours(15))
            {
                offset = name[0] == '-' ? -ahead : ahead;
            }
            else
            {
                return false;
            }
        }

        if (!DateTime.TryParseExact(wall, Formats, null, System.Globalization.DateTimeStyles.None, out DateTime time))
        {
            return false;
        }

        moment = new LogMoment(time, offset);
        return true;
    }

    /// <summary>The instant, for a log written so many minutes ahead of UTC.</summary>
    public DateTimeOffset In(int logOffsetMinutes) =>
        new(DateTime.SpecifyKind(Wall - (Offset ?? TimeSpan.FromMinutes(logOffsetMinutes)), DateTimeKind.Utc));
}
