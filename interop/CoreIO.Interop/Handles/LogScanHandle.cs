using Microsoft.Win32.SafeHandles;

namespace CoreIO.Interop;

/// <summary>Owns a <c>coreio_log_scan</c>, and borrows the descriptor it writes rejected lines to for as long as it lives.</summary>
internal sealed unsafe class LogScanHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly SafeFileHandle? _rejects;

    private LogScanHandle(coreio_log_scan* scan, SafeFileHandle? rejects)
        : base(ownsHandle: true)
    {
        SetHandle((nint)scan);
        _rejects = rejects;
    }

    /// <summary>The object; valid while a reference is held.</summary>
    internal coreio_log_scan* Pointer => (coreio_log_scan*)handle;

    /// <summary>Makes a scan and starts its workers.</summary>
    /// <remarks>Size, flags, CPUs and rejects of <paramref name="options"/> are filled in here.</remarks>
    internal static LogScanHandle Create(
        LogQueryHandle query, coreio_log_scan_options options, ReadOnlySpan<int> cpus, SafeFileHandle? rejects, string subject)
    {
        using Borrowed borrowed = new(query);
        bool added = false;
        bool owned = false;
        try
        {
            options.size = (uint)sizeof(coreio_log_scan_options);
            options.cpu_count = cpus.Length;
            if (rejects is not null)
            {
                rejects.DangerousAddRef(ref added);
                options.flags |= LibCoreIO.COREIO_LOG_SCAN_REJECTS;
                options.rejects_fd = (int)rejects.DangerousGetHandle();
            }

            coreio_log_scan* scan;
            fixed (int* start = cpus)
            {
                options.cpus = start;
                Status.Check(LibCoreIO.coreio_log_scan_create(query.Pointer, &options, &scan), subject);
            }

            LogScanHandle handle = new(scan, rejects);
            owned = true;
            return handle;
        }
        finally
        {
            if (added && !owned)
            {
                rejects!.DangerousRelease();
            }
        }
    }

    protected override bool ReleaseHandle()
    {
        Crossings.Add();
        LibCoreIO.coreio_log_scan_destroy(Pointer);
        _rejects?.DangerousRelease();
        return true;
    }
}
