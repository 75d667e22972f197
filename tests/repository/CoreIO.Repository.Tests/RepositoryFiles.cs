// The files of the repository: what git tracks, and what it would track if it were added now.
//
// Build output and other ignored files are never among them. Without git (a source archive) every file outside
// the folders of build output counts.
using System.ComponentModel;
using CoreIO.Testing;

namespace CoreIO.Repository.Tests;

internal static class RepositoryFiles
{
    private static readonly string[] OutputFolders = [".git", "bin", "obj", "build", "artifacts", "node_modules", "TestResults"];

    /// <summary>Paths from the root with forward slashes, in ordinal order.</summary>
    public static IReadOnlyList<string> All { get; } = List();

    /// <summary>The files whose name ends so.</summary>
    public static IEnumerable<string> EndingWith(params string[] ends) =>
        All.Where(file => ends.Any(end => file.EndsWith(end, StringComparison.Ordinal)));

    /// <summary>The text of a file.</summary>
    public static string Read(string file) => File.ReadAllText(Testing.Repository.PathOf(file));

    /// <summary>The lines of a file.</summary>
    public static string[] ReadLines(string file) => File.ReadAllLines(Testing.Repository.PathOf(file));

    private static string[] List()
    {
        string[] files;
        try
        {
            // The owner of a checkout in a container is often another user, which git refuses to read otherwise.
            (int exitCode, string output) = Testing.Repository.Run(
                "git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard");
            files = exitCode == 0 ? output.Split('\0', StringSplitOptions.RemoveEmptyEntries) : Walk();
        }
        catch (Win32Exception)
        {
            files = Walk();
        }

        return [.. files.Where(file => File.Exists(Testing.Repository.PathOf(file))).Distinct().Order(StringComparer.Ordinal)];
    }

    private static string[] Walk() =>
    [
        .. Directory.EnumerateFiles(Testing.Repository.Root, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Testing.Repository.Root, file))
            .Where(file => !file.Split('/').Any(OutputFolders.Contains)),
    ];
}
