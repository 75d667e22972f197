// Scans that share the inputs of one question: merged they are one scan, whoever read what; and streams that are written where the scan wants.
using CoreIO.Log;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Tests.Log;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class MergeTests(string backendName)
{
    private ICoreBackend _backend = null!;

    [OneTimeSetUp]
    public void TakeBackend() => _backend = Backends.Get(backendName);

    [Test]
    public void Merged_scans_answer_as_one(
        [ValueSource(typeof(Questions), nameof(Questions.Formats))] string format, [Values] LogQuality quality)
    {
        LogMaker maker = new(60);
        byte[][] inputs = [.. Enumerable.Range(0, 9).Select(_ => maker.Log(format, quality, 300))];
        foreach (Question question in Questions.For(format))
        {
            using ILogFormat compiled = _backend.Log.CompileFormat(format);
            LogQuery query = Scans.Query(question, compiled);
            using ILogScan one = _backend.Log.CreateScan(query, new LogScanOptions { Workers = 2, BlockBytes = 4096 });
            Array.ForEach(inputs, input => Put(one, input));
            using ILogScan scan = _backend.Log.CreateScan(query, new LogScanOptions { Workers = 1, BlockBytes = 4096 });
            using ILogScan second = scan.CreatePart(new LogScanOptions { Workers = 2, BlockBytes = 4096 });
            using ILogScan third = scan.CreatePart(new LogScanOptions { Workers = 1 });
            ILogScan[] scans = [third, scan, second];
            for (int i = 0; i < inputs.Length; i++)
            {
                scans[i % 3].Number(i);
                Put(scans[i % 3], inputs[i]);
            }

            scan.Merge(second);
            scan.Merge(third);
            LogAnswer whole = one.Finish();
            LogAnswer merged = scan.Finish();
            Assert.That(AnswerText.Of(merged), Is.EqualTo(AnswerText.Of(whole)));
            Assert.That(merged.Workers.Sum(w => w.Lines), Is.EqualTo(whole.Lines), "lines of the workers");
            Assert.That(merged.Workers.Sum(w => w.Bytes), Is.EqualTo(whole.Bytes), "bytes of the workers");
            Assert.That(merged.Workers, Has.Count.EqualTo(1));
        }
    }

    [Test]
    public void A_scan_goes_on_after_a_merge()
    {
        using ILogFormat format = _backend.Log.CompileFormat("delimited");
        using ILogScan scan = _backend.Log.CreateScan(Query(format), new LogScanOptions { Workers = 2 });
        using ILogScan part = scan.CreatePart(new LogScanOptions { Workers = 1 });
        part.Number(5);
        Put(part, "\"late\na\n"u8);
        scan.Merge(part);
        scan.Number(3);
        Put(scan, "\"early\na\n"u8);
        LogAnswer answer = scan.Finish();
        Assert.That(answer.Lines, Is.EqualTo(4));
        Assert.That(string.Join(' ', answer.Rejects[0].Samples.Select(s => AnswerText.Escape(s))), Is.EqualTo(@"\x22early \x22late"));
    }

    [Test]
    public void What_does_not_belong_together_is_not_merged()
    {
        using ILogFormat format = _backend.Log.CompileFormat("delimited");
        using ILogScan scan = _backend.Log.CreateScan(Query(format), new LogScanOptions { Workers = 1 });
        using ILogScan other = _backend.Log.CreateScan(Query(format), new LogScanOptions { Workers = 1 });
        using ILogScan part = scan.CreatePart(new LogScanOptions { Workers = 1 });
        using ILogScan stopped = scan.CreatePart(new LogScanOptions { Workers = 1 });
        stopped.Stop();
        Assert.That(() => scan.Merge(other), Fails(StatusCode.InvalidArgument));
        Assert.That(() => scan.Merge(scan), Fails(StatusCode.InvalidArgument));
        Assert.That(() => scan.Merge(stopped), Fails(StatusCode.Closed));
        part.Feed("a\n"u8);
        Assert.That(() => scan.Merge(part), Fails(StatusCode.InvalidArgument));
        part.EndFeed();
        scan.Merge(part);
        Assert.That(() => scan.Merge(part), Fails(StatusCode.Closed));
        Assert.That(() => part.Finish(), Fails(StatusCode.Closed));
        Assert.That(() => part.Feed("a\n"u8), Fails(StatusCode.Closed));
        Assert.That(scan.Finish().Lines, Is.EqualTo(1));
    }

    [Test]
    public void A_part_whose_rejects_are_lost_is_not_merged()
    {
        using SafeFileHandle full = File.OpenHandle("/dev/full", access: FileAccess.Write);
        using ILogFormat format = _backend.Log.CompileFormat("delimited");
        using ILogScan scan = _backend.Log.CreateScan(Query(format), new LogScanOptions { Workers = 1 });
        using ILogScan part = scan.CreatePart(new LogScanOptions { Workers = 1, Rejects = full });
        Assert.That(() => Put(part, "\"a\n"u8), Fails(StatusCode.NoSpace));
        Assert.That(() => scan.Merge(part), Fails(StatusCode.NoSpace));
    }

    [Test]
    public void Numbers_rise()
    {
        using ILogFormat format = _backend.Log.CompileFormat("delimited");
        using ILogScan scan = _backend.Log.CreateScan(Query(format), new LogScanOptions { Workers = 1 });
        Assert.That(() => scan.Number(-1), Fails(StatusCode.InvalidArgument));
        scan.Number(2);
        scan.Feed("a"u8);
        Assert.That(() => scan.Number(3), Fails(StatusCode.InvalidArgument));
        scan.EndFeed();
        Assert.That(() => scan.Number(2), Fails(StatusCode.InvalidArgument));
        scan.Number(3);
        _ = scan.Finish();
        Assert.That(() => scan.Number(9), Fails(StatusCode.Closed));
    }

    [Test]
    public void Bytes_may_be_put_where_the_scan_wants_them([Values(1, 3)] int workers)
    {
        byte[] log = new LogMaker(61).Log("combined", LogQuality.Mutated, 5000);
        Question question = Questions.For("combined").First();
        string expected = AnswerText.Of(Scans.Feed(_backend, question, log));
        using ILogFormat format = _backend.Log.CompileFormat("combined");
        using ILogScan scan = _backend.Log.CreateScan(
            Scans.Query(question, format), new LogScanOptions { Workers = workers, BlockBytes = 4096 });
        Random random = new(62);
        for (int at = 0; at < log.Length;)
        {
            Span<byte> room = scan.FeedRoom();
            Assert.That(room.Length, Is.GreaterThan(0));
            int length = Math.Min(log.Length - at, Math.Min(room.Length, random.Next(5000)));
            log.AsSpan(at, length).CopyTo(room);
            scan.FeedDone(length);
            at += length;
        }

        scan.EndFeed();
        Assert.That(AnswerText.Of(scan.Finish()), Is.EqualTo(expected));
    }

    [Test]
    public void Only_room_that_was_lent_is_taken()
    {
        using ILogFormat format = _backend.Log.CompileFormat("delimited");
        using ILogScan scan = _backend.Log.CreateScan(Query(format), new LogScanOptions { Workers = 1 });
        Assert.That(() => scan.FeedDone(0), Fails(StatusCode.InvalidArgument));
        int lent = scan.FeedRoom().Length;
        Assert.That(() => scan.FeedDone(lent + 1), Fails(StatusCode.InvalidArgument));
        Assert.That(() => scan.FeedDone(-1), Fails(StatusCode.InvalidArgument));
        scan.FeedRoom()[0] = (byte)'a';
        scan.FeedDone(1);
        Assert.That(() => scan.FeedDone(1), Fails(StatusCode.InvalidArgument));
        _ = scan.FeedRoom();
        scan.Feed("b"u8);
        Assert.That(() => scan.FeedDone(1), Fails(StatusCode.InvalidArgument));
        scan.EndFeed();
        Assert.That(scan.Finish().Lines, Is.EqualTo(1));
        Assert.That(() => scan.FeedRoom(), Fails(StatusCode.Closed));
        Assert.That(() => scan.FeedDone(0), Fails(StatusCode.Closed));
    }

    [Test]
    public void A_stop_ends_the_lending()
    {
        using ILogFormat format = _backend.Log.CompileFormat("delimited");
        using ILogScan scan = _backend.Log.CreateScan(Query(format), new LogScanOptions { Workers = 1 });
        scan.FeedRoom()[0] = (byte)'a';
        scan.Stop();
        Assert.That(() => scan.FeedDone(1), Fails(StatusCode.Closed));
        Assert.That(() => scan.FeedRoom(), Fails(StatusCode.Closed));
    }

    private static NUnit.Framework.Constraints.EqualConstraint Fails(int status) =>
        Throws.TypeOf<CoreIOException>().With.Property(nameof(CoreIOException.Status)).EqualTo(status);

    private static LogQuery Query(ILogFormat format) => Scans.Query(new Question("delimited"), format);

    private static void Put(ILogScan scan, ReadOnlySpan<byte> bytes)
    {
        scan.Feed(bytes);
        scan.EndFeed();
    }
}
