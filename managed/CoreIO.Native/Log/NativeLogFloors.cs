using System.Text;
using CoreIO.Interop;
using CoreIO.Log;

namespace CoreIO.Native.Log;

/// <summary>The floors of <c>coreio/log.h</c>; a run is one crossing.</summary>
internal sealed unsafe class NativeLogFloors(NativeLogKernels kernels) : ILogFloors
{
    public LogFloorResult Run(LogFloor work, string path, ILogFormat? format = null, string? kernel = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        LogFormatHandle? handle = format is null ? null : NativeLogBackend.HandleOf(format);
        if (handle is null && work >= LogFloor.Scalar)
        {
            throw new ArgumentNullException(nameof(format));
        }

        int id = kernel is null ? (int)coreio_log_kernel_id.COREIO_LOG_KERNEL_AUTO : kernels.IdOf(kernel);
        coreio_log_floor_result result;
        fixed (byte* start = (byte[])[.. Encoding.UTF8.GetBytes(path), 0])
        {
            if (handle is null)
            {
                Status.Check(LibCoreIO.coreio_log_floor(start, null, (int)work, id, &result), path);
            }
            else
            {
                using Borrowed borrowed = new(handle);
                Status.Check(LibCoreIO.coreio_log_floor(start, handle.Pointer, (int)work, id, &result), path);
            }
        }

        return new LogFloorResult(
            result.bytes,
            result.lines,
            result.hits,
            result.elapsed_ns,
            result.cpu_ns,
            kernels.NameOf(result.kernel));
    }
}
