using System.Diagnostics;

namespace CoreIO.Mq.Bench;

/// <summary>What a bench of queues measures, and how long.</summary>
public sealed record MqBenchOptions
{
    /// <summary>Bytes of the messages, each measured for itself.</summary>
    public IReadOnlyList<int> Sizes { get; init; } = [64, 1024, 8192];

    /// <summary>Messages of a run; a run of blocking round trips has a tenth of them.</summary>
    public int Count { get; init; } = 20_000;

    /// <summary>Measured runs of each contestant.</summary>
    public int Repeats { get; init; } = 5;

    /// <summary>No round is begun after this long, once one is measured.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The CPU of the first side and that of its peer; empty for the first two that are allowed.</summary>
    public IReadOnlyList<int> Cpus { get; init; } = [];

    /// <summary>
    /// Starts this program so that it calls <see cref="MqBenchPeer.Run"/>, with standard input and output redirected: the other process. Null
    /// leaves out everything that takes two processes.
    /// </summary>
    public ProcessStartInfo? Peer { get; init; }

    /// <summary>Is told what is being measured.</summary>
    public Action<string>? Progress { get; init; }
}
