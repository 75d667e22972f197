// Several gzip files in one report: read at the same time, they answer as if they were read one after the other.
using System.IO.Compression;
using CoreIO.Log;

namespace CoreIO.Tests.Log;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class GzipFilesTests(string backendName)
{
    private ICoreBackend _backend = null!;

    [OneTimeSetUp]
    public void TakeBackend() => _backend = Backends.Get(backendName);

    [Test]
    public void The_answer_is_that_of_one_after_the_other([Values(2, 3, 8)] int workers, [Values(1000, 3)] int maxGroups)
    {
        using TempFolder folder = new();
        List<string> inputs = Inputs(folder);
        LogReport one = Report(inputs, 1, maxGroups, folder.File("one"));
        LogReport many = Report(inputs, workers, maxGroups, folder.File("many"));
        Assert.Multiple(() =>
        {
            Assert.That(ReportText.Compared(ReportText.Document(many)), Is.EqualTo(ReportText.Compared(ReportText.Document(one))));
            Assert.That(many.Errors, Is.EqualTo(one.Errors));
            Assert.That(string.Join(' ', many.Errors.Select(e => Path.GetFileName(e.Input))), Is.EqualTo("cut.gz none.gz damaged.gz"));
            Assert.That(many.InputsRead, Is.EqualTo(one.InputsRead));
            Assert.That(many.Answer.Rejected, Is.GreaterThan(100));
            Assert.That(many.Answer.Workers, Has.Count.EqualTo(workers));
            Assert.That(many.Answer.Workers.Sum(w => w.Lines), Is.EqualTo(one.Answer.Lines), "lines of the workers");
            Assert.That(File.ReadAllBytes(folder.File("many")), Is.EqualTo(File.ReadAllBytes(folder.File("one"))), "rejected lines");
        });
    }

    [Test]
    public void Progress_ends_at_the_bytes_of_all_files()
    {
        using TempFolder folder = new();
        string[] inputs = [.. Inputs(folder).Where(File.Exists)];
        using LogReportRun run = new(_backend, Options(inputs, 3, 1000, null));
        run.Start();
        _ = run.Finish();
        Assert.That(run.Progress.BytesTotal, Is.EqualTo(inputs.Sum(input => new FileInfo(input).Length)));
        Assert.That(run.Progress.BytesDone, Is.EqualTo(run.Progress.BytesTotal));
    }

    [Test]
    public void Rejected_lines_that_cannot_be_written_end_the_report()
    {
        using TempFolder folder = new();
        CoreIOException? e = Assert.Throws<LogRejectsException>(() => Report(Inputs(folder), 3, 1000, "/dev/full"));
        Assert.That(e!.Status, Is.EqualTo(StatusCode.NoSpace));
    }

    [Test]
    public void Stopping_ends_the_files_being_read()
    {
        using TempFolder folder = new();
        byte[] log = new LogMaker(70).Log("combined", LogQuality.Fitting, 2000);
        string[] inputs = [.. Enumerable.Range(0, 4).Select(i => Gzip(folder, $"{i}.gz", Enumerable.Repeat(log, 100)))];
        foreach (string? rejects in (string?[])[null, folder.File("rejects")])
        {
            using LogReportRun run = new(_backend, Options([.. inputs, .. inputs], 2, 1000, rejects));
            run.Start();
            Thread stopper = new(() =>
            {
                SpinWait.SpinUntil(() => run.Progress.BytesDone > 100_000);
                run.Stop();
            });
            stopper.Start();
            Assert.That(run.Finish, Throws.TypeOf<OperationCanceledException>());
            stopper.Join();
        }
    }

    private static List<string> Inputs(TempFolder folder)
    {
        LogMaker maker = new(71);
        List<string> inputs = [];
        for (int i = 0; i < 6; i++)
        {
            // The first is the largest, so the others are done before it.
            byte[] log = maker.Log("combined", LogQuality.Mutated, i == 0 ? 8000 : 200 * i);
            inputs.Add(Gzip(folder, $"{i}.gz", [log]));
            inputs.Add(folder.Write($"{i}.log", maker.Log("combined", LogQuality.Mutated, 300)));
        }

        string whole = Gzip(folder, "whole.gz", [maker.Log("combined", LogQuality.Mutated, 3000)]);
        byte[] bytes = File.ReadAllBytes(whole);
        inputs.Insert(3, folder.Write("cut.gz", bytes.AsSpan(0, bytes.Length - 100)));
        inputs.Insert(4, inputs[0]);
        inputs.Add(folder.File("none.gz"));
        bytes[^6] ^= 1;
        inputs.Add(folder.Write("damaged.gz", bytes));
        inputs.Add(folder.Write("empty.gz", []));
        inputs.Add(whole);
        return inputs;
    }

    private static string Gzip(TempFolder folder, string name, IEnumerable<byte[]> parts)
    {
        using GZipStream gzip = new(File.Create(folder.File(name)), CompressionLevel.Fastest);
        foreach (byte[] part in parts)
        {
            gzip.Write(part);
        }

        return folder.File(name);
    }

    private static LogReportOptions Options(IReadOnlyList<string> inputs, int workers, int maxGroups, string? rejects) => new()
    {
        Inputs = inputs,
        Format = "combined",
        RejectsPath = rejects,
        Scan = new LogScanOptions { Workers = workers, BlockBytes = 4096 },
        Tables = _ =>
        [
            new LogReportTableOptions
            {
                Table = new LogTable
                {
                    By = ["client", "status"],
                    Stats = ["count", "sum(bytes)", "p90(bytes)", "distinct(path)"],
                    MaxGroups = maxGroups,
                },
            },
        ],
    };

    private LogReport Report(List<string> inputs, int workers, int maxGroups, string rejects) =>
        LogReports.Run(_backend, Options(inputs, workers, maxGroups, rejects));
}
