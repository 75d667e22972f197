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

    [Test]
    public void ManyRowsComeInTheOrderInWhichTwoAreCompared(
        [Values(null, "count:asc", "pid", "pid:desc", "path", "path:desc", "sum(bytes)", "sum(bytes):asc")] string? sort, [Range(1, 3)] int seed)
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

    private static void CheckOrder(LogKeyColumn[] keys, string? sort, int seed)
    {
        Random random = new(seed);
        FakeTable fake = new(keys, [Sum]);
        HashSet<string> seen = [];
        while (seen.Count < Rows)
        {
            object?[] key = [.. keys.Select(column => KeyOf(column, random))];
            if (seen.Add(string.Join('|', key.Select(part => part is null ? "null" : $"'{part}'"))))
            {
                fake.Row(random.Next(1, 4), key, CellOf(random));
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
        (LogKind.Time, 1) => 0x3130303030303030L,
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
        1 => ((Int128)random.NextInt64(long.MinValue, long.MaxValue) * random.Next(1 << 20), 1),
        _ => (random.Next(-3, 3), 1),
    };
}
