// One bench: its queues, its contestants, its rounds.
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using CoreIO.Log.Bench;

namespace CoreIO.Mq.Bench;

internal sealed class MqBenchSession : IDisposable
{
    private const string DotNet = ".NET";

    // A blocking round trip takes some twenty times as long as a pair.
    private const int RoundTripShare = 10;

    private const long PosixDepth = 10;

    private readonly MqBenchOptions _options;
    private readonly int[] _cpus;
    private readonly MqBenchPeerProcess? _peer;
    private readonly ICoreBackend[] _backends = [.. CoreBackends.Available.Select(info => info.Backend).OfType<ICoreBackend>()];
    private readonly List<SysVMessageQueue> _ids = [];
    private readonly List<string> _notes = [];
    private readonly long _depth;
    private readonly long _messageMost;
    private readonly SysVInfo _sysV;
    private int _names;

    public MqBenchSession(MqBenchOptions options, int[] cpus, MqBenchPeerProcess? peer)
    {
        _options = options;
        _cpus = cpus;
        _peer = peer;
        _depth = Math.Min(PosixDepth, KernelNumbers.Posix("msg_max") ?? PosixDepth);
        _messageMost = KernelNumbers.Posix("msgsize_max") ?? 8192;
        _sysV = SysVMessageQueue.Limits(_backends[0]);
    }

    public MqBenchResult Run(CancellationToken cancel)
    {
        DateTimeOffset startedAt = DateTimeOffset.UtcNow;
        string load = LoadNow();
        _ = _backends[0].Cpu.Pin(_cpus[0]);
        List<MqBenchTrial> trials = [.. Contestants().Select(contestant => new MqBenchTrial(contestant))];
        int rounds = 0;
        long began = Stopwatch.GetTimestamp();
        for (int round = -1; round < _options.Repeats && !cancel.IsCancellationRequested; round++)
        {
            if (round > 0 && Stopwatch.GetElapsedTime(began) > _options.Time)
            {
                _notes.Add($"ended after {round} of {_options.Repeats} rounds: the time was over");
                break;
            }

            foreach (MqBenchTrial trial in OrderOf(trials, round))
            {
                if (cancel.IsCancellationRequested)
                {
                    break;
                }

                _options.Progress?.Invoke($"{(round < 0 ? "warming up" : $"round {round + 1} of {_options.Repeats}")}: {trial.Contestant.Transport} {trial.Contestant.Who}");
                bool blocks = trial.Contestant.Work == MqBenchWork.RoundTrip;
                int count = Math.Max(1, blocks ? _options.Count / RoundTripShare : _options.Count);
                trial.Run(round < 0 ? Math.Max(1, count / 4) : count, keep: round >= 0);
            }

            rounds = round + 1;
        }

        return new MqBenchResult
        {
            StartedAt = startedAt,
            Machine = ProcessMeter.CpuModel(),
            MachineCpus = _backends[0].Cpu.Topology().Count,
            Software = $"{RuntimeInformation.OSDescription.Split('#')[0].Trim()}, {RuntimeInformation.FrameworkDescription}",
            Kernel = ProcText.FirstLine("/proc/sys/kernel/osrelease") ?? "unknown",
            Load = $"{load}, {LoadNow()}",
            Cpus = _cpus,
            Count = _options.Count,
            Repeats = rounds,
            PosixDepth = _depth,
            SysVBytes = _sysV.Mnb,
            Notes = _notes,
            Rows = [.. trials.Where(trial => trial.HasRun).Select(trial => trial.Row)],
        };
    }

    public void Dispose()
    {
        foreach (SysVMessageQueue queue in _ids.ToArray())
        {
            Remove(queue);
        }
    }

    // Work by work, each in an order of its own that is drawn anew for each round, the same in every bench: how long a CPU of a virtual machine
    // takes to wake depends on what ran before, by a tenth, so none is to have a neighbour or an end of the row for good.
    private static IEnumerable<MqBenchTrial> OrderOf(List<MqBenchTrial> trials, int round)
    {
        Random random = new(round + 1);
        foreach (IGrouping<MqBenchWork, MqBenchTrial> work in trials.GroupBy(trial => trial.Contestant.Work))
        {
            MqBenchTrial[] order = [.. work];
            random.Shuffle(order);
            foreach (MqBenchTrial trial in order)
            {
                yield return trial;
            }
        }
    }

    private static string LoadNow() => (ProcText.FirstLine("/proc/loadavg") ?? "unknown").Split(' ')[0];

    private List<MqBenchContestant> Contestants()
    {
        List<MqBenchContestant> all = [];
        IMqFloors? floors = _backends.Select(backend => backend.Mq.Floors).FirstOrDefault(found => found is not null);
        if (floors is null)
        {
            _notes.Add("no floors in C and no crossings: the native backend is not here");
        }
        else
        {
            all.Add(new MqBenchFloor(MqBenchWork.RoundTrip, MqFloorWork.Futex, MqFamily.None, MqBenchRow.NoTransport, 0, floors, _cpus));
        }

        if (_peer is null)
        {
            _notes.Add("no second process: only pairs, floors and channels are measured");
        }

        if (_cpus[0] == _cpus[1])
        {
            _notes.Add("both sides share one CPU: spinning and rates say little");
        }

        foreach (int size in _options.Sizes)
        {
            AddFamily(all, MqFamily.Posix, MqBenchTransport.Posix, size, floors, size <= _messageMost, "fs.mqueue.msgsize_max");
            AddFamily(all, MqFamily.SysV, MqBenchTransport.SysV, size, floors, size <= _sysV.Max, "kernel.msgmax");
            AddOthers(all, size);
        }

        return all;
    }

    private void AddFamily(List<MqBenchContestant> all, MqFamily family, string transport, int size, IMqFloors? floors, bool fits, string limit)
    {
        if (!fits)
        {
            _notes.Add($"{transport} at {size} bytes is left out: {limit} is smaller");
            return;
        }

        foreach ((MqBenchWork work, MqFloorWork floor) in ((MqBenchWork, MqFloorWork)[])
            [(MqBenchWork.Pair, MqFloorWork.Pair), (MqBenchWork.RoundTrip, MqFloorWork.RoundTrip), (MqBenchWork.Spin, MqFloorWork.Spin),
             (MqBenchWork.OneWay, MqFloorWork.OneWay), (MqBenchWork.Batch, default)])
        {
            if (floors is not null && floor != default)
            {
                all.Add(new MqBenchFloor(work, floor, family, transport, size, floors, _cpus));
            }

            foreach (ICoreBackend backend in _backends)
            {
                if (work == MqBenchWork.Pair)
                {
                    all.Add(new MqBenchPair(transport, size, backend.Name, () => OpenLoop(family, backend, size)) { Backend = backend });
                }
                else if (_peer is not null)
                {
                    TimeSpan spin = work == MqBenchWork.Spin ? MqBench.Spin : TimeSpan.Zero;
                    all.Add(new MqBenchTwoProcesses(work, transport, size, backend.Name, _peer, backend.Name,
                        begin => Open(family, backend, size, spin, begin))
                    { Backend = backend });
                }
            }
        }
    }

    private void AddOthers(List<MqBenchContestant> all, int size)
    {
        all.Add(new MqBenchPair(MqBenchTransport.Channel, size, DotNet, MqBenchChannel.CreateLoop));
        foreach (MqBenchWork work in (MqBenchWork[])[MqBenchWork.RoundTrip, MqBenchWork.OneWay])
        {
            if (_peer is not null)
            {
                all.Add(new MqBenchTwoProcesses(work, MqBenchTransport.Pipe, size, DotNet, _peer, CoreBackends.ManagedName, OpenPipe));
                all.Add(new MqBenchTwoProcesses(work, MqBenchTransport.SeqPacket, size, DotNet, _peer, CoreBackends.ManagedName, OpenSocket));
            }

            all.Add(new MqBenchChannels(work, size, _backends[0], _cpus[1]));
        }
    }

    private MqBenchTransport OpenLoop(MqFamily family, ICoreBackend backend, int size)
    {
        if (family == MqFamily.SysV)
        {
            SysVMessageQueue queue = Create(backend);
            return new MqBenchSysV(queue, queue, size, TimeSpan.Zero, () => Remove(queue));
        }

        PosixMessageQueue both = Create(backend, size, out string name);
        PosixMessageQueue.Unlink(name, backend);
        return new MqBenchPosix(both, both, size, TimeSpan.Zero);
    }

    private MqBenchTransport Open(MqFamily family, ICoreBackend backend, int size, TimeSpan spin, Action<string> begin)
    {
        if (family == MqFamily.SysV)
        {
            SysVMessageQueue there = Create(backend);
            SysVMessageQueue back = Create(backend);
            MqBenchTransport end = new MqBenchSysV(there, back, size, spin, () =>
            {
                Remove(there);
                Remove(back);
            });
            begin(string.Create(CultureInfo.InvariantCulture, $"{there.Id},{back.Id}"));
            return end;
        }

        PosixMessageQueue output = Create(backend, size, out string outName);
        PosixMessageQueue input = Create(backend, size, out string inName);
        try
        {
            begin($"{outName},{inName}");
        }
        finally
        {
            PosixMessageQueue.Unlink(outName, backend);
            PosixMessageQueue.Unlink(inName, backend);
        }

        return new MqBenchPosix(output, input, size, spin);
    }

    private static MqBenchPipe OpenPipe(Action<string> begin)
    {
        MqBenchPipe pipe = MqBenchPipe.Create(out string address);
        begin(address);
        return pipe;
    }

    private static MqBenchSocket OpenSocket(Action<string> begin)
    {
        using Socket listener = MqBenchSocket.Listen(out string address);
        // The peer connects before it says that it is ready: the listener holds the connection until it is accepted.
        begin(address);
        return new MqBenchSocket(listener.Accept());
    }

    private PosixMessageQueue Create(ICoreBackend backend, int size, out string name)
    {
        name = string.Create(CultureInfo.InvariantCulture, $"/coreio-bench-{Environment.ProcessId}-{_names++}");
        return PosixMessageQueue.Create(name, new PosixQueueOptions { MaxMessages = _depth, MessageSize = size }, backend);
    }

    private SysVMessageQueue Create(ICoreBackend backend)
    {
        SysVMessageQueue queue = SysVMessageQueue.CreatePrivate(backend: backend);
        lock (_ids)
        {
            _ids.Add(queue);
        }

        return queue;
    }

    private void Remove(SysVMessageQueue queue)
    {
        lock (_ids)
        {
            if (_ids.Remove(queue))
            {
                queue.Remove();
            }
        }
    }
}
