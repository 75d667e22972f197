// One answer, whoever gives it: both backends, every kernel, any number of workers, any block size, a file, a pipe, pieces of a stream.
// The first kernel of the default backend is what the others are held against; what is right is the business of the other tests.
using System.Text;
using CoreIO.Log;

namespace CoreIO.Tests.Log;

internal sealed class DifferentialTests
{
    private static readonly int[] Workers = [1, 2, 5];
    private static readonly int[] Blocks = [4096, 5000, 64 * 1024, 4 * 1024 * 1024];

    public static IEnumerable<TestCaseData> RandomLogs() =>
        from format in Questions.Formats
        from quality in Enum.GetValues<LogQuality>()
        from seed in (int[])[1, 2]
        select new TestCaseData(format, quality, seed);

    [TestCaseSource(nameof(RandomLogs))]
    public void Random_lines_have_one_answer(string format, LogQuality quality, int seed)
    {
        byte[] log = new LogMaker(seed).Log(format, quality, 1500);
        foreach (Question question in Questions.For(format))
        {
            HasOneAnswer(question, log, seed);
        }
    }

    [TestCaseSource(typeof(Questions), nameof(Questions.Formats))]
    public void Records_of_random_lines_are_the_same(string format)
    {
        foreach (LogQuality quality in Enum.GetValues<LogQuality>())
        {
            byte[] log = new LogMaker(3).Log(format, quality, 300);
            string? expected = null;
            foreach ((ICoreBackend backend, string kernel) in Backends.Kernels)
            {
                foreach (int records in (int[])[1, 16, 1000])
                {
                    string actual = LexText.Of(backend, format, log, kernel, records);
                    expected ??= actual;
                    Assert.That(actual, Is.EqualTo(expected), $"{quality}: {backend.Name} {kernel}, {records} records at a time");
                }
            }
        }
    }

    [TestCase(8388607)]
    [TestCase(8388608)]
    [TestCase(8388609)]
    [TestCase(20_000_000)]
    public void Very_long_lines_have_one_answer(int length)
    {
        // The length counts the newline; at the limit a line is one still.
        byte[] log = [.. "a 1\n"u8, .. Enumerable.Repeat((byte)'x', length - 3), .. " 2\n"u8, .. "\"open\n"u8, .. "b 3"u8];
        Question question = new("delimited") { Tables = [new LogTable { By = ["f2"] }] };
        LogAnswer answer = HasOneAnswer(question, log, length);
        bool fits = length <= 8388608;
        Assert.That((answer.Lines, answer.Parsed), Is.EqualTo((4, fits ? 3 : 2)));
        string reasons = string.Join(' ', answer.Rejects.Select(r => r.Reason.Name()));
        Assert.That(reasons, Is.EqualTo(fits ? "open_delimiter" : "open_delimiter too_long"));
    }

    [Test]
    public void Documents_of_random_logs_are_the_same([Values(4, 5)] int seed)
    {
        Backends.NeedBoth();
        using TempFolder folder = new();
        foreach (string format in Questions.Formats)
        {
            string path = folder.Write(format, new LogMaker(seed).Log(format, LogQuality.Mutated, 800));
            foreach (Question question in Questions.For(format))
            {
                string[] documents = [.. Backends.All.Select(backend => Document(backend, question, path))];
                Assert.That(documents[1], Is.EqualTo(documents[0]), $"{format}, {question.Where}");
            }
        }
    }

    /// <summary>Asks in every way and returns the answer they all gave.</summary>
    private static LogAnswer HasOneAnswer(Question question, byte[] log, int seed)
    {
        using TempFolder folder = new();
        string path = folder.Write("log", log);
        string? expected = null;
        LogAnswer? first = null;
        int turn = seed;
        foreach ((ICoreBackend backend, string kernel) in Backends.Kernels)
        {
            foreach (int workers in Workers)
            {
                foreach (Way way in Enum.GetValues<Way>())
                {
                    LogScanOptions options = new() { Workers = workers, Kernel = kernel, BlockBytes = Blocks[turn++ % Blocks.Length] };
                    LogAnswer answer = Scans.Run(backend, question, path, log, way, options, turn);
                    string actual = AnswerText.Of(answer);
                    first ??= answer;
                    expected ??= actual;
                    if (actual != expected)
                    {
                        // A copy for whoever looks for the reason; the message names the rest.
                        string kept = Path.Combine(TestContext.CurrentContext.WorkDirectory, "differs.log");
                        File.WriteAllBytes(kept, log);
                        Assert.That(
                            actual,
                            Is.EqualTo(expected),
                            $"{backend.Name} {kernel}, {workers} workers, {way}, blocks of {options.BlockBytes}, "
                                + $"{question.Format}, {question.Where}; log: {kept}");
                    }
                }
            }
        }

        return first!;
    }

    private static string Document(ICoreBackend backend, Question question, string path)
    {
        StringBuilder text = new();
        LogReport report = LogReports.Run(backend, new LogReportOptions
        {
            Inputs = [path],
            Format = question.Format,
            Where = question.Where,
            Interval = question.Interval,
            Tables = _ => [.. question.Tables.Select(table => new LogReportTableOptions { Table = table })],
            Scan = new LogScanOptions { Workers = 2 },
        });
        foreach (LogReportTable table in report.Tables)
        {
            using MemoryStream bytes = new();
            LogReportJson.Write(bytes, report, table);
            text.Append(ReportText.Compared(bytes.ToArray()));
        }

        return text.ToString();
    }
}
