// The limits of this process and this machine that matter to CoreIO, read from /proc and the cgroup, each with how to change it. A value
// that cannot be read is null: a container may hide it, and that is no fault.
using System.Globalization;
using System.Numerics;

namespace CoreIO.Cli.Show;

/// <summary>A limit.</summary>
/// <param name="Name">What scripts call it.</param>
/// <param name="Value">Its value as the kernel writes it; null when it cannot be read.</param>
/// <param name="For">What it limits.</param>
/// <param name="Change">How to change it.</param>
internal sealed record Limit(string Name, string? Value, string For, string Change);

internal static class Limits
{
    private static readonly (int Bit, string Name, string For)[] Capabilities =
    [
        (10, "CAP_NET_BIND_SERVICE", "listening below port 1024"),
        (12, "CAP_NET_ADMIN", "transparent proxying"),
        (13, "CAP_NET_RAW", "sending from a client's address"),
        (23, "CAP_SYS_NICE", "real-time priorities"),
        (24, "CAP_SYS_RESOURCE", "raising limits of message queues and files"),
    ];

    public static IReadOnlyList<Limit> Read(string root = "")
    {
        Dictionary<string, string> process = ProcessLimits(root);
        List<Limit> limits =
        [
            new("open_files", process.GetValueOrDefault("Max open files"), "files and sockets open at once (soft / hard)",
                "ulimit -n 65536, LimitNOFILE= in a systemd unit, nofile in /etc/security/limits.conf"),
            new("msgqueue_bytes", process.GetValueOrDefault("Max msgqueue size"), "bytes in POSIX queues of a user (soft / hard)",
                "ulimit -q BYTES, LimitMSGQUEUE= in a systemd unit"),
            Sysctl(root, "fs.mqueue.msg_max", "messages in a POSIX queue"),
            Sysctl(root, "fs.mqueue.msgsize_max", "bytes in a message of a POSIX queue"),
            Sysctl(root, "fs.mqueue.queues_max", "POSIX queues in this IPC namespace"),
            Sysctl(root, "kernel.msgmni", "System V queues in this IPC namespace"),
            Sysctl(root, "kernel.msgmnb", "bytes in a System V queue"),
            Sysctl(root, "kernel.msgmax", "bytes in a System V message"),
            .. Cgroup(root),
        ];
        return limits;
    }

    /// <summary>Which of the capabilities that matter this process has; null when that cannot be read.</summary>
    public static IReadOnlyList<(string Name, string For, bool Has)>? ReadCapabilities(string root = "")
    {
        string? line = Lines(root + "/proc/self/status").FirstOrDefault(l => l.StartsWith("CapEff:", StringComparison.Ordinal));
        return line is not null && BigInteger.TryParse("0" + line[7..].Trim(), NumberStyles.HexNumber, null, out BigInteger mask)
            ? [.. Capabilities.Select(c => (c.Name, c.For, !((mask >> c.Bit) & 1).IsZero))]
            : null;
    }

    private static Limit Sysctl(string root, string name, string what) =>
        new(name, Lines($"{root}/proc/sys/{name.Replace('.', '/')}").FirstOrDefault(),
            what, $"sysctl -w {name}=N, and a file in /etc/sysctl.d to keep it");

    // "Max open files    1024    1048576    files": the columns stand apart by two spaces or more.
    private static Dictionary<string, string> ProcessLimits(string root)
    {
        Dictionary<string, string> limits = [];
        foreach (string line in Lines(root + "/proc/self/limits").Skip(1))
        {
            string[] parts = line.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (parts.Length >= 3)
            {
                limits[parts[0]] = $"{parts[1]} / {parts[2]}";
            }
        }

        return limits;
    }

    // The limit that binds is the tightest on the way up; the one of the process's own group is shown, with its path.
    private static IEnumerable<Limit> Cgroup(string root)
    {
        string? v2 = Lines(root + "/proc/self/cgroup").FirstOrDefault(l => l.StartsWith("0::", StringComparison.Ordinal))?[3..];
        string? cpu = null;
        string? memory = null;
        for (string path = v2 ?? "/"; cpu is null or "max 100000" || memory is null or "max"; path = Path.GetDirectoryName(path) ?? "/")
        {
            string folder = $"{root}/sys/fs/cgroup{path.TrimEnd('/')}";
            cpu = Tighter(cpu, Lines(folder + "/cpu.max").FirstOrDefault(), "max 100000");
            memory = Tighter(memory, Lines(folder + "/memory.max").FirstOrDefault(), "max");
            if (path == "/")
            {
                break;
            }
        }

        // Version 1 keeps a folder for each controller.
        string? quota = Lines(root + "/sys/fs/cgroup/cpu/cpu.cfs_quota_us").FirstOrDefault();
        string? period = Lines(root + "/sys/fs/cgroup/cpu/cpu.cfs_period_us").FirstOrDefault();
        cpu ??= quota is null or "-1" ? quota is null ? null : "max" : $"{quota} {period}";
        memory ??= Lines(root + "/sys/fs/cgroup/memory/memory.limit_in_bytes").FirstOrDefault();
        // Version 1 writes no limit as the largest number of whole pages.
        memory = long.TryParse(memory, out long bytes) && bytes > long.MaxValue / 2 ? "max" : memory;
        yield return new("cgroup_cpu",
            cpu, "CPU time in microseconds for each period", "CPUQuota= in a systemd unit, --cpus of a container");
        yield return new("cgroup_memory", memory, "bytes of memory", "MemoryMax= in a systemd unit, --memory of a container");
    }

    private static string? Tighter(string? before, string? now, string none) => before is null || before == none ? now ?? before : before;

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
