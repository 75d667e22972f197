using CoreIO.Cpu;
using CoreIO.Interop;

namespace CoreIO.Native;

/// <summary>The machine as <c>coreio/cpu.h</c> shows it.</summary>
internal sealed unsafe class NativeCpu : ICpuBackend
{
    public CpuFeatures Features
    {
        get
        {
            ulong features;
            Status.Check(LibCoreIO.coreio_cpu_features(&features), "CPU features");
            return (CpuFeatures)features;
        }
    }

    public IReadOnlyList<CpuCore> Topology()
    {
        // A CPU may come online between two calls, so the answer is taken only when it fits.
        for (int capacity = 64; ; capacity = Math.Max(capacity * 2, LibCoreIO.COREIO_CPU_LIMIT))
        {
            coreio_cpu_core[] cores = new coreio_cpu_core[capacity];
            int count;
            fixed (coreio_cpu_core* start = cores)
            {
                count = Status.Check(LibCoreIO.coreio_cpu_topology(start, capacity), "CPU topology");
            }

            if (count <= capacity)
            {
                return Array.ConvertAll(
                    cores[..count],
                    static c => new CpuCore(c.cpu, c.core, c.package, c.node, c.allowed != 0, c.max_mhz, c.l2_kib, c.l3_kib));
            }
        }
    }

    public IReadOnlyList<int> Allowed()
    {
        for (int capacity = 64; ; capacity = Math.Max(capacity * 2, LibCoreIO.COREIO_CPU_LIMIT))
        {
            int[] cpus = new int[capacity];
            int count;
            fixed (int* start = cpus)
            {
                count = Status.Check(LibCoreIO.coreio_cpu_allowed(start, capacity), "allowed CPUs");
            }

            if (count <= capacity)
            {
                return cpus[..count];
            }
        }
    }

    public CpuPlace Pin(int cpu)
    {
        // To C a negative number is a wrong argument; to a user it is a CPU that is not there, like any other.
        if (cpu < 0)
        {
            throw new CoreIOException(StatusCode.Cpu, $"CPU {cpu}");
        }

        coreio_cpu_place place;
        Status.Check(LibCoreIO.coreio_cpu_pin(cpu, &place), $"CPU {cpu}");
        return ToPlace(place);
    }

    public CpuPlace Where()
    {
        coreio_cpu_place place;
        Status.Check(LibCoreIO.coreio_cpu_where(&place), "this thread's CPU");
        return ToPlace(place);
    }

    private static CpuPlace ToPlace(in coreio_cpu_place place) => new(place.thread_id, place.cpu, place.node, place.pinned != 0);
}
