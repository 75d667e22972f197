// Small texts of /proc and /sys. What is not there, or not to be read, is empty: a process ends while it is looked at, a container hides files.
using System.Globalization;

namespace CoreIO;

internal static class ProcText
{
    /// <summary>Its lines; none where it cannot be read.</summary>
    public static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Its first line; null where it cannot be read or is empty.</summary>
    public static string? FirstLine(string path) => Lines(path) is [string line, ..] && line.Length > 0 ? line : null;

    /// <summary>The number it holds; null where it cannot be read.</summary>
    public static long? Number(string path) =>
        long.TryParse(FirstLine(path), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? number : null;

    /// <summary>Names in a folder, links not followed; none where it cannot be read.</summary>
    public static string[] Names(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The text of a link; null where it cannot be read.</summary>
    public static string? Link(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
