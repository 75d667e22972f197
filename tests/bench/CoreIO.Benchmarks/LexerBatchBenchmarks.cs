// Lexing in batches: the same 4096 lines of the format combined, cut so many records at a time from a buffer that holds more. A figure is the
// time of one line.
using BenchmarkDotNet.Attributes;
using CoreIO.Log;
using CoreIO.Log.Bench;

namespace CoreIO.Benchmarks;

public class LexerBatchBenchmarks
{
    private const int Lines = 4096;

    private byte[] _text = [];
    private ILogFormat _format = null!;
    private ILogLexer _lexer = null!;
    private LogRecord[] _records = [];
    private LogField[] _fields = [];

    [Params("native", "managed")]
    public string Backend { get; set; } = "";

    /// <summary>Records a call.</summary>
    [Params(1, 16, 256, 1024)]
    public int Records { get; set; }

    [GlobalSetup]
    public void Open()
    {
        using MemoryStream text = new();
        LogBenchInput.Write(text, "combined", 2 << 20, seed: 1);
        _text = text.ToArray();
        ILogBackend log = CoreBackends.Get(Backend).Log;
        _format = log.CompileFormat("combined");
        _lexer = log.CreateLexer(_format);
        _records = new LogRecord[Records];
        _fields = new LogField[(Records * _format.Fields.Count) + 1];
    }

    [GlobalCleanup]
    public void Close()
    {
        _lexer.Dispose();
        _format.Dispose();
    }

    /// <summary>Cuts all lines, so many a call.</summary>
    [Benchmark(OperationsPerInvoke = Lines)]
    public int Lex()
    {
        int records = 0;
        int begin = 0;
        while (records < Lines)
        {
            LogLexResult result = _lexer.Feed(_text.AsSpan(begin), last: false, _records, _fields);
            records += result.Records;
            begin += result.Consumed;
        }

        return records == Lines ? records : throw new InvalidOperationException($"{records} records of {Lines}");
    }
}
