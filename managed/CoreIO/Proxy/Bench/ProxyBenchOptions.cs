using System.Diagnostics;

namespace CoreIO.Proxy.Bench;

/// <summary>What a bench of proxies measures, and how long.</summary>
public sealed record ProxyBenchOptions
{
    /// <summary>Starts this program: <c>proxy</c> and its options follow. Null leaves the backends out.</summary>
    public ProcessStartInfo? Program { get; init; }

    /// <summary>Who is measured, see <see cref="ProxyBench.Contestants"/>; empty for all that are installed.</summary>
    public IReadOnlyList<string> Contestants { get; init; } = [];

    /// <summary>Names of works, see <see cref="ProxyBenchWork.All"/>; empty for all.</summary>
    public IReadOnlyList<string> Works { get; init; } = [];

    /// <summary>Congestion controls for bulk; empty for the system's, and reno where it may be had.</summary>
    public IReadOnlyList<string> Congestion { get; init; } = [];

    /// <summary>How long each measurement lasts.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>Measured runs of each contestant.</summary>
    public int Repeats { get; init; } = 3;

    /// <summary>Idle connections; null for 4000, or what the limit of descriptors allows.</summary>
    public int? Connections { get; init; }

    /// <summary>Is told what is being measured.</summary>
    public Action<string>? Progress { get; init; }
}
