// What crossing the boundary adds to scans: whose text a fault is in, what errors are called, what other threads may do meanwhile, and
// whose descriptors are whose. What an answer holds is the same for every backend and tested for all of them elsewhere.
using System.Text;
using CoreIO.Log;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Native.Tests;

public sealed class NativeLogScanTests
{
    private const string Line = "10.0.0.1 - - [27/Feb/2023:11:53:25 +0800] \"GET /a HTTP/1.1\" 200 12\n";

    private readonly ILogBackend _log = new NativeBackend().Log;

    [Test]
    public void A_table_has_the_names_that_were_asked()
    {
        using ILogScan scan = Scan(Query() with
        {
            Tables =
            [
                new LogTable { By = ["status", "method"], Stats = ["count", "sum(bytes)", "p99.9(bytes)"] },
                new LogTable { Stats = [] },
            ],
        });
        scan.Feed(Encoding.ASCII.GetBytes(Line + Line + "garbage\n"));
        scan.EndFeed();
        LogAnswer answer = scan.Finish();
        LogTableAnswer table = answer.Tables[0];
        Assert.Multiple(() =>
        {
            Assert.That((answer.Lines, answer.Parsed, answer.Rejected, answer.Filtered), Is.EqualTo((3L, 2L, 1L, 0L)));
            Assert.That(answer.Bytes, Is.EqualTo((2 * Line.Length) + 8));
            Assert.That(answer.Workers, Has.Count.EqualTo(2));
            Assert.That(answer.Rejects.Single().Reason, Is.EqualTo(LogReason.MissingText));
            Assert.That(Encoding.ASCII.GetString(answer.Rejects.Single().Samples.Single()), Is.EqualTo("garbage"));
            Assert.That(string.Join(' ', table.Keys.Select(k => $"{k.Name}:{k.Kind}")), Is.EqualTo("status:Integer method:Text"));
            Assert.That(
                string.Join(' ', table.Stats.Select(s => $"{s.Name}:{s.Kind}:{s.Scale}")),
                Is.EqualTo("count:Count:0 sum(bytes):Sum:0 p99.9(bytes):Quantile:0"));
            Assert.That(table.Groups.Single().Count, Is.EqualTo(2));
            Assert.That(KeyText(table, 0), Is.EqualTo("200"));
            Assert.That(KeyText(table, 1), Is.EqualTo("GET"));
            Assert.That((long)table.Cell(table.Groups[0], 1).Value, Is.EqualTo(24));
            Assert.That(answer.Tables[1].Stats.Single().Name, Is.EqualTo("count"));
            Assert.That(answer.Tables[1].Keys, Is.Empty);
        });
    }

    [TestCase("status >", "status", "count", LogSyntaxPart.Where)]
    [TestCase(null, "status,nope", "count", LogSyntaxPart.By)]
    [TestCase(null, "status", "count,median(bytes)", LogSyntaxPart.Stats)]
    public void A_fault_is_in_the_text_it_is_in(string? where, string by, string stats, LogSyntaxPart part)
    {
        LogQuery query = Query() with { Where = where, Tables = [new LogTable { By = by.Split(','), Stats = stats.Split(',') }] };
        LogSyntaxException? e = Assert.Throws<LogSyntaxException>(() => Scan(query).Dispose());
        string? text = part switch { LogSyntaxPart.Where => where, LogSyntaxPart.By => by, _ => stats };
        Assert.That((e!.Part, e.Text), Is.EqualTo((part, text)));
    }

    [Test]
    public void An_unknown_kernel_and_an_unknown_CPU_are_named() => Assert.Multiple(() =>
    {
        Assert.That(
            () => _log.CreateScan(Query(), new LogScanOptions { Kernel = "mmx" }),
            Throws.InstanceOf<CoreIOException>().With.Message.StartsWith("kernel 'mmx' (available: scalar"));
        Assert.That(
            () => _log.CreateScan(Query(), new LogScanOptions { Cpus = [4095] }),
            Throws.InstanceOf<CoreIOException>().With.Message.StartsWith("workers on CPU 4095: not available"));
    });

    [Test]
    public void A_file_that_cannot_be_read_is_named_and_the_scan_goes_on()
    {
        using ILogScan scan = Scan(Query());
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, Line);
            Assert.Multiple(() =>
            {
                Assert.That(() => scan.ReadFile("/nowhere/access.log"), Fails("/nowhere/access.log: no such file (ENOENT)"));
                Assert.That(() => scan.ReadFile("/proc"), Fails("/proc: is a directory (EISDIR)"));
                Assert.That(() => scan.ReadFile("a\0b"), Fails("a\\0b: invalid argument (EINVAL)"));
                Assert.That(scan.ReadFile(file), Is.EqualTo(Line.Length));
                Assert.That(scan.Finish().Lines, Is.EqualTo(1));
            });
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test]
    public void Stop_from_another_thread_ends_a_call_that_reads() => EndsReading(static scan => scan.Stop());

    [Test]
    public void Dispose_from_another_thread_ends_a_call_that_reads() => EndsReading(static scan => scan.Dispose());

    [Test]
    public void After_Dispose_stop_and_progress_do_nothing_and_the_rest_is_refused()
    {
        ILogScan scan = Scan(Query());
        scan.Dispose();
        scan.Dispose();
        scan.Stop();
        Assert.Multiple(() =>
        {
            Assert.That(scan.Progress, Is.EqualTo(new LogProgress(0, -1)));
            Assert.That(() => scan.Feed("x\n"u8), Throws.InstanceOf<ObjectDisposedException>());
            Assert.That(() => scan.Finish(), Throws.InstanceOf<ObjectDisposedException>());
        });
    }

    [Test]
    public void Stop_progress_and_dispose_may_race()
    {
        for (int i = 0; i < 20; i++)
        {
            ILogScan scan = Scan(Query());
            Parallel.Invoke(
                () => Repeat(() => _ = scan.Progress),
                () => Repeat(scan.Stop),
                scan.Dispose);
        }
    }

    [Test]
    public void The_rejects_file_stays_open_while_the_scan_writes_to_it()
    {
        string file = Path.GetTempFileName();
        try
        {
            using ILogScan scan = Start(Query(), File.OpenHandle(file, FileMode.Create, FileAccess.Write), out SafeFileHandle rejects);
            rejects.Dispose();
            scan.Feed("garbage\n"u8);
            scan.EndFeed();
            scan.Finish();
            Assert.That(File.ReadAllText(file), Is.EqualTo("garbage\n"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test]
    [NonParallelizable]
    public void Scans_leave_no_threads_and_no_descriptors()
    {
        Scan(Query()).Dispose();
        int workers = Workers();
        int descriptors = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        for (int i = 0; i < 50; i++)
        {
            using ILogScan scan = Scan(Query());
            scan.Feed(Encoding.ASCII.GetBytes(Line));
            Assert.That(Workers(), Is.EqualTo(workers + 2));
        }

        Assert.Multiple(() =>
        {
            Assert.That(Workers(), Is.EqualTo(workers));
            Assert.That(Directory.GetFileSystemEntries("/proc/self/fd"), Has.Length.LessThan(descriptors + 25));
        });
    }

    private static NUnit.Framework.Constraints.EqualConstraint Fails(string message) =>
        Throws.InstanceOf<CoreIOException>().With.Message.EqualTo(message);

    private static string KeyText(LogTableAnswer table, int part) =>
        table.TryGetKey(table.Groups[0], part, out ReadOnlySpan<byte> bytes) ? Encoding.ASCII.GetString(bytes) : "-";

    // Threads of this process that the runtime did not make: a worker has a name of the library's.
    private static int Workers() => Directory.GetDirectories("/proc/self/task").Count(static task =>
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).StartsWith("coreio", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            // The thread ended meanwhile.
            return false;
        }
    });

    private static void Repeat(Action action)
    {
        for (int i = 0; i < 1000; i++)
        {
            action();
        }
    }

    // A pipe that nobody writes to keeps the reader waiting until the scan is stopped.
    private void EndsReading(Action<ILogScan> end)
    {
        using System.IO.Pipes.AnonymousPipeServerStream writer = new(System.IO.Pipes.PipeDirection.Out);
        using SafeFileHandle reader = new(writer.ClientSafePipeHandle.DangerousGetHandle(), ownsHandle: false);
        ILogScan scan = Scan(Query());
        int status = 0;
        Thread thread = new(() =>
        {
            try
            {
                scan.ReadHandle(reader);
            }
            catch (CoreIOException e)
            {
                status = e.Status;
            }
        });
        thread.Start();
        // Long enough for the call to wait in the kernel; a stop before it would pass as well.
        Thread.Sleep(50);
        end(scan);
        Assert.That(thread.Join(TimeSpan.FromSeconds(5)), "the call still reads");
        Assert.That(status, Is.EqualTo(StatusCode.Closed));
        scan.Dispose();
    }

    private LogQuery Query() => new() { Format = _log.CompileFormat("common"), Tables = [new LogTable()] };

    private ILogScan Scan(LogQuery query) => _log.CreateScan(query, new LogScanOptions { Workers = 2 });

    private ILogScan Start(LogQuery query, SafeFileHandle handle, out SafeFileHandle rejects)
    {
        rejects = handle;
        return _log.CreateScan(query, new LogScanOptions { Workers = 2, Rejects = handle });
    }
}
