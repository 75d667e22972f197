using System.Diagnostics;

namespace CoreIO.Cli.Shell;

/// <summary>This program again, as another process, however it was started: as its executable, or by <c>dotnet</c>.</summary>
internal static class ThisProgram
{
    public static ProcessStartInfo Start(params ReadOnlySpan<string> words)
    {
        string program = Environment.ProcessPath ?? "dotnet";
        ProcessStartInfo start = new(program) { UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        }

        foreach (string word in words)
        {
            start.ArgumentList.Add(word);
        }

        return start;
    }
}
