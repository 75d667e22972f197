// Measures proxies: both backends, and what else is installed, through the same load, in turn in one run. The load is made here, by two
// threads of this process on event loops; each contestant is a process of its own, started anew for each run.
//
// Load and contestant share the machine, so the CPU time of the contestant for one unit of work is what compares; rates and latencies
// stand beside it. The order within a round turns round from one to the next.
using System.Globalization;
using System.Runtime.InteropServices;
using CoreIO.Log.Bench;

namespace CoreIO.Proxy.Bench;

/// <summary>Runs benches of proxies.</summary>
public static class ProxyBench
{
    private const string Reno = "reno";
    private const int IdleConnections = 4000;
    private const int ReadableByAll = 0x1ED;

    // Descriptors that a process needs beside its connections: runtimes, listeners, pipes.
    private const int OtherDescriptors = 1000;

    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(300);

    /// <summary>Names of those who can take part.</summary>
    public static IReadOnlyList<string> Contestants => ProxyBenchContestant.Names;

    /// <summary>Runs the bench and returns what was measured. Blocks.</summary>
    /// <exception cref="ProxyBenchException">It cannot be run as asked.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancel"/> ended it; nothing is left behind.</exception>
    public static ProxyBenchResult Run(ProxyBenchOptions options, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        DateTimeOffset startedAt = DateTimeOffset.UtcNow;
        string load = LoadNow();
        string system = ProcText.FirstLine("/proc/sys/net/ipv4/tcp_congestion_control") ?? "unknown";
        IReadOnlyList<ProxyBenchWork> works = WorksOf(options);
        IReadOnlyList<string> congestion = CongestionOf(options, system);
        int connections = ConnectionsOf(options);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("coreio-bench-");
        try
        {
            // Programs that give up their rights read it, too.
            ProxySockets.ChangeMode(folder.FullName, ReadableByAll);
            List<ProxyBenchParty> absent = [];
            ProxyBenchRun Of(ProxyBenchContestant contestant, ProxyBenchWork work, string? name, TimeSpan time) =>
                new(contestant, work, name == system ? null : name, time, connections, folder.FullName, cancel);

            List<ProxyBenchContestant> contestants = [.. Present(options, absent, c => Of(c, ProxyBenchWork.Find("http")!, null, WarmUp))];
            List<string> notes = [];
            ProxyBenchTrial[] trials =
            [
                .. from work in works
                   from name in work.IsBulk ? congestion : (IEnumerable<string?>)[null]
                   from contestant in contestants
                   where contestant.TakesPart(work)
                   select new ProxyBenchTrial(contestant, work, name),
            ];
            WarmUpLoad(works, options, work => Of(new DirectContestant(), work, null, WarmUp));
            Rounds(options, trials, notes, trial => Of(trial.Contestant, trial.Work, trial.Congestion, options.Time));
            return new ProxyBenchResult
            {
                StartedAt = startedAt,
                Machine = ProcessMeter.CpuModel(),
                MachineCpus = Environment.ProcessorCount,
                Software = $"{RuntimeInformation.OSDescription.Split('#')[0].Trim()}, {RuntimeInformation.FrameworkDescription}",
                Kernel = ProcText.FirstLine("/proc/sys/kernel/osrelease") ?? "unknown",
                Load = $"{load}, {LoadNow()}",
                Congestion = system,
                CpuIsExact = ProcessTree.HasClock,
                TimeNs = (long)options.Time.TotalNanoseconds,
                Repeats = options.Repeats,
                Contestants = [.. contestants.Select(contestant => new ProxyBenchParty(contestant.Name, contestant.Version))],
                Absent = absent,
                Notes = notes,
                Rows = [.. trials.Where(trial => trial.HasRun).Select(trial => trial.Row)],
            };
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string LoadNow() => (ProcText.FirstLine("/proc/loadavg") ?? "unknown").Split(' ')[0];

    private static IReadOnlyList<ProxyBenchWork> WorksOf(ProxyBenchOptions options) => options.Works.Count == 0 ? ProxyBenchWork.All
        : [.. options.Works.Select(name => ProxyBenchWork.Find(name) ?? throw new ProxyBenchException($"there is no work '{name}'"))];

    private static IReadOnlyList<string> CongestionOf(ProxyBenchOptions options, string system)
    {
        if (options.Congestion.Count == 0)
        {
            return system != Reno && LoadSockets.TryCongestion(Reno) >= 0 ? [system, Reno] : [system];
        }

        foreach (string name in options.Congestion.Where(name => name != system))
        {
            int status = LoadSockets.TryCongestion(name);
            if (status < 0)
            {
                string allowed = ProcText.FirstLine("/proc/sys/net/ipv4/tcp_allowed_congestion_control") ?? system;
                throw new ProxyBenchException($"congestion control '{name}': {(status == StatusCode.NoEntry ? "the kernel has none of this name" : StatusCode.Describe(status))}; "
                    + $"to be had: {allowed.Replace(" ", ", ", StringComparison.Ordinal)}");
            }
        }

        return [.. options.Congestion.Distinct()];
    }

    // Both ends of each connection are in this process, and the other two in that of the contestant.
    private static int ConnectionsOf(ProxyBenchOptions options)
    {
        // The runtime has raised the soft limit to the hard one; children inherit it.
        string? line = ProcText.Lines("/proc/self/limits").FirstOrDefault(l => l.StartsWith("Max open files", StringComparison.Ordinal));
        string soft = line?["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0] ?? "unlimited";
        long most = long.TryParse(soft, CultureInfo.InvariantCulture, out long limit) ? Math.Max(1, (limit - OtherDescriptors) / 2) : int.MaxValue;
        return options.Connections is not int asked ? (int)Math.Min(IdleConnections, most)
            : asked <= most ? asked
            : throw new ProxyBenchException($"{asked} connections take {(2L * asked) + OtherDescriptors} descriptors and there are {limit}: at most {most}, or raise 'ulimit -n'");
    }

    // Each is started once: what cannot run at all is said once, with its own words.
    private static IEnumerable<ProxyBenchContestant> Present(ProxyBenchOptions options, List<ProxyBenchParty> absent, Func<ProxyBenchContestant, ProxyBenchRun> run)
    {
        foreach (string name in ProxyBenchContestant.Names.Where(name => options.Contestants.Count == 0 || options.Contestants.Contains(name)))
        {
            ProxyBenchContestant? contestant = null;
            try
            {
                options.Progress?.Invoke($"starting {name}");
                contestant = ProxyBenchContestant.Find(name, options.Program);
                run(contestant).Try();
            }
            catch (ProxyBenchFault e)
            {
                absent.Add(new ProxyBenchParty(name, e.Message));
                contestant = null;
            }

            if (contestant is not null)
            {
                yield return contestant;
            }
        }
    }

    // The code of the load itself is compiled before the first one is measured with it.
    private static void WarmUpLoad(IReadOnlyList<ProxyBenchWork> works, ProxyBenchOptions options, Func<ProxyBenchWork, ProxyBenchRun> run)
    {
        foreach (ProxyBenchWork work in works.Where(work => !work.IsHeld))
        {
            options.Progress?.Invoke($"warming up: {work.Name}");
            try
            {
                _ = run(work).Run();
            }
            catch (ProxyBenchFault)
            {
                // It is told when it is measured.
            }
        }
    }

    private static void Rounds(ProxyBenchOptions options, ProxyBenchTrial[] trials, List<string> notes, Func<ProxyBenchTrial, ProxyBenchRun> run)
    {
        SortedSet<string> without = new(StringComparer.Ordinal);
        for (int round = 0; round < options.Repeats; round++)
        {
            foreach (ProxyBenchTrial trial in round % 2 == 0 ? trials : Enumerable.Reverse(trials))
            {
                if (trial.HasFailed)
                {
                    continue;
                }

                options.Progress?.Invoke($"round {round + 1} of {options.Repeats}: {trial.Work.Name} {trial.Congestion} {trial.Contestant.Name}");
                ProcessMeter.CollectGarbage();
                ProxyBenchRun one = run(trial);
                trial.Run(one.Run);
                if (!one.HasCongestion)
                {
                    without.Add(trial.Contestant.Name);
                }
            }
        }

        if (without.Count > 0)
        {
            notes.Add($"{string.Join(", ", without)}: the congestion control was set for the sockets of the load alone, "
                + "for those of another process may not be changed here");
        }
    }
}
