namespace CoreIO.Cpu;

/// <summary>The machine as the kernel shows it.</summary>
public interface ICpuBackend
{
    /// <summary>Instruction sets that both the CPU and the operating system support.</summary>
    CpuFeatures Features { get; }

    /// <summary>The online CPUs, in ascending order.</summary>
    IReadOnlyList<CpuCore> Topology();

    /// <summary>The CPUs the calling thread may run on (affinity and cgroup cpuset), in ascending order.</summary>
    IReadOnlyList<int> Allowed();

    /// <summary>Pins the calling thread to one CPU and reads back where it runs.</summary>
    /// <exception cref="CoreIOException">No such CPU, or it is not allowed to this process (<see cref="StatusCode.Cpu"/>).</exception>
    CpuPlace Pin(int cpu);

    /// <summary>Tells where the calling thread runs now.</summary>
    CpuPlace Where();
}
