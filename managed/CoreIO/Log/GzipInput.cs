// Decompresses gzip files of one or more members and holds them to their checksums. GZipStream ends quietly where a file was cut short;
// an answer that silently lacks lines is worse than none, so the members are framed here and DeflateStream does the rest.
using System.Buffers.Binary;
using System.IO.Compression;

namespace CoreIO.Log;

/// <summary>The bytes inside a gzip stream. Every byte that can be read is handed out before a fault is thrown.</summary>
internal sealed class GzipInput : Stream
{
    private const byte HasHeaderCrc = 2;
    private const byte HasExtra = 4;
    private const byte HasName = 8;
    private const byte HasComment = 16;
    private const int TrailerLength = 8;

    private readonly Source _source;
    private readonly Crc32 _crc = new();
    private DeflateStream? _member;
    private uint _memberLength;

    /// <summary>Reads <paramref name="raw"/>, of which <paramref name="head"/> was read before.</summary>
    public GzipInput(Stream raw, ReadOnlySpan<byte> head) => _source = new Source(raw, head);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Whether these first bytes are those of a gzip stream.</summary>
    public static bool Begins(ReadOnlySpan<byte> head) => head is [0x1F, 0x8B, ..];

    public override int Read(Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            if (_member is null && !OpenMember())
            {
                return 0;
            }

            int read = ReadMember(buffer);
            if (read > 0)
            {
                _crc.Append(buffer[..read]);
                _memberLength += (uint)read;
                return read;
            }

            CloseMember();
        }

        return 0;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _member?.Dispose();
            _source.Dispose();
        }

        base.Dispose(disposing);
    }

    private int ReadMember(Span<byte> buffer)
    {
        try
        {
            return _member!.Read(buffer);
        }
        catch (InvalidDataException)
        {
            throw LogInputException.Gzip("the gzip data is damaged; the lines before the damage are counted");
        }
    }

    // False at the end of the input. Zero bytes after a member are padding, as tapes and gzip(1) have it.
    private bool OpenMember()
    {
        if (_source.Members > 0)
        {
            while (_source.Ensure(1) && _source.Unread[0] == 0)
            {
                _source.Skip(1);
            }

            if (!_source.Ensure(1))
            {
                return false;
            }
        }

        if (!_source.Ensure(2) || !Begins(_source.Unread))
        {
            throw LogInputException.Gzip("bytes that are no gzip data follow the gzip data; the lines before them are counted");
        }

        SkipHeader();
        _source.BeginMember();
        _crc.Reset();
        _memberLength = 0;
        _member = new DeflateStream(_source, CompressionMode.Decompress, leaveOpen: true);
        return true;
    }

    private void SkipHeader()
    {
        Need(10);
        byte method = _source.Unread[2];
        byte flags = _source.Unread[3];
        _source.Skip(10);
        if (method != 8)
        {
            throw LogInputException.Gzip("the gzip data uses an unknown method of compression");
        }

        if ((flags & HasExtra) != 0)
        {
            Need(2);
            int extra = BinaryPrimitives.ReadUInt16LittleEndian(_source.Unread);
            Need(2 + extra);
            _source.Skip(2 + extra);
        }

        for (int i = 0; i < ((flags & HasName) != 0 ? 1 : 0) + ((flags & HasComment) != 0 ? 1 : 0); i++)
        {
            byte b;
            do
            {
                Need(1);
                b = _source.Unread[0];
                _source.Skip(1);
            }
            while (b != 0);
        }

        if ((flags & HasHeaderCrc) != 0)
        {
            Need(2);
            _source.Skip(2);
        }
    }

    // DeflateStream reads ahead and does not tell where its data ended. What follows the data is known, though: the checksum and the
    // length of what came out. Those eight bytes are looked for in what was handed to it last; where they stand, the member ends.
    private void CloseMember()
    {
        _member!.Dispose();
        _member = null;
        Span<byte> trailer = stackalloc byte[TrailerLength];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, _crc.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], _memberLength);
        if (_source.EndMember(trailer))
        {
            return;
        }

        throw _source.CutShort
            ? Truncated()
            : LogInputException.Gzip("the gzip data is cut short or damaged: its checksum is missing or wrong");
    }

    private void Need(int bytes)
    {
        if (!_source.Ensure(bytes))
        {
            throw Truncated();
        }
    }

    private static LogInputException Truncated() =>
        LogInputException.Gzip("the gzip data ends in the middle (a truncated file); the lines before the end are counted");

    /// <summary>The compressed bytes, with enough of the past kept to find where a member ended.</summary>
    private sealed class Source : Stream
    {
        // DeflateStream reads 8 KiB at a time; twice that is always enough to look back on.
        private const int History = 16 * 1024;

        private readonly Stream _raw;
        private readonly byte[] _buffer = new byte[160 * 1024];
        private int _begin;
        private int _end;
        private int _memberBegin;

        public Source(Stream raw, ReadOnlySpan<byte> head)
        {
            _raw = raw;
            head.CopyTo(_buffer);
            _end = head.Length;
        }

        /// <summary>Members that were begun.</summary>
        public int Members { get; private set; }

        /// <summary>Whether the decompressor wanted more than there was.</summary>
        public bool CutShort { get; private set; }

        public ReadOnlySpan<byte> Unread => _buffer.AsSpan(_begin, _end - _begin);

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public void Skip(int bytes) => _begin += bytes;

        public void BeginMember()
        {
            Members++;
            _memberBegin = _begin;
        }

        public bool EndMember(ReadOnlySpan<byte> trailer)
        {
            _ = Ensure(TrailerLength);
            int from = Math.Max(_memberBegin, _begin - History);
            int found = _buffer.AsSpan(from, Math.Min(_end, _begin + TrailerLength) - from).IndexOf(trailer);
            if (found < 0)
            {
                return false;
            }

            _begin = from + found + TrailerLength;
            return true;
        }

        /// <summary>Reads until <paramref name="bytes"/> are unread; false when the input has no more.</summary>
        public bool Ensure(int bytes)
        {
            while (_end - _begin < bytes)
            {
                int keep = Math.Max(0, _begin - History);
                _buffer.AsSpan(keep, _end - keep).CopyTo(_buffer);
                _begin -= keep;
                _end -= keep;
                _memberBegin = Math.Max(0, _memberBegin - keep);
                int read = _raw.Read(_buffer, _end, _buffer.Length - _end);
                if (read == 0)
                {
                    return false;
                }

                _end += read;
            }

            return true;
        }

        public override int Read(Span<byte> buffer)
        {
            if (!Ensure(1))
            {
                CutShort = true;
                return 0;
            }

            int read = Math.Min(buffer.Length, _end - _begin);
            Unread[..read].CopyTo(buffer);
            _begin += read;
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _raw.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
