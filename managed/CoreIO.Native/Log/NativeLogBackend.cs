using CoreIO.Interop;
using CoreIO.Log;

namespace CoreIO.Native.Log;

/// <summary>Makes formats, lexers and scans of <c>coreio/log.h</c>.</summary>
internal sealed class NativeLogBackend : ILogBackend
{
    private NativeLogKernels? _kernels;
    private NativeLogFloors? _floors;

    public IReadOnlyList<LogKernel> Kernels => Known.All;

    public ILogFloors Floors => _floors ??= new NativeLogFloors(Known);

    public ILogFormat CompileFormat(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new NativeLogFormat(text);
    }

    public ILogLexer CreateLexer(ILogFormat format, string? kernel = null)
    {
        // A lexer says which kernel it runs, so the choice is made here and not left to the library.
        string name = kernel ?? Known.Best;
        return new NativeLogLexer(LogLexerHandle.Create(HandleOf(format), Known.IdOf(name)), name);
    }

    public ILogScan CreateScan(LogQuery query, LogScanOptions options)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(options);
        return NativeLogScan.Create(query, HandleOf(query.Format), options, Known);
    }

    // Two threads may make it twice; it is the same.
    private NativeLogKernels Known => _kernels ??= new NativeLogKernels();

    internal static LogFormatHandle HandleOf(ILogFormat format)
    {
        ArgumentNullException.ThrowIfNull(format);
        return format is NativeLogFormat native
            ? native.Handle
            : throw new ArgumentException("The format is another backend's; compile it with the backend that uses it.", nameof(format));
    }
}
