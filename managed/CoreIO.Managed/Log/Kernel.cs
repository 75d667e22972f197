// The inner loop: where in a text the bytes of a class stand.
//
// The scalar kernel is the definition of correct; the others answer the same for every text and class. Positions count from the
// reference that is passed, ascending. A newline belongs to every class.
using System.Runtime.InteropServices;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal abstract class Kernel
{
    /// <summary>The slowest first; those for another processor are left out.</summary>
    private static readonly Kernel[] All = RuntimeInformation.ProcessArchitecture == Architecture.Arm64
        ? [new KernelScalar(), new KernelNeon()]
        : [new KernelScalar(), new KernelSse42(), new KernelAvx2(), new KernelAvx512()];

    internal abstract string Name { get; }

    internal abstract bool IsSupported { get; }

    internal static IReadOnlyList<LogKernel> List { get; } = [.. All.Select(kernel => new LogKernel(kernel.Name, kernel.IsSupported))];

    /// <summary>The kernel of a name, or the fastest of this machine.</summary>
    internal static Kernel Pick(string? name)
    {
        Kernel? found = name is null
            ? All.Last(kernel => kernel.IsSupported)
            : All.FirstOrDefault(kernel => kernel.Name == name && kernel.IsSupported);
        return found ?? throw new CoreIOException(StatusCode.Cpu, $"kernel {name}");
    }

    /// <summary>Indexes bytes and returns how many positions were written.</summary>
    /// <param name="text">The byte that positions count from. Nothing outside start and end is read.</param>
    /// <param name="start">First byte.</param>
    /// <param name="end">One past the last byte.</param>
    /// <param name="bytes">What to look for.</param>
    /// <param name="positions">Room for one position a byte, and <see cref="Limits.PositionSlack"/> more.</param>
    internal abstract int Index(ref byte text, int start, int end, ByteClass bytes, ref int positions);
}
