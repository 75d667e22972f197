// A scan of the library, from the first input to the answer.
//
// Each member crosses once, or once a table, holding one reference of the handle, so Dispose by another thread never pulls the object
// away from under a call: the last reference destroys it. Stop and Progress come from any thread, even after Dispose, where a signal
// handler or a progress timer may still be running; then there is nothing to stop and nothing being read.
using CoreIO.Interop;
using CoreIO.Log;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Native.Log;

internal sealed unsafe class NativeLogScan : ILogScan
{
    private readonly LogScanHandle _handle;
    private readonly NativeLogQuery _query;
    private readonly bool _ownsQuery;
    private readonly NativeLogKernels _kernels;

    private NativeLogScan(LogScanHandle handle, NativeLogQuery query, bool ownsQuery, NativeLogKernels kernels)
    {
        _handle = handle;
        _query = query;
        _ownsQuery = ownsQuery;
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
        NativeLogQuery compiled = NativeLogQuery.Compile(query, format);
        try
        {
            return Start(compiled, ownsQuery: true, options, kernels);
        }
        catch
        {
            compiled.Dispose();
            throw;
        }
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

    public void Number(int input)
    {
        using Borrowed borrowed = new(_handle);
        Status.Check(LibCoreIO.coreio_log_scan_number(_handle.Pointer, input), "number " + input);
    }

    public long ReadFile(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.AsSpan().Contains('\0'))
        {
            throw Status.Failure(StatusCode.InvalidArgument, path.Replace("\0", "\\0", StringComparison.Ordinal));
        }

        using Borrowed borrowed = new(_handle);
        fixed (byte* start = (byte[])[.. ShortText.BytesOf(path), 0])
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

    public Span<byte> FeedRoom()
    {
        using Borrowed borrowed = new(_handle);
        byte* room;
        long capacity;
        Status.Check(LibCoreIO.coreio_log_scan_feed_room(_handle.Pointer, &room, &capacity), "stream");
        return new Span<byte>(room, (int)Math.Min(capacity, int.MaxValue));
    }

    public void FeedDone(int length)
    {
        using Borrowed borrowed = new(_handle);
        Status.Check(LibCoreIO.coreio_log_scan_feed_done(_handle.Pointer, length), "stream");
    }

    public void EndFeed()
    {
        using Borrowed borrowed = new(_handle);
        Status.Check(LibCoreIO.coreio_log_scan_feed_end(_handle.Pointer), "end of the stream");
    }

    public ILogScan CreatePart(LogScanOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Start(_query, ownsQuery: false, options, _kernels);
    }

    public void Merge(ILogScan part)
    {
        ArgumentNullException.ThrowIfNull(part);
        NativeLogScan other = part as NativeLogScan ?? throw new ArgumentException("The scan is another backend's.", nameof(part));
        using Borrowed borrowed = new(_handle);
        using Borrowed otherBorrowed = new(other._handle);
        Status.Check(LibCoreIO.coreio_log_scan_merge(_handle.Pointer, other._handle.Pointer), "part of a scan");
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
        if (_ownsQuery)
        {
            _query.Dispose();
        }
    }

    private static NativeLogScan Start(NativeLogQuery query, bool ownsQuery, LogScanOptions options, NativeLogKernels kernels)
    {
        int[] cpus = new int[options.Cpus.Count];
        for (int i = 0; i < cpus.Length; i++)
        {
            cpus[i] = options.Cpus[i];
        }

        coreio_log_scan_options native = new()
        {
            workers = options.Workers,
            kernel = options.Kernel is { } name ? kernels.IdOf(name) : (int)coreio_log_kernel_id.COREIO_LOG_KERNEL_AUTO,
            block_bytes = options.BlockBytes,
        };
        string subject = cpus.Length == 0 ? "workers" : $"workers on CPU {string.Join(',', cpus)}";
        return new NativeLogScan(LogScanHandle.Create(query.Handle, native, cpus, options.Rejects, subject), query, ownsQuery, kernels);
    }

    private LogTableAnswer[] ReadTables()
    {
        LogTableAnswer[] answers = new LogTableAnswer[_query.Tables.Length];
        for (int i = 0; i < answers.Length; i++)
        {
            answers[i] = NativeLogAnswer.ReadTable(_handle.Pointer, i, _query.Tables[i]);
        }

        return answers;
    }
}
