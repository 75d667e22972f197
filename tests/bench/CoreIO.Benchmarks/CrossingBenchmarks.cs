// One crossing: a call that finds nothing to do, with what every batch pays (a handle's reference, three pinned spans). The managed backend
// does the same without crossing, so the difference is the boundary.
using BenchmarkDotNet.Attributes;
using CoreIO.Log;

namespace CoreIO.Benchmarks;

public class CrossingBenchmarks
{
    private ICoreBackend _backend = null!;
    private ILogFormat _format = null!;
    private ILogLexer _lexer = null!;

    [Params("native", "managed")]
    public string Backend { get; set; } = "";

    [GlobalSetup]
    public void Open()
    {
        _backend = CoreBackends.Get(Backend);
        _format = _backend.Log.CompileFormat("combined");
        _lexer = _backend.Log.CreateLexer(_format);
    }

    [GlobalCleanup]
    public void Close()
    {
        _lexer.Dispose();
        _format.Dispose();
    }

    /// <summary>A lexer is fed nothing.</summary>
    [Benchmark]
    public int EmptyBatch() => _lexer.Feed([], last: false, [], []).Records;

    /// <summary>A plain call with one pointer to the stack and no handle; the library answers from memory.</summary>
    [Benchmark]
    public ulong PlainCall() => (ulong)_backend.Cpu.Features;
}
