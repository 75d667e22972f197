namespace CoreIO.Cpu;

/// <summary>One online CPU. A number the kernel does not tell is -1.</summary>
/// <param name="Cpu">Linux CPU number.</param>
/// <param name="Core">Core id within the package; CPUs that share it are hardware threads of one core.</param>
/// <param name="Package">Socket.</param>
/// <param name="Node">NUMA node.</param>
/// <param name="Allowed">Whether this process may run there.</param>
/// <param name="MaxMhz">Highest frequency in MHz.</param>
/// <param name="L2KiB">Size of its L2 cache in KiB.</param>
/// <param name="L3KiB">Size of its L3 cache in KiB.</param>
public readonly record struct CpuCore(int Cpu, int Core, int Package, int Node, bool Allowed, int MaxMhz, int L2KiB, int L3KiB);
