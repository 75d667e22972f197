namespace CoreIO.Mq;

/// <summary>The two families of message queues.</summary>
public enum MqFamily
{
    /// <summary>No queue at all.</summary>
    None = 0,

    /// <summary>POSIX queues.</summary>
    Posix = 1,

    /// <summary>System V queues.</summary>
    SysV = 2,
}

/// <summary>What a floor does, with the calls of the C library and nothing around them.</summary>
public enum MqFloorWork
{
    /// <summary>One process sends a message and receives it.</summary>
    Pair = 1,

    /// <summary>A process sends, another answers; both block.</summary>
    RoundTrip = 2,

    /// <summary>The same with receives that do not block, made again and again.</summary>
    Spin = 3,

    /// <summary>A process sends, another receives; both block.</summary>
    OneWay = 4,

    /// <summary>Two processes that sleep wake each other by futex(2), and no queue is there.</summary>
    Futex = 5,
}

/// <summary>What a floor took.</summary>
/// <param name="Count">Pairs, round trips or messages that were timed.</param>
/// <param name="ElapsedNs">All of them.</param>
/// <param name="MinNs">The shortest of them.</param>
/// <param name="MedianNs">The median of them.</param>
/// <param name="P99Ns">99 of 100 take no longer.</param>
/// <param name="MaxNs">The longest of them.</param>
public readonly record struct MqFloorResult(long Count, long ElapsedNs, long MinNs, long MedianNs, long P99Ns, long MaxNs);

/// <summary>Runs floors: what a measured figure is held against. Any thread.</summary>
public interface IMqFloors
{
    /// <summary>Does bounded work in one or two child processes of its own, in one crossing; 0 or <c>-errno</c>.</summary>
    /// <param name="work">What is done.</param>
    /// <param name="family">Through which queues.</param>
    /// <param name="messageBytes">Bytes of a message.</param>
    /// <param name="count">How often.</param>
    /// <param name="cpu">Where the first process is pinned; -1 for anywhere.</param>
    /// <param name="peerCpu">Where the second is.</param>
    /// <param name="result">What it took.</param>
    int Run(MqFloorWork work, MqFamily family, int messageBytes, int count, int cpu, int peerCpu, out MqFloorResult result);
}
