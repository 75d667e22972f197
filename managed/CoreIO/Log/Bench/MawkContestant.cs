// What many would run instead: mawk counts the ninth word of each line. Its time is that of the command, the start of the process included.
using System.Diagnostics;

namespace CoreIO.Log.Bench;

internal sealed class MawkContestant : LogBenchContestant
{
    private const string Program = "{c[$9]++} END{for(k in c) print k, c[k]}";

    private readonly string _path;
    private string _counts = "";

    public MawkContestant(string path)
        : base(LogBenchQuestion.Status, "mawk '{c[$9]++}'", "mawk")
    {
        _path = path;
        IsForeign = true;
    }

    /// <summary>Whether it is installed.</summary>
    public static bool IsHere => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, "mawk")));

    public override string Conclude() => _counts;

    public override LogBenchRun Run()
    {
        long began = Stopwatch.GetTimestamp();
        using Process process = Process.Start(new ProcessStartInfo("mawk", [Program, _path]) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        long elapsed = Stopwatch.GetElapsedTime(began).Ticks * 100;
        if (process.ExitCode != 0)
        {
            throw new CoreIOException(StatusCode.InputOutput, $"mawk: exit code {process.ExitCode}");
        }

        _counts = string.Join('\n', output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
        return new LogBenchRun(null, 0, null, elapsed);
    }
}
