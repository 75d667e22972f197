// Limits of the kernel as numbers for the texts of errors; -1 where one cannot be read. Read when something failed, never before.
using System.Globalization;

namespace CoreIO.Mq;

internal static class KernelNumbers
{
    /// <summary>A limit of POSIX queues in this IPC namespace: <c>msg_max</c>, <c>msg_default</c>, <c>queues_max</c>, ...</summary>
    internal static long Posix(string name) => Read("/proc/sys/fs/mqueue/" + name);

    /// <summary>A limit of System V queues in this IPC namespace: <c>msgmax</c>, <c>msgmnb</c>, <c>msgmni</c>.</summary>
    internal static long SysV(string name) => Read("/proc/sys/kernel/" + name);

    /// <summary>A limit of epoll for this user: <c>max_user_watches</c>.</summary>
    internal static long Epoll(string name) => Read("/proc/sys/fs/epoll/" + name);

    /// <summary>The soft limit of bytes in POSIX queues of this user, RLIMIT_MSGQUEUE, in words.</summary>
    internal static string QueueBytes() => OfProcess("Max msgqueue size");

    /// <summary>The soft limit of open descriptors, RLIMIT_NOFILE, in words.</summary>
    internal static string OpenFiles() => OfProcess("Max open files");

    private static long Read(string path)
    {
        try
        {
            return long.TryParse(File.ReadAllText(path), CultureInfo.InvariantCulture, out long value) ? value : -1;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return -1;
        }
    }

    // "Max msgqueue size         819200               819200               bytes"
    private static string OfProcess(string name)
    {
        try
        {
            string? line = File.ReadLines("/proc/self/limits").FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
            return line?[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0] ?? "unknown";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "unknown";
        }
    }
}
