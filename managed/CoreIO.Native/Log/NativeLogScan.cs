// A scan of the library, from the first input to the answer.
//
// Each member crosses once, or once a table, holding one reference of the handle, so Dispose by another thread never pulls the object
// away from under a call: the last reference destroys it. Stop and Progress come from any thread, even after Dispose, where a signal
// handler or a progress timer may still be running; then there is nothing to stop and nothing being read.
using System.Text;
using CoreIO.Interop;
using CoreIO.Log;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Native.Log;

internal sealed unsafe class NativeLogScan : ILogScan
{
    private readonly LogScanHandle _handle;
    private readonly NativeLogColumns[] _tables;
    private readonly NativeLogKernels _kernels;

    private NativeLogScan(LogScanHandle handle, NativeLogColumns[] tables, NativeLogKernels kernels)
    {
        _handle = handle;
        _tables = tables;
        _kernels = kernels;
    }

    public LogProgress Progress
    {
        get
        {
            try
            {
                using Borrowed borrowed = new(_handle);
                coreio_log_progress progress;
                Status.Check(LibCoreIO.coreio_log_scan_progress(_handle.Pointer, &progress), "progress");
                return new LogProgress(progress.bytes_done, progress.bytes_total, progress.rejects_status);
            }
            catch (ObjectDisposedException)
            {
                return new LogProgress(0, -1);
            }
        }
    }

    /// <summary>Compiles the question and starts the workers.</summary>
    internal static NativeLogScan Create(LogQuery query, LogFormatHandle format, LogScanOptions options, NativeLogKernels kernels)
    {
        using NativeLogQuery compiled = NativeLogQuery.Compile(query, format);
        int[] cpus = [.. options.Cpus];
        coreio_log_scan_options native = new()
        {
            workers = options.Workers,
            kernel = options.Kernel is { } name ? kernels.IdOf(name) : (int)coreio_log_kernel_id.COREIO_LOG_KERNEL_AUTO,
            block_bytes = options.BlockBytes,
        };
        string subject = cpus.Length == 0 ? "workers" : $"workers on CPU {string.Join(',', cpus)}";
        return new NativeLogScan(LogScanHandle.Create(compiled.Handle, native, cpus, options.Rejects, subject), compiled.Tables, kernels);
    }

    public void Stop()
    {
        try
        {
            using Borrowed borrowed = new(_handle);
            Status.Check(LibCoreIO.coreio_log_scan_stop(_handle.Pointer), "stop");
        }
        catch (ObjectDisposedException)
        {
        }
    }

    public long ReadFile(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            throw Status.Failure(StatusCode.InvalidArgument, path.Replace("\0", "\\0", StringComparison.Ordinal));
        }

        using Borrowed borrowed = new(_handle);
        fixed (byte* start = (byte[])[.. Encoding.UTF8.GetBytes(path), 0])
        {
            return Status.Check(LibCoreIO.coreio_log_scan_file(_handle.Pointer, start), path);
        }
    }

    public long ReadHandle(SafeFileHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        using Borrowed input = new(handle);
        using Borrowed borrowed = new(_handle);
        int fd = (int)handle.DangerousGetHandle();
        return Status.Check(LibCoreIO.coreio_log_scan_fd(_handle.Pointer, fd), fd == 0 ? "standard input" : $"descriptor {fd}");
    }

    public void Feed(ReadOnlySpan<byte> bytes)
    {
        using Borrowed borrowed = new(_handle);
        fixed (byte* start = bytes)
        {
            Status.Check(LibCoreIO.coreio_log_scan_feed(_handle.Pointer, start, bytes.Length), "stream");
        }
    }

    public void EndFeed()
    {
        using Borrowed borrowed = new(_handle);
        Status.Check(LibCoreIO.coreio_log_scan_feed_end(_handle.Pointer), "end of the stream");
    }

    public LogAnswer Finish()
    {
        using Borrowed borrowed = new(_handle);
        coreio_log_totals totals;
        Status.Check(LibCoreIO.coreio_log_scan_finish(_handle.Pointer, &totals), "answer");
        return new LogAnswer
        {
            Lines = totals.lines,
            Parsed = totals.parsed,
            Rejected = totals.rejected,
            Filtered = totals.filtered,
            Bytes = totals.bytes,
            Kernel = _kernels.NameOf(totals.kernel),
            Workers = NativeLogAnswer.ReadWorkers(_handle.Pointer, totals.workers),
            Rejects = NativeLogAnswer.ReadRejects(_handle.Pointer),
            Tables = ReadTables(),
        };
    }

    /// <summary>Stops the call that reads, if there is one; it or this call destroys the scan.</summary>
    public void Dispose()
    {
        Stop();
        _handle.Dispose();
    }

    private LogTableAnswer[] ReadTables()
    {
        LogTableAnswer[] answers = new LogTableAnswer[_tables.Length];
        for (int i = 0; i < answers.Length; i++)
        {
            answers[i] = NativeLogAnswer.ReadTable(_handle.Pointer, i, _tables[i]);
        }

        return answers;
    }
}
