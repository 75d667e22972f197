using System.Text;
using CoreIO.Interop;
using CoreIO.Log;

namespace CoreIO.Native.Log;

/// <summary>The kernels of the library: their names for people, their ids for calls.</summary>
internal sealed unsafe class NativeLogKernels
{
    private readonly (int Id, LogKernel Kernel)[] _kernels;

    public NativeLogKernels()
    {
        // More than the ids of the header would be a library of another ABI.
        coreio_log_kernel_info[] found = new coreio_log_kernel_info[Enum.GetValues<coreio_log_kernel_id>().Length];
        fixed (coreio_log_kernel_info* start = found)
        {
            int count = Status.Check(LibCoreIO.coreio_log_kernels(start, found.Length), "kernels");
            _kernels = Array.ConvertAll(found[..count], static k => (k.id, new LogKernel(NameOf(k), k.supported != 0)));
        }

        All = Array.ConvertAll(_kernels, static k => k.Kernel);
    }

    /// <summary>All of this build, the slowest first.</summary>
    internal IReadOnlyList<LogKernel> All { get; }

    /// <summary>The fastest that this machine can run.</summary>
    internal string Best => _kernels.Last(static k => k.Kernel.Supported).Kernel.Name;

    /// <summary>The id of a kernel that this machine can run.</summary>
    /// <exception cref="CoreIOException">There is no such kernel here.</exception>
    internal int IdOf(string name)
    {
        foreach ((int id, LogKernel kernel) in _kernels)
        {
            if (kernel.Supported && kernel.Name == name)
            {
                return id;
            }
        }

        string names = string.Join(", ", _kernels.Where(static k => k.Kernel.Supported).Select(static k => k.Kernel.Name));
        throw Status.Failure(StatusCode.Cpu, $"kernel '{name}' (available: {names})");
    }

    /// <summary>The name of a kernel that ran.</summary>
    internal string NameOf(int id) => _kernels.First(k => k.Id == id).Kernel.Name;

    private static string NameOf(in coreio_log_kernel_info info)
    {
        ReadOnlySpan<byte> bytes = info.name;
        int end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
