// Many groups: a million have rows of their own, and beyond the limit the rest is one row whose totals add up.
using System.Globalization;
using System.Text;
using CoreIO.Log;

namespace CoreIO.Tests.Log;

internal sealed class GroupLimitTests
{
    private const int Groups = 1_000_000;

    // 0 to 999 again and again, in millionths.
    private const long AllValues = Groups / 1000 * 499_500L * 1_000_000;

    private static readonly Lazy<byte[]> ManyGroups = new(static () =>
    {
        StringBuilder log = new();
        for (int i = 0; i < Groups; i++)
        {
            log.Append(CultureInfo.InvariantCulture, $"key-{i * 7919L % Groups} {i % 1000}\n");
        }

        return Encoding.ASCII.GetBytes(log.ToString());
    });

    [Test]
    public void A_million_groups_have_rows_of_their_own(
        [ValueSource(typeof(Backends), nameof(Backends.Names))] string backend, [Values(1, 2)] int workers)
    {
        LogTableAnswer table = Ask(Backends.Get(backend), Groups, workers);
        Assert.That(table.Groups, Has.Length.EqualTo(Groups));
        Assert.That((table.OtherLines, table.Groups.Sum(g => g.Count)), Is.EqualTo((0L, (long)Groups)));
        Assert.That(Sum(table), Is.EqualTo(AllValues));
    }

    [Test]
    public void Beyond_the_limit_the_rest_is_one_row_and_adds_up([Values(1, 10, 50_000)] int limit)
    {
        string? expected = null;
        foreach (ICoreBackend backend in Backends.All)
        {
            foreach (int workers in (int[])[1, 2, 5])
            {
                LogTableAnswer table = Ask(backend, limit, workers);
                LogGroup other = table.Groups[^1];
                Assert.Multiple(() =>
                {
                    Assert.That(table.Groups, Has.Length.EqualTo(limit + 1));
                    Assert.That((other.IsOther, other.Count), Is.EqualTo((true, (long)Groups - limit)));
                    Assert.That(table.OtherLines, Is.EqualTo(other.Count));
                    Assert.That(Sum(table), Is.EqualTo(AllValues));
                });
                StringBuilder rows = new();
                rows.AppendJoin(
                    ' ', table.Groups.Select(g => Convert.ToHexString(table.KeyBytes, (int)g.KeyOffset, (int)g.KeyLength)).Order());
                for (int i = 0; i < table.Stats.Count; i++)
                {
                    rows.Append(CultureInfo.InvariantCulture, $" {table.Cell(other, i).Value}");
                }

                expected ??= rows.ToString();
                Assert.That(rows.ToString(), Is.EqualTo(expected), $"{backend.Name}, {workers} workers");
            }
        }
    }

    [Test]
    public void Pairs_of_short_keys_are_told_apart(
        [ValueSource(typeof(Backends), nameof(Backends.Names))] string backend, [Values(Groups, 7)] int limit)
    {
        StringBuilder log = new();
        Dictionary<string, long> lines = [];
        for (int i = 0; i < 20_000; i++)
        {
            string line = $"{(i % 3 == 0 ? "x" : "yy")} {i * 7919L % 151:x}";
            log.Append(line).Append('\n');
            lines[line] = lines.GetValueOrDefault(line) + 1;
        }

        LogTableAnswer table = Scans.Feed(
            Backends.Get(backend),
            new Question("$a $b") { Tables = [new LogTable { By = ["a", "b"], Stats = ["count"], MaxGroups = limit }] },
            Encoding.ASCII.GetBytes(log.ToString()),
            new LogScanOptions { Workers = 1 }).Tables[0];
        LogGroup[] own = [.. table.Groups.Where(g => !g.IsOther)];
        Assert.That(own, Has.Length.EqualTo(Math.Min(limit, lines.Count)));
        Assert.That(own.Select(g => g.Count), Is.EqualTo(own.Select(g => lines[Words(table, g)])));
        Assert.That(own.Sum(g => g.Count) + table.OtherLines, Is.EqualTo(20_000));
    }

    // The parts of a key: a length each, then the bytes.
    private static string Words(LogTableAnswer table, LogGroup group)
    {
        List<string> words = [];
        for (ReadOnlySpan<byte> key = table.KeyBytes.AsSpan((int)group.KeyOffset, (int)group.KeyLength); !key.IsEmpty;)
        {
            int length = BitConverter.ToInt32(key);
            words.Add(Encoding.ASCII.GetString(key.Slice(sizeof(int), length)));
            key = key[(sizeof(int) + length)..];
        }

        return string.Join(' ', words);
    }

    private static long Sum(LogTableAnswer table) =>
        (long)table.Groups.Aggregate(Int128.Zero, (sum, group) => sum + table.Cell(group, 1).Value);

    private static LogTableAnswer Ask(ICoreBackend backend, int limit, int workers) => Scans.Feed(
        backend,
        new Question("$k $v") { Tables = [new LogTable { By = ["k"], Stats = ["count", "sum(v)", "max(v)"], MaxGroups = limit }] },
        ManyGroups.Value,
        new LogScanOptions { Workers = workers }).Tables[0];
}
