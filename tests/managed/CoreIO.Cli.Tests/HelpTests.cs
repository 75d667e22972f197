// Help is part of the contract: each page is a golden file, rewritten only with COREIO_ACCEPT=1. A short page fits 24 lines by 80 columns.
using CoreIO.Cli.Shell;
using CoreIO.Testing;

namespace CoreIO.Cli.Tests;

public sealed class HelpTests
{
    private const string Goldens = "tests/managed/CoreIO.Cli.Tests/Golden";

    public static IEnumerable<TestCaseData> Pages => All(Cli.Root, "").SelectMany(page => (TestCaseData[])
        [
            new TestCaseData(page.Verb, page.Path, false).SetArgDisplayNames(page.Path, "-h"),
            new TestCaseData(page.Verb, page.Path, true).SetArgDisplayNames(page.Path, "--help"),
        ]);

    [TestCaseSource(nameof(Pages))]
    public void APageIsWhatWasReviewed(object verb, string path, bool full)
    {
        string page = CliHelp.Render((CliVerb)verb, path, full);
        string name = $"coreio {path}".Trim().Replace(' ', '-') + (full ? ".help" : ".h") + ".txt";
        string file = Path.Combine(Repository.PathOf(Goldens), name);
        if (Environment.GetEnvironmentVariable("COREIO_ACCEPT") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, page);
        }

        Assert.That(page, Is.EqualTo(File.ReadAllText(file)), "COREIO_ACCEPT=1 accepts the change");
    }

    [TestCaseSource(nameof(Pages))]
    public void APageFitsItsScreen(object verb, string path, bool full)
    {
        string[] lines = CliHelp.Render((CliVerb)verb, path, full).TrimEnd('\n').Split('\n');
        Assert.That(lines.Max(line => line.Length), Is.LessThanOrEqualTo(80), lines.MaxBy(line => line.Length));
        Assert.That(lines, full ? Has.Length.GreaterThan(3) : Has.Length.LessThanOrEqualTo(24));
    }

    [TestCase("reprot", "report")]
    [TestCase("stat", "stats")]
    [TestCase("fromat", "format")]
    [TestCase("xyzzy", null)]
    [TestCase("a", null)]
    public void TheNearestWordIsFoundWhenItIsNear(string word, string? nearest) =>
        Assert.That(DidYouMean.Nearest(word, ["report", "stats", "format", "sort"]), Is.EqualTo(nearest));

    [TestCase("10s", 10_000)]
    [TestCase("500ms", 500)]
    [TestCase("2h", 7_200_000)]
    public void DurationsHaveUnits(string text, int milliseconds) =>
        Assert.That(Values.Duration("interval", text), Is.EqualTo(TimeSpan.FromMilliseconds(milliseconds)));

    [TestCase("10")]
    [TestCase("s")]
    [TestCase("0s")]
    [TestCase("1 s")]
    public void WhatIsNoDurationIsRefused(string text) =>
        Assert.That(() => Values.Duration("interval", text), Throws.TypeOf<UsageException>());

    [Test]
    public void ListsOfCpusAndSizesAreRead()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Values.Cpus("cpus", "0,2-4"), Is.EqualTo((int[])[0, 2, 3, 4]));
            Assert.That(() => Values.Cpus("cpus", "2-1"), Throws.TypeOf<UsageException>());
            Assert.That(Values.Size("block-size", "4K", 4096, 1 << 24), Is.EqualTo(4096));
            Assert.That(Values.Size("block-size", "1M", 4096, 1 << 24), Is.EqualTo(1 << 20));
            Assert.That(() => Values.Size("block-size", "1K", 4096, 1 << 24), Throws.TypeOf<UsageException>());
        });
    }

    private static IEnumerable<(CliVerb Verb, string Path)> All(CliVerb verb, string path) =>
        [(verb, path), .. verb.Verbs.SelectMany(child => All(child, (path + " " + child.Name).Trim()))];
}
