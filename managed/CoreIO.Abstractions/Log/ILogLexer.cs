namespace CoreIO.Log;

/// <summary>Splits whole lines into records. One thread at a time.</summary>
public interface ILogLexer : IDisposable
{
    /// <summary>The kernel that runs.</summary>
    string Kernel { get; }

    /// <summary>
    /// Splits whole lines of <paramref name="text"/>. Stops when <paramref name="records"/> or <paramref name="fields"/> is full or at the
    /// last line end; the caller passes the rest again. Allocates nothing per line.
    /// </summary>
    /// <param name="text">Whole lines, and perhaps the beginning of another.</param>
    /// <param name="last">Whether a final line without a newline is a line, too.</param>
    /// <param name="records">Room for records.</param>
    /// <param name="fields">Room for fields.</param>
    LogLexResult Feed(ReadOnlySpan<byte> text, bool last, Span<LogRecord> records, Span<LogField> fields);
}
