using System.Diagnostics;

namespace CoreIO.Interop.Tests;

/// <summary>The machine's C compiler, which judges the proof.</summary>
internal static class CCompiler
{
    /// <summary>Checks a file against the headers in a directory; returns what the compiler says, nothing when it is content.</summary>
    internal static string Check(string source, string includeDirectory)
    {
        // From a file and not from standard input, so that the compiler shows the lines it complains about.
        string file = Path.Combine(Directory.CreateTempSubdirectory("coreio-proof-").FullName, "proof.c");
        try
        {
            File.WriteAllText(file, source);
            return Run(["-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I", includeDirectory, file]);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        }
    }

    private static string Run(IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new("cc", arguments) { RedirectStandardError = true };
        start.Environment["LC_ALL"] = "C";
        using Process process = Process.Start(start)!;
        string text = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? "" : $"cc: exit {process.ExitCode}\n{text}";
    }
}
