// The ways a log reaches a scan: a file it opens itself, the end of a pipe, pieces handed over at random places.
using System.IO.Pipes;
using CoreIO.Log;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Log;

/// <summary>How the bytes come in.</summary>
internal enum Way
{
    File,
    Pipe,
    Feed,
}

/// <summary>What is asked of a log, without the backend that answers.</summary>
internal sealed record Question(string Format)
{
    public string? Where { get; init; }

    public TimeSpan Interval { get; init; }

    public DateTimeOffset? Since { get; init; }

    public DateTimeOffset? Until { get; init; }

    public IReadOnlyList<LogTable> Tables { get; init; } = [new LogTable()];
}

internal static class Scans
{
    /// <summary>Asks one backend about bytes that also lie in a file.</summary>
    public static LogAnswer Run(ICoreBackend backend, Question question, string path, byte[] bytes, Way way, LogScanOptions options, int seed = 0)
    {
        using ILogFormat format = backend.Log.CompileFormat(question.Format);
        using ILogScan scan = backend.Log.CreateScan(Query(question, format), options);
        switch (way)
        {
            case Way.File:
                Assert.That(scan.ReadFile(path), Is.EqualTo(bytes.LongLength), "bytes that ReadFile returns");
                break;
            case Way.Pipe:
                Assert.That(ReadPipe(scan, bytes), Is.EqualTo(bytes.LongLength), "bytes that ReadHandle returns");
                break;
            case Way.Feed:
                FeedPieces(scan, bytes, new Random(seed));
                break;
        }

        return scan.Finish();
    }

    /// <summary>Asks about bytes, handed over in one piece.</summary>
    public static LogAnswer Feed(ICoreBackend backend, Question question, ReadOnlySpan<byte> bytes, LogScanOptions? options = null)
    {
        using ILogFormat format = backend.Log.CompileFormat(question.Format);
        using ILogScan scan = backend.Log.CreateScan(Query(question, format), options ?? new LogScanOptions { Workers = 1 });
        scan.Feed(bytes);
        scan.EndFeed();
        return scan.Finish();
    }

    public static LogQuery Query(Question question, ILogFormat format) => new()
    {
        Format = format,
        Where = question.Where,
        Interval = question.Interval,
        Since = question.Since,
        Until = question.Until,
        Tables = question.Tables,
    };

    private static long ReadPipe(ILogScan scan, byte[] bytes)
    {
        using AnonymousPipeServerStream writer = new(PipeDirection.Out);
        using SafeFileHandle reader = new(writer.ClientSafePipeHandle.DangerousGetHandle(), ownsHandle: false);
        Thread thread = new(() =>
        {
            try
            {
                writer.Write(bytes);
            }
            catch (IOException)
            {
                // The reader gave up; what it says about that is what the test looks at.
            }

            writer.Dispose();
        });
        thread.Start();
        try
        {
            return scan.ReadHandle(reader);
        }
        finally
        {
            thread.Join();
        }
    }

    private static void FeedPieces(ILogScan scan, byte[] bytes, Random random)
    {
        // Small pieces find faults at the seams; a bound on their number keeps large logs quick.
        int most = Math.Max(64, bytes.Length / 200);
        for (int at = 0; at < bytes.Length;)
        {
            int length = Math.Min(bytes.Length - at, random.Next(4) == 0 ? random.Next(8) : random.Next(most));
            scan.Feed(bytes.AsSpan(at, length));
            at += length;
        }

        scan.EndFeed();
    }
}
