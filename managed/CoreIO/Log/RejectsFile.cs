// The file that rejected lines are written to. It is opened before the work begins, so that a wrong path is told at once, but what it held
// before is given up only when the work begins: a question with a typing error must not cost anybody a file.
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Log;

internal sealed class RejectsFile : IDisposable
{
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

        string? itself = existed ? Target(path) : null;
        if (itself is not null && inputs.Any(input => input != "-" && Target(input) == itself))
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

    // The file behind links, however it is written.
    private static string? Target(string path)
    {
        try
        {
            return Path.GetFullPath(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path);
        }
        catch (IOException)
        {
            return null;
        }
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
