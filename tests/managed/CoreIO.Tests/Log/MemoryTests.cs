// Memory does not grow with the input: not the process, measured from outside, and not by allocations for each line.
using System.Globalization;
using System.Text;
using CoreIO.Log;

namespace CoreIO.Tests.Log;

internal sealed class MemoryTests
{
    private const long MiB = 1024 * 1024;
    private const long MostKiB = 150 * 1024;

    /// <summary>A piece of a log with 500 groups, which repeats without making new ones.</summary>
    private static readonly byte[] Piece = MakePiece();

    [Test]
    [NonParallelizable]
    public void Ten_times_the_lines_of_a_stream_take_no_more_memory([ValueSource(typeof(Backends), nameof(Backends.Names))] string backend)
    {
        _ = Backends.Get(backend);
        GrowsLittle(backend, 50 * MiB, (bytes, arguments) => CliProcess.Run([.. arguments, "-"], stream => Write(stream, bytes)));
    }

    [Test]
    [NonParallelizable]
    public void Ten_times_the_lines_of_a_file_take_no_more_memory([ValueSource(typeof(Backends), nameof(Backends.Names))] string backend)
    {
        _ = Backends.Get(backend);
        using TempFolder folder = new();
        GrowsLittle(backend, 50 * MiB, (bytes, arguments) => CliProcess.Run([.. arguments, Make(folder, bytes)]));
    }

    [Test]
    [Explicit("takes a minute and, for a while, 4 GiB of the folder for temporary files")]
    [Category("soak")]
    [NonParallelizable]
    public void Four_gibibytes_stay_under_150_MiB([Values] bool file)
    {
        _ = Backends.Get(CoreBackends.NativeName);
        using TempFolder folder = new();
        string[] arguments = Arguments(CoreBackends.NativeName);
        CliResult result = file
            ? CliProcess.Run([.. arguments, Make(folder, 4096 * MiB)])
            : CliProcess.Run([.. arguments, "-"], stream => Write(stream, 4096 * MiB));
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Assert.That(result.PeakKiB, Is.LessThan(MostKiB));
    }

    // Buffers, tables and messages cost the same however many lines there are; the difference is what lines cost.
    [Test]
    [NonParallelizable]
    public void Lines_cost_no_allocation([ValueSource(typeof(Backends), nameof(Backends.Names))] string name)
    {
        ICoreBackend backend = Backends.Get(name);
        Question question = new("combined")
        {
            Where = "status < 500 or path =~ 'x'",
            Interval = TimeSpan.FromMinutes(1),
            Tables =
            [
                new LogTable { By = ["status", "path"], Stats = ["count", "sum(bytes)", "p99(bytes)", "distinct(client)"] },
                new LogTable { By = ["time"] },
            ],
        };
        foreach (int workers in (int[])[1, 2])
        {
            // The first run makes what is made once: compiled code, statics, pools; the next one already fills all buffers there are.
            // Other threads of the test host allocate now and then, which only ever adds: the least of three runs is the scan's own. But of
            // few lines a worker that was kept waiting may get none, and then has no groups: the most of three runs has them.
            _ = Allocated(backend, question, workers, 10);
            long few = Enumerable.Range(0, 3).Max(_ => Allocated(backend, question, workers, 10));
            long many = Enumerable.Range(0, 3).Min(_ => Allocated(backend, question, workers, 40));
            int lines = 30 * Piece.Count(b => b == '\n');
            TestContext.Out.WriteLine($"{name}: {few} and {many} bytes, {lines} more lines");
            Assert.That((double)(many - few) / lines, Is.LessThan(0.05), $"bytes a line with {workers} workers; {few} and {many} in all");
        }
    }

    [Test]
    [NonParallelizable]
    public void Cutting_lines_costs_no_allocation([ValueSource(typeof(Backends), nameof(Backends.Names))] string name)
    {
        ICoreBackend backend = Backends.Get(name);
        using ILogFormat format = backend.Log.CompileFormat("combined");
        using ILogLexer lexer = backend.Log.CreateLexer(format);
        LogRecord[] records = new LogRecord[1024];
        LogField[] fields = new LogField[16 * 1024];
        _ = Cut(lexer, records, fields);
        long before = GC.GetAllocatedBytesForCurrentThread();
        int lines = Cut(lexer, records, fields);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1024), $"for {lines} lines");
        Assert.That(lines, Is.GreaterThan(5000));
    }

    private static int Cut(ILogLexer lexer, LogRecord[] records, LogField[] fields)
    {
        int lines = 0;
        ReadOnlySpan<byte> rest = Piece;
        while (!rest.IsEmpty)
        {
            LogLexResult result = lexer.Feed(rest, last: true, records, fields);
            lines += result.Records;
            rest = rest[result.Consumed..];
        }

        return lines;
    }

    private static long Allocated(ICoreBackend backend, Question question, int workers, int pieces)
    {
        using ILogFormat format = backend.Log.CompileFormat(question.Format);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        using (ILogScan scan = backend.Log.CreateScan(Scans.Query(question, format), new LogScanOptions { Workers = workers }))
        {
            for (int i = 0; i < pieces; i++)
            {
                scan.Feed(Piece);
            }

            scan.EndFeed();
            Assert.That(scan.Finish().Rejected, Is.Zero);
        }

        return GC.GetTotalAllocatedBytes(precise: true) - before;
    }

    private static void GrowsLittle(string backend, long bytes, Func<long, string[], CliResult> run)
    {
        CliResult few = run(bytes, Arguments(backend));
        CliResult many = run(10 * bytes, Arguments(backend));
        Assert.That((few.ExitCode, many.ExitCode), Is.EqualTo((0, 0)), few.Errors + many.Errors);
        TestContext.Out.WriteLine($"{backend}: {few.PeakKiB} KiB for {bytes} bytes, {many.PeakKiB} KiB for ten times as many");
        // The runtime alone varies by a MiB or two from run to run, so 1 % is asked for beyond that.
        Assert.That(many.PeakKiB, Is.LessThanOrEqualTo((few.PeakKiB * 1.01) + (3 * 1024)));
        Assert.That(many.PeakKiB, Is.LessThan(MostKiB));
    }

    private static string[] Arguments(string backend) =>
    [
        "log", "report", "--format", "combined", "--by", "status,path", "--stats", "count,sum(bytes),p99(bytes)",
        "--output", "json", "--backend", backend,
    ];

    private static string Make(TempFolder folder, long bytes)
    {
        string path = folder.File("big.log");
        using FileStream file = new(path, FileMode.Create, FileAccess.Write, FileShare.Read, 0);
        Write(file, bytes);
        return path;
    }

    private static void Write(Stream stream, long bytes)
    {
        for (long written = 0; written < bytes; written += Piece.Length)
        {
            stream.Write(Piece);
        }
    }

    private static byte[] MakePiece()
    {
        StringBuilder log = new();
        for (int i = 0; i < 8000; i++)
        {
            log.Append(CultureInfo.InvariantCulture, $"10.0.{i % 7}.{i % 200} - - [27/Feb/2023:11:53:{i % 60:00} +0800] ");
            log.Append(CultureInfo.InvariantCulture, $"\"GET /path/{i % 100}?q={i} HTTP/1.1\" {200 + (i % 5 * 100)} {i * 37 % 100_003} ");
            log.Append("\"-\" \"Mozilla/5.0 (X11)\"\n");
        }

        return Encoding.ASCII.GetBytes(log.ToString());
    }
}
