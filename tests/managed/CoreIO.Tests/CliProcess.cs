// `coreio` as a process of its own: its memory can be measured, and it can run as somebody else. Built beside the tests.
using System.Diagnostics;
using System.Globalization;

namespace CoreIO.Tests;

/// <summary>What a run gave.</summary>
/// <param name="ExitCode">0 done, 1 nothing matched, 2 failure.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Errors">Standard error.</param>
/// <param name="PeakKiB">Most memory that was resident, in KiB.</param>
internal sealed record CliResult(int ExitCode, string Output, string Errors, long PeakKiB);

internal static class CliProcess
{
    private static readonly string Cli = Path.Combine(AppContext.BaseDirectory, "CoreIO.Cli.dll");

    /// <summary>Runs it; <paramref name="input"/> writes its standard input, <paramref name="launcher"/> stands before the command.</summary>
    public static CliResult Run(IEnumerable<string> arguments, Action<Stream>? input = null, IReadOnlyList<string>? launcher = null)
    {
        string[] command = [.. launcher ?? [], "dotnet", Cli, .. arguments];
        ProcessStartInfo start = new(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        Task writing = Task.Run(() =>
        {
            try
            {
                input?.Invoke(process.StandardInput.BaseStream);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It ended before it had read all; its exit code tells why.
            }
        });
        long peak = 0;
        while (!process.WaitForExit(10))
        {
            peak = Math.Max(peak, Peak(process.Id));
        }

        process.WaitForExit();
        writing.Wait();
        return new CliResult(process.ExitCode, output.Result, errors.Result, peak);
    }

    // The kernel keeps the high-water mark, so looking now and then misses only what grows right before the end.
    private static long Peak(int process)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.AsSpan()[6..^2].Trim(), CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
