namespace CoreIO.Cpu;

/// <summary>Where a thread was found running.</summary>
/// <param name="ThreadId">Linux thread id, as in <c>/proc/PID/task</c>.</param>
/// <param name="Cpu">The CPU it ran on when asked.</param>
/// <param name="Node">NUMA node of that CPU.</param>
/// <param name="Pinned">Whether exactly one CPU is allowed to the thread.</param>
public readonly record struct CpuPlace(int ThreadId, int Cpu, int Node, bool Pinned);
