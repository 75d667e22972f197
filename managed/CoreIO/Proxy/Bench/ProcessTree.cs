// What a process takes with all its descendants: HAProxy is threads, nginx a master with workers, socat a child for each connection.
//
// CPU time is read from the CPU clock of each process (clock_getcpuclockid(3)), which counts in nanoseconds, threads that have ended included, and
// what softirqs do in the name of the process, where the kernel accounts it so. Where there is no such clock it is utime + stime of /proc/PID/stat, in ticks of
// 10 ms. Children that were waited for are in ticks in any case (cutime + cstime).
using System.Globalization;

namespace CoreIO.Proxy.Bench;

internal sealed class ProcessTree(int root)
{
    private const long NsPerTick = 10_000_000;

    // Fields of /proc/PID/stat behind the name of the command, which may hold anything.
    private const int ParentField = 1;
    private const int UserField = 11;
    private const int SystemField = 12;
    private const int ChildUserField = 13;
    private const int ChildSystemField = 14;
    private const int StartField = 19;

    /// <summary>Whether CPU time is told in ns here.</summary>
    public static bool HasClock { get; } = LoadSockets.ProcessCpuNs(Environment.ProcessId) > 0;

    // When each process that was ever seen began: numbers are given again, and a descendant may outlive the root.
    private readonly Dictionary<int, long> _seen = new() { [root] = StartOf(root) ?? 0 };

    /// <summary>The process and its descendants; none once it is gone.</summary>
    public IReadOnlyList<int> Pids()
    {
        if (!IsAlive(root))
        {
            return [];
        }

        ILookup<long, (int Pid, long Start)> children = Directory.EnumerateDirectories("/proc")
            .Select(path => int.TryParse(Path.GetFileName(path.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int pid) ? pid : 0)
            .Where(pid => pid > 0)
            .Select(pid => (Pid: pid, Fields: Stat($"/proc/{pid}/stat")))
            .Where(entry => entry.Fields is not null)
            .ToLookup(entry => entry.Fields![ParentField], entry => (entry.Pid, entry.Fields![StartField]));
        List<int> all = [root];
        for (int i = 0; i < all.Count; i++)
        {
            foreach ((int pid, long start) in children[all[i]])
            {
                all.Add(pid);
                _seen[pid] = start;
            }
        }

        return all;
    }

    /// <summary>Descendants that were seen at any time and still run, also those whose parent has gone.</summary>
    public IEnumerable<int> Survivors() => _seen.Keys.Where(pid => pid != root && IsAlive(pid));

    /// <summary>
    /// CPU time of processes, user and system, also of children that have ended. To list the processes takes longer than to read their clocks,
    /// so it is done before.
    /// </summary>
    public static long CpuNs(IReadOnlyList<int> pids)
    {
        long sum = 0;

        // Children first: one that ends meanwhile is then found with its parent.
        for (int i = pids.Count - 1; i >= 0; i--)
        {
            long own = LoadSockets.ProcessCpuNs(pids[i]);
            long[]? fields = Stat($"/proc/{pids[i]}/stat");
            if (own < 0 && fields is not null)
            {
                own = (fields[UserField] + fields[SystemField]) * NsPerTick;
            }

            sum += Math.Max(0, own) + (fields is null ? 0 : (fields[ChildUserField] + fields[ChildSystemField]) * NsPerTick);
        }

        return sum;
    }

    /// <summary>Memory that is resident, of all processes together.</summary>
    public long ResidentBytes() => Pids().Sum(pid => Kilobytes($"/proc/{pid}/smaps_rollup", "Rss:") ?? Kilobytes($"/proc/{pid}/status", "VmRSS:") ?? 0) * 1024;

    /// <summary>CPU time of each thread by now, by its identifier.</summary>
    public IReadOnlyDictionary<int, long> ThreadCpuNs()
    {
        Dictionary<int, long> times = [];
        foreach (int pid in Pids())
        {
            foreach (string thread in ProcText.Names($"/proc/{pid}/task"))
            {
                string folder = $"/proc/{pid}/task/{thread}";
                long[]? fields = null;
                long? ns = ProcText.FirstLine($"{folder}/schedstat") is string line && long.TryParse(line.AsSpan(0, line.IndexOf(' ')), out long exact) ? exact
                    : (fields = Stat($"{folder}/stat")) is null ? null : (fields[UserField] + fields[SystemField]) * NsPerTick;
                if (ns is long known && int.TryParse(thread, NumberStyles.None, CultureInfo.InvariantCulture, out int id))
                {
                    times[id] = known;
                }
            }
        }

        return times;
    }

    private bool IsAlive(int pid) => StartOf(pid) is long start && start == _seen[pid];

    private static long? StartOf(int pid) => Stat($"/proc/{pid}/stat")?[StartField];

    // The fields that are numbers; null for a process that is gone. The first, its state, is a letter.
    private static long[]? Stat(string path)
    {
        if (ProcText.FirstLine(path) is not string text)
        {
            return null;
        }

        string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        return [.. fields.Select(field => long.TryParse(field, CultureInfo.InvariantCulture, out long number) ? number : 0)];
    }

    private static long? Kilobytes(string path, string name)
    {
        string? line = ProcText.Lines(path).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
        return line is null ? null
            : long.Parse(line[name.Length..^2], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
    }
}
