// Who is measured. A run gives picoseconds of one pair, round trip or message, and what this side took for it.
using System.Diagnostics;

namespace CoreIO.Mq.Bench;

/// <summary>What a run gave.</summary>
/// <param name="Ps">Picoseconds of one: one way the mean, else the median.</param>
/// <param name="P99Ps">What 99 of 100 do not exceed; null one way.</param>
/// <param name="Messages">That this side sent, the warm-up included.</param>
/// <param name="Allocated">Bytes that this side's thread allocated for a thousand messages; null in C.</param>
internal readonly record struct MqBenchRun(long Ps, long? P99Ps, long Messages, long? Allocated);

internal abstract class MqBenchContestant(MqBenchWork work, string transport, int size, string who)
{
    public MqBenchWork Work { get; } = work;

    public string Transport { get; } = transport;

    public int Size { get; } = size;

    public string Who { get; } = who;

    /// <summary>Whose crossings count; null for none.</summary>
    public ICoreBackend? Backend { get; init; }

    public virtual bool IsOneProcess => true;

    public abstract MqBenchRun Run(int count);

    /// <summary>Messages that go before those that are timed: caches, branch predictors and the peer's code get warm.</summary>
    protected static int WarmUpOf(int count) => Math.Max(1, count / 10);

    protected static long Ps(long ticks, long count) => (long)((double)ticks / Stopwatch.Frequency * 1e12 / count);

    /// <summary>This side's part of round trips.</summary>
    protected static MqBenchRun RoundTrips(MqBenchTransport end, byte[] message, int count)
    {
        Trips(end, message, new long[WarmUpOf(count)]);
        long[] ticks = new long[count];
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Trips(end, message, ticks);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Array.Sort(ticks);
        return new MqBenchRun(Ps(ticks[count / 2], 1), Ps(ticks[(int)(count * 0.99)], 1), count + WarmUpOf(count), allocated * 1000 / count);
    }

    /// <summary>This side's part of messages one way: until the peer says that it has them all.</summary>
    protected static MqBenchRun OneWay(MqBenchTransport end, byte[] message, int count, bool batches)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count;)
        {
            if (batches)
            {
                i += end.SendBatch(count - i);
            }
            else
            {
                end.Send(message);
                i++;
            }
        }

        end.Receive(message);
        long ticks = Stopwatch.GetTimestamp() - start;
        return new MqBenchRun(Ps(ticks, count), null, count, (GC.GetAllocatedBytesForCurrentThread() - allocated) * 1000 / count);
    }

    private static void Trips(MqBenchTransport end, byte[] message, long[] ticks)
    {
        for (int i = 0; i < ticks.Length; i++)
        {
            long start = Stopwatch.GetTimestamp();
            end.Send(message);
            end.Receive(message);
            ticks[i] = Stopwatch.GetTimestamp() - start;
        }
    }
}

/// <summary>The plain calls in C, by processes of their own.</summary>
internal sealed class MqBenchFloor(MqBenchWork work, MqFloorWork floor, MqFamily family, string transport, int size, IMqFloors floors, int[] cpus)
    : MqBenchContestant(work, transport, size, MqBenchRow.Floor)
{
    public override bool IsOneProcess => Work == MqBenchWork.Pair;

    public override MqBenchRun Run(int count)
    {
        int status = floors.Run(floor, family, Size, count, cpus[0], cpus[^1], out MqFloorResult result);
        if (status < 0)
        {
            throw new CoreIOException(status, $"{Work} of {Transport} in C");
        }

        return Work == MqBenchWork.OneWay
            ? new MqBenchRun(result.ElapsedNs * 1000 / Math.Max(1, result.Count), null, result.Count, null)
            : new MqBenchRun(result.MedianNs * 1000, result.P99Ns * 1000, result.Count, null);
    }
}

/// <summary>A thread that sends a message and receives it. Timed in slices, as the floor is, so that what else runs here spoils a few alone.</summary>
internal sealed class MqBenchPair(string transport, int size, string who, Func<MqBenchTransport> open)
    : MqBenchContestant(MqBenchWork.Pair, transport, size, who)
{
    // As in native/src/mq/floor.c: one pair is too short for the clock.
    private const int PairsASlice = 64;

    public override MqBenchRun Run(int count)
    {
        using MqBenchTransport both = open();
        byte[] message = new byte[Size];
        int slices = (count + PairsASlice - 1) / PairsASlice;
        int warmUp = WarmUpOf(slices);
        Pairs(both, message, new long[warmUp]);
        long[] ticks = new long[slices];
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Pairs(both, message, ticks);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Array.Sort(ticks);
        return new MqBenchRun(
            Ps(ticks[slices / 2], PairsASlice), Ps(ticks[(int)(slices * 0.99)], PairsASlice), (slices + warmUp) * PairsASlice,
            allocated * 1000 / (slices * PairsASlice));
    }

    private static void Pairs(MqBenchTransport both, byte[] message, long[] ticks)
    {
        for (int slice = 0; slice < ticks.Length; slice++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < PairsASlice; i++)
            {
                both.Send(message);
                both.Receive(message);
            }

            ticks[slice] = Stopwatch.GetTimestamp() - start;
        }
    }
}

/// <summary>This process and its peer.</summary>
/// <param name="work">What is done.</param>
/// <param name="transport">Through what.</param>
/// <param name="size">Bytes of a message.</param>
/// <param name="who">The backend, or .NET.</param>
/// <param name="peer">The other process.</param>
/// <param name="backendName">The peer's backend.</param>
/// <param name="open">Makes the way, lets the peer join by its address, and gives this end.</param>
internal sealed class MqBenchTwoProcesses(MqBenchWork work, string transport, int size, string who, MqBenchPeerProcess peer, string backendName,
    Func<Action<string>, MqBenchTransport> open)
    : MqBenchContestant(work, transport, size, who)
{
    public override bool IsOneProcess => false;

    public override MqBenchRun Run(int count)
    {
        bool trips = Work is MqBenchWork.RoundTrip or MqBenchWork.Spin;
        int all = trips ? count + WarmUpOf(count) : count;
        using MqBenchTransport end = open(address => peer.Begin(new MqBenchPeer.Task(Work, Transport, backendName, address, Size, all)));
        byte[] message = new byte[Size];
        MqBenchRun run = trips ? RoundTrips(end, message, count) : OneWay(end, message, count, Work == MqBenchWork.Batch);
        peer.End();
        return run;
    }
}

/// <summary>Two pinned threads of this process with a System.Threading.Channel each way, for a channel reaches no other process.</summary>
internal sealed class MqBenchChannels(MqBenchWork work, int size, ICoreBackend pins, int peerCpu)
    : MqBenchContestant(work, MqBenchTransport.Channel, size, ".NET")
{
    public override MqBenchRun Run(int count)
    {
        bool trips = Work == MqBenchWork.RoundTrip;
        MqBenchChannel[] ends = MqBenchChannel.CreatePair();
        byte[] message = new byte[Size];
        MqBenchPeer.Task task = new(Work, Transport, Who, "-", Size, trips ? count + WarmUpOf(count) : count);
        Thread peer = new(() =>
        {
            _ = pins.Cpu.Pin(peerCpu);
            MqBenchPeer.Do(task, ends[1], new byte[Size]);
        })
        { Name = "coreio-bench-peer", IsBackground = true };
        peer.Start();
        MqBenchRun run = trips ? RoundTrips(ends[0], message, count) : OneWay(ends[0], message, count, batches: false);
        peer.Join();
        return run;
    }
}
