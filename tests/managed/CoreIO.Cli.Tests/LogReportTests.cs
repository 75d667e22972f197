using System.Text;
using CoreIO.Cpu;
using CoreIO.Log;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Cli.Tests;

public sealed class LogReportTests
{
    private const string Good = "1.2.3.4 - - [22/Jan/2019:03:56:14 +0330] \"GET / HTTP/1.1\" 200 7\n";

    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("coreio-report").FullName;

    [TearDown]
    public void DropFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void OneFaultyInputEndsNoOther()
    {
        string plain = Write("plain", Encoding.ASCII.GetBytes(Good));
        byte[] packed = LogInputTests.Gzip(Encoding.ASCII.GetBytes(Good + Good));
        string gzip = Write("packed-without-a-name", packed);
        string cut = Write("cut.gz", packed[..^3]);
        FakeBackend backend = new();
        LogReport report = LogReports.Run(backend, new LogReportOptions
        {
            Inputs = [_folder + "/none", plain, _folder, cut, gzip],
            Format = "common",
            Scan = new LogScanOptions { Workers = 1 },
        });
        Assert.Multiple(() =>
        {
            Assert.That(backend.Scan!.Taken, Is.EqualTo(Good + "|" + Good + Good + "|" + Good + Good + "|"));
            Assert.That(report.Errors.Select(e => e.Status),
                Is.EqualTo((int[])[StatusCode.NoEntry, StatusCode.IsADirectory, StatusCode.InputOutput]));
            Assert.That(report.Errors[2].Cause, Does.Contain("gzip"));
            Assert.That(report.InputsRead, Is.EqualTo(3));
        });
    }

    [TestCase("packed", 0, 1 << 20)]
    [TestCase("packed packed", 0, 1 << 20)]
    [TestCase("packed", 8192, 8192)]
    [TestCase("plain", 0, 0)]
    [TestCase("packed plain", 0, 0)]
    [TestCase("plain packed", 0, 0)]
    [TestCase("packed none", 0, 0)]
    public void BlocksAreLargerWhereAllIsDecompressed(string inputs, int asked, int given)
    {
        _ = Write("plain", Encoding.ASCII.GetBytes(Good));
        _ = Write("packed", LogInputTests.Gzip(Encoding.ASCII.GetBytes(Good)));
        FakeBackend backend = new();
        _ = LogReports.Run(backend, new LogReportOptions
        {
            Inputs = [.. inputs.Split(' ').Select(i => Path.Combine(_folder, i))],
            Format = "common",
            Scan = new LogScanOptions { Workers = 1, BlockBytes = asked },
        });
        Assert.That(backend.Options!.BlockBytes, Is.EqualTo(given));
    }

    [Test]
    public void AFaultOfTheBackendIsToldOfTheInputItReads()
    {
        string plain = Write("plain", Encoding.ASCII.GetBytes(Good));
        FakeBackend backend = new() { Fault = StatusCode.Truncated };
        LogReport report = LogReports.Run(backend, new LogReportOptions { Inputs = [plain], Format = "common" });
        Assert.That(report.Errors,
            Is.EqualTo((LogInputError[])[new(plain, StatusCode.Truncated, StatusCode.Describe(StatusCode.Truncated))]));
    }

    [Test]
    public void WantOfMemoryEndsTheReportAndBlamesNoInput()
    {
        string plain = Write("plain", Encoding.ASCII.GetBytes(Good));
        FakeBackend backend = new() { Fault = StatusCode.NoMemory };
        CoreIOException? e = Assert.Throws<CoreIOException>(
            () => LogReports.Run(backend, new LogReportOptions { Inputs = [plain, plain], Format = "common" }));
        Assert.That(e!.Status, Is.EqualTo(StatusCode.NoMemory));
        Assert.That(e.Message, Is.EqualTo("the report: out of memory (ENOMEM)"));
        Assert.That(backend.Scan!.Reads, Is.EqualTo(1));
    }

    [Test]
    public void TheOffsetAndTheBoundsComeFromTheLog()
    {
        string plain = Write("plain", Encoding.ASCII.GetBytes("no line\n" + Good));
        FakeBackend backend = new();
        Assert.That(LogMoment.TryParse("2019-01-22T03:56", out LogMoment since));
        LogReport report = LogReports.Run(backend, new LogReportOptions { Inputs = [plain], Format = "common", Since = since });
        Assert.That(report.OffsetMinutes, Is.EqualTo(210));
        Assert.That(backend.Query!.Since, Is.EqualTo(new DateTimeOffset(2019, 1, 22, 0, 26, 0, TimeSpan.Zero)));
    }

    [Test]
    public void CancellingStopsTheScan()
    {
        string plain = Write("plain", Encoding.ASCII.GetBytes(Good));
        using CancellationTokenSource cancel = new();
        FakeBackend backend = new() { WhileReading = cancel.Cancel };
        Assert.That(
            async () => await LogReports.RunAsync(backend, new LogReportOptions { Inputs = [plain], Format = "common" }, cancel.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(backend.Scan!.IsStopped);
    }

    [Test]
    public void AWrongQuestionCostsNobodyARejectsFile()
    {
        string plain = Write("plain", Encoding.ASCII.GetBytes(Good));
        string rejects = Write("rejects", "kept"u8.ToArray());
        LogReportOptions options = new()
        {
            Inputs = [plain],
            Format = "common",
            RejectsPath = rejects,
            Tables = _ => [new LogReportTableOptions { Sort = "nothing" }],
        };
        Assert.That(() => LogReports.Run(new FakeBackend(), options), Throws.TypeOf<LogSortException>());
        Assert.That(File.ReadAllText(rejects), Is.EqualTo("kept"));
        FakeBackend refusing = new() { RefusesQuery = true };
        Assert.That(
            () => LogReports.Run(refusing, options with { RejectsPath = _folder + "/new", Tables = _ => [new()] }),
            Throws.InstanceOf<CoreIOException>());
        Assert.That(File.Exists(_folder + "/new"), Is.False);
        Assert.That(
            () => LogReports.Run(new FakeBackend(), options with { RejectsPath = plain, Tables = _ => [new()] }),
            Throws.TypeOf<LogRejectsException>());
        Assert.That(File.ReadAllText(plain), Is.EqualTo(Good));
    }

    [TestCase("1.2.3.4 - - [22/Jan/2019:03:56:14 +0330] \"GET / HTTP/1.1\" 200 7 \"-\" \"-\"", "combined")]
    [TestCase("1.2.3.4 - - [22/Jan/2019:03:56:14 +0330] \"GET / HTTP/1.1\" 200 7 \"-\" \"-\" \"-\"", "main")]
    [TestCase("1.2.3.4 - - [22/Jan/2019:03:56:14 +0330] \"GET / HTTP/1.1\" 200 7", "common")]
    [TestCase("a.b:80 1.2.3.4 - - [22/Jan/2019:03:56:14 +0330] \"GET / HTTP/1.1\" 200 7 \"-\" \"-\"", "vhost_combined")]
    [TestCase("Feb 27 11:53:25 edge01 nginx: [-] [27/Feb/2023:11:53:25 +0800] [https] [a] [b] [c] [200] [d]", "edge")]
    [TestCase("1.2.3.4 - - [22/Jan/2019:03:56:99 +0330] \"GET / HTTP/1.1\" 200 7", "delimited")]
    [TestCase("1.2.3.4 - - [22/Jan/2019:03:56:14 +0330] \"GET / HTTP/1.1\" x 7", "delimited")]
    [TestCase("", "combined")]
    public void TheFormatIsGuessedByTheFirstLines(string line, string format)
    {
        LogSample sample = new(Encoding.ASCII.GetBytes(line), end: true);
        foreach (CoreBackendInfo info in CoreBackends.Available.Where(b => b.Backend is not null))
        {
            LogFormatChoice choice = LogFormatSource.Find(info.Backend!.Log, LogFormatSource.Auto, sample);
            using ILogFormat compiled = choice.Format;
            Assert.That(choice.Name, Is.EqualTo(format), info.Name);
        }
    }

    private string Write(string name, byte[] bytes)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    /// <summary>Cuts lines with the managed backend and notes what a scan is given.</summary>
    private sealed class FakeBackend : ICoreBackend, ILogBackend
    {
        private readonly ILogBackend _real = CoreBackends.Get(CoreBackends.ManagedName).Log;

        public int Fault { get; init; }

        public bool RefusesQuery { get; init; }

        public Action? WhileReading { get; init; }

        public FakeScan? Scan { get; private set; }

        public LogQuery? Query { get; private set; }

        public LogScanOptions? Options { get; private set; }

        public string Name => "fake";

        public BackendFeatures Features => BackendFeatures.None;

        public ICpuBackend Cpu => throw new NotSupportedException();

        public ILogBackend Log => this;

        public CoreIO.Loop.ILoopBackend Loop => throw new NotSupportedException();

        public CoreIO.Mq.IMqBackend Mq => throw new NotSupportedException();

        public CoreIO.Proxy.IProxyBackend Proxy => throw new NotSupportedException();

        public IReadOnlyList<LogKernel> Kernels => _real.Kernels;

        public ILogFormat CompileFormat(string text) => _real.CompileFormat(text);

        public ILogLexer CreateLexer(ILogFormat format, string? kernel = null) => _real.CreateLexer(format, kernel);

        public ILogScan CreateScan(LogQuery query, LogScanOptions options)
        {
            Query = query;
            Options = options;
            return RefusesQuery ? throw new CoreIOException(StatusCode.Cpu, "no") : Scan = new FakeScan(this);
        }
    }

    private sealed class FakeScan(FakeBackend backend) : ILogScan
    {
        private readonly StringBuilder _taken = new();
        private readonly byte[] _room = new byte[100];

        public string Taken => _taken.ToString();

        public bool IsStopped { get; private set; }

        public LogProgress Progress => default;

        public void Stop() => IsStopped = true;

        public void Number(int input)
        {
        }

        public int Reads { get; private set; }

        public long ReadFile(string path)
        {
            Reads++;
            backend.WhileReading?.Invoke();
            if (IsStopped || backend.Fault != 0)
            {
                throw new CoreIOException(IsStopped ? StatusCode.Closed : backend.Fault, path);
            }

            _taken.Append(File.ReadAllText(path)).Append('|');
            return 0;
        }

        public long ReadHandle(SafeFileHandle handle) => throw new NotSupportedException();

        public void Feed(ReadOnlySpan<byte> bytes) => _taken.Append(Encoding.ASCII.GetString(bytes));

        public Span<byte> FeedRoom() => _room;

        public void FeedDone(int length) => Feed(_room.AsSpan(0, length));

        public void EndFeed() => _taken.Append('|');

        public ILogScan CreatePart(LogScanOptions options) => throw new NotSupportedException();

        public void Merge(ILogScan part) => throw new NotSupportedException();

        public LogAnswer Finish() => new FakeTable([], [FakeTable.Count]).Row(1, [], (1, 1)).Report().Answer;

        public void Dispose()
        {
        }
    }
}
