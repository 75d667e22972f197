namespace CoreIO.Log;

/// <summary>A question about a log: what all its tables share, and the tables.</summary>
public sealed record LogQuery
{
    /// <summary>How lines are cut; compiled by the backend that is asked.</summary>
    public required ILogFormat Format { get; init; }

    /// <summary>Filter expression (docs/queries.md, section 2), or null.</summary>
    public string? Where { get; init; }

    /// <summary>First instant that is let through, or null.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>First instant that is not let through any more, or null.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Width of the key <c>time</c>; zero when no table uses it.</summary>
    public TimeSpan Interval { get; init; }

    /// <summary>The tables, 1 to 16.</summary>
    public required IReadOnlyList<LogTable> Tables { get; init; }
}
