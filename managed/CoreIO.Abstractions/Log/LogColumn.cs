namespace CoreIO.Log;

/// <summary>A key of a table.</summary>
/// <param name="Name">Name of the field.</param>
/// <param name="Kind">What it is; a <see cref="LogKind.Time"/> key is the start of its interval.</param>
public sealed record LogKeyColumn(string Name, LogKind Kind);

/// <summary>A statistic of a table.</summary>
/// <param name="Name">As asked, <c>p99(request_time)</c>.</param>
/// <param name="Kind">What it computes.</param>
/// <param name="Scale">0 for ones, 6 for millionths.</param>
public sealed record LogStatColumn(string Name, LogStatKind Kind, int Scale);

/// <summary>What a statistic computes; the numbers of <c>coreio_log_stat_kind</c>.</summary>
public enum LogStatKind
{
    /// <summary>Lines.</summary>
    Count = 0,

    /// <summary>Sum of the values.</summary>
    Sum = 1,

    /// <summary>Sum over the number of values.</summary>
    Avg = 2,

    /// <summary>Smallest value.</summary>
    Min = 3,

    /// <summary>Largest value.</summary>
    Max = 4,

    /// <summary>Quantile, within 1 %.</summary>
    Quantile = 5,

    /// <summary>Number of different texts.</summary>
    Distinct = 6,
}
