// The bench of proxies: its arithmetic, and the command as a script sees it, so short that nothing is said about speed.
using System.Diagnostics;
using System.Text.Json;
using CoreIO.Log.Bench;
using CoreIO.Proxy.Bench;
using CoreIO.Testing;

namespace CoreIO.Cli.Tests;

public sealed class ProxyBenchTests
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "CoreIO.Cli.dll");

    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("coreio-proxy-bench").FullName;

    [TearDown]
    public void DropFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void RatiosAreToTheManagedBackendAndToTheBestOtherOfTheSameRow()
    {
        ProxyBenchRow native = Row("native", 90);
        ProxyBenchRow managed = Row("managed", 180);
        ProxyBenchResult result = Result(
            Row("direct", null), native, managed, Row("haproxy", 100), Row("nginx", 120), Row("socat", null) with { Fault = "it died" },
            Row("haproxy", 10) with { Work = "close" }, Row("haproxy", 20) with { Congestion = "reno" });
        Assert.Multiple(() =>
        {
            Assert.That(result.OfManaged(native), Is.EqualTo(0.5).Within(1e-9));
            Assert.That(result.OfBestOther(native), Is.EqualTo(0.9).Within(1e-9));
            Assert.That(result.OfManaged(managed), Is.Null);
            Assert.That(result.OfBestOther(managed), Is.EqualTo(1.8).Within(1e-9));
            Assert.That(result.OfBestOther(result.Rows[3]), Is.Null, "no ratio of others among themselves");
            Assert.That(result.OfBestOther(result.Rows[0]), Is.Null);
            Assert.That(Result(native).OfManaged(native), Is.Null);
            Assert.That(Result(native).OfBestOther(native), Is.Null);
        });
    }

    [Test]
    public void WhatComparesIsTheMemoryOfIdleConnectionsAndTheBusiestWorker()
    {
        LogBenchSpread cpu = LogBenchSpread.Of([5, 7, 6]);
        ProxyBenchRow idle = Row("native", 6) with { BytesPerConnection = LogBenchSpread.Of([300]) };
        Assert.Multiple(() =>
        {
            Assert.That(cpu, Is.EqualTo(new LogBenchSpread(6, 5, 7)));
            Assert.That((Row("native", 6) with { CpuNs = cpu }).Cost, Is.EqualTo(cpu));
            Assert.That(idle.Cost!.Value.Median, Is.EqualTo(300));
            Assert.That((Row("native", null) with { Busiest = LogBenchSpread.Of([4]) }).Cost!.Value.Median, Is.EqualTo(4));
            Assert.That(Row("direct", null).Cost, Is.Null);
        });
    }

    [Test]
    public void TimesAreCountedInStepsOfASixtyFourth()
    {
        LoadHistogram times = new();
        Assert.That(times.Percentile(50), Is.Zero);
        for (int us = 1; us <= 1000; us++)
        {
            times.Add(us * 1000);
        }

        Assert.Multiple(() =>
        {
            Assert.That(times.Count, Is.EqualTo(1000));
            Assert.That(times.Percentile(50), Is.EqualTo(500_000).Within(2).Percent);
            Assert.That(times.Percentile(99), Is.EqualTo(990_000).Within(2).Percent);
            Assert.That(times.Percentile(100), Is.EqualTo(1_000_000).Within(2).Percent);
        });
        times.Add(long.MaxValue);
        times.Add(-1);
        Assert.That(times.Percentile(0.01), Is.LessThan(64));
    }

    [Test]
    public void SmallTimesAreExact()
    {
        LoadHistogram times = new();
        for (int ns = 0; ns < 128; ns++)
        {
            times.Add(ns);
        }

        Assert.That(((double[])[25, 50, 75, 100]).Select(times.Percentile), Is.EqualTo((long[])[31, 63, 95, 127]));
    }

    [Test]
    public void ADescendantIsFoundAlsoOnceItsParentHasGone()
    {
        using Process parent = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "sleep 60 & read line"]) { RedirectStandardInput = true })!;
        ProcessTree tree = new(parent.Id);
        Assert.That(() => tree.Pids(), Has.Count.EqualTo(2).After(10_000, 20));
        int child = tree.Pids()[1];
        Assert.That(ProcessTree.CpuNs(tree.Pids()), Is.GreaterThan(0));
        Assert.That(tree.ResidentBytes(), Is.GreaterThan(0));
        parent.Kill();
        parent.WaitForExit();
        Assert.That(tree.Pids(), Is.Empty);
        Assert.That(tree.Survivors(), Is.EqualTo((int[])[child]));
        LoadSockets.Signal(child, 9);
        Assert.That(() => tree.Survivors(), Is.Empty.After(10_000, 20));
    }

    [Test]
    public void EveryFigureIsThereAndWhatWasSentArrived()
    {
        Require();
        (int exitCode, string output) = Bash("coreio bench proxy --contestants native,direct --work http,close,bulk1,idle,spread --connections 100 --seconds 0.2 --repeat 1 --json");
        Assert.That(exitCode, Is.Zero, output);
        using JsonDocument document = JsonDocument.Parse(output);
        JsonElement root = document.RootElement;
        Assert.That(root.GetProperty("schema").GetInt32(), Is.EqualTo(1));
        Assert.That(root.GetProperty("time_ns").GetInt64(), Is.EqualTo(200_000_000));
        Assert.That(root.GetProperty("absent").GetArrayLength(), Is.Zero);
        Assert.That(root.GetProperty("contestants").EnumerateArray().Select(c => c.GetProperty("name").GetString()), Is.EqualTo((string[])["direct", "native"]));
        JsonElement[] rows = [.. root.GetProperty("rows").EnumerateArray()];
        foreach (JsonElement row in rows)
        {
            string work = row.GetProperty("work").GetString()!;
            bool isDirect = row.GetProperty("who").GetString() == "direct";
            bool isHeld = work is "idle" or "spread";
            bool isBulk = work == "bulk1";
            Assert.That(row.GetProperty("fault").ValueKind, Is.EqualTo(JsonValueKind.Null), row.ToString());
            Assert.That(row.GetProperty("sent").GetInt64(), Is.GreaterThan(0).And.EqualTo(row.GetProperty("received").GetInt64()));
            Assert.That(HasFigure(row, "cpu_ns"), Is.EqualTo(!isDirect && work != "spread"), row.ToString());
            Assert.That(HasFigure(row, "per_second"), Is.EqualTo(!isHeld), row.ToString());
            Assert.That(HasFigure(row, "p50_ns") && HasFigure(row, "p99_ns"), Is.EqualTo(!isHeld && !isBulk), row.ToString());
            Assert.That(row.GetProperty("congestion").ValueKind, Is.EqualTo(isBulk ? JsonValueKind.String : JsonValueKind.Null));
            Assert.That(isDirect && isHeld, Is.False);
            if (isHeld)
            {
                Assert.That(row.GetProperty("connections").GetInt32(), Is.EqualTo(work == "idle" ? 100 : 16));
            }
        }

        JsonElement idle = rows.Single(row => row.GetProperty("work").GetString() == "idle");
        Assert.That(HasFigure(idle, "base_bytes"), Is.True);
        Assert.That(idle.GetProperty("bytes_per_connection").GetProperty("median").GetInt64(), Is.GreaterThanOrEqualTo(0));
        Assert.That(idle.GetProperty("sent").GetInt64(), Is.EqualTo(100));
        JsonElement spread = rows.Single(row => row.GetProperty("work").GetString() == "spread");
        int[] workers = [.. spread.GetProperty("worker_connections").EnumerateArray().Select(count => count.GetInt32())];
        Assert.That(workers.Sum(), Is.EqualTo(16));
        Assert.That(spread.GetProperty("shared_connections").GetInt32(), Is.LessThanOrEqualTo(8));
        Assert.That(spread.GetProperty("busiest").GetProperty("median").GetInt64(), Is.EqualTo(workers[0]));
    }

    [Test]
    public void TheTableAndTheMarkdownHaveTheSameFigures()
    {
        Require();
        (int exitCode, string output) = Bash(
            "mkdir t; export TMPDIR=$PWD/t; coreio bench proxy --contestants native --work redis,bulk4 --seconds 0.2 --repeat 2 --congestion reno && ls -A t");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.Contain("CPU us/request").And.Contain("CPU s/GB").And.Contain("bulk4, reno: four streams").And.Contain("█").And.Contain("medians of 2 runs of 0.2 s"));
        Assert.That(output, Does.Not.Contain("coreio-bench-"), "the folder with configurations is left behind");
        (exitCode, output) = Bash("coreio bench proxy --contestants native --work redis --seconds 0.2 --repeat 1 --markdown");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.StartWith("`coreio bench proxy --contestants native --work redis --seconds 0.2 --repeat 1 --markdown`\n"));
        Assert.That(output, Does.Contain("\n| who | CPU us/request |").And.Contain("\n| native |"));
    }

    [Test]
    public void WhoIsNotInstalledIsNamed()
    {
        (int exitCode, string output) = Bash(
            "D=$(command -v dotnet); PATH=/nowhere; \"$D\" \"$PROGRAM\" bench proxy --contestants socat,direct --work http --seconds 0.1 --repeat 1");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.Contain("socat does not take part: not installed (Debian: socat)").And.Contain("\ndirect "));
    }

    [Test]
    public void WhoEndsAtOnceIsNamedWithItsWords()
    {
        ProxyBenchResult result = ProxyBench.Run(new ProxyBenchOptions
        {
            Program = new ProcessStartInfo("/bin/sh", ["-c", "echo nothing to do here >&2; exit 3"]),
            Contestants = ["native", "managed"],
            Works = ["http"],
        });
        Assert.That(result.Rows, Is.Empty);
        Assert.That(result.Absent.Select(party => $"{party.Name}: {party.Text}"), Is.EqualTo((string[])
            ["native: sh ended with 3: nothing to do here", "managed: sh ended with 3: nothing to do here"]));
        ProxyBenchResult without = ProxyBench.Run(new ProxyBenchOptions { Contestants = ["native"], Works = ["http"] });
        Assert.That(without.Absent.Single().Text, Is.EqualTo("the program that runs it is not known"));
    }

    [TestCase("coreio bench proxy --contestants haprox", 64, "did you mean 'haproxy'?")]
    [TestCase("coreio bench proxy --work http,bulk", 64, "did you mean 'bulk1'?")]
    [TestCase("coreio bench proxy --congestion no-such-thing", 2, "congestion control 'no-such-thing': the kernel has none of this name")]
    [TestCase("coreio bench proxy --connections 1000000", 2, "or raise 'ulimit -n'")]
    [TestCase("coreio bench proxy --seconds 0.01", 64, "from 0.1 to 3600")]
    [TestCase("coreio bench proxy --json --markdown", 64, "choose one")]
    public void WhatIsWrongIsOneSentence(string command, int expected, string message)
    {
        (int exitCode, string output) = Bash(command);
        Assert.That(exitCode, Is.EqualTo(expected), output);
        Assert.That(output, Does.Contain(message));
        Assert.That(output.Trim().Split('\n'), Has.Length.EqualTo(1));
    }

    private static void Require()
    {
        if (CoreBackends.Default.Name != CoreBackends.NativeName)
        {
            Assert.Ignore("a build without the native backend has no native contestant");
        }
    }

    private static bool HasFigure(JsonElement row, string figure)
    {
        JsonElement spread = row.GetProperty(figure);
        if (spread.ValueKind == JsonValueKind.Null)
        {
            return false;
        }

        long median = spread.GetProperty("median").GetInt64();
        Assert.That(median, row.GetProperty("work").GetString() == "idle" ? Is.GreaterThanOrEqualTo(0) : Is.GreaterThan(0), $"{figure} of {row}");
        Assert.That(median, Is.InRange(spread.GetProperty("min").GetInt64(), spread.GetProperty("max").GetInt64()));
        return true;
    }

    private static ProxyBenchRow Row(string who, long? cpuNs) => new()
    {
        Work = "http",
        Congestion = null,
        Who = who,
        CpuNs = cpuNs is long ns ? new LogBenchSpread(ns, ns, ns) : null,
    };

    private static ProxyBenchResult Result(params ProxyBenchRow[] rows) => new()
    {
        StartedAt = DateTimeOffset.UnixEpoch,
        Machine = "a CPU",
        MachineCpus = 2,
        Software = "a system",
        Kernel = "6.1",
        Load = "0, 0",
        Congestion = "cubic",
        CpuIsExact = true,
        TimeNs = 1,
        Repeats = 1,
        Contestants = [],
        Absent = [],
        Notes = [],
        Rows = rows,
    };

    private (int ExitCode, string Output) Bash(string command)
    {
        string script = $"export PROGRAM='{Program}'; coreio() {{ dotnet '{Program}' \"$@\"; }}\n{command}";
        return Repository.Run(new ProcessStartInfo("bash", ["-c", script]) { WorkingDirectory = _folder });
    }
}
