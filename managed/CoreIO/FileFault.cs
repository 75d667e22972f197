namespace CoreIO;

/// <summary>Turns the exceptions of System.IO into statuses, so that every backend and every path names a fault alike.</summary>
internal static class FileFault
{
    public static CoreIOException Of(string path, Exception fault) => Of(path, path, fault);

    /// <summary>The same with more before the words of the status than the path.</summary>
    public static CoreIOException Of(string message, string path, Exception fault) => new(StatusOf(path, fault), message);

    private static int StatusOf(string path, Exception fault) => fault switch
    {
        UnauthorizedAccessException => Directory.Exists(path) ? StatusCode.IsADirectory : StatusCode.AccessDenied,
        FileNotFoundException => StatusCode.NoEntry,
        DirectoryNotFoundException => HasFileForParent(path) ? StatusCode.NotADirectory : StatusCode.NoEntry,
        PathTooLongException => StatusCode.NameTooLong,
        // On Linux System.IO keeps the errno it has no class for.
        IOException { HResult: > 0 and < 4096 } io => -io.HResult,
        ArgumentException => StatusCode.InvalidArgument,
        _ => StatusCode.InputOutput,
    };

    private static bool HasFileForParent(string path)
    {
        for (string? parent = Path.GetDirectoryName(Path.GetFullPath(path)); parent is not null; parent = Path.GetDirectoryName(parent))
        {
            if (File.Exists(parent))
            {
                return true;
            }
        }

        return false;
    }
}
