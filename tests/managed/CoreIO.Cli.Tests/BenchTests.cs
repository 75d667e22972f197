// The bench: inputs that a seed decides, answers that must agree, and the command as a script sees it, on a file so small that nothing is
// said about speed.
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CoreIO.Log;
using CoreIO.Log.Bench;
using CoreIO.Testing;

namespace CoreIO.Cli.Tests;

public sealed class BenchTests
{
    private const int Size = 1 << 20;

    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "CoreIO.Cli.dll");

    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("coreio-bench").FullName;

    [TearDown]
    public void DropFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void TheSameSeedMakesTheSameBytes([Values("combined", "edge")] string format)
    {
        byte[] text = Make(format, Size, 1);
        Assert.Multiple(() =>
        {
            Assert.That(Make(format, Size, 1).AsSpan().SequenceEqual(text), Is.True);
            Assert.That(Make(format, Size, 2).AsSpan().SequenceEqual(text), Is.False);
            Assert.That(text.AsSpan().StartsWith(Make(format, Size / 2, 1)), Is.True, "a larger input begins with the smaller one");
        });
    }

    // A seed means the same bytes on every machine and in every later build, or filed results could not be compared.
    [TestCase("combined", "9995958A0B6341E4")]
    [TestCase("edge", "9E9207E5C534F4F2")]
    public void SeedOneMakesTheseBytes(string format, string hash) =>
        Assert.That(Convert.ToHexString(SHA256.HashData(Make(format, Size, 1)))[..16], Is.EqualTo(hash));

    [TestCase("combined", 206, 8)]
    [TestCase("edge", 725, 48)]
    public void LinesAreWholeFitTheirFormatAndAreAsLongAsRealOnes(string format, int bytesALine, int fields)
    {
        byte[] text = Make(format, Size, 3);
        Assert.That(text, Has.Length.InRange(Size - 4096, Size));
        Assert.That(text[^1], Is.EqualTo((byte)'\n'));
        using LogReader reader = LogReader.ReadLines(new MemoryStream(text), format);
        int lines = 0;
        foreach (LogLine line in reader)
        {
            lines++;
            Assert.That(line.Reason, Is.EqualTo(LogReason.Parsed), Encoding.UTF8.GetString(line.Text));
            Assert.That(line.Count, Is.EqualTo(fields), Encoding.UTF8.GetString(line.Text));
        }

        Assert.That((double)text.Length / lines, Is.EqualTo(bytesALine).Within(5));
    }

    [Test]
    public void ThereIsNoInputOfAnotherFormat() =>
        Assert.That(() => LogBenchInput.Write(Stream.Null, "common", Size, 1), Throws.ArgumentException);

    [Test]
    public void BackendsThatDisagreeEndTheBenchAndAForeignProgramIsNamed()
    {
        LogBenchTrial[] Trials(params (string Who, string Answer, bool Foreign)[] all) =>
            [.. all.Select(t => { LogBenchTrial trial = new(new Fake(t.Who, t.Answer, t.Foreign)); trial.Run(keep: true); return trial; })];

        Assert.That(() => LogBenchTrial.Compare(Trials(("native", "1", false), ("managed", "1", false))), Throws.Nothing);
        Assert.That(
            () => LogBenchTrial.Compare(Trials(("native", "1", false), ("managed", "2", false))),
            Throws.TypeOf<LogBenchException>().With.Message.Contains("native and managed answer differently"));
        LogBenchTrial[] foreign = Trials(("native", "1", false), ("mawk", "2", true));
        LogBenchTrial.Compare(foreign);
        Assert.That(foreign.Select(t => t.Row.Agrees), Is.EqualTo((bool[])[true, false]));
    }

    [Test]
    public void ASpreadHasItsMedianAndItsEnds()
    {
        Assert.Multiple(() =>
        {
            Assert.That(LogBenchSpread.Of([5, 1, 9]), Is.EqualTo(new LogBenchSpread(5, 1, 9)));
            Assert.That(LogBenchSpread.Of([4, 2]).Median, Is.EqualTo(2));
            Assert.That(new LogBenchSpread(10, 9, 12).Relative, Is.EqualTo(0.3).Within(1e-9));
        });
    }

    [Test]
    public void TheJsonHoldsEveryRowInWholeNumbers()
    {
        (int exitCode, string output) = Bash("coreio bench log --size 1M --repeat 2 --json");
        Assert.That(exitCode, Is.Zero, output);
        using JsonDocument document = JsonDocument.Parse(output);
        JsonElement root = document.RootElement;
        Assert.That(root.GetProperty("schema").GetInt32(), Is.EqualTo(1));
        Assert.That(root.GetProperty("repeats").GetInt32(), Is.EqualTo(2));
        JsonElement[] inputs = [.. root.GetProperty("inputs").EnumerateArray()];
        Assert.That(inputs.Select(i => i.GetProperty("format").GetString()), Is.EqualTo(LogBenchInput.Formats));
        foreach (JsonElement input in inputs)
        {
            Assert.That(input.GetProperty("bytes").GetInt64(), Is.InRange(Size - 4096, Size));
            JsonElement[] rows = [.. input.GetProperty("rows").EnumerateArray()];
            foreach (JsonElement row in rows)
            {
                JsonElement elapsed = row.GetProperty("elapsed_ns");
                Assert.That(elapsed.GetProperty("median").GetInt64(), Is.GreaterThan(0));
                Assert.That(elapsed.GetProperty("min").GetInt64(), Is.LessThanOrEqualTo(elapsed.GetProperty("max").GetInt64()));
                Assert.That(row.GetProperty("who").GetString() == "mawk" || row.GetProperty("agrees").GetBoolean(), Is.True);
            }

            string[] asked = [.. rows.Where(r => r.GetProperty("who").GetString() == "managed").Select(r => r.GetProperty("question").GetString()!)];
            Assert.That(asked, Is.EqualTo(input.GetProperty("format").GetString() == "edge"
                ? (string[])["lex", "status", "hosts", "report"]
                : ["lex", "status", "clients", "report"]));
            string[] floors = [.. rows.Where(r => r.GetProperty("question").GetString() == "floor").Select(r => r.GetProperty("who").GetString()!)];
            bool hasFloors = CoreBackends.Default.Features.HasFlag(BackendFeatures.LogFloors);
            Assert.That(floors, Is.EqualTo(hasFloors ? (string[])["read", "newlines", "index", "scalar"] : []));
        }
    }

    [Test]
    public void TheTableHasAChartAndNothingIsLeftBehind()
    {
        (int exitCode, string output) = Bash("mkdir t; TMPDIR=$PWD/t coreio bench log --size 1M --repeat 1 --format combined --questions status,groups,gzip && ls -A t");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.Contain("combined: made, seed 1, 1023.").Or.Contain("combined: made, seed 1, 1023 KiB"));
        Assert.That(output, Does.Contain("█").And.Contain("ns/line").And.Contain("CPU s/GB").And.Contain("groups: --by remote_addr,request,bytes")
            .And.Contain("gzip decompress"));
        Assert.That(output, Does.Not.Contain("coreio-bench-"));
    }

    [Test]
    public void MarkdownSaysHowToRepeatIt()
    {
        File.WriteAllBytes(Path.Combine(_folder, "a.log"), Make("combined", 200_000, 5));
        (int exitCode, string output) = Bash("coreio bench log --file a.log --repeat 1 --questions lex --workers 2 --markdown");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.StartWith("`coreio bench log --file a.log --questions lex --repeat 1 --workers 2 --markdown`\n"));
        Assert.That(output, Does.Contain("\n| question | who | GB/s |").And.Contain("\n| lex | managed |"));
    }

    [Test]
    public void SeveralWorkersAreComparedWithOne()
    {
        File.WriteAllBytes(Path.Combine(_folder, "a.log"), Make("combined", 200_000, 5));
        (int exitCode, string output) = Bash("coreio bench log --file a.log --repeat 1 --questions status --workers 2 --markdown");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.Match(@"\* status managed, 2 workers: [0-9.]+ times one worker"));
        Assert.That(output, Does.Contain("| status | managed |").And.Contain("| status | managed, 2 workers |"));
    }

    [TestCase("coreio bench log --format common", 64, "for 'common' give a --file")]
    [TestCase("coreio bench log --questions stats", 64, "did you mean 'status'?")]
    [TestCase("coreio bench log --size 1", 64, "is no size from 64K on")]
    [TestCase("coreio bench log --json --markdown", 64, "choose one")]
    [TestCase("coreio bench log --file x --size 1M", 64, "not for --file")]
    [TestCase("coreio bench log --file none.log", 2, "none.log: no such file (ENOENT)")]
    [TestCase("coreio bench log --file /dev/null", 2, "a bench needs a plain file with lines")]
    [TestCase("TMPDIR=/nowhere coreio bench log --size 1M", 2, "no such file")]
    public void WhatIsWrongIsOneSentence(string command, int expected, string message)
    {
        (int exitCode, string output) = Bash(command);
        Assert.That(exitCode, Is.EqualTo(expected), output);
        Assert.That(output, Does.Contain(message));
        Assert.That(output.Trim().Split('\n'), Has.Length.EqualTo(1));
    }

    private static byte[] Make(string format, int bytes, ulong seed)
    {
        using MemoryStream text = new();
        LogBenchInput.Write(text, format, bytes, seed);
        return text.ToArray();
    }

    private (int ExitCode, string Output) Bash(string command)
    {
        string script = $"coreio() {{ dotnet '{Program}' \"$@\"; }}\n{command}";
        return Repository.Run(new ProcessStartInfo("bash", ["-c", script]) { WorkingDirectory = _folder });
    }

    private sealed class Fake : LogBenchContestant
    {
        private readonly string _answer;

        public Fake(string who, string answer, bool foreign)
            : base("asked", "what is asked", who)
        {
            _answer = answer;
            IsForeign = foreign;
        }

        public override LogBenchRun Run() => new(_answer, 1, null, 100);
    }
}
