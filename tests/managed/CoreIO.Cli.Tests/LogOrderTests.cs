using System.Text;
using CoreIO.Log;

namespace CoreIO.Cli.Tests;

public sealed class LogOrderTests
{
    private static readonly LogStatColumn Avg = new("avg(request_time)", LogStatKind.Avg, 6);

    [Test]
    public void CountComesFirstAndTiesGoByKeyWithNullFirst()
    {
        LogTableAnswer table = new FakeTable([FakeTable.Text("path")], [FakeTable.Count])
            .Row(1, ["b"], (1, 1)).Row(5, ["z"], (5, 5)).Row(1, ["\xff"], (1, 1)).Row(1, [null], (1, 1)).Row(1, ["a"], (1, 1)).Answer;
        Assert.That(Shown(table, null, 0), Is.EqualTo("z - a b \xff"));
    }

    [Test]
    public void TheHeapChoosesWhatTheSortWould([Values(1, 2, 7, 49, 99, 100, 1000)] int top)
    {
        Random random = new(7);
        FakeTable fake = new([FakeTable.Text("path")], [FakeTable.Count]);
        for (int i = 0; i < 100; i++)
        {
            long count = random.Next(5);
            fake.Row(count, [$"p{i}"], (count, count));
        }

        string all = Shown(fake.Answer, null, 0);
        Assert.That(Shown(fake.Answer, null, top), Is.EqualTo(string.Join(' ', all.Split(' ').Take(top))));
    }

    [Test]
    public void ATimeSeriesIsOrderedByTimeAndTopIsForEachInterval()
    {
        LogTableAnswer table = new FakeTable([new("time", LogKind.Time), FakeTable.Text("status")], [FakeTable.Count])
            .Row(1, [2L, "b"], (1, 1)).Row(9, [2L, "a"], (9, 9))
            .Row(3, [-1L, "c"], (3, 3)).Row(4, [-1L, "d"], (4, 4)).Row(1, [null, "e"], (1, 1)).Answer;
        (int[] rows, long hidden) = LogOrder.Rows(table, null, 1);
        Assert.That(rows, Is.EqualTo((int[])[4, 3, 1]));
        Assert.That(hidden, Is.EqualTo(2));
    }

    [Test]
    public void AColumnCanBeNamedInEitherDirectionAndNullIsLast()
    {
        LogTableAnswer table = new FakeTable([FakeTable.Text("path")], [Avg])
            .Row(1, ["small"], (10, 10)).Row(1, ["null"], (0, 0)).Row(1, ["large"], (90, 3)).Answer;
        Assert.Multiple(() =>
        {
            Assert.That(Shown(table, "avg(request_time)", 0), Is.EqualTo("large small null"));
            Assert.That(Shown(table, "avg(request_time):asc", 0), Is.EqualTo("small large null"));
            Assert.That(Shown(table, "path", 0), Is.EqualTo("large null small"));
            Assert.That(Shown(table, "path:desc", 0), Is.EqualTo("small null large"));
            Assert.That(() => Shown(table, "bytes", 0), Throws.TypeOf<LogSortException>().With.Message.Contains("avg(request_time)"));
        });
    }

    [Test]
    public void NumbersInKeysSortAsNumbersWhenNamed()
    {
        LogTableAnswer table = new FakeTable([new("pid", LogKind.Integer)], [FakeTable.Count])
            .Row(1, ["10"], (1, 1)).Row(1, ["9"], (1, 1)).Row(1, ["-3"], (1, 1)).Answer;
        Assert.That(Shown(table, "pid", 0), Is.EqualTo("-3 9 10"));
    }

    [Test]
    public void ListsInKeysSortBehindNumbersWhateverTheOrderOfTheRows([Range(0, 9)] int seed)
    {
        string[] keys = ["10", "9", "2, 1", "100", "11 : 3", "9, 9", "-3", "3"];
        new Random(seed).Shuffle(keys);
        FakeTable fake = new([new("upstream_status", LogKind.Integer)], [FakeTable.Count]);
        foreach (string key in keys)
        {
            fake.Row(1, [key], (1, 1));
        }

        Assert.That(Shown(fake.Answer, "upstream_status", 0), Is.EqualTo("-3 3 9 10 100 11 : 3 2, 1 9, 9"));
    }

    [Test]
    public void TheOtherRowIsAlwaysLast()
    {
        LogTableAnswer table = new FakeTable([FakeTable.Text("path")], [FakeTable.Count])
            .Row(1, ["a"], (1, 1)).Row(2, ["b"], (2, 2)).Other(100, (100, 100)).Answer;
        (int[] rows, long hidden) = LogOrder.Rows(table, null, 1);
        Assert.That(rows, Is.EqualTo((int[])[1, 2]));
        Assert.That(hidden, Is.EqualTo(1));
    }

    private static string Shown(LogTableAnswer table, string? sort, int top) =>
        string.Join(' ', LogOrder.Rows(table, sort, top).Rows.Select(row =>
        table.TryGetKey(table.Groups[row], 0, out ReadOnlySpan<byte> key) ? Encoding.Latin1.GetString(key) : "-"));
}
