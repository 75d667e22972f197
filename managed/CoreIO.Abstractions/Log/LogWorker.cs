namespace CoreIO.Log;

/// <summary>Where a worker ran and what it did.</summary>
/// <param name="ThreadId">Linux thread id.</param>
/// <param name="Cpu">The CPU it was pinned to, read back from the kernel.</param>
/// <param name="Lines">Lines it worked on.</param>
/// <param name="Bytes">Bytes of those lines.</param>
/// <param name="CpuTime">CPU time it took.</param>
public sealed record LogWorker(int ThreadId, int Cpu, long Lines, long Bytes, TimeSpan CpuTime);
