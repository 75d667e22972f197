// The file that a bench makes for itself. Its name is removed as soon as it is open, and it is reached by its descriptor: whatever ends the
// process, a signal included, nothing is left behind.
using System.IO.Compression;

namespace CoreIO.Log.Bench;

internal sealed class LogBenchFile : IDisposable
{
    private readonly FileStream _file;

    private LogBenchFile(FileStream file) => _file = file;

    /// <summary>A path that this process and its children can open while the file lives.</summary>
    public string Path => $"/proc/{Environment.ProcessId}/fd/{_file.SafeFileHandle.DangerousGetHandle()}";

    /// <summary>Makes an input below a directory.</summary>
    /// <exception cref="CoreIOException">It cannot be written, as when the disk is full.</exception>
    public static LogBenchFile Create(string directory, string format, long bytes, ulong seed) =>
        Create(directory, file => LogBenchInput.Write(file, format, bytes, seed));

    /// <summary>Compresses an input below a directory.</summary>
    /// <exception cref="CoreIOException">It cannot be read or written.</exception>
    public static LogBenchFile Compress(string directory, string path) => Create(directory, file =>
    {
        using FileStream input = OpenedFile.Read(path);
        using GZipStream gzip = new(file, CompressionLevel.Optimal, leaveOpen: true);
        input.CopyTo(gzip, 1 << 20);
    });

    public void Dispose() => _file.Dispose();

    private static LogBenchFile Create(string directory, Action<FileStream> write)
    {
        string path = System.IO.Path.Combine(directory, $"coreio-bench-{Environment.ProcessId}-{Guid.NewGuid():N}.log");
        FileStream? file = null;
        try
        {
            file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                BufferSize = 0,
                Share = FileShare.ReadWrite | FileShare.Delete,
            });
            File.Delete(path);
            write(file);
            return new LogBenchFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw FileFault.Of(path, e);
        }
    }
}
