namespace CoreIO.Log;

/// <summary>Makes formats, lexers and scans; docs/formats.md and docs/queries.md say what they mean.</summary>
public interface ILogBackend
{
    /// <summary>The kernels of this backend, the slowest first.</summary>
    IReadOnlyList<LogKernel> Kernels { get; }

    /// <summary>Compiles a built-in format's name or an nginx <c>log_format</c> template.</summary>
    /// <exception cref="LogSyntaxException">It does not compile.</exception>
    ILogFormat CompileFormat(string text);

    /// <summary>Makes a lexer; <paramref name="kernel"/> forces one by name.</summary>
    /// <exception cref="CoreIOException">No such kernel on this machine (<see cref="StatusCode.Cpu"/>).</exception>
    ILogLexer CreateLexer(ILogFormat format, string? kernel = null);

    /// <summary>Compiles a question and starts the pinned workers that will answer it.</summary>
    /// <exception cref="LogSyntaxException">The question does not compile.</exception>
    /// <exception cref="CoreIOException">No such kernel or CPU (<see cref="StatusCode.Cpu"/>), or no threads to be had.</exception>
    ILogScan CreateScan(LogQuery query, LogScanOptions options);

    /// <summary>The floors, where the backend has <see cref="BackendFeatures.LogFloors"/>; else null.</summary>
    ILogFloors? Floors => null;
}
