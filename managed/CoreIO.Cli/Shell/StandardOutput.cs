// Standard output for data: buffered, with a closed pipe told apart from every other fault, so that `coreio ... | head` ends quietly.
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Cli.Shell;

/// <summary>Nobody reads standard output any more.</summary>
internal sealed class ClosedPipeException(Exception inner) : Exception("standard output was closed", inner);

/// <summary>Standard output cannot be written.</summary>
internal sealed class OutputException(string message, Exception inner) : Exception(message, inner);

internal sealed class StandardOutput : Stream
{
    private const int BrokenPipe = 32;
    private readonly Stream _stream;

    private StandardOutput(Stream stream) => _stream = stream;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Opens it with a buffer of 64 KiB, what a pipe holds.</summary>
    public static Stream Open()
    {
        try
        {
            // The console's stream forgives a closed pipe, and a file stream keeps an offset of its own, which would overwrite what others
            // append to the same file. So: a file stream for pipes and terminals, the console's for files.
            FileStream file = new(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, 0);
            return new BufferedStream(new StandardOutput(file.CanSeek ? Console.OpenStandardOutput() : file), 64 * 1024);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw Fault(e);
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            _stream.Write(buffer);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Fault(e);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() => _stream.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private static Exception Fault(Exception e) => e.HResult == BrokenPipe
        ? new ClosedPipeException(e)
        : new OutputException("standard output: " + StatusCode.Describe(e.HResult is > 0 and < 4096
            ? -e.HResult : StatusCode.InputOutput), e);
}
