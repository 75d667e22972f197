// Standard output for data: buffered, with a closed pipe told apart from every other fault, so that `coreio ... | head` ends quietly.
namespace CoreIO.Cli.Shell;

/// <summary>Nobody reads standard output any more.</summary>
internal sealed class ClosedPipeException() : Exception("standard output was closed");

/// <summary>Standard output cannot be written.</summary>
internal sealed class OutputException(string message) : Exception(message);

internal sealed class StandardOutput : Stream
{
    private const int BrokenPipe = -32;

    private StandardOutput()
    {
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Opens it with a buffer of 64 KiB, what a pipe holds.</summary>
    public static Stream Open() => new BufferedStream(new StandardOutput(), 64 * 1024);

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        int status = Libc.Write(Libc.StandardOutput, buffer);
        if (status < 0)
        {
            throw status == BrokenPipe ? new ClosedPipeException() : new OutputException("standard output: " + StatusCode.Describe(status));
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
