using CoreIO.Log.Bench;

namespace CoreIO.Mq.Bench;

/// <summary>What a bench of queues measured, and where.</summary>
public sealed record MqBenchResult
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

    /// <summary>The load of the last minute before and after the bench, as /proc/loadavg tells, its own part included.</summary>
    public required string Load { get; init; }

    /// <summary>The CPU of the first side, and that of its peer.</summary>
    public required IReadOnlyList<int> Cpus { get; init; }

    /// <summary>Messages of a run.</summary>
    public required int Count { get; init; }

    /// <summary>Rounds that were measured.</summary>
    public required int Repeats { get; init; }

    /// <summary>Messages a POSIX queue of the bench held.</summary>
    public required long PosixDepth { get; init; }

    /// <summary>Bytes a System V queue of the bench held.</summary>
    public required long SysVBytes { get; init; }

    /// <summary>What was left out, and why.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>A row for each contestant.</summary>
    public required IReadOnlyList<MqBenchRow> Rows { get; init; }

    /// <summary>The row of the same work, transport and size by somebody else; null without one.</summary>
    public MqBenchRow? Find(MqBenchRow row, string who)
    {
        ArgumentNullException.ThrowIfNull(row);
        return Rows.FirstOrDefault(other => other != row && other.Work == row.Work && other.Transport == row.Transport && other.Size == row.Size
            && other.Who == who);
    }

    /// <summary>The bare futex hand-over; null without it.</summary>
    public MqBenchRow? Futex => Rows.FirstOrDefault(row => row.Work == MqBenchWork.RoundTrip && row.Transport == MqBenchRow.NoTransport);
}

/// <summary>What is done with messages.</summary>
public enum MqBenchWork
{
    /// <summary>One thread sends a message and receives it.</summary>
    Pair = 0,

    /// <summary>There and back between two CPUs; both sides block.</summary>
    RoundTrip = 1,

    /// <summary>There and back between two CPUs; both sides try again and again before they block.</summary>
    Spin = 2,

    /// <summary>From one CPU to the other, a message a call.</summary>
    OneWay = 3,

    /// <summary>From one CPU to the other, many messages a call.</summary>
    Batch = 4,
}

/// <summary>One contestant: the same work, measured several times.</summary>
public sealed record MqBenchRow
{
    /// <summary>The plain calls of the C library, in C.</summary>
    public const string Floor = "C floor";

    /// <summary>The transport of a hand-over without one.</summary>
    public const string NoTransport = "futex";

    /// <summary>What is done.</summary>
    public required MqBenchWork Work { get; init; }

    /// <summary><c>posix</c>, <c>sysv</c>, <c>pipe</c>, <c>seqpacket</c>, <c>channel</c>, <c>futex</c>.</summary>
    public required string Transport { get; init; }

    /// <summary>Bytes of a message; 0 where there is none.</summary>
    public required int Size { get; init; }

    /// <summary>The backend, the floor, or <c>.NET</c>.</summary>
    public required string Who { get; init; }

    /// <summary>Whether one process is both sides.</summary>
    public required bool IsOneProcess { get; init; }

    /// <summary>Picoseconds of a pair, a round trip or a message: one way the mean of a run, else its median.</summary>
    public required LogBenchSpread Ps { get; init; }

    /// <summary>Picoseconds that 99 of 100 do not exceed; null one way.</summary>
    public required LogBenchSpread? P99Ps { get; init; }

    /// <summary>Bytes this side allocated on the managed heap for a thousand messages; null in C.</summary>
    public required long? AllocatedPerThousand { get; init; }

    /// <summary>Crossings of the boundary of this side for a thousand messages.</summary>
    public required long CrossingsPerThousand { get; init; }
}
