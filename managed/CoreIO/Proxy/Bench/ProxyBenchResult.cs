using CoreIO.Log.Bench;

namespace CoreIO.Proxy.Bench;

/// <summary>What a bench of proxies measured, and where.</summary>
public sealed record ProxyBenchResult
{
    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The CPU as it names itself.</summary>
    public required string Machine { get; init; }

    /// <summary>CPUs of the machine.</summary>
    public required int MachineCpus { get; init; }

    /// <summary>Operating system and runtime.</summary>
    public required string Software { get; init; }

    /// <summary>The kernel's release.</summary>
    public required string Kernel { get; init; }

    /// <summary>The load of the last minute before and after the bench, its own part included.</summary>
    public required string Load { get; init; }

    /// <summary>The system's congestion control.</summary>
    public required string Congestion { get; init; }

    /// <summary>Whether CPU time was told in ns; else in ticks of 10 ms.</summary>
    public required bool CpuIsExact { get; init; }

    /// <summary>How long each measurement lasted, in ns.</summary>
    public required long TimeNs { get; init; }

    /// <summary>Rounds that were measured.</summary>
    public required int Repeats { get; init; }

    /// <summary>Who took part, in the order of the tables.</summary>
    public required IReadOnlyList<ProxyBenchParty> Contestants { get; init; }

    /// <summary>Who was asked for and could not take part, and why.</summary>
    public required IReadOnlyList<ProxyBenchParty> Absent { get; init; }

    /// <summary>What a reader must know.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>A row for each work, congestion control and contestant.</summary>
    public required IReadOnlyList<ProxyBenchRow> Rows { get; init; }

    /// <summary>The cost of a row as a part of that of the managed backend; null without both.</summary>
    public double? OfManaged(ProxyBenchRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return Ratio(row, Beside(row).Where(other => other.Who == CoreBackends.ManagedName));
    }

    /// <summary>The cost of a row as a part of the least of the other proxies, which are no backends; null without both.</summary>
    public double? OfBestOther(ProxyBenchRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return row.IsBackend ? Ratio(row, Beside(row).Where(other => !other.IsBackend)) : null;
    }

    private IEnumerable<ProxyBenchRow> Beside(ProxyBenchRow row) =>
        Rows.Where(other => other.Who != row.Who && other.Work == row.Work && other.Congestion == row.Congestion);

    private static double? Ratio(ProxyBenchRow row, IEnumerable<ProxyBenchRow> others)
    {
        long least = others.Select(other => other.Cost?.Median ?? 0).Where(cost => cost > 0).DefaultIfEmpty(0).Min();
        return row.Cost is LogBenchSpread cost && least > 0 ? (double)cost.Median / least : null;
    }
}

/// <summary>A contestant.</summary>
/// <param name="Name">As in <c>--contestants</c>.</param>
/// <param name="Text">Its version, or why it is absent.</param>
public sealed record ProxyBenchParty(string Name, string Text);

/// <summary>One contestant: the same work, measured several times.</summary>
public sealed record ProxyBenchRow
{
    /// <summary>The contestant without a proxy.</summary>
    public const string Direct = "direct";

    /// <summary>What is done.</summary>
    public required string Work { get; init; }

    /// <summary>The congestion control of bulk; null for other work.</summary>
    public required string? Congestion { get; init; }

    /// <summary>The contestant.</summary>
    public required string Who { get; init; }

    /// <summary>What failed; then there are no figures. Null for nothing.</summary>
    public string? Fault { get; init; }

    /// <summary>Bytes of bulk, requests or echoed bytes that were sent, in all rounds together.</summary>
    public long Sent { get; init; }

    /// <summary>Those that arrived, or were replied to: as many, or it is a fault.</summary>
    public long Received { get; init; }

    /// <summary>CPU time of the contestant in ns: for a GB (10^9 bytes) of bulk, for a request or connection, for a second of idling. Null for direct.</summary>
    public LogBenchSpread? CpuNs { get; init; }

    /// <summary>Bytes, requests or connections a second; null where nothing is asked.</summary>
    public LogBenchSpread? PerSecond { get; init; }

    /// <summary>Half of the requests, or connections, took no longer.</summary>
    public LogBenchSpread? P50Ns { get; init; }

    /// <summary>99 of 100 took no longer.</summary>
    public LogBenchSpread? P99Ns { get; init; }

    /// <summary>Memory resident for each idle connection.</summary>
    public LogBenchSpread? BytesPerConnection { get; init; }

    /// <summary>Memory resident before there were any.</summary>
    public LogBenchSpread? BaseBytes { get; init; }

    /// <summary>Connections that are held.</summary>
    public int? Connections { get; init; }

    /// <summary>Connections of the worker that had the most.</summary>
    public LogBenchSpread? Busiest { get; init; }

    /// <summary>Connections of each worker in the last round, the most first; threads that had none are left out.</summary>
    public IReadOnlyList<int>? WorkerConnections { get; init; }

    /// <summary>Connections that no single thread had in the last round; with most of them there are no workers to speak of.</summary>
    public int? SharedConnections { get; init; }

    /// <summary>Whether it is this program, with one of its backends.</summary>
    public bool IsBackend => Who is CoreBackends.NativeName or CoreBackends.ManagedName;

    /// <summary>What is compared; less is better.</summary>
    public LogBenchSpread? Cost => Busiest ?? BytesPerConnection ?? CpuNs;
}
