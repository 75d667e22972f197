// Limits of the kernel as numbers; null where one cannot be read. Read when somebody asks or something failed, never before.
namespace CoreIO.Mq;

internal static class KernelNumbers
{
    /// <summary>A limit of POSIX queues in this IPC namespace: <c>msg_max</c>, <c>msg_default</c>, <c>queues_max</c>, ...</summary>
    internal static long? Posix(string name) => ProcText.Number("/proc/sys/fs/mqueue/" + name);

    /// <summary>A limit of System V queues in this IPC namespace: <c>msgmax</c>, <c>msgmnb</c>, <c>msgmni</c>.</summary>
    internal static long? SysV(string name) => ProcText.Number("/proc/sys/kernel/" + name);

    /// <summary>A limit of epoll for this user: <c>max_user_watches</c>.</summary>
    internal static long? Epoll(string name) => ProcText.Number("/proc/sys/fs/epoll/" + name);

    /// <summary>Bytes in POSIX queues of this user, RLIMIT_MSGQUEUE, soft and hard, in words: a number, or <c>unlimited</c>.</summary>
    internal static (string Soft, string Hard)? QueueBytes() => OfProcess("Max msgqueue size");

    /// <summary>Open descriptors, RLIMIT_NOFILE, soft and hard, in words.</summary>
    internal static (string Soft, string Hard)? OpenFiles() => OfProcess("Max open files");

    // "Max msgqueue size         819200               819200               bytes"
    private static (string Soft, string Hard)? OfProcess(string name) =>
        ProcText.Lines("/proc/self/limits").FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) is string line
        && line[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is [string soft, string hard, ..] ? (soft, hard) : null;
}
