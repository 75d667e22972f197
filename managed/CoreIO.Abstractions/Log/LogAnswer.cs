namespace CoreIO.Log;

/// <summary>What a scan found.</summary>
public sealed record LogAnswer
{
    /// <summary>Lines read; parsed + rejected + filtered.</summary>
    public required long Lines { get; init; }

    /// <summary>Lines that count in the tables.</summary>
    public required long Parsed { get; init; }

    /// <summary>Lines that do not fit.</summary>
    public required long Rejected { get; init; }

    /// <summary>Lines the filter held back.</summary>
    public required long Filtered { get; init; }

    /// <summary>Bytes of all lines.</summary>
    public required long Bytes { get; init; }

    /// <summary>The kernel that ran.</summary>
    public required string Kernel { get; init; }

    /// <summary>Where each worker ran and what it did.</summary>
    public required IReadOnlyList<LogWorker> Workers { get; init; }

    /// <summary>The reasons lines were rejected for, in the order of <see cref="LogReason"/>.</summary>
    public required IReadOnlyList<LogReject> Rejects { get; init; }

    /// <summary>The tables, in the order of the question.</summary>
    public required IReadOnlyList<LogTableAnswer> Tables { get; init; }
}
