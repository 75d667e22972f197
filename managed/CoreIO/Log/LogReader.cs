// Lines of a stream for .NET developers, cut into fields by a backend's lexer. Bytes are read into one buffer, records hold offsets into
// it, and a LogLine is a view of both: nothing is allocated per line. One thread at a time.
namespace CoreIO.Log;

/// <summary>Reads the lines of a stream: <c>foreach (LogLine line in LogReader.ReadLines(stream, "combined"))</c>.</summary>
public sealed class LogReader : IDisposable
{
    /// <summary>A longer line, its newline included, is <see cref="LogReason.TooLong"/> (docs/formats.md, section 1).</summary>
    public const int MaxLineBytes = 8 * 1024 * 1024;

    private const int FirstBufferBytes = 256 * 1024;
    private const int MaxBufferBytes = MaxLineBytes + FirstBufferBytes;
    private const int HeadBytes = 256;

    private readonly Stream _stream;
    private readonly ILogFormat _format;
    private readonly ILogLexer _lexer;
    private readonly bool _ownsFormat;
    private readonly LogBatch _batch = new();
    private byte[] _buffer = new byte[FirstBufferBytes];
    private int _begin;
    private int _end;
    private bool _ended;
    private int _records;
    private int _record = -1;
    private int _batchBegin;
    private int _batchEnd;

    // A line longer than the buffer may grow passes by in pieces: its length, and its first bytes to show.
    private long _longBytes;
    private readonly byte[] _longHead = new byte[HeadBytes];

    /// <summary>Reads <paramref name="stream"/>, which stays the caller's, with a format compiled by the same backend.</summary>
    public LogReader(Stream stream, ILogBackend log, ILogFormat format, string? kernel = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(log);
        ArgumentNullException.ThrowIfNull(format);
        _stream = stream;
        _format = format;
        _lexer = log.CreateLexer(format, kernel);
    }

    private LogReader(Stream stream, ILogBackend log, string format)
        : this(stream, log, log.CompileFormat(format)) => _ownsFormat = true;

    /// <summary>How lines are cut.</summary>
    public ILogFormat Format => _format;

    /// <summary>The kernel that runs.</summary>
    public string Kernel => _lexer.Kernel;

    /// <summary>Lines read so far, the current one included.</summary>
    public long Lines { get; private set; }

    /// <summary>Bytes of the lines before the current one.</summary>
    public long Offset { get; private set; }

    /// <summary>The current line; valid until the next is read.</summary>
    public LogLine Current
    {
        get
        {
            if (_longBytes > 0)
            {
                return new LogLine(_longHead, default, default, LogReason.TooLong, Lines, Offset, _format);
            }

            ref readonly LogRecord record = ref _batch.Records[_record];
            ReadOnlySpan<byte> text = _buffer.AsSpan(_batchBegin);
            int length = record.Reason == LogReason.TooLong ? HeadBytes : (int)record.Length;
            return new LogLine(
                text.Slice((int)record.Offset, length),
                text,
                _batch.FieldsOf(record),
                record.Reason,
                Lines,
                Offset,
                _format);
        }
    }

    /// <summary>The bytes of the current line with its line end; nothing for a line that went to <see cref="PassedOn"/>.</summary>
    internal ReadOnlySpan<byte> CurrentWhole => _longBytes > 0
        ? default
        : _buffer.AsSpan(_batchBegin + RecordBegin(_record), RecordBegin(_record + 1) - RecordBegin(_record));

    /// <summary>Where a line too long for the buffer is written as it goes by; null for nowhere.</summary>
    internal Stream? PassedOn { get; set; }

    /// <summary>Reads the lines of a stream with the default backend and a format by name or template.</summary>
    public static LogReader ReadLines(Stream stream, string format) => new(stream, CoreBackends.Default.Log, format);

    /// <summary>Moves to the next line; false at the end.</summary>
    public bool MoveNext()
    {
        if (_longBytes > 0)
        {
            Offset += _longBytes;
            _longBytes = 0;
        }
        else if (_record >= 0)
        {
            Offset += RecordBegin(_record + 1) - RecordBegin(_record);
        }

        if (++_record < _records || NextBatch())
        {
            Lines++;
            return true;
        }

        return false;
    }

    /// <summary>This reader, so that it can stand in a <c>foreach</c>.</summary>
    public LogReader GetEnumerator() => this;

    /// <inheritdoc/>
    public void Dispose()
    {
        _lexer.Dispose();
        if (_ownsFormat)
        {
            _format.Dispose();
        }
    }

    private int RecordBegin(int record) => record == _records ? _batchEnd - _batchBegin : (int)_batch.Records[record].Offset;

    private bool NextBatch()
    {
        _records = 0;
        _record = -1;
        bool newline = _buffer.AsSpan(_begin, _end - _begin).Contains((byte)'\n');
        while (!newline && !_ended)
        {
            if (!MakeRoom())
            {
                PassLongLine();
                return true;
            }

            int read = _stream.Read(_buffer, _end, _buffer.Length - _end);
            _ended = read == 0;
            newline = _buffer.AsSpan(_end, read).Contains((byte)'\n');
            _end += read;
        }

        if (_begin == _end)
        {
            return false;
        }

        LogLexResult result = _batch.Feed(_lexer, _buffer.AsSpan(_begin, _end - _begin), _ended);
        _batchBegin = _begin;
        _begin += result.Consumed;
        _batchEnd = _begin;
        _records = result.Records;
        _record = 0;
        return _records > 0;
    }

    // False when the buffer is full of one line and may not grow any more.
    private bool MakeRoom()
    {
        if (_begin > 0)
        {
            _buffer.AsSpan(_begin, _end - _begin).CopyTo(_buffer);
            _end -= _begin;
            _begin = 0;
        }
        else if (_end == _buffer.Length)
        {
            if (_buffer.Length == MaxBufferBytes)
            {
                return false;
            }

            Array.Resize(ref _buffer, Math.Min(_buffer.Length * 2, MaxBufferBytes));
        }

        return true;
    }

    private void PassLongLine()
    {
        _buffer.AsSpan(0, HeadBytes).CopyTo(_longHead);
        int newline = -1;
        while (newline < 0 && _end > 0)
        {
            PassedOn?.Write(_buffer, 0, _end);
            _longBytes += _end;
            _end = _stream.Read(_buffer, 0, _buffer.Length);
            newline = _buffer.AsSpan(0, _end).IndexOf((byte)'\n');
        }

        _ended = _end == 0;
        PassedOn?.Write(_buffer, 0, newline + 1);
        _longBytes += newline + 1;
        _begin = newline + 1;
    }
}
