// Many groups: a million have rows of their own, and beyond the limit the rest is one row whose totals add up.
using System.Globalization;
using System.Text;
using CoreIO.Log;

namespace CoreIO.Tests.Log;

internal sealed class GroupLimitTests
{
    private const int Groups = 1_000_000;

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
    public void A_million_groups_have_rows_of_their_own([ValueSource(typeof(Backends), nameof(Backends.Names))] string backend, [Values(1, 2)] int workers)
    {
        LogTableAnswer table = Ask(Backends.Get(backend), Groups, workers);
        Assert.That(table.Groups, Has.Length.EqualTo(Groups));
        Assert.That((table.OtherLines, table.Groups.Sum(g => g.Count)), Is.EqualTo((0L, (long)Groups)));
        Assert.That((long)table.Groups.Aggregate(Int128.Zero, (sum, g) => sum + table.Cell(g, 1).Value), Is.EqualTo(Groups / 1000 * 499_500L * 1_000_000));
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
                    Assert.That(
                        (long)table.Groups.Aggregate(Int128.Zero, (sum, g) => sum + table.Cell(g, 1).Value),
                        Is.EqualTo(Groups / 1000 * 499_500L * 1_000_000));
                });
                StringBuilder rows = new();
                rows.AppendJoin(' ', table.Groups.Select(g => Convert.ToHexString(table.KeyBytes, (int)g.KeyOffset, (int)g.KeyLength)).Order());
                rows.AppendJoin(' ', Enumerable.Range(0, table.Stats.Count).Select(i => table.Cell(other, i).Value.ToString(CultureInfo.InvariantCulture)));
                expected ??= rows.ToString();
                Assert.That(rows.ToString(), Is.EqualTo(expected), $"{backend.Name}, {workers} workers");
            }
        }
    }

    private static LogTableAnswer Ask(ICoreBackend backend, int limit, int workers) => Scans.Feed(
        backend,
        new Question("$k $v") { Tables = [new LogTable { By = ["k"], Stats = ["count", "sum(v)", "max(v)"], MaxGroups = limit }] },
        ManyGroups.Value,
        new LogScanOptions { Workers = workers }).Tables[0];
}
