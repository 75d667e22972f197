// Topology from /sys/devices/system, affinity from the kernel, instruction sets from the runtime.
//
// A number that /sys does not tell is -1. Reading is done anew at each call: CPUs come and go.
using System.Globalization;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using CoreIO.Cpu;

namespace CoreIO.Managed.Cpu;

internal sealed class ManagedCpu : ICpuBackend
{
    /// <summary>The largest CPU number that can be pinned to, plus one.</summary>
    internal const int Limit = 4096;

    private const string Root = "/sys/devices/system/cpu";

    public CpuFeatures Features { get; } = Detect();

    public IReadOnlyList<CpuCore> Topology()
    {
        HashSet<int> allowed = [.. Allowed()];
        List<CpuCore> cores = [];
        foreach (int cpu in ReadList($"{Root}/online"))
        {
            string folder = $"{Root}/cpu{cpu}";
            cores.Add(new CpuCore(
                cpu,
                ReadNumber($"{folder}/topology/core_id"),
                ReadNumber($"{folder}/topology/physical_package_id"),
                Node(folder),
                allowed.Contains(cpu),
                MaxMhz(folder),
                CacheKiB(folder, 2),
                CacheKiB(folder, 3)));
        }

        return cores;
    }

    public IReadOnlyList<int> Allowed()
    {
        Span<byte> mask = stackalloc byte[Limit / 8];
        int status = Libc.GetAffinity(mask);
        if (status < 0)
        {
            throw new CoreIOException(status, "sched_getaffinity");
        }

        List<int> cpus = [];
        for (int cpu = 0; cpu < Limit; cpu++)
        {
            if ((mask[cpu >> 3] >> (cpu & 7) & 1) != 0)
            {
                cpus.Add(cpu);
            }
        }

        return cpus;
    }

    public CpuPlace Pin(int cpu)
    {
        if (cpu is < 0 or >= Limit)
        {
            throw new CoreIOException(StatusCode.Cpu, $"CPU {cpu}");
        }

        Span<byte> mask = stackalloc byte[Limit / 8];
        mask.Clear();
        mask[cpu >> 3] = (byte)(1 << (cpu & 7));
        int status = Libc.SetAffinity(mask);
        if (status < 0)
        {
            // EINVAL is the kernel's word for a CPU that does not exist or that the cpuset forbids.
            throw new CoreIOException(status == StatusCode.InvalidArgument ? StatusCode.Cpu : status, $"CPU {cpu}");
        }

        return Where();
    }

    public CpuPlace Where()
    {
        Libc.GetCpu(out uint cpu, out uint node);
        return new CpuPlace(Libc.GetThreadId(), (int)cpu, (int)node, Allowed().Count == 1);
    }

    private static CpuFeatures Detect()
    {
        CpuFeatures features = CpuFeatures.None;
        features |= Sse2.IsSupported ? CpuFeatures.Sse2 : 0;
        features |= Sse42.IsSupported ? CpuFeatures.Sse42 : 0;
        features |= Pclmulqdq.IsSupported ? CpuFeatures.Pclmul : 0;
        features |= Avx2.IsSupported ? CpuFeatures.Avx2 : 0;
        features |= Bmi2.IsSupported ? CpuFeatures.Bmi2 : 0;
        features |= Avx512BW.VL.IsSupported && Avx512F.VL.IsSupported ? CpuFeatures.Avx512BW : 0;
        features |= Avx512Vbmi2.IsSupported ? CpuFeatures.Avx512Vbmi2 : 0;
        features |= AdvSimd.IsSupported ? CpuFeatures.Neon : 0;
        return features;
    }

    /// <summary>Reads a list as the kernel writes it: <c>0-3,8,10-11</c>.</summary>
    private static List<int> ReadList(string path)
    {
        List<int> numbers = [];
        foreach (string range in (ReadText(path) ?? string.Empty).Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = range.Split('-');
            if (int.TryParse(ends[0], CultureInfo.InvariantCulture, out int first)
                && int.TryParse(ends[^1], CultureInfo.InvariantCulture, out int last))
            {
                for (int i = first; i <= last; i++)
                {
                    numbers.Add(i);
                }
            }
        }

        return numbers;
    }

    private static int Node(string folder)
    {
        if (Directory.Exists(folder))
        {
            foreach (string path in Directory.EnumerateFileSystemEntries(folder, "node*"))
            {
                if (int.TryParse(Path.GetFileName(path).AsSpan(4), CultureInfo.InvariantCulture, out int node))
                {
                    return node;
                }
            }
        }

        return -1;
    }

    private static int MaxMhz(string folder)
    {
        int kilohertz = ReadNumber($"{folder}/cpufreq/cpuinfo_max_freq");
        return kilohertz < 0 ? -1 : kilohertz / 1000;
    }

    private static int CacheKiB(string folder, int level)
    {
        for (int index = 0; ; index++)
        {
            string cache = $"{folder}/cache/index{index}";
            int found = ReadNumber($"{cache}/level");
            if (found < 0)
            {
                return -1;
            }

            if (found == level && ReadText($"{cache}/type") != "Instruction")
            {
                string size = ReadText($"{cache}/size") ?? string.Empty;
                bool mebibytes = size.EndsWith('M');
                return int.TryParse(size.TrimEnd('K', 'M'), CultureInfo.InvariantCulture, out int number)
                    ? (mebibytes ? number * 1024 : number)
                    : -1;
            }
        }
    }

    private static int ReadNumber(string path) =>
        int.TryParse(ReadText(path), CultureInfo.InvariantCulture, out int number) ? number : -1;

    private static string? ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
