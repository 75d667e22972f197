using System.Globalization;
using System.Text;
using System.Text.Json;
using CoreIO.Cli.Shell;
using CoreIO.Cli.Show;
using CoreIO.Log;

namespace CoreIO.Cli.Tests;

public sealed class LogShowTests
{
    [TestCase("plain", "plain")]
    [TestCase(@"a\x41b", "aAb")]
    [TestCase(@"\xD9\x85", "م")]
    [TestCase(@"\""q\"" \\", "\"q\" \\")]
    [TestCase(@"\xff", @"\xFF")]
    [TestCase(@"\xg1 \x4 \n \", @"\xg1 \x4 \n \")]
    [TestCase("", "")]
    public void ValuesAreDecoded(string written, string shown) =>
        Assert.That(LogText.Decode(Encoding.Latin1.GetBytes(written)), Is.EqualTo(shown));

    [Test]
    public void ControlsAreEscapedForATerminalOnly()
    {
        byte[] value = [0x1B, (byte)'[', 0x7F, 0xC2, 0x9B, 0xC3, 0xA9, 0x80];
        Assert.That(LogText.Decode(value, LogTextUse.Terminal), Is.EqualTo(@"\x1B[\x7F\xC2\x9Bé\x80"));
        Assert.That(LogText.Decode(value), Is.EqualTo("\u001b[\u007f\u009bé\\x80"));
        Assert.That(LogText.Decode(@"\x1b[31m"u8, LogTextUse.Terminal), Is.EqualTo(@"\x1B[31m"));
    }

    [TestCase("0", 6, "0")]
    [TestCase("1500000", 6, "1.5")]
    [TestCase("-1000001", 6, "-1.000001")]
    [TestCase("-500000", 6, "-0.5")]
    [TestCase("123", 0, "123")]
    [TestCase("170141183460469231731687303715884105727", 0, "170141183460469231731687303715884105727")]
    [TestCase("-170141183460469231731687303715884105728", 6, "-170141183460469231731687303715884.105728")]
    public void NumbersAreShownByScale(string value, int scale, string shown) =>
        Assert.That(LogNumber.Format(Int128.Parse(value, null), scale), Is.EqualTo(shown));

    [TestCase(long.MinValue)]
    [TestCase(-1_500_000)]
    [TestCase(-1)]
    [TestCase(0)]
    [TestCase(999_999)]
    [TestCase(1_000_000)]
    [TestCase(long.MaxValue)]
    public void NumbersOf64BitsAreShownLikeThoseOf128(long value)
    {
        foreach (int scale in (int[])[0, 6])
        {
            string shown = LogNumber.Format((Int128)value, scale);
            LogCell cell = new((ulong)value, value >> 63, 1);
            Assert.That(LogNumber.Format(value, scale), Is.EqualTo(shown));
            Assert.That(LogNumber.TextOf(new LogStatColumn("max(x)", LogStatKind.Max, scale), cell), Is.EqualTo(shown));
        }

        LogCell wide = new((ulong)value, (value >> 63) + 1, 1);
        Assert.That(wide.TryGetInt64(out _), Is.False);
        Assert.That(LogNumber.TextOf(new LogStatColumn("sum(x)", LogStatKind.Sum, 0), wide), Is.EqualTo(wide.Value.ToString(null, CultureInfo.InvariantCulture)));
        Assert.That(LogNumber.TextOf(new LogStatColumn("max(x)", LogStatKind.Max, 0), new LogCell(0, 0, 0)), Is.Null);
    }

    [TestCase("1", 3, 0, "0.333333")]
    [TestCase("2", 3, 0, "0.666667")]
    [TestCase("-2", 3, 0, "-0.666667")]
    [TestCase("1", 2, 6, "0.000001")]
    [TestCase("-1", 2, 6, "-0.000001")]
    [TestCase("5", 4, 6, "0.000001")]
    [TestCase("7", 4, 6, "0.000002")]
    [TestCase("9007199254740993", 1, 0, "9007199254740993")]
    [TestCase("92233720368547758070000", 10000, 0, "9223372036854775807")]
    public void AveragesRoundHalfAwayFromZero(string sum, long count, int scale, string shown)
    {
        Int128 value = Int128.Parse(sum, null);
        LogStatColumn column = new("avg(x)", LogStatKind.Avg, scale);
        Int128? average = LogNumber.ValueOf(column, new LogCell((ulong)(value & ulong.MaxValue), (long)(value >> 64), count));
        Assert.That(LogNumber.Format(average!.Value, LogNumber.ScaleOf(column)), Is.EqualTo(shown));
    }

    [Test]
    public void TimesAreShownInTheOffsetOfTheLog()
    {
        Assert.That(LogClock.TryRead("time_local", "22/Jan/2019:03:56:14 +0330"u8, out LogInstant instant));
        Assert.That(LogClock.Format(instant.Micros, instant.OffsetMinutes), Is.EqualTo("2019-01-22T03:56:14+03:30"));
        Assert.That(LogClock.Format(instant.Micros, 0), Is.EqualTo("2019-01-22T00:26:14Z"));
        Assert.That(LogClock.TryRead("time_iso8601", "2019-01-21T19:26:14-05:00"u8, out LogInstant iso) && iso.Micros == instant.Micros);
        Assert.That(LogClock.TryRead("msec", "1548116774.5"u8, out LogInstant msec) && msec.Micros == instant.Micros + 500_000);
        Assert.That(LogClock.Format(msec.Micros, -330), Is.EqualTo("2019-01-21T18:56:14.5-05:30"));
        Assert.That(LogClock.Format(long.MaxValue, 0), Is.EqualTo("9223372036854.775807"));
    }

    [TestCase("time_local", "31/Feb/2019:03:56:14 +0330")]
    [TestCase("time_local", "22/Jan/2019:24:56:14 +0330")]
    [TestCase("time_local", "22/Jan/2019:03:56:14 +1500")]
    [TestCase("time_iso8601", "2019-01-22T03:56:14")]
    [TestCase("msec", "1.2.3")]
    [TestCase("msec", "+1")]
    [TestCase("status", "1")]
    public void WhatIsNoTimeIsNone(string field, string text) =>
        Assert.That(LogClock.TryRead(field, Encoding.UTF8.GetBytes(text), out _), Is.False);

    [Test]
    public void JsonIsTheDocumentedDocument()
    {
        LogReport report = Sample().Report(offsetMinutes: 210);
        using MemoryStream output = new();
        LogReportJson.Write(output, report, report.Tables[0]);
        Assert.That(Encoding.UTF8.GetString(output.ToArray()), Is.EqualTo(
            """
            {"schema":1,"lines":12,"parsed":9,"rejected":2,"filtered":1,"bytes":345,"seconds":0.25,"backend":"fake","kernel":"scalar","workers":1,"groups":[{"minute":null,"path":null,"count":1,"sum(bytes)":null},{"minute":"2019-01-22T03:56:00+03:30","path":"/é\"<","count":6,"sum(bytes)":9007199254740993},{"minute":"(other)","path":"(other)","count":2,"sum(bytes)":0}],"other_lines":2,"rejects":[{"reason":"missing_text","count":2,"samples":["a\u001B\\xFF\\x41"]}]}

            """));
        Assert.That(() => JsonDocument.Parse(output.ToArray()), Throws.Nothing);
    }

    [Test]
    public void CsvQuotesWhatNeedsIt()
    {
        LogReport report = new FakeTable([FakeTable.Text("path")], [FakeTable.Count, new("avg(bytes)", LogStatKind.Avg, 0)])
            .Row(3, ["a,\"b\""], (3, 3), (0, 0)).Row(2, [""], (2, 2), (3, 2)).Row(1, [null], (1, 1), (1, 3)).Report();
        using MemoryStream output = new();
        LogReportCsv.Write(output, report, report.Tables[0]);
        Assert.That(Encoding.UTF8.GetString(output.ToArray()),
            Is.EqualTo("path,count,avg(bytes)\n\"a,\"\"b\"\"\",3,\n\"\",2,1.5\n,1,0.333333\n"));
    }

    [Test]
    public void CsvQuotesWhateverTheLength([Values(1, 7, 8, 31, 32, 33, 40, 300)] int length, [Values("", ",", "\"", "\r", "\n")] string special)
    {
        // The last letter is the one, so that whatever goes over the cell has to come to it.
        string cell = new string('x', length - special.Length) + special;
        LogReport report = new FakeTable([FakeTable.Text("path")], [FakeTable.Count]).Row(1, [cell], (1, 1)).Report();
        using MemoryStream output = new();
        LogReportCsv.Write(output, report, report.Tables[0]);
        string shown = special.Length == 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        Assert.That(Encoding.UTF8.GetString(output.ToArray()), Is.EqualTo($"path,count\n{shown},1\n"));
    }

    [TestCase("", "")]
    [TestCase("a path", "a path")]
    [TestCase("a\\b~", "a\\b~")]
    [TestCase("\u007f", "\\x7F")]
    [TestCase("\u001b[1m", "\\x1B[1m")]
    [TestCase("\u0085", "\\xC2\\x85")]
    [TestCase("é", "é")]
    public void WhatIsNoValueIsEscapedForATerminal(string text, string shown) => Assert.That(LogText.Escape(text), Is.EqualTo(shown));

    [Test]
    public void AValueIsPlainWhereNoByteOfItIsOdd([Values] LogTextUse use)
    {
        Random random = new(11);
        for (int i = 0; i < 200_000; i++)
        {
            byte[] value = new byte[random.Next(25)];
            foreach (ref byte b in value.AsSpan())
            {
                b = random.Next(40) == 0 ? (byte)random.Next(256) : (byte)random.Next(0x20, 0x7F);
            }

            bool plain = !value.Any(b => b is (byte)'\\' or >= 0x80 || (use == LogTextUse.Terminal && b is < 0x20 or 0x7F));
            Assert.That(LogText.IsPlain(value, use), Is.EqualTo(plain), () => Convert.ToHexString(value));
        }
    }

    [Test]
    public void ALongPageGoesOutInPiecesOfWholeLines([Values] bool color)
    {
        Pieces pieces = new();
        using (Page page = new(pieces, color, 100))
        {
            for (int i = 0; i < 3000; i++)
            {
                page.Line($"line {i}");
            }

            page.Rows([new PageColumn("a", false)], Enumerable.Range(0, 6000).Select(i => (string[])[$"row {i}"]));
        }

        Assert.That(pieces.All, Has.Count.GreaterThan(3));
        Assert.That(pieces.All, Is.All.EndsWith("\n"));
        Assert.That(string.Concat(pieces.All).Count(c => c == '\n'), Is.EqualTo(9001));
    }

    [Test]
    public void ATableShowsNoMarkupAndNoControls()
    {
        LogReport report = new FakeTable([FakeTable.Text("path")], [FakeTable.Count]).Row(3, ["[red]x[/]\x1b[2J"], (3, 3)).Report();
        using MemoryStream output = new();
        using (Page page = new(output, color: false, width: 200))
        {
            LogTables.Show(page, report, report.Tables[0]);
        }

        string text = Encoding.UTF8.GetString(output.ToArray());
        Assert.That(text, Does.Contain(@"[red]x[/]\x1B[2J").And.Not.Contain("\x1b"));
    }

    [Test]
    public void ALongTableKeepsEveryRow()
    {
        FakeTable fake = new([FakeTable.Text("path")], [FakeTable.Count]);
        for (int i = 0; i < 4500; i++)
        {
            fake.Row(i, [$"/p{i}"], (i, i));
        }

        LogReport report = fake.Report();
        using MemoryStream output = new();
        using (Page page = new(output, color: false, width: 200))
        {
            LogTables.Rows(page, report, report.Tables[0], share: false);
        }

        string[] lines = Encoding.UTF8.GetString(output.ToArray()).TrimEnd('\n').Split('\n');
        Assert.That(lines, Has.Length.EqualTo(4501));
        Assert.That(lines[^1].TrimEnd(), Does.Match(@"^/p0 +0$"));
    }

    [Test]
    public void WithoutATerminalEveryRowIsOneLine()
    {
        string[] paths =
        [
            .. Enumerable.Range(0, 3000).Select(i => $"/p{i}{(i < 2500 ? "" : new string('x', 500))}"),
            "/" + new string('y', 6000),
        ];
        string[] lines = Table(null, [.. paths.Select(p => (p, 1L))]);
        Assert.That(lines.Select(l => l.Length).Distinct(), Is.EqualTo(new[] { 6001 + 2 + "count".Length }));
        Assert.That(lines.Skip(1).Select(l => l.Split(' ')[0]), Is.EqualTo(paths));
    }

    [Test]
    public void WithoutATerminalALineIsNotCut()
    {
        string text = string.Join(' ', Enumerable.Repeat("words", 2000));
        Assert.That(Shown(null, page => page.Line(text)), Is.EqualTo(text + "\n"));
    }

    [Test]
    public void ATerminalCutsTextAndNeverNumbers()
    {
        string[] lines = Table(20, [("/short", 1), ("/long-path", 1234567890123)]);
        Assert.That(lines, Is.EqualTo((string[])
        [
            "path              count",
            "/short                1",
            "/long-p…  1234567890123",
        ]), "eight cells are left to text");
        lines = Table(30, [("/short", 1), ("/exactly-15-abc", 1234567890123), ("/" + new string('x', 90), 22)]);
        Assert.That(lines, Is.EqualTo((string[])
        [
            "path                     count",
            "/short                       1",
            "/exactly-15-abc  1234567890123",
            "/xxxxxxxxxxxxx…             22",
        ]));
    }

    [TestCase("abc", 3, "abc")]
    [TestCase("abcd", 3, "ab…")]
    [TestCase("日本語", 6, "日本語")]
    [TestCase("日本語", 5, "日本…")]
    [TestCase("日本語", 4, "日…")]
    [TestCase("abcd", 1, "…")]
    public void TextIsCutByCells(string text, int width, string shown) => Assert.That(Page.Cut(text, width), Is.EqualTo(shown));

    [Test]
    public void AChartHasAtMostSixtyColumns()
    {
        Assert.Multiple(() =>
        {
            Assert.That(TimeChart.WidthFor(0, 59), Is.EqualTo(1));
            Assert.That(TimeChart.WidthFor(0, 60), Is.EqualTo(2));
            Assert.That(TimeChart.WidthFor(0, 7 * 1440), Is.EqualTo(180));
            long years = TimeChart.WidthFor(0, 30_000_000);
            Assert.That(30_000_000 / years, Is.LessThan(60));
            Assert.That(TimeChart.Draw([0, 1, 8], 1), Is.EqualTo((string[])[" ▁█"]));
            Assert.That(TimeChart.Draw([4, 8], 2), Is.EqualTo((string[])[" █", "██"]));
        });
    }

    [TestCase(59, "1 min")]
    [TestCase(61, "2 min")]
    [TestCase(60 * 60, "2 h")]
    [TestCase(60 * 24 * 60, "2 d")]
    public void AColumnOfAChartIsARoundTime(int minutes, string width)
    {
        LogReport report = new FakeTable([new("minute", LogKind.Time)], [FakeTable.Count])
            .Row(7, [0L], (7, 7)).Row(9, [minutes * 60_000_000L], (9, 9)).Report();
        Assert.That(Shown(null, page => TimeChart.Show(page, report, report.Tables[0])), Does.StartWith($"requests, {width} a column, highest 9\n"));
    }

    [TestCase(0, long.MaxValue)]
    [TestCase(-9223372036000000000, 1677470000000000)]
    [TestCase(1677470000000000, 9223372036000000000)]
    [TestCase(long.MinValue, long.MaxValue)]
    [TestCase(-1, 0)]
    public void AChartOfAnyTimesHasAtMostSixtyColumns(long first, long last)
    {
        LogReport report = new FakeTable([new("minute", LogKind.Time)], [FakeTable.Count])
            .Row(7, [first], (7, 7)).Row(9, [last], (9, 9)).Report();
        string[] lines = Shown(null, page => TimeChart.Show(page, report, report.Tables[0])).TrimEnd('\n').Split('\n');
        Assert.That(lines, Has.Length.EqualTo(6));
        Assert.That(lines[0], Does.Match("^requests, [0-9]+ (d|min) a column, highest 9$"));
        Assert.That(lines[4], Has.Length.LessThanOrEqualTo(60).And.Match("^█ *█$"));
        Assert.That(lines[5], Does.Match("^-?[0-9].* to [0-9]"));
    }

    [Test]
    public void CellsAreShownAlikeByNumbersOfEitherWidth([Values] LogStatKind kind, [Values(0, 6)] int scale)
    {
        LogStatColumn column = new("stat", kind, scale);
        Random random = new(5);
        for (int i = 0; i < 20_000; i++)
        {
            Int128 value = (Int128)random.NextInt64() >> random.Next(64);
            value = i % 3 == 0 ? -value : i % 7 == 0 ? value << 3 : value;
            value = i < 4 ? (Int128)(long.MaxValue / 4_000_000) * (i - 2) : value;
            long count = random.NextInt64(10) == 0 ? 0 : 1 + (random.NextInt64() >> random.Next(64));
            LogCell cell = new((ulong)(value & ulong.MaxValue), (long)(value >> 64), count);
            string? shown = LogNumber.ValueOf(column, cell) is Int128 wide ? LogNumber.Format(wide, LogNumber.ScaleOf(column)) : null;
            Assert.That(LogNumber.TextOf(column, cell), Is.EqualTo(shown), () => $"{value} {count}");
        }
    }

    [TestCase(1023, "1023 B")]
    [TestCase(1024, "1.0 KiB")]
    [TestCase(1048575, "1023 KiB")]
    [TestCase(5368709120, "5.0 GiB")]
    [TestCase(-1, "-1 B")]
    [TestCase(-5368709120, "-5.0 GiB")]
    [TestCase(long.MinValue, "-8.0 EiB")]
    public void BytesHaveUnits(long bytes, string shown) => Assert.That(Human.Bytes(bytes), Is.EqualTo(shown));

    [Test]
    public void BytesThat64BitsDoNotHoldHaveUnits()
    {
        Assert.That(Human.Bytes(1e24), Is.EqualTo("867361 EiB"));
        Assert.That(Human.Bytes(1e38), Is.EqualTo("86736173798840400000 EiB"));
    }

    [TestCase(0, "0")]
    [TestCase(999, "999")]
    [TestCase(1000, "1,000")]
    [TestCase(-999, "-999")]
    [TestCase(-1234567, "-1,234,567")]
    [TestCase(long.MinValue, "-9,223,372,036,854,775,808")]
    public void CountsHaveCommas(long count, string shown) => Assert.That(Human.Count(count), Is.EqualTo(shown));

    [TestCase(0, 5, "0.0 %")]
    [TestCase(1, 3, "33.3 %")]
    [TestCase(2, 3, "66.7 %")]
    [TestCase(1, 16, "6.3 %")]
    [TestCase(1, 2000, "0.1 %")]
    [TestCase(1, 2001, "0.0 %")]
    [TestCase(7, 7, "100.0 %")]
    [TestCase(long.MaxValue / 2, long.MaxValue, "50.0 %")]
    [TestCase((long.MaxValue / 2000) + 1, long.MaxValue / 1000, "50.0 %")]
    [TestCase(long.MaxValue / 500, long.MaxValue / 250, "50.0 %")]
    [TestCase(1, 0, "")]
    public void PartsAreRounded(long part, long whole, string shown) => Assert.That(Human.Share(part, whole), Is.EqualTo(shown));

    [Test]
    public void ProgressTellsBytesRateAndTimeLeft() =>
        Assert.That(ProgressLine.Text(new LogReportProgress(1 << 20, 4 << 20), TimeSpan.FromSeconds(2)),
            Is.EqualTo("1.0 MiB of 4.0 MiB, 512 KiB/s, 0:06 left"));

    [Test]
    public void WithoutColoursAPageLooksAsItDoesWithThem([Values(null, 12, 30, 60)] int? width)
    {
        string[] words = ["", " ", "a", " two words ", "ab\u00e9", "\u65e5\u672c\u8a9e\u306e\u9577\u3044\u8a9e", "\\x1B[0m", "a long word-and-a-longer-one, then more of it"];
        Action<Page> show = page =>
        {
            foreach (string word in words)
            {
                page.Line(word, PageTone.Strong);
            }

            page.Rows(
                [new PageColumn("path", false), new PageColumn("count", true), new PageColumn("\u65e5\u672c", false)],
                words.Select(word => (IReadOnlyList<string>)[word, "12345"[..(word.Length % 5)], word + word]),
                row => (PageTone)(row % 6));
            page.Rows([new PageColumn("n", true)], []);
        };
        string colored = System.Text.RegularExpressions.Regex.Replace(Shown(width, show, color: true), "\u001b\\[[0-9;]*m", "");
        Assert.That(Shown(width, show), Is.EqualTo(colored));
    }

    private static string[] Table(int? width, (string Path, long Count)[] rows) =>
        Shown(width, page => page.Rows(
            [new PageColumn("path", false), new PageColumn("count", true)],
            rows.Select(r => (IReadOnlyList<string>)[r.Path, r.Count.ToString(CultureInfo.InvariantCulture)])))
            .TrimEnd('\n').Split('\n');

    // No width is no terminal: the tests' own standard output is a pipe.
    private static string Shown(int? width, Action<Page> show, bool color = false)
    {
        using MemoryStream output = new();
        using (Page page = new(output, color, width))
        {
            show(page);
        }

        return Encoding.UTF8.GetString(output.ToArray());
    }

    private sealed class Pieces : MemoryStream
    {
        public List<string> All { get; } = [];

        public override void Write(byte[] buffer, int offset, int count) => All.Add(Encoding.UTF8.GetString(buffer, offset, count));
    }

    private static FakeTable Sample()
    {
        long minute = (DateTime.Parse("2019-01-22T00:26:00", null).Ticks - DateTime.UnixEpoch.Ticks) / 10;
        return new FakeTable([new("minute", LogKind.Time), FakeTable.Text("path")],
            [FakeTable.Count, new("sum(bytes)", LogStatKind.Sum, 0)])
            .Row(6, [minute, @"/\xC3\xA9\x22<"], (6, 6), (9007199254740993, 6))
            .Row(1, [null, null], (1, 1), (0, 0))
            .Other(2, (2, 2), (0, 1));
    }
}
