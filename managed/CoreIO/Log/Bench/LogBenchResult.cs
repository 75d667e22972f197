namespace CoreIO.Log.Bench;

/// <summary>Everything a bench measured. Times are nanoseconds, sizes bytes.</summary>
public sealed record LogBenchResult
{
    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The CPU as it names itself.</summary>
    public required string Machine { get; init; }

    /// <summary>CPUs of the machine.</summary>
    public required int MachineCpus { get; init; }

    /// <summary>The operating system and the runtime.</summary>
    public required string Software { get; init; }

    /// <summary>CPUs the workers were pinned to.</summary>
    public required IReadOnlyList<int> Cpus { get; init; }

    /// <summary>Worker threads of a scan.</summary>
    public required int Workers { get; init; }

    /// <summary>Measured runs of each contestant.</summary>
    public required int Repeats { get; init; }

    /// <summary>The kernel that each backend runs.</summary>
    public required IReadOnlyDictionary<string, string> Kernels { get; init; }

    /// <summary>What one crossing of the boundary takes, in picoseconds, measured in this run; 0 where nothing crosses.</summary>
    public required long CrossingPs { get; init; }

    /// <summary>Whether the peak of the memory could be taken for each run; else it is that of the process so far.</summary>
    public required bool PeakIsOfTheRun { get; init; }

    /// <summary>An entry for each file.</summary>
    public required IReadOnlyList<LogBenchInputResult> Inputs { get; init; }
}

/// <summary>What was measured on one file.</summary>
/// <param name="Source">The path, or how it was made.</param>
/// <param name="Format">The format.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Lines">Its lines.</param>
/// <param name="Rows">The floors, then the questions in order.</param>
public sealed record LogBenchInputResult(string Source, string Format, long Bytes, long Lines, IReadOnlyList<LogBenchRow> Rows)
{
    /// <summary>The row of a contestant; null when it was not measured.</summary>
    public LogBenchRow? Find(string question, string who) => Rows.FirstOrDefault(r => r.Question == question && r.Who == who);

    /// <summary>Times as fast as another row; null without one.</summary>
    public double? Ratio(LogBenchRow row, string question, string who)
    {
        ArgumentNullException.ThrowIfNull(row);
        return Find(question, who) is LogBenchRow other && row != other ? (double)other.Elapsed.Median / row.Elapsed.Median : null;
    }

    /// <summary>The part of the speed of the index floor that a row has; null without the floor.</summary>
    public double? OfIndex(LogBenchRow row) => Ratio(row, LogBenchRow.Floor, "index");

    /// <summary>Times as fast as the plain state machine; null without it.</summary>
    public double? OverScalar(LogBenchRow row) => Ratio(row, LogBenchRow.Floor, "scalar");

    /// <summary>Times as fast as the managed backend asked the same; null without it.</summary>
    public double? OverManaged(LogBenchRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return Ratio(row, row.Question, CoreBackends.ManagedName);
    }
}

/// <summary>One contestant: the same work, measured several times.</summary>
public sealed record LogBenchRow
{
    /// <summary>The question of floors.</summary>
    public const string Floor = "floor";

    /// <summary>A spread from here on is worth a warning, as a part of the median.</summary>
    public const double NoisySpread = 0.20;

    /// <summary>Who a row of several workers is of.</summary>
    public static string WithWorkers(string backend, int workers) => $"{backend}, {workers} workers";

    /// <summary>The name of the question, or <see cref="Floor"/>.</summary>
    public required string Question { get; init; }

    /// <summary>The question as one would type it.</summary>
    public required string Text { get; init; }

    /// <summary>The backend, the floor or the program.</summary>
    public required string Who { get; init; }

    /// <summary>The kernel that ran; null where none did.</summary>
    public required string? Kernel { get; init; }

    /// <summary>Wall time of the whole work.</summary>
    public required LogBenchSpread Elapsed { get; init; }

    /// <summary>CPU time, of all threads; of another program in steps of 10 ms.</summary>
    public required LogBenchSpread Cpu { get; init; }

    /// <summary>Most memory resident in any run; null where it is not known.</summary>
    public required long? PeakBytes { get; init; }

    /// <summary>Bytes allocated on the managed heap; null for another program.</summary>
    public required long? AllocatedBytes { get; init; }

    /// <summary>Calls that crossed the boundary.</summary>
    public required long Crossings { get; init; }

    /// <summary>False when the answer is another than that of the backends, which only a foreign program is allowed.</summary>
    public required bool Agrees { get; init; }
}

/// <summary>Several measurements of the same.</summary>
/// <param name="Median">The median; the lower of two.</param>
/// <param name="Min">The least.</param>
/// <param name="Max">The most.</param>
public readonly record struct LogBenchSpread(long Median, long Min, long Max)
{
    /// <summary>From the least to the most, as a part of the median.</summary>
    public double Relative => Median == 0 ? 0 : (double)(Max - Min) / Median;

    /// <summary>Of at least one value.</summary>
    public static LogBenchSpread Of(IEnumerable<long> values)
    {
        long[] sorted = [.. values.Order()];
        return new LogBenchSpread(sorted[(sorted.Length - 1) / 2], sorted[0], sorted[^1]);
    }
}
