using CoreIO.Log;
using CoreIO.Managed.Log;

namespace CoreIO.Managed.Tests;

/// <summary>Once its groups are known, a line allocates nothing.</summary>
[NonParallelizable]
public sealed class AllocationTests
{
    [TestCase("combined", "status", "count")]
    [TestCase("combined", "client,path,status_class,minute", "count,sum(bytes),p99(bytes),distinct(client),max(bytes)")]
    [TestCase("delimited", "f1", "count,distinct(f5)")]
    public void Lines_of_a_scan_allocate_nothing(string format, string by, string stats)
    {
        LogQuery query = new()
        {
            Format = FormatCompiler.Compile(format),
            Where = format == "combined" ? "status >= 100 and (path =~ \"^/[a-z]\" or not uri *= \"zz\")" : "f1 != \"x\"",
            Since = format == "combined" ? DateTimeOffset.UnixEpoch.AddYears(1) : null,
            Tables = [new LogTable { By = by.Split(','), Stats = stats.Split(',') }],
        };
        LineEngine engine = new(QueryCompiler.Compile(query), Kernel.Pick(null));
        byte[] buffer = [.. new byte[Limits.Header], .. Samples.Combined(2000)];
        engine.Run(buffer, Limits.Header, buffer.Length, 0, 0);
        long lines = engine.Tally.Parsed;
        long before = GC.GetAllocatedBytesForCurrentThread();
        engine.Run(buffer, Limits.Header, buffer.Length, 0, 0);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(lines, Is.EqualTo(2000));
        Assert.That(engine.Tally.Parsed, Is.EqualTo(4000));
        Assert.That(allocated, Is.Zero);
    }

    [TestCase("combined")]
    [TestCase("delimited")]
    public void Lines_of_a_lexer_allocate_nothing(string format)
    {
        using LogLexer lexer = new(FormatCompiler.Compile(format), Kernel.Pick(null));
        byte[] text = Samples.Combined(500);
        LogRecord[] records = new LogRecord[1000];
        LogField[] fields = new LogField[20000];
        lexer.Feed(text, true, records, fields);
        long before = GC.GetAllocatedBytesForCurrentThread();
        LogLexResult result = lexer.Feed(text, true, records, fields);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(result.Records, Is.EqualTo(500));
        Assert.That(allocated, Is.Zero);
    }

    [Test]
    public void Rejected_lines_allocate_only_their_samples()
    {
        LogQuery query = new() { Format = FormatCompiler.Compile("combined"), Tables = [new LogTable()] };
        LineEngine engine = new(QueryCompiler.Compile(query), Kernel.Pick(null));
        byte[] buffer = new byte[Limits.Header + 20000];
        buffer.AsSpan(Limits.Header).Fill((byte)'\n');
        engine.Run(buffer, Limits.Header, buffer.Length, 0, 0);
        long before = GC.GetAllocatedBytesForCurrentThread();
        engine.Run(buffer, Limits.Header, buffer.Length, 1, 0);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(engine.Tally.Rejected, Is.EqualTo(40000));
        Assert.That(allocated, Is.Zero);
    }
}
