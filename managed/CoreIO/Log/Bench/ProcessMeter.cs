// What this process takes: CPU time, memory, bytes allocated, as Linux and the runtime tell. What cannot be told is null.
using System.Globalization;
using System.Runtime.CompilerServices;

namespace CoreIO.Log.Bench;

internal static class ProcessMeter
{
    // The unit of the times in /proc/PID/stat, on every Linux that .NET runs on.
    private const long NsPerTick = 10_000_000;

    // Fields of /proc/PID/stat behind the command's name, which may hold anything: cutime and cstime.
    private const int ChildUserField = 13;
    private const int ChildSystemField = 14;

    /// <summary>CPU time of all threads, user and system.</summary>
    public static long CpuNs => (long)(Environment.CpuUsage.TotalTime.Ticks * 100);

    /// <summary>CPU time of children that have ended.</summary>
    public static long ChildrenCpuNs
    {
        get
        {
            string text = File.ReadAllText("/proc/self/stat");
            string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (long.Parse(fields[ChildUserField], CultureInfo.InvariantCulture) + long.Parse(fields[ChildSystemField], CultureInfo.InvariantCulture))
                * NsPerTick;
        }
    }

    /// <summary>Most memory that was resident since <see cref="ResetPeak"/>, or since the start where that cannot be done.</summary>
    public static long? PeakBytes()
    {
        foreach (string line in File.ReadLines("/proc/self/status"))
        {
            // VmHWM:     12345 kB
            if (line.StartsWith("VmHWM:", StringComparison.Ordinal))
            {
                return long.Parse(line[6..^2], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture) * 1024;
            }
        }

        return null;
    }

    /// <summary>Makes the peak begin anew; false where the kernel does not allow it.</summary>
    public static bool ResetPeak()
    {
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Leaves no garbage of the last run to the next one.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void CollectGarbage()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    /// <summary>The CPU as it names itself.</summary>
    public static string CpuModel()
    {
        try
        {
            string? line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal));
            return line is null ? "unknown CPU" : line[(line.IndexOf(':') + 1)..].Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "unknown CPU";
        }
    }
}
