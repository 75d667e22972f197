// Rejected lines on their way to the file of --rejects. Scans that read inputs at the same time each write to a file without a name, and the
// inputs' parts of these files are copied in the order of the inputs, so that memory stays bounded however many lines are rejected.
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Log;

internal sealed class RejectsSpool : IDisposable
{
    private const int CopyBytes = 64 * 1024;

    private RejectsSpool(SafeFileHandle handle) => Handle = handle;

    /// <summary>Where a scan writes.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Bytes written so far, by a scan that has ended its input.</summary>
    public long Length => RandomAccess.GetLength(Handle);

    /// <exception cref="CoreIOException">There is no room for it among the temporary files.</exception>
    public static RejectsSpool Create()
    {
        string path = Path.GetTempPath();
        try
        {
            // Only its owner may read what is made so, and nothing is left behind whatever ends the process.
            path = Path.GetTempFileName();
            SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
            File.Delete(path);
            return new RejectsSpool(handle);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileFault.Of(path, e);
        }
    }

    /// <summary>Copies the bytes from <paramref name="begin"/> on, up to <paramref name="end"/>.</summary>
    public void CopyTo(Stream to, long begin, long end)
    {
        byte[] buffer = new byte[Math.Min(CopyBytes, end - begin)];
        while (begin < end)
        {
            int read = RandomAccess.Read(Handle, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - begin)), begin);
            if (read == 0)
            {
                throw new EndOfStreamException();
            }

            to.Write(buffer, 0, read);
            begin += read;
        }
    }

    public void Dispose() => Handle.Dispose();
}
