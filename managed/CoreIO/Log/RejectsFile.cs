// The file that rejected lines are written to. It is opened before the work begins, so that a wrong path is told at once, but what it held
// before is given up only when the work begins: a question with a typing error must not cost anybody a file.
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Log;

internal sealed class RejectsFile : IDisposable
{
    /// <summary>The kernel follows as many.</summary>
    private const int MostLinks = 40;

    private readonly string _path;
    private readonly bool _existed;
    private bool _begun;

    private RejectsFile(string path, bool existed, SafeFileHandle handle)
    {
        _path = path;
        _existed = existed;
        Handle = handle;
    }

    public SafeFileHandle Handle { get; }

    /// <exception cref="LogRejectsException">It cannot be written, or it is one of the inputs.</exception>
    public static RejectsFile Open(string path, IReadOnlyList<string> inputs)
    {
        bool existed = File.Exists(path);
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            CoreIOException fault = FileFault.Of(path, e);
            throw new LogRejectsException(fault.Status, fault.Message);
        }

        // An empty file has nothing to lose, and a device has no length.
        string? itself = existed && new FileInfo(path).Length > 0 ? Target(path) : null;
        if (itself is not null && inputs.Any(input => Target(input == "-" ? "/proc/self/fd/0" : input) == itself))
        {
            handle.Dispose();
            throw new LogRejectsException(StatusCode.InvalidArgument, $"{path}: is an input, too; writing there would destroy it");
        }

        return new RejectsFile(path, existed, handle);
    }

    public void Begin()
    {
        _begun = true;
        try
        {
            RandomAccess.SetLength(Handle, 0);
        }
        catch (Exception e) when (e is IOException or NotSupportedException or UnauthorizedAccessException or ArgumentException)
        {
            // A pipe or a terminal has no length to set.
        }
    }

    /// <summary>What a fault of <see cref="OpenStream"/> is called.</summary>
    public LogRejectsException Fault(IOException fault)
    {
        CoreIOException cause = FileFault.Of(_path, fault);
        return new LogRejectsException(cause.Status, cause.Message);
    }

    /// <summary>A buffered stream onto it, for callers that write rejected lines themselves.</summary>
    public Stream OpenStream() => new BufferedStream(new FileStream(Handle, FileAccess.Write, 0), 64 * 1024);

    public void Dispose()
    {
        Handle.Dispose();
        if (!_begun && !_existed)
        {
            File.Delete(_path);
        }
    }

    // The file behind links, those of folders on the way included, however it is written; null where the links have no end. Two names of
    // one file without a link between them (hard links) are not told from two files.
    private static string? Target(string path, int links = 0)
    {
        if (path.Length == 0 || links > MostLinks)
        {
            return null;
        }

        path = Path.GetFullPath(path);
        string? parent = Path.GetDirectoryName(path);
        if (parent is null)
        {
            return path;
        }

        string? folder = Target(parent, links);
        if (folder is null)
        {
            return null;
        }

        string whole = Path.Combine(folder, Path.GetFileName(path));
        return new FileInfo(whole).LinkTarget is string target ? Target(Path.Combine(folder, target), links + 1) : whole;
    }
}

/// <summary>The file for rejected lines cannot be used.</summary>
public sealed class LogRejectsException : CoreIOException
{
    internal LogRejectsException(int status, string message)
        : base(status, $"--rejects: {message}", null)
    {
    }
}
