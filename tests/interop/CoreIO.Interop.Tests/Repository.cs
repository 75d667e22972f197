using System.Runtime.CompilerServices;

namespace CoreIO.Interop.Tests;

/// <summary>Where the files of the repository are, whatever directory the tests run in.</summary>
internal static class Repository
{
    internal static string Root { get; } = FindRoot();

    internal static string Headers => Path.Combine(Root, "native", "include");

    internal static string ExportsMap => Path.Combine(Root, "native", "exports.map");

    private static string FindRoot([CallerFilePath] string here = "")
    {
        // A deterministic build may hide the source path; the tests' own directory is below the root, too.
        foreach (string start in (string[])[AppContext.BaseDirectory, Path.GetDirectoryName(here) ?? ""])
        {
            for (DirectoryInfo? d = start.Length == 0 ? null : new DirectoryInfo(start); d is not null; d = d.Parent)
            {
                if (File.Exists(Path.Combine(d.FullName, "native", "include", "coreio", "base.h")))
                {
                    return d.FullName;
                }
            }
        }

        throw new DirectoryNotFoundException("The tests must run inside a checkout: native/include/coreio/base.h is not above them.");
    }
}
