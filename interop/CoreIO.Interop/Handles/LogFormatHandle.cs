using CoreIO.Log;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Interop;

/// <summary>Owns a <c>coreio_log_format</c>.</summary>
internal sealed unsafe class LogFormatHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private LogFormatHandle(coreio_log_format* format)
        : base(ownsHandle: true) => SetHandle((nint)format);

    /// <summary>The object; valid while a reference is held.</summary>
    internal coreio_log_format* Pointer => (coreio_log_format*)handle;

    /// <summary>Compiles a format.</summary>
    /// <exception cref="LogSyntaxException">It does not compile.</exception>
    internal static LogFormatHandle Create(string text)
    {
        byte[] bytes = ShortText.BytesOf(text);
        coreio_log_format* format;
        coreio_log_fault fault;
        int status;
        fixed (byte* start = bytes)
        {
            status = LibCoreIO.coreio_log_format_create(start, bytes.Length, &format, &fault);
        }

        Status.CheckText(status, fault, LogSyntaxPart.Format, text, "format");
        return new LogFormatHandle(format);
    }

    protected override bool ReleaseHandle()
    {
        Crossings.Add();
        LibCoreIO.coreio_log_format_destroy(Pointer);
        return true;
    }
}
