// Numbers of real logs against numbers computed without CoreIO: counts and sums by an awk script, quantiles and distinct counts from all
// the values in memory.
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using CoreIO.Log;
using CoreIO.Testing;

namespace CoreIO.Tests.Log;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed partial class CountTests(string backendName)
{
    private static readonly decimal[] Ranks = [0, 1, 25, 50, 75, 90, 95, 99, 99.9m, 99.99m, 100];

    private ICoreBackend _backend = null!;

    [OneTimeSetUp]
    public void TakeBackend() => _backend = Backends.Get(backendName);

    [TestCase("samples/apache-access.log", "combined", 2)]
    [TestCase("samples/nginx-access.log", "main", 3)]
    [TestCase("tests/corpus/log/apache-2016.log.gz", "combined", 2)]
    public void Counts_and_sums_are_those_of_awk(string log, string format, int quoted)
    {
        byte[] bytes = Read(log);
        using TempFolder folder = new();
        string awk = File.Exists("/usr/bin/mawk") ? "mawk" : "awk";
        string output;
        try
        {
            string script = Repository.PathOf("tests/managed/CoreIO.Tests/Log/count.awk");
            (int exit, output) = Repository.Run(awk, "-v", $"QUOTED={quoted}", "-f", script, folder.Write("log", bytes));
            Assert.That(exit, Is.Zero, output);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Ignore("there is no awk here (Debian package mawk)");
            return;
        }

        LogAnswer answer = Scans.Feed(_backend, new Question(format)
        {
            Tables = [new LogTable { By = ["status"], Stats = ["count", "sum(bytes)"] }, new LogTable { By = ["client"] }],
        }, bytes);
        List<string> lines = [$"unfit {answer.Rejected}"];
        foreach (LogGroup group in answer.Tables[0].Groups)
        {
            lines.Add($"status {Key(answer.Tables[0], group)} {group.Count} {answer.Tables[0].Cell(group, 1).Value}");
        }

        lines.AddRange(answer.Tables[1].Groups.Select(group => $"client {Key(answer.Tables[1], group)} {group.Count}"));
        Assert.That(lines, Is.EquivalentTo(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
        Assert.That(answer.Lines, Is.EqualTo(bytes.Count(b => b == '\n')));
    }

    [TestCase("samples/apache-access.log")]
    [TestCase("tests/corpus/log/apache-2016.log.gz")]
    public void Quantiles_of_real_sizes_are_within_one_percent(string log)
    {
        byte[] bytes = Read(log);
        List<decimal> sizes = [];
        foreach (string line in Encoding.Latin1.GetString(bytes).Split('\n'))
        {
            Match match = SizeOfLine().Match(line);
            if (match.Success && match.Groups[1].Value != "-")
            {
                sizes.Add(decimal.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
            }
        }

        AreQuantiles("combined", "bytes", bytes, sizes, 1);
    }

    [TestCase("even", 1)]
    [TestCase("long tail", 2)]
    [TestCase("both signs", 3)]
    [TestCase("few", 4)]
    public void Quantiles_of_made_values_are_within_one_percent(string kind, int seed)
    {
        Random random = new(seed);
        List<decimal> values = [];
        StringBuilder log = new();
        for (int i = 0; i < (kind == "few" ? 7 : 50_000); i++)
        {
            double value = kind switch
            {
                "even" => random.NextDouble() * 1000,
                "both signs" => (random.NextDouble() - 0.3) * Math.Pow(10, random.Next(-6, 9)),
                _ => Math.Exp(6 * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(Math.Tau * random.NextDouble())),
            };
            decimal rounded = Math.Round((decimal)value, 6);
            values.Add(rounded);
            log.Append(CultureInfo.InvariantCulture, $"[] {rounded}\n");
        }

        AreQuantiles("[$x] $request_time", "request_time", Encoding.ASCII.GetBytes(log.ToString()), values, 1_000_000);
    }

    [TestCase(1)]
    [TestCase(1000)]
    [TestCase(1024)]
    [TestCase(1025)]
    [TestCase(5000)]
    [TestCase(100_000)]
    [TestCase(1_000_000)]
    public void Distinct_counts_are_exact_while_few_and_within_three_percent(int different)
    {
        StringBuilder log = new();
        for (int i = 0; i < different; i++)
        {
            log.Append(CultureInfo.InvariantCulture, $"10.{i >> 16}.{(i >> 8) & 255}.{i & 255}\n");
        }

        // Every text twice, and nulls, which do not count.
        byte[] bytes = Encoding.ASCII.GetBytes(log.ToString() + log + "-\n-\n");
        Question question = new("$x") { Tables = [new LogTable { Stats = ["distinct(x)"] }] };
        LogAnswer answer = Scans.Feed(_backend, question, bytes, new LogScanOptions { Workers = 3 });
        long actual = (long)answer.Tables[0].Cell(answer.Tables[0].Groups[0], 0).Value;
        Assert.That(actual, Is.EqualTo(different).Within(different <= 1024 ? 0 : 3).Percent);
    }

    [Test]
    public void Workers_take_the_CPUs_they_are_given_in_turn()
    {
        IReadOnlyList<int> allowed = _backend.Cpu.Allowed();
        int[] cpus = [allowed[^1], allowed[0]];
        LogAnswer answer = Scans.Feed(_backend, new Question("$x"), "a\nb\n"u8.ToArray(), new LogScanOptions { Workers = 3, Cpus = cpus });
        Assert.That(answer.Workers.Select(worker => worker.Cpu), Is.EqualTo((int[])[.. cpus, cpus[0]]));
    }

    private static byte[] Read(string log)
    {
        string path = Repository.PathOf(log);
        if (!log.EndsWith(".gz", StringComparison.Ordinal))
        {
            return File.ReadAllBytes(path);
        }

        using MemoryStream bytes = new();
        using GZipStream gzip = new(File.OpenRead(path), CompressionMode.Decompress);
        gzip.CopyTo(bytes);
        return bytes.ToArray();
    }

    private static string Key(LogTableAnswer table, in LogGroup group) =>
        table.TryGetKey(group, 0, out ReadOnlySpan<byte> key) ? Encoding.Latin1.GetString(key) : "-";

    /// <summary>Asks for every rank and compares with the element of that rank of the sorted values.</summary>
    private void AreQuantiles(string format, string field, byte[] log, List<decimal> values, decimal unit)
    {
        values.Sort();
        string[] stats = [.. Ranks.Select(rank => string.Create(CultureInfo.InvariantCulture, $"p{rank}({field})")), $"sum({field})"];
        Question question = new(format) { Tables = [new LogTable { Stats = stats }] };
        LogAnswer answer = Scans.Feed(_backend, question, log, new LogScanOptions { Workers = 2 });
        LogTableAnswer table = answer.Tables[0];
        Assert.Multiple(() =>
        {
            for (int i = 0; i < Ranks.Length; i++)
            {
                decimal exact = values[(int)decimal.Floor(Ranks[i] / 100 * (values.Count - 1))];
                decimal actual = (decimal)table.Cell(table.Groups[0], i).Value / unit;
                Assert.That(Math.Abs(actual - exact), Is.LessThanOrEqualTo(Math.Abs(exact) / 100), $"{stats[i]}: {actual} for {exact}");
            }

            LogCell sum = table.Cell(table.Groups[0], Ranks.Length);
            Assert.That((decimal)sum.Value / unit, Is.EqualTo(values.Sum()), "sum");
            Assert.That(sum.Count, Is.EqualTo(values.Count), "values");
        });
    }

    // The size of a line of combined, by a pattern that looks at the whole line.
    [GeneratedRegex("""^\S+ - [^\[]* \[[^]]*\] "(?:[^"\\]|\\.)*" \d+ (\d+|-) "(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*"$""")]
    private static partial Regex SizeOfLine();
}
