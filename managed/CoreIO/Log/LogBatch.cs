// Room for what a lexer writes, grown when one line alone needs more. Used again for every batch, so nothing is allocated per line.
namespace CoreIO.Log;

internal sealed class LogBatch
{
    private LogField[] _fields = new LogField[16 * 1024];

    /// <summary>
    /// 1024 records keep a call's cost far below that of its lines (docs of the boundary: from 256 on nothing is gained).
    /// </summary>
    public LogRecord[] Records { get; } = new LogRecord[1024];

    public ReadOnlySpan<LogField> Fields => _fields;

    public LogLexResult Feed(ILogLexer lexer, ReadOnlySpan<byte> text, bool last)
    {
        while (true)
        {
            LogLexResult result = lexer.Feed(text, last, new Span<LogRecord>(Records), new Span<LogField>(_fields));
            if (result.NeededFields <= _fields.Length)
            {
                return result;
            }

            _fields = new LogField[result.NeededFields];
        }
    }

    /// <summary>Where a field of a record is; nothing at the start of the text where the record has fewer.</summary>
    public LogField Field(in LogRecord record, int index) =>
        (uint)index < (uint)record.FieldCount ? _fields[record.FirstField + index] : default;

    public ReadOnlySpan<LogField> FieldsOf(in LogRecord record) => _fields.AsSpan((int)record.FirstField, (int)record.FieldCount);
}
