// What holds of every scan: lines and bytes are accounted for, and what is rejected and what is parsed together are the input.
using System.Text;
using CoreIO.Log;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Log;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class InvariantTests(string backendName)
{
    private ICoreBackend _backend = null!;

    [OneTimeSetUp]
    public void TakeBackend() => _backend = Backends.Get(backendName);

    [Test]
    public void Lines_and_bytes_are_accounted_for(
        [ValueSource(typeof(Questions), nameof(Questions.Formats))] string format, [Values] LogQuality quality)
    {
        byte[] log = new LogMaker(21).Log(format, quality, 3000);
        long lines = log.Count(b => b == '\n') + (log[^1] == '\n' ? 0 : 1);
        foreach (Question question in Questions.For(format))
        {
            LogAnswer answer = Scans.Feed(_backend, question, log, new LogScanOptions { Workers = 3, BlockBytes = 4096 });
            Assert.Multiple(() =>
            {
                Assert.That(answer.Lines, Is.EqualTo(lines));
                Assert.That(answer.Parsed + answer.Rejected + answer.Filtered, Is.EqualTo(lines));
                Assert.That(answer.Bytes, Is.EqualTo(log.Length));
                Assert.That(answer.Workers.Sum(w => w.Lines), Is.EqualTo(lines), "lines of the workers");
                Assert.That(answer.Workers.Sum(w => w.Bytes), Is.EqualTo(log.Length), "bytes of the workers");
                Assert.That(answer.Rejects.Sum(r => r.Count), Is.EqualTo(answer.Rejected));
                Assert.That(answer.Tables.Select(t => t.Groups.Sum(g => g.Count)), Is.All.EqualTo(answer.Parsed), "lines of the groups");
            });
        }
    }

    [Test]
    public void Rejected_and_parsed_lines_together_are_the_input([Values("combined", "edge", "delimited")] string format, [Values] Way way)
    {
        byte[] log = new LogMaker(22).Log(format, LogQuality.Mutated, 4000);
        Question question = new(format)
        {
            Tables = [new LogTable { By = [format == "delimited" ? "f1" : "path"], Stats = format == "delimited" ? ["sum(f2)"] : ["sum(bytes)"] }],
        };
        using TempFolder folder = new();
        string path = folder.Write("log", log);
        LogAnswer whole;
        using (SafeFileHandle rejects = File.OpenHandle(folder.File("rejects"), FileMode.Create, FileAccess.Write))
        {
            LogScanOptions options = new() { Workers = 5, BlockBytes = 4096, Rejects = rejects };
            whole = Scans.Run(_backend, question, path, log, way, options, 23);
        }

        // The rejects are a part of the input, in its order, byte for byte; what is left must fit, and give the same tables.
        List<byte[]> rejected = Lines(File.ReadAllBytes(folder.File("rejects")));
        Assert.That(rejected, Has.Count.EqualTo(whole.Rejected));
        Assert.That(rejected, Has.Count.GreaterThan(10));
        int next = 0;
        using MemoryStream rest = new();
        foreach (byte[] line in Lines(log))
        {
            if (next < rejected.Count && line.AsSpan().SequenceEqual(rejected[next]))
            {
                next++;
            }
            else
            {
                rest.Write(line);
            }
        }

        Assert.That(next, Is.EqualTo(rejected.Count), "rejects that are lines of the input, in order");
        LogAnswer parsed = Scans.Feed(_backend, question, rest.ToArray());
        LogAnswer unfit = Scans.Feed(_backend, question, File.ReadAllBytes(folder.File("rejects")));
        Assert.Multiple(() =>
        {
            Assert.That((parsed.Parsed, parsed.Rejected), Is.EqualTo((whole.Parsed, 0L)));
            Assert.That((unfit.Parsed, unfit.Rejected), Is.EqualTo((0L, whole.Rejected)));
            Assert.That(Tables(AnswerText.Of(parsed)), Is.EqualTo(Tables(AnswerText.Of(whole))));
        });
    }

    [Test]
    public void Several_inputs_give_the_sum_and_no_line_spans_two()
    {
        using TempFolder folder = new();
        // The first ends without a newline, which ends its last line all the same.
        byte[] first = [.. "a 1\na 2"u8];
        byte[] second = [.. "b 3\na 4\n"u8];
        using ILogFormat format = _backend.Log.CompileFormat("delimited");
        using ILogScan scan = _backend.Log.CreateScan(
            Scans.Query(new Question("delimited") { Tables = [new LogTable { By = ["f1"], Stats = ["sum(f2)"] }] }, format), new LogScanOptions { Workers = 2 });
        scan.ReadFile(folder.Write("first", first));
        scan.Feed(second);
        scan.EndFeed();
        scan.ReadFile(folder.Write("empty", []));
        scan.ReadFile(folder.Write("second", second));
        LogAnswer answer = scan.Finish();
        Assert.That((answer.Lines, answer.Bytes), Is.EqualTo((6L, (long)first.Length + (2 * second.Length))));
        Assert.That(AnswerText.Of(answer), Does.Contain("[a] 4: 11000000/4\n[b] 2: 6000000/2\n"));
    }

    private static string Tables(string answer) => answer[answer.IndexOf("table ", StringComparison.Ordinal)..];

    private static List<byte[]> Lines(byte[] bytes)
    {
        List<byte[]> lines = [];
        for (int at = 0; at < bytes.Length;)
        {
            int newline = Array.IndexOf(bytes, (byte)'\n', at);
            int end = newline < 0 ? bytes.Length : newline + 1;
            lines.Add(bytes[at..end]);
            at = end;
        }

        return lines;
    }
}
