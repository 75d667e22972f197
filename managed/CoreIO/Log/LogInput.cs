// One input of a report: a file, a gzip file (told by its first bytes, not by its name) or a stream. Shows its first lines before the work
// begins and hands them over again when it does, so that a pipe can be looked at, too. Leaves lines and fields to the backend.
namespace CoreIO.Log;

internal sealed class LogInput : IDisposable
{
    /// <summary>How much of an input is looked at to choose a format (docs/formats.md, section 8).</summary>
    public const int SampleBytes = 64 * 1024;

    // Small enough to stay in the L2 cache.
    private const int FeedBytes = 256 * 1024;

    // As many as tell gzip, xz, zstd and bzip2 from text.
    private const int HeadBytes = 6;

    private readonly FileStream _file;
    private readonly Stream _bytes;
    private readonly byte[] _head;
    private readonly byte[] _sample = new byte[SampleBytes];
    private int _sampleLength;
    private bool _sampled;
    private bool _ended;
    private CoreIOException? _fault;

    private LogInput(string name, FileStream file)
    {
        Name = name;
        _file = file;
        byte[] head = new byte[HeadBytes];
        int length = Read(file, head);
        _head = head[..length];
        if (CompressionOf(_head) is string tool)
        {
            throw LogInputException.Compressed(tool);
        }

        IsGzip = GzipInput.Begins(_head);
        _bytes = IsGzip ? new GzipInput(file, _head) : file;
        if (!IsGzip)
        {
            _head.CopyTo(_sample, 0);
            _sampleLength = length;
        }
    }

    /// <summary>Path, or <c>-</c>.</summary>
    public string Name { get; }

    public bool IsGzip { get; }

    /// <summary>Whether a backend can open it by itself.</summary>
    public bool IsPlainFile => Name != "-" && !IsGzip && _file.CanSeek;

    /// <summary>Size of the file as it lies on the disk; -1 for a stream.</summary>
    public long FileBytes => _file.CanSeek ? _file.Length : -1;

    /// <summary>How much of the file was read, in bytes as they lie on the disk.</summary>
    public long FilePosition
    {
        get
        {
            try
            {
                return _file.CanSeek ? _file.Position : 0;
            }
            catch (ObjectDisposedException)
            {
                // Another thread asks how far the reading is while it ends.
                return 0;
            }
        }
    }

    /// <summary>
    /// Whether it is a regular file that begins as gzip does. Nothing is read of what can be read only once, and faults are left to whoever
    /// opens it.
    /// </summary>
    public static bool IsGzipFile(string name)
    {
        try
        {
            // What is no regular file has no length.
            FileInfo file = new(name);
            if (name == "-" || !file.Exists || file.Length == 0)
            {
                return false;
            }

            using FileStream opened = OpenedFile.Read(name);
            Span<byte> head = stackalloc byte[2];
            return GzipInput.Begins(head[..opened.Read(head)]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    /// <summary>Opens a path, or standard input for <c>-</c>.</summary>
    /// <exception cref="CoreIOException">It cannot be opened or read.</exception>
    public static LogInput Open(string name)
    {
        FileStream? file = null;
        try
        {
            file = name == "-" ? StandardInput.Open() : OpenedFile.Read(name);
            return new LogInput(name, file);
        }
        catch (LogInputException)
        {
            file?.Dispose();
            throw;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            file?.Dispose();
            throw FileFault.Of(name, e);
        }
    }

    // The program that decompresses what begins so; null for all else.
    private static string? CompressionOf(ReadOnlySpan<byte> head) => head switch
    {
        [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0] => "xzcat",
        [0x28, 0xB5, 0x2F, 0xFD, ..] => "zstdcat",
        [(byte)'B', (byte)'Z', (byte)'h', >= (byte)'1' and <= (byte)'9', 0x31, 0x41] => "bzcat",
        _ => null,
    };

    /// <summary>
    /// The first whole lines, at most 64 KiB; <paramref name="end"/> tells whether that is the whole input, so that a last line without a
    /// newline is a line. A fault that stops the reading is kept for <see cref="FeedTo"/>.
    /// </summary>
    public ReadOnlySpan<byte> Sample(out bool end)
    {
        if (!_sampled)
        {
            _sampled = true;
            try
            {
                while (_sampleLength < _sample.Length)
                {
                    int read = Read(_bytes, _sample.AsSpan(_sampleLength));
                    if (read == 0)
                    {
                        _ended = true;
                        break;
                    }

                    _sampleLength += read;
                }
            }
            catch (CoreIOException e)
            {
                _fault = e;
            }
        }

        end = _ended;
        // Byte by byte: the last newline is near, and to search by vectors takes longer to begin with.
        int length = _sampleLength;
        while (!_ended && length > 0 && _sample[length - 1] != '\n')
        {
            length--;
        }

        return _sample.AsSpan(0, length);
    }

    /// <summary>Hands all of it to a scan, the sample first.</summary>
    /// <exception cref="CoreIOException">
    /// It cannot be read to its end; what came before was handed over, and the stream was ended.
    /// </exception>
    public void FeedTo(ILogScan scan, Action throwIfStopped)
    {
        CoreIOException? fault = _fault;
        try
        {
            scan.Feed(_sample.AsSpan(0, _sampleLength));
            while (fault is null && !_ended)
            {
                throwIfStopped();
                // Decompressed where the worker will read it.
                Span<byte> room = scan.FeedRoom();
                int read = Read(_bytes, room[..Math.Min(room.Length, FeedBytes)]);
                _ended = read == 0;
                scan.FeedDone(read);
            }
        }
        catch (CoreIOException e)
        {
            fault = e;
        }

        // A stream that stays open would leave the scan without an answer, also for the other inputs.
        try
        {
            scan.EndFeed();
        }
        catch (CoreIOException e)
        {
            fault ??= e;
        }

        if (fault is not null)
        {
            throw fault;
        }
    }

    /// <summary>All of it as a stream, the sample first.</summary>
    public Stream AsStream() => new Rest(this);

    public void Dispose()
    {
        _bytes.Dispose();
        _file.Dispose();
    }

    private int Read(Stream stream, Span<byte> buffer)
    {
        try
        {
            return stream.Read(buffer);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw FileFault.Of(Name, e);
        }
    }

    private sealed class Rest(LogInput input) : Stream
    {
        private int _given;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            if (_given < input._sampleLength)
            {
                int given = Math.Min(buffer.Length, input._sampleLength - _given);
                input._sample.AsSpan(_given, given).CopyTo(buffer);
                _given += given;
                return given;
            }

            return input._fault is not null ? throw input._fault : input._ended ? 0 : input.Read(input._bytes, buffer);
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
