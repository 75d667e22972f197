// Makes formats, lexers and scans of this backend.
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal sealed class ManagedLog : ILogBackend
{
    public IReadOnlyList<LogKernel> Kernels => Kernel.List;

    public ILogFormat CompileFormat(string text) => FormatCompiler.Compile(text);

    public ILogLexer CreateLexer(ILogFormat format, string? kernel = null)
    {
        CompiledFormat compiled = format as CompiledFormat
            ?? throw new ArgumentException("the format was compiled by another backend", nameof(format));
        return new LogLexer(compiled, Kernel.Pick(kernel));
    }

    public ILogScan CreateScan(LogQuery query, LogScanOptions options) => new LogScan(QueryCompiler.Compile(query), options);
}
