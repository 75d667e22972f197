// Many rows are sorted by words: as LogOrder compares them two at a time.
using System.Globalization;
using CoreIO.Log;

namespace CoreIO.Cli.Tests;

public sealed class LogWordSortTests
{
    private const int Rows = 6000;

    private static readonly LogKeyColumn Time = new("time", LogKind.Time);
    private static readonly LogKeyColumn Number = new("pid", LogKind.Integer);
    private static readonly LogKeyColumn Text = FakeTable.Text("path");
    private static readonly LogStatColumn Sum = new("sum(bytes)", LogStatKind.Sum, 0);
    private static readonly LogStatColumn Avg = new("avg(bytes)", LogStatKind.Avg, 0);

    [Test]
    public void ManyRowsComeInTheOrderInWhichTwoAreCompared(
        [Values(null, "count:asc", "pid", "pid:desc", "path", "path:desc", "sum(bytes)", "sum(bytes):asc", "avg(bytes)")] string? sort,
        [Range(1, 3)] int seed)
    {
        CheckOrder([Text, Number], sort, seed);
    }

    [Test]
    public void ASeriesOfManyRowsIsOrderedToo(
        [Values(null, "path:desc", "sum(bytes)", "time:desc", "pid")] string? sort, [Range(1, 2)] int seed)
    {
        CheckOrder([Time, Text, Number], sort, seed);
    }

    [Test]
    public void LongKeysThatDifferAtTheirEndsAreOrdered()
    {
        FakeTable fake = new([Text], [FakeTable.Count]);
        string key = "";
        for (int i = 0; i < Rows; i++)
        {
            // Each is the beginning of all that follow it, so that every word tells one row from the others.
            key += i % 4 == 0 ? "\0" : "";
            fake.Row(1, [$"{key}{i % 4}"], (1, 1));
        }

        CheckOrder(fake.Answer, null);
    }

    [Test]
    public void KeysThatShareALongBeginningAreOrdered([Values(6, 7, 8, 28, 29, 35, 36, 300)] int shared)
    {
        FakeTable fake = new([Text], [FakeTable.Count]);
        for (int i = 0; i < Rows; i++)
        {
            // One is nothing but what all share.
            fake.Row(1, [new string('a', shared) + (i == Rows / 2 ? "" : $"{i * 7919 % Rows}")], (1, 1));
        }

        CheckOrder(fake.Answer, null);
    }

    [Test]
    public void RowsAreComparedOnlyWhereFewAreLeft()
    {
        Random random = new(5);
        FakeTable fake = new([Text], [FakeTable.Count]);
        for (int i = 0; i < Rows; i++)
        {
            fake.Row(1, [$"/the/same/for/all/{random.NextInt64():x16}"], (1, 1));
        }

        CountingOrder order = new(new LogOrder(fake.Answer, null));
        int[] rows = [.. Enumerable.Range(0, Rows)];
        new LogWordSort(fake.Answer, [new(LogWordKind.KeyText, 0, false)], order).Sort(rows);
        // To sort by comparing alone takes ten or more a row.
        Assert.That(order.Comparisons, Is.LessThan(2 * Rows));
        Assert.That(LogOrder.Rows(fake.Answer, null, 0).Rows, Is.EqualTo(rows));
    }

    [Test]
    public void TopOfEachIntervalAndTheRowOfOthersAreAsWithFewRows()
    {
        FakeTable many = new([Time, Text], [FakeTable.Count]);
        for (int i = 0; i < Rows; i++)
        {
            many.Row(1 + (i * 7919L % Rows), [(long)(i % 3), $"{i}"], (1, 1));
        }

        LogTableAnswer table = many.Other(100, (100, 100)).Answer;
        (int[] rows, long hidden) = LogOrder.Rows(table, null, 2);
        int[] expected = [.. Enumerable.Range(0, Rows).GroupBy(row => row % 3).OrderBy(g => g.Key)
            .SelectMany(g => g.OrderByDescending(row => table.Groups[row].Count).Take(2)), Rows];
        Assert.That(rows, Is.EqualTo(expected));
        Assert.That(hidden, Is.EqualTo(Rows - 6));
    }

    private sealed class CountingOrder(LogOrder order) : IComparer<int>
    {
        public int Comparisons { get; private set; }

        public int Compare(int x, int y)
        {
            Comparisons++;
            return order.Compare(x, y);
        }
    }

    private static void CheckOrder(LogKeyColumn[] keys, string? sort, int seed)
    {
        Random random = new(seed);
        FakeTable fake = new(keys, [Sum, Avg]);
        HashSet<string> seen = [];
        while (seen.Count < Rows)
        {
            object?[] key = [.. keys.Select(column => KeyOf(column, random))];
            if (seen.Add(string.Join('|', key.Select(part => part is null ? "null" : $"'{part}'"))))
            {
                fake.Row(random.Next(1, 4), key, CellOf(random), CellOf(random));
            }
        }

        CheckOrder(fake.Answer, sort);
    }

    private static void CheckOrder(LogTableAnswer table, string? sort)
    {
        int[] expected = [.. Enumerable.Range(0, table.Groups.Length)];
        Array.Sort(expected, new LogOrder(table, sort));
        Assert.That(LogOrder.Rows(table, sort, 0).Rows, Is.EqualTo(expected));
    }

    private static object? KeyOf(LogKeyColumn column, Random random) => (column.Kind, random.Next(8)) switch
    {
        (_, 0) => null,
        // Also times whose eight bytes read as a number.
        (LogKind.Time, 1) => random.Next(2) == 0 ? 0x3130303030303030L : long.MinValue,
        (LogKind.Time, _) => (long)random.Next(-3, 3),
        (LogKind.Integer, 1) => random.Next(2) == 0 ? $"{random.Next(4)}, {random.Next(4)}" : "",
        (LogKind.Integer, 2) => $"0{random.Next(-99, 99)}",
        (LogKind.Integer, 3) => random.NextInt64(long.MinValue, long.MaxValue).ToString(CultureInfo.InvariantCulture),
        (LogKind.Integer, _) => random.Next(-99, 99).ToString(CultureInfo.InvariantCulture),
        _ => TextOf(random),
    };

    // Texts that agree for a while, of lengths around the ends of words, with bytes at both ends of the order.
    private static string TextOf(Random random)
    {
        char[] text = new char[random.Next(24)];
        Array.Fill(text, 'a');
        for (int i = random.Next(text.Length + 1); i < text.Length; i += 1 + random.Next(12))
        {
            text[i] = "\0\u0001b\u00ff"[random.Next(4)];
        }

        return new string(text);
    }

    private static (Int128 Value, long Count) CellOf(Random random) => random.Next(5) switch
    {
        0 => (0, 0),
        // On both sides of what 64 bits with a sign hold.
        1 => ((Int128)ulong.MaxValue - (ulong)random.Next(2), random.Next(1, 3)),
        2 => ((Int128)random.NextInt64(long.MinValue, long.MaxValue) * random.Next(1 << 20), 1),
        _ => (random.Next(-3, 3), random.Next(1, 3)),
    };
}
