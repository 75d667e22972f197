// What a report on a small log leaves to the compiler of the runtime: nothing, where the build has compiled the command ahead of time. The
// first method that is compiled while a command runs costs as much as several MB of log, and one more as much as 300 KB.
using System.Diagnostics;
using System.Text;
using CoreIO.Testing;

namespace CoreIO.Cli.Tests;

public sealed class StartUpTests
{
    // Each process has it, from a thread of the runtime's own.
    private const string OfTheRuntime = "System.Threading.Thread:GetThreadStaticsBase()";

    private string _program = "";
    private string _folder = "";

    // The command beside its own project: copies of it beside tests are not compiled ahead of time.
    [OneTimeSetUp]
    public void FindProgram()
    {
        string framework = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        string build = Path.GetFileName(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory))!);
        _program = Repository.PathOf($"managed/CoreIO.Cli/bin/{build}/{framework}/CoreIO.Cli.dll");
        if (CoreBackends.Available[0].Backend is null || !File.Exists(_program))
        {
            Assert.Ignore("needs the native backend, and the command built with it");
        }
    }

    [SetUp]
    public void MakeLog()
    {
        _folder = Directory.CreateTempSubdirectory("coreio-start").FullName;
        StringBuilder log = new();
        for (int i = 0; i < 600; i++)
        {
            log.Append($"192.0.2.{i % 200} - - [22/Jan/2019:03:{i / 10:00}:14 +0330] \"GET /a/{i % 300} HTTP/1.1\" {(i % 7 == 0 ? 503 : 200)} {i * 997} \"-\" \"an agent {i % 40}\"\n");
        }

        File.WriteAllText(Path.Combine(_folder, "access.log"), log.Append("no such line\n").ToString());
    }

    [TearDown]
    public void DropLog() => Directory.Delete(_folder, recursive: true);

    [TestCase("access.log")]
    [TestCase("access.log --by status")]
    [TestCase("access.log --by client --stats count,sum(bytes),distinct(path) --top 50")]
    [TestCase("access.log --by minute,status --where status>=500 --top 3")]
    [TestCase("access.log --by path --stats count,avg(bytes) --output csv")]
    [TestCase("access.log --by path --stats count,avg(bytes) --sort avg(bytes) --top 200")]
    [TestCase("access.log access.log --by http_user_agent,client")]
    public void AReportLeavesNothingToCompile(string words)
    {
        if (Compiled("--version").Any(method => method.Contains("CoreIO", StringComparison.Ordinal)))
        {
            Assert.Ignore("needs a Release build for linux-x64 that was compiled ahead of time");
        }

        Assert.That(Compiled(["log", "report", .. words.Split(' ')]), Is.Empty);
    }

    // Methods that were compiled because they were called, not because they were called often.
    private string[] Compiled(params string[] words)
    {
        string list = Path.Combine(_folder, "compiled");
        File.Delete(list);
        ProcessStartInfo start = new("dotnet", [_program, .. words]) { WorkingDirectory = _folder };
        start.Environment["DOTNET_JitStdOutFile"] = list;
        start.Environment["DOTNET_JitDisasmSummary"] = "1";
        (int exitCode, string output) = Repository.Run(start);
        Assert.That(exitCode, Is.Zero, output);
        return [.. File.ReadLines(list).Where(line => !line.Contains(OfTheRuntime, StringComparison.Ordinal)
            && !line.Contains("[Tier1", StringComparison.Ordinal))];
    }
}
