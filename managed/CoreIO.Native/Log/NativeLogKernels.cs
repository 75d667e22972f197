using CoreIO.Interop;
using CoreIO.Log;

namespace CoreIO.Native.Log;

/// <summary>The kernels of the library: their names for people, their ids for calls.</summary>
internal sealed unsafe class NativeLogKernels
{
    // More than the ids of the header would be a library of another ABI.
    private const int MostKernels = (int)coreio_log_kernel_id.COREIO_LOG_KERNEL_NEON + 1;

    // One id for each kernel of All.
    private readonly int[] _ids;
    private readonly LogKernel[] _kernels;

    public NativeLogKernels()
    {
        coreio_log_kernel_info[] found = new coreio_log_kernel_info[MostKernels];
        fixed (coreio_log_kernel_info* start = found)
        {
            int count = Status.Check(LibCoreIO.coreio_log_kernels(start, found.Length), "kernels");
            _ids = new int[count];
            _kernels = new LogKernel[count];
            for (int i = 0; i < count; i++)
            {
                _ids[i] = found[i].id;
                _kernels[i] = new LogKernel(NameOf(start + i), found[i].supported != 0);
            }
        }
    }

    /// <summary>All of this build, the slowest first.</summary>
    internal IReadOnlyList<LogKernel> All => _kernels;

    /// <summary>The fastest that this machine can run.</summary>
    internal string Best
    {
        get
        {
            string best = _kernels[0].Name;
            foreach (LogKernel kernel in _kernels)
            {
                best = kernel.Supported ? kernel.Name : best;
            }

            return best;
        }
    }

    /// <summary>The id of a kernel that this machine can run.</summary>
    /// <exception cref="CoreIOException">There is no such kernel here.</exception>
    internal int IdOf(string name)
    {
        for (int i = 0; i < _kernels.Length; i++)
        {
            if (_kernels[i].Supported && _kernels[i].Name == name)
            {
                return _ids[i];
            }
        }

        throw NoKernel(name);
    }

    private CoreIOException NoKernel(string name)
    {
        string names = string.Join(", ", _kernels.Where(static k => k.Supported).Select(static k => k.Name));
        return Status.Failure(StatusCode.Cpu, $"kernel '{name}' (available: {names})");
    }

    /// <summary>The name of a kernel that ran.</summary>
    internal string NameOf(int id)
    {
        int index = 0;
        while (_ids[index] != id)
        {
            index++;
        }

        return _kernels[index].Name;
    }

    // Bytes up to a zero, or as many as there is room for.
    private static string NameOf(coreio_log_kernel_info* info)
    {
        ReadOnlySpan<byte> bytes = new(&info->name, sizeof(coreio_log_kernel_info._name_e__FixedBuffer));
        int end = 0;
        while (end < bytes.Length && bytes[end] != 0)
        {
            end++;
        }

        return ShortText.Of(bytes[..end]);
    }
}
