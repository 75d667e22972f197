// One run: a contestant between the two sides of the load, for one work.
//
// A measurement is an interval in the middle of the load: after a warm-up, which lets the runtime of .NET compile what is hot and windows open,
// and before the end. Then nothing new is begun, what is under way arrives, and what was sent is compared with what came.
using System.Diagnostics;

namespace CoreIO.Proxy.Bench;

/// <summary>What a run gave; see <see cref="ProxyBenchRow"/>.</summary>
internal sealed record ProxyBenchFigures
{
    public long Sent { get; init; }

    public long Received { get; init; }

    public long? CpuNs { get; init; }

    public long? PerSecond { get; init; }

    public long? P50Ns { get; init; }

    public long? P99Ns { get; init; }

    public long? BytesPerConnection { get; init; }

    public long? BaseBytes { get; init; }

    public int? Connections { get; init; }

    public IReadOnlyList<int>? WorkerConnections { get; init; }

    public int? SharedConnections { get; init; }
}

internal sealed class ProxyBenchRun(
    ProxyBenchContestant contestant, ProxyBenchWork work, string? congestion, TimeSpan time, int connections, string folder, CancellationToken cancel)
{
    private const double BytesOfGB = 1e9;
    private const int FirstConnections = 64;

    // Of the CPU time that a connection takes: what the thread that has it spends at least.
    private const double OwnShare = 0.66;

    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan TalkTime = TimeSpan.FromMilliseconds(15);

    /// <summary>Whether the sockets of the contestant could be given the congestion control, too.</summary>
    public bool HasCongestion { get; private set; } = true;

    public ProxyBenchFigures Run() => work.IsBulk ? Bulk() : work.Name == ProxyBenchWork.Spread ? Spread() : work.IsHeld ? Idle() : Requests();

    /// <summary>Starts it and lets one byte through: whether it can take part at all.</summary>
    public void Try()
    {
        using LoadReplies upstream = new(LoadExchange.Echo, closes: false);
        upstream.Start();
        using ProxyBenchChild? child = Start(upstream.Port, 1, out int port);
        using LoadHeld held = new(port);
        held.Open(1, _ => child?.Check());
    }

    private ProxyBenchFigures Bulk()
    {
        using LoadSink upstream = new(congestion);
        upstream.Start();
        using ProxyBenchChild? child = Start(upstream.Port, work.Connections, out int port);
        using LoadBulk clients = new(port, work.Connections, congestion);
        clients.Start();
        Wait(Patience, "nothing came through", () => upstream.Accepted == work.Connections && upstream.Received > 0, child, upstream, clients);
        if (congestion is not null && child is not null)
        {
            HasCongestion = child.SetCongestion(congestion);
        }

        Watch(WarmUp, child, upstream, clients);
        Interval interval = Measure(() => upstream.Received, child, upstream, clients);
        clients.End();
        Wait(Patience, "the clients do not end", () => clients.Ended.IsSet, child, upstream, clients);
        try
        {
            Wait(Patience, "", () => upstream.Received == clients.Sent, child, upstream, clients);
        }
        catch (TimeoutException)
        {
            throw new ProxyBenchFault($"{clients.Sent} bytes were sent and {upstream.Received} arrived");
        }

        return new ProxyBenchFigures
        {
            Sent = clients.Sent,
            Received = upstream.Received,
            CpuNs = interval.CpuFor(BytesOfGB),
            PerSecond = interval.PerSecond,
        };
    }

    private ProxyBenchFigures Requests()
    {
        using LoadReplies upstream = new(work.Exchange!, work.Closes);
        upstream.Start();
        using ProxyBenchChild? child = Start(upstream.Port, work.Connections, out int port);
        using LoadRequests clients = new(port, work.Connections, work.Exchange!, work.Closes);
        clients.Start();
        Wait(Patience, "no reply came", () => clients.Completed > 0, child, upstream, clients);
        Watch(WarmUp, child, upstream, clients);
        clients.Records = true;
        Interval interval = Measure(() => clients.Completed, child, upstream, clients);
        clients.Records = false;
        clients.End();
        Wait(Patience, "replies are missing", () => clients.Ended.IsSet, child, upstream, clients);
        if (clients.Sent != upstream.Requests || clients.Sent != clients.Completed)
        {
            throw new ProxyBenchFault($"{clients.Sent} requests were sent, {upstream.Requests} arrived, {clients.Completed} were replied to");
        }

        return new ProxyBenchFigures
        {
            Sent = clients.Sent,
            Received = clients.Completed,
            CpuNs = interval.CpuFor(1),
            PerSecond = interval.PerSecond,
            P50Ns = clients.Times.Percentile(50),
            P99Ns = clients.Times.Percentile(99),
        };
    }

    private ProxyBenchFigures Idle()
    {
        using LoadReplies upstream = new(work.Exchange!, closes: false);
        upstream.Start();
        using ProxyBenchChild child = Start(upstream.Port, connections, out int port)!;

        // What the first connections take for good is no part of what each one takes.
        using (LoadHeld first = new(port))
        {
            first.Open(Math.Min(FirstConnections, connections), _ => Check(child, upstream));
        }

        Watch(Rest, child, upstream);
        long before = child.Tree.ResidentBytes();
        using LoadHeld held = new(port);
        long requestsBefore = upstream.Requests;
        held.Open(connections, _ => Check(child, upstream));
        Watch(Rest, child, upstream);
        long after = child.Tree.ResidentBytes();
        Interval interval = Measure(() => 0, child, upstream);
        long arrived = upstream.Requests - requestsBefore;
        if (arrived != held.Sent || held.Received != held.Sent)
        {
            throw new ProxyBenchFault($"{held.Sent} bytes were sent, {arrived} arrived, {held.Received} came back");
        }

        if (after <= before)
        {
            throw new ProxyBenchFault("its memory did not grow: it gave some back meanwhile, so there is no figure");
        }

        return new ProxyBenchFigures
        {
            Sent = held.Sent,
            Received = held.Received,
            Connections = held.Count,
            BaseBytes = before,
            BytesPerConnection = (after - before) / held.Count,
            CpuNs = (long)((interval.CpuNs ?? 0) / interval.Time.TotalSeconds),
        };
    }

    // Whose a connection is, is seen from outside, the same way for everybody: one talks, and the thread whose CPU time grows has it. Where
    // several threads do the work of one connection, as with .NET's own sockets, it is nobody's. All talk once before, for compilers to be done.
    private ProxyBenchFigures Spread()
    {
        using LoadReplies upstream = new(work.Exchange!, closes: false);
        upstream.Start();
        using ProxyBenchChild child = Start(upstream.Port, work.Connections, out int port)!;
        using LoadHeld held = new(port);
        held.Open(work.Connections, _ => Check(child, upstream));
        Watch(Rest, child, upstream);
        Dictionary<int, int> byThread = [];
        int shared = 0;
        for (int i = 0; i < 2 * held.Count; i++)
        {
            Check(child, upstream);
            IReadOnlyDictionary<int, long> before = child.Tree.ThreadCpuNs();
            held.Talk(i % held.Count, TalkTime);
            (int Thread, long Ns)[] grown = [.. child.Tree.ThreadCpuNs().Select(t => (t.Key, t.Value - before.GetValueOrDefault(t.Key)))];
            (int thread, long most) = grown.MaxBy(t => t.Ns);
            if (most <= 0)
            {
                throw new ProxyBenchFault("the kernel tells no CPU times of its threads, so whose a connection is cannot be seen");
            }

            if (i >= held.Count)
            {
                shared += most < OwnShare * grown.Sum(t => t.Ns) ? 1 : 0;
                byThread[thread] = byThread.GetValueOrDefault(thread) + 1;
            }
        }

        if (held.Received != held.Sent || upstream.Requests != held.Sent)
        {
            throw new ProxyBenchFault($"{held.Sent} bytes were sent, {upstream.Requests} arrived, {held.Received} came back");
        }

        return new ProxyBenchFigures
        {
            Sent = held.Sent,
            Received = held.Received,
            Connections = held.Count,
            WorkerConnections = shared > held.Count / 2 ? null : [.. byThread.Values.OrderDescending()],
            SharedConnections = shared,
        };
    }

    private TimeSpan WarmUp => time < TimeSpan.FromSeconds(1) ? time / 2 : TimeSpan.FromSeconds(0.5);

    private ProxyBenchChild? Start(int upstream, int most, out int port)
    {
        port = LoadSockets.FreePort();
        if (contestant.Command(new ProxyBenchTask(work, port, upstream, most, folder)) is ProcessStartInfo start)
        {
            return ProxyBenchChild.Start(start, port, cancel);
        }

        port = upstream;
        return null;
    }

    private Interval Measure(Func<long> units, ProxyBenchChild? child, params LoadSide[] sides)
    {
        long cpu = child is null ? 0 : ProcessTree.CpuNs(child.Tree.Pids());
        long began = Stopwatch.GetTimestamp();
        long count = units();
        Watch(time, child, sides);
        IReadOnlyList<int> pids = child?.Tree.Pids() ?? [];
        count = units() - count;
        TimeSpan elapsed = Stopwatch.GetElapsedTime(began);
        long? spent = child is null ? null : ProcessTree.CpuNs(pids) - cpu;
        if (spent < 0)
        {
            throw new ProxyBenchFault("a process of it ended in the middle");
        }

        return count > 0 || sides.Length < 2 ? new Interval(elapsed, count, spent) : throw new ProxyBenchFault("nothing came through");
    }

    private void Watch(TimeSpan during, ProxyBenchChild? child, params LoadSide[] sides)
    {
        long began = Stopwatch.GetTimestamp();
        for (TimeSpan left = during; left > TimeSpan.Zero; left = during - Stopwatch.GetElapsedTime(began))
        {
            Check(child, sides);
            _ = cancel.WaitHandle.WaitOne(left < Slice ? left : Slice);
        }

        Check(child, sides);
    }

    private void Wait(TimeSpan most, string otherwise, Func<bool> until, ProxyBenchChild? child, params LoadSide[] sides)
    {
        long began = Stopwatch.GetTimestamp();
        while (!until())
        {
            Check(child, sides);
            if (Stopwatch.GetElapsedTime(began) > most)
            {
                throw otherwise.Length == 0 ? new TimeoutException() : new ProxyBenchFault($"{otherwise} within {most.TotalSeconds} s");
            }

            _ = cancel.WaitHandle.WaitOne(1);
        }
    }

    private void Check(ProxyBenchChild? child, params LoadSide[] sides)
    {
        cancel.ThrowIfCancellationRequested();
        child?.Check();
        foreach (LoadSide side in sides)
        {
            if (side.Fault is Exception fault)
            {
                throw fault is ProxyBenchFault known ? new ProxyBenchFault(known.Message) : new ProxyBenchFault($"{fault.GetType().Name}: {fault.Message}");
            }
        }
    }

    private readonly record struct Interval(TimeSpan Time, long Count, long? CpuNs)
    {
        public long PerSecond => (long)(Count / Time.TotalSeconds);

        public long? CpuFor(double units) => CpuNs is long cpu ? (long)(cpu * units / Count) : null;
    }
}
