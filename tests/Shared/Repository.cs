// Where the checkout is that a test was built from, and how a test runs a program in it.
using System.Diagnostics;

namespace CoreIO.Testing;

internal static class Repository
{
    /// <summary>The folder that holds CoreIO.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The full path of a file named from the root.</summary>
    public static string PathOf(string relative) => Path.Combine(Root, relative);

    /// <summary>Runs a program at the root without input and returns its exit code and its two outputs as one text.</summary>
    public static (int ExitCode, string Output) Run(string program, params string[] arguments) =>
        Run(new ProcessStartInfo(program, arguments) { WorkingDirectory = Root });

    /// <summary>The same with another folder or environment.</summary>
    /// <remarks>A program that takes more than ten minutes is ended, and the test fails.</remarks>
    public static (int ExitCode, string Output) Run(ProcessStartInfo start)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} does not start.");
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(10)))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{start.FileName} {string.Join(' ', start.ArgumentList)} takes more than ten minutes.");
        }

        return (process.ExitCode, output.GetAwaiter().GetResult() + errors.GetAwaiter().GetResult());
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "CoreIO.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No CoreIO.sln above {AppContext.BaseDirectory}; tests run inside the checkout.");
    }
}
