using Microsoft.Win32.SafeHandles;

namespace CoreIO.Log;

/// <summary>How a scan runs; none of it changes the answer.</summary>
public sealed record LogScanOptions
{
    /// <summary>Worker threads; 0 for one a CPU.</summary>
    public int Workers { get; init; }

    /// <summary>Worker i is pinned to <c>Cpus[i % Cpus.Count]</c>; empty for the CPUs this process may use.</summary>
    public IReadOnlyList<int> Cpus { get; init; } = [];

    /// <summary>Forces a kernel by name; null for the best of this machine.</summary>
    public string? Kernel { get; init; }

    /// <summary>Bytes a worker takes at a time, 4 KiB to 16 MiB; 0 for the default.</summary>
    public int BlockBytes { get; init; }

    /// <summary>Where rejected lines are written whole, in the order of the input; stays the caller's. Null for nowhere.</summary>
    public SafeFileHandle? Rejects { get; init; }
}
