namespace CoreIO.Log;

/// <summary>A line and its fields: a view of the reader's buffer, valid until the next line is read.</summary>
public readonly ref struct LogLine
{
    private readonly ReadOnlySpan<byte> _fed;
    private readonly ReadOnlySpan<LogField> _fields;
    private readonly ILogFormat _format;

    internal LogLine(
        ReadOnlySpan<byte> text,
        ReadOnlySpan<byte> fed,
        ReadOnlySpan<LogField> fields,
        LogReason reason,
        long number,
        long offset,
        ILogFormat format)
    {
        Text = text;
        _fed = fed;
        _fields = fields;
        Reason = reason;
        Number = number;
        Offset = offset;
        _format = format;
    }

    /// <summary>The bytes of the line without its end; of one that is too long the first 256.</summary>
    public ReadOnlySpan<byte> Text { get; }

    /// <summary>Why the line does not fit the format, or <see cref="LogReason.Parsed"/>.</summary>
    public LogReason Reason { get; }

    /// <summary>Number of the line, from 1.</summary>
    public long Number { get; }

    /// <summary>Byte offset of the line in its stream.</summary>
    public long Offset { get; }

    /// <summary>How many fields it has; none when it does not fit.</summary>
    public int Count => _fields.Length;

    /// <summary>The bytes of a field as they stand in the line (<see cref="LogText"/> decodes them to be shown).</summary>
    public ReadOnlySpan<byte> this[int field] => _fed.Slice((int)_fields[field].Offset, (int)_fields[field].Length);

    /// <summary>The bytes of the field called <paramref name="name"/>; empty where the format or the line has none.</summary>
    public ReadOnlySpan<byte> this[string name] =>
        LogFormatSource.IndexOf(_format, name) is int index and >= 0 && index < Count ? this[index] : default;

    /// <summary>Whether a field is null: not there, or exactly <c>-</c>.</summary>
    public bool IsNull(int field) => field >= Count || this[field] is [(byte)'-'];
}
