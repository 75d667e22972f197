using System.Text;
using CoreIO.Log;
using CoreIO.Managed.Log;

namespace CoreIO.Managed.Tests;

/// <summary>What the buffers of this backend make delicate: long lines, block edges, streams cut anywhere, errors, a stop.</summary>
public sealed class ScanTests
{
    private const int MaxLine = 8 << 20;

    private readonly ManagedBackend _backend = new();
    private string _path = string.Empty;

    [SetUp]
    public void MakeFile() => _path = Path.GetTempFileName();

    [TearDown]
    public void RemoveFile() => File.Delete(_path);

    [TestCase(MaxLine, 0)]
    [TestCase(MaxLine + 1, 1)]
    [TestCase(20 << 20, 1)]
    public void A_line_is_too_long_beyond_8_MiB_newline_included(int bytes, int tooLong)
    {
        byte[] text = [.. "a b\n"u8, .. Enumerable.Repeat((byte)'x', bytes - 1), (byte)'\n', .. "c d"u8];
        File.WriteAllBytes(_path, text);
        foreach (int block in new[] { 4096, 16 << 20 })
        {
            foreach (bool stream in new[] { false, true })
            {
                (LogAnswer answer, byte[] rejects) = Scan(block, stream, text);
                Assert.That((answer.Lines, answer.Rejected, answer.Bytes), Is.EqualTo((3L, (long)tooLong, (long)text.Length)));
                // NUnit compares elements one by one, which takes seconds for megabytes.
                ReadOnlySpan<byte> wanted = tooLong == 0 ? [] : text.AsSpan()[4..^3];
                Assert.That(rejects.AsSpan().SequenceEqual(wanted), Is.True, $"block {block}, stream {stream}");
            }
        }
    }

    [Test]
    public void Rejected_lines_come_out_whole_and_in_order()
    {
        StringBuilder text = new();
        StringBuilder wanted = new();
        for (int i = 0; i < 5000; i++)
        {
            string line = i % 3 == 0 ? $"ok {i}\r\n" : $"[open {i}{new string('y', i % 200)}\n";
            text.Append(line);
            wanted.Append(i % 3 == 0 ? string.Empty : line);
        }

        byte[] bytes = Encoding.ASCII.GetBytes(text.ToString());
        File.WriteAllBytes(_path, bytes);
        foreach (bool stream in new[] { false, true })
        {
            (LogAnswer answer, byte[] rejects) = Scan(4096, stream, bytes);
            Assert.That(Encoding.ASCII.GetString(rejects), Is.EqualTo(wanted.ToString()));
            Assert.That(Encoding.ASCII.GetString(answer.Rejects[0].Samples[0]), Is.EqualTo("[open 1y"));
            Assert.That(answer.Rejects[0].Reason, Is.EqualTo(LogReason.OpenDelimiter));
        }
    }

    [TestCase("/nonexistent/x", StatusCode.NoEntry)]
    [TestCase("/", StatusCode.IsADirectory)]
    [TestCase("/etc/passwd/x", StatusCode.NotADirectory)]
    public void An_error_names_its_errno_and_the_scan_goes_on(string path, int status)
    {
        File.WriteAllText(_path, "a\n");
        using ILogScan scan = CreateScan(new LogScanOptions { Workers = 1 });
        CoreIOException? e = Assert.Throws<CoreIOException>(() => scan.ReadFile(path));
        Assert.That(e!.Status, Is.EqualTo(status));
        Assert.That(scan.ReadFile(_path), Is.EqualTo(2));
        Assert.That(scan.Finish().Lines, Is.EqualTo(1));
    }

    [Test]
    public void A_worker_without_memory_leaves_no_answer()
    {
        using ILogFormat format = _backend.Log.CompileFormat("delimited");
        LogQuery query = new() { Format = format, Tables = [new LogTable()] };
        using LogScan scan = (LogScan)_backend.Log.CreateScan(query, new LogScanOptions { Workers = 2 });
        using LogScan part = (LogScan)scan.CreatePart(new LogScanOptions { Workers = 2 });
        part.Feed("a\nb\n"u8);
        part.Workers[1].Abandon(new NoJob(), new OverflowException());
        HasNoMemory(part.EndFeed);
        HasNoMemory(() => part.ReadFile(_path));
        HasNoMemory(() => scan.Merge(part));
        HasNoMemory(() => scan.Finish());
        HasNoMemory(() => part.Finish());
    }

    [Test]
    public void A_stop_ends_every_later_call()
    {
        using ILogScan scan = CreateScan(new LogScanOptions { Workers = 2 });
        scan.Stop();
        CoreIOException? e = Assert.Throws<CoreIOException>(() => scan.ReadFile(_path));
        Assert.That(e!.Status, Is.EqualTo(StatusCode.Closed));
    }

    [Test]
    public void A_stop_ends_a_wait_for_bytes()
    {
        using System.IO.Pipes.AnonymousPipeServerStream pipe = new(System.IO.Pipes.PipeDirection.Out);
        using Microsoft.Win32.SafeHandles.SafeFileHandle end =
            new(pipe.ClientSafePipeHandle.DangerousGetHandle(), ownsHandle: false);
        using ILogScan scan = CreateScan(new LogScanOptions { Workers = 1 });
        Task<CoreIOException?> reader = Task.Factory.StartNew(
            () => Assert.Throws<CoreIOException>(() => scan.ReadHandle(end)), TaskCreationOptions.LongRunning);
        Thread.Sleep(50);
        scan.Stop();
        Assert.That(reader.Wait(TimeSpan.FromSeconds(10)), Is.True);
        Assert.That(reader.Result!.Status, Is.EqualTo(StatusCode.Closed));
    }

    private static void HasNoMemory(Action call) =>
        Assert.That(Assert.Throws<CoreIOException>(() => call())!.Status, Is.EqualTo(StatusCode.NoMemory));

    private ILogScan CreateScan(LogScanOptions options) => _backend.Log.CreateScan(
        new LogQuery { Format = _backend.Log.CompileFormat("delimited"), Tables = [new LogTable()] }, options);

    private (LogAnswer Answer, byte[] Rejects) Scan(int block, bool stream, byte[] text)
    {
        string rejects = Path.GetTempFileName();
        try
        {
            LogAnswer answer;
            using (Microsoft.Win32.SafeHandles.SafeFileHandle sink = File.OpenHandle(rejects, FileMode.Create, FileAccess.Write))
            using (ILogScan scan = CreateScan(new LogScanOptions { Workers = 2, BlockBytes = block, Rejects = sink }))
            {
                if (stream)
                {
                    for (int at = 0; at < text.Length; at += 77777)
                    {
                        scan.Feed(text.AsSpan(at, Math.Min(77777, text.Length - at)));
                    }

                    scan.EndFeed();
                }
                else
                {
                    scan.ReadFile(_path);
                }

                answer = scan.Finish();
            }

            return (answer, File.ReadAllBytes(rejects));
        }
        finally
        {
            File.Delete(rejects);
        }
    }

    private sealed class NoJob : ScanJob
    {
        internal override void Work(ScanWorker worker)
        {
        }
    }
}
