namespace CoreIO.Log.Bench;

/// <summary>What is measured, and how.</summary>
public sealed record LogBenchOptions
{
    /// <summary>The file; null to make one for each of <see cref="Formats"/>.</summary>
    public string? Path { get; init; }

    /// <summary>The format of the file, or the formats inputs are made of (see <see cref="LogBenchInput.Formats"/>).</summary>
    public IReadOnlyList<string> Formats { get; init; } = LogBenchInput.Formats;

    /// <summary>Bytes of an input that is made.</summary>
    public long InputBytes { get; init; } = 256L << 20;

    /// <summary>The seed of an input that is made.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Where an input is made.</summary>
    public string Directory { get; init; } = System.IO.Path.GetTempPath();

    /// <summary>Measured runs of each contestant, after the warm-up.</summary>
    public int Repeats { get; init; } = 5;

    /// <summary>Worker threads of a scan; with more than one, each question is asked of one worker as well.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>CPUs the workers are pinned to; the first is also that of all work on one thread. Empty for the first ones allowed.</summary>
    public IReadOnlyList<int> Cpus { get; init; } = [];

    /// <summary>Names of questions (see <see cref="LogBenchQuestion.All"/>); null for those that suit the format.</summary>
    public IReadOnlyList<string>? Questions { get; init; }

    /// <summary>The tables of the default report of a format, which the command line knows; null leaves that question out.</summary>
    public Func<ILogFormat, IReadOnlyList<LogReportTableOptions>>? Overview { get; init; }

    /// <summary>Told what is being done, for a person who waits.</summary>
    public Action<string>? Progress { get; init; }
}
