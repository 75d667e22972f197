// Feeding a scan, as .gz and standard input are: 8 MiB of combined lines in pieces, with the copy into the ring and the worker's wake-up. A
// scan takes no more once it has answered, so each run has its own, whose start and end are in the figure.
using BenchmarkDotNet.Attributes;
using CoreIO.Log;
using CoreIO.Log.Bench;

namespace CoreIO.Benchmarks;

public class ScanFeedBenchmarks
{
    private const int Bytes = 8 << 20;

    private byte[] _text = [];
    private ILogBackend _log = null!;
    private ILogFormat _format = null!;
    private LogQuery _query = null!;

    [Params("native", "managed")]
    public string Backend { get; set; } = "";

    /// <summary>Bytes a call.</summary>
    [Params(4096, 65536, 262144)]
    public int Piece { get; set; }

    [GlobalSetup]
    public void Open()
    {
        using MemoryStream text = new();
        LogBenchInput.Write(text, "combined", Bytes, seed: 1);
        _text = text.ToArray();
        _log = CoreBackends.Get(Backend).Log;
        _format = _log.CompileFormat("combined");
        _query = new LogQuery { Format = _format, Tables = [new LogTable { By = ["status"] }] };
    }

    [GlobalCleanup]
    public void Close() => _format.Dispose();

    /// <summary>Feeds all of it and takes the answer.</summary>
    [Benchmark]
    public long Feed()
    {
        using ILogScan scan = _log.CreateScan(_query, new LogScanOptions { Workers = 1 });
        for (int at = 0; at < _text.Length; at += Piece)
        {
            scan.Feed(_text.AsSpan(at, Math.Min(Piece, _text.Length - at)));
        }

        scan.EndFeed();
        return scan.Finish().Lines;
    }
}
