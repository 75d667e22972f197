namespace CoreIO.Log;

/// <summary>The answer to a report, its rows in the order in which they are shown.</summary>
public sealed record LogReport
{
    /// <summary>Totals, workers and reasons.</summary>
    public required LogAnswer Answer { get; init; }

    /// <summary>The tables, in the order of the question.</summary>
    public required IReadOnlyList<LogReportTable> Tables { get; init; }

    /// <summary>The format, and whether it was guessed.</summary>
    public required LogFormatChoice Format { get; init; }

    /// <summary>The backend that answered.</summary>
    public required string Backend { get; init; }

    /// <summary>How long it took, from the first byte read to the last row sorted.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Minutes that the log's clock is ahead of UTC, by its first line that has a time; times are shown so.</summary>
    public required int OffsetMinutes { get; init; }

    /// <summary>Inputs that could be opened.</summary>
    public required int InputsRead { get; init; }

    /// <summary>Inputs that could not be read, or not to their end.</summary>
    public required IReadOnlyList<LogInputError> Errors { get; init; }
}

/// <summary>An input that could not be read, or not to its end.</summary>
/// <param name="Input">Path, or <c>-</c>.</param>
/// <param name="Status">The status of <see cref="StatusCode"/>.</param>
/// <param name="Cause">Why, in words: <c>permission denied (EACCES)</c>.</param>
public sealed record LogInputError(string Input, int Status, string Cause);

/// <summary>A table of a report.</summary>
public sealed class LogReportTable
{
    internal LogReportTable(LogTableAnswer answer, string? sort, int top)
    {
        Answer = answer;
        (Rows, Hidden) = LogOrder.Rows(answer, sort, top);
    }

    /// <summary>The rows as the backend gave them.</summary>
    public LogTableAnswer Answer { get; }

    /// <summary>Indexes of <see cref="LogTableAnswer.Groups"/> in the order in which they are shown; an (other) row is the last.</summary>
    public IReadOnlyList<int> Rows { get; }

    /// <summary>Groups that have a row and are not shown.</summary>
    public long Hidden { get; }
}
