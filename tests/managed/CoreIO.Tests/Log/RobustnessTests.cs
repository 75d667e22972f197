// Inputs that are wrong: one sentence that says which and why, and all other inputs are read.
using System.IO.Compression;
using System.Net.Sockets;
using System.Runtime.Versioning;
using CoreIO.Log;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Log;

[SupportedOSPlatform("linux")]
[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class RobustnessTests(string backendName)
{
    private ICoreBackend _backend = null!;

    [OneTimeSetUp]
    public void TakeBackend() => _backend = Backends.Get(backendName);

    [Test]
    public void Inputs_that_cannot_be_read_are_named_and_the_others_are_read()
    {
        using TempFolder folder = new();
        string good = folder.Write("good", "a 1\nb 2\n"u8);
        string empty = folder.Write("empty", []);
        string missing = folder.File("missing");
        string name = folder.File(new string('x', 300));
        LogReport report = Report(good, folder.Path, missing, empty, name, good + "/below", good);
        Assert.That(
            report.Errors.Select(e => $"{e.Input[folder.Path.Length..]}: {e.Cause}"),
            Is.EqualTo(new[]
            {
                ": is a directory (EISDIR)",
                "/missing: no such file (ENOENT)",
                $"/{new string('x', 300)}: file name too long (ENAMETOOLONG)",
                "/good/below: a part of the path is no directory (ENOTDIR)",
            }));
        Assert.That((report.Answer.Lines, report.Answer.Bytes, report.InputsRead), Is.EqualTo((4L, 16L, 3)));
    }

    // Nobody reads the socket, so without the stop the call would never return.
    [Test]
    public void A_stop_ends_a_wait_for_room_for_rejected_lines()
    {
        using TempFolder folder = new();
        string log = folder.Write("log", [.. Enumerable.Repeat("no line\n"u8.ToArray(), 1 << 18).SelectMany(line => line)]);
        UnixDomainSocketEndPoint place = new(folder.File("socket"));
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(place);
        listener.Listen();
        using Socket full = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        full.Connect(place);
        full.Blocking = false;
        using SafeFileHandle rejects = new(full.Handle, ownsHandle: false);
        using ILogFormat format = _backend.Log.CompileFormat("combined");
        LogQuery query = new() { Format = format, Tables = [new LogTable()] };
        using ILogScan scan = _backend.Log.CreateScan(query, new LogScanOptions { Workers = 2, Rejects = rejects });
        Task<CoreIOException?> reader = Task.Factory.StartNew(
            () => Assert.Throws<CoreIOException>(() => scan.ReadFile(log)), TaskCreationOptions.LongRunning);
        Assert.That(reader.Wait(TimeSpan.FromMilliseconds(200)), Is.False, "the socket takes all");
        scan.Stop();
        Assert.That(reader.Wait(TimeSpan.FromSeconds(10)), Is.True);
        Assert.That(reader.Result!.Status, Is.EqualTo(StatusCode.Closed));
    }

    [Test]
    public void A_file_without_permission_is_named_and_the_others_are_read()
    {
        using TempFolder folder = new();
        string good = folder.Write("good", "a 1\n"u8);
        string closed = folder.Write("closed", "b 2\n"u8);
        File.SetUnixFileMode(closed, UnixFileMode.None);
        string[] launcher = [];
        if (Environment.UserName == "root")
        {
            // Root may read everything, so the command runs as nobody, if it can run as nobody at all.
            launcher = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
            File.SetUnixFileMode(folder.Path, (UnixFileMode)Convert.ToInt32("755", 8));
            if (!IsReadable(launcher))
            {
                Assert.Ignore("nobody may not run this build, or there is no setpriv; run the tests as a user who is not root");
            }
        }

        CliResult result = CliProcess.Run(
            ["log", "report", "--format", "delimited", "--by", "f1", "--output", "csv", "--backend", backendName, closed, good],
            launcher: launcher);
        Assert.Multiple(() =>
        {
            Assert.That(result.Errors, Does.Match($"^coreio log( report)?: {closed}: permission denied \\(EACCES\\)\n$"));
            Assert.That(result.Output.ReplaceLineEndings("\n"), Is.EqualTo("f1,count\na,1\n"));
            Assert.That(result.ExitCode, Is.EqualTo(2));
        });
    }

    [Test]
    public void A_truncated_gzip_gives_the_lines_before_the_cut()
    {
        using TempFolder folder = new();
        byte[] log = new LogMaker(31).Log("combined", LogQuality.Fitting, 20_000);
        using MemoryStream bytes = new();
        using (GZipStream gzip = new(bytes, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(log);
        }

        string cut = folder.Write("cut.gz", bytes.ToArray().AsSpan(0, (int)bytes.Length / 2));
        LogReport report = Report(cut, folder.Write("good", "a 1\nb 2\n"u8));
        Assert.Multiple(() =>
        {
            Assert.That(report.Errors.Select(e => e.Input), Is.EqualTo(new[] { cut }));
            Assert.That(report.Errors[0].Cause, Does.Contain("gzip").And.Contain("end").Or.Contain("truncated"));
            Assert.That(report.Answer.Lines, Is.GreaterThan(1000).And.LessThan(20_000));
            Assert.That(report.Answer.Bytes, Is.LessThan(log.Length));
        });
    }

    [Test]
    public void A_file_that_shrinks_while_it_is_read_is_told()
    {
        using TempFolder folder = new();
        string path = folder.File("shrinks");
        using FileStream file = new(path, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite, 0);
        file.Write(Enumerable.Repeat("a 1\n"u8.ToArray(), 500_000).SelectMany(line => line).ToArray());
        // A hole: one line that takes long to read and no room on the disk.
        file.SetLength(16L << 30);
        using ILogFormat format = _backend.Log.CompileFormat("delimited");
        using ILogScan scan = _backend.Log.CreateScan(
            Scans.Query(new Question("delimited"), format), new LogScanOptions { Workers = 2, BlockBytes = 64 * 1024 });
        Thread cutter = new(() =>
        {
            while (scan.Progress.BytesDone < 16 << 20)
            {
                Thread.Sleep(1);
            }

            file.SetLength(4096);
        });
        cutter.Start();
        CoreIOException? e = Assert.Throws<CoreIOException>(() => scan.ReadFile(path));
        cutter.Join();
        Assert.That((e!.Status, e.Message), Is.EqualTo((StatusCode.Truncated, $"{path}: {StatusCode.Describe(StatusCode.Truncated)}")));
        // The scan goes on with the next input.
        Assert.That(scan.ReadFile(folder.Write("next", "b 2\n"u8)), Is.EqualTo(4));
        // Of the lines before the hole at most those of its block are lost with it.
        Assert.That(scan.Finish().Parsed, Is.GreaterThan(500_000 - (64 * 1024 / 4)));
    }

    [Test]
    public void A_file_that_vanishes_while_it_is_read_is_read_to_its_end()
    {
        using TempFolder folder = new();
        byte[] log = new LogMaker(32).Log("combined", LogQuality.Fitting, 50_000);
        string path = folder.Write("vanishes", log);
        using ILogFormat format = _backend.Log.CompileFormat("combined");
        using ILogScan scan = _backend.Log.CreateScan(
            Scans.Query(new Question("combined"), format), new LogScanOptions { Workers = 1, BlockBytes = 4096 });
        Thread remover = new(() =>
        {
            SpinWait.SpinUntil(() => scan.Progress.BytesDone > 0);
            File.Delete(path);
        });
        remover.Start();
        Assert.That(scan.ReadFile(path), Is.EqualTo(log.Length));
        remover.Join();
        Assert.That(File.Exists(path), Is.False);
        Assert.That(scan.Finish().Lines, Is.EqualTo(50_000));
    }

    [Test]
    public void A_line_of_64_MiB_is_one_reject([Values] Way way)
    {
        byte[] log = [.. "a 1\n"u8, .. Enumerable.Repeat((byte)'y', 64 << 20), .. "\nb 2\n"u8];
        using TempFolder folder = new();
        string path = folder.Write("long", log);
        LogAnswer answer = Scans.Run(
            _backend, new Question("delimited"), path, log, way, new LogScanOptions { Workers = 2 }, 1);
        Assert.That((answer.Lines, answer.Parsed, answer.Bytes), Is.EqualTo((3L, 2L, (long)log.Length)));
        LogReject reject = answer.Rejects.Single();
        Assert.That((reject.Reason, reject.Count, reject.Samples.Single().Length), Is.EqualTo((LogReason.TooLong, 1L, 256)));
    }

    [Test]
    public void A_binary_file_is_all_lines_and_bytes()
    {
        byte[] bytes = new byte[3 << 20];
        new Random(33).NextBytes(bytes);
        using TempFolder folder = new();
        foreach (string format in Questions.Formats)
        {
            LogAnswer answer = Scans.Run(
                _backend, new Question(format), folder.Write("binary", bytes), bytes, Way.File, new LogScanOptions { Workers = 2 });
            Assert.That(answer.Bytes, Is.EqualTo(bytes.Length));
            Assert.That(answer.Lines, Is.EqualTo(bytes.Count(b => b == '\n') + (bytes[^1] == '\n' ? 0 : 1)));
        }
    }

    [Test]
    public void A_device_and_a_process_file_are_read_as_streams()
    {
        LogReport report = Report("/dev/null", "/proc/self/status");
        Assert.That(report.Errors, Is.Empty);
        Assert.That(report.Answer.Lines, Is.GreaterThan(10));
    }

    private static bool IsReadable(string[] launcher)
    {
        try
        {
            return CliProcess.Run(["log", "formats"], launcher: launcher).ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private LogReport Report(params string[] inputs) => LogReports.Run(_backend, new LogReportOptions
    {
        Inputs = inputs,
        Format = "delimited",
        Scan = new LogScanOptions { Workers = 2 },
    });
}
