namespace CoreIO.Log;

/// <summary>The first whole lines of a log, looked at before the work begins.</summary>
internal sealed class LogSample(byte[] text, bool end)
{
    public static readonly LogSample Empty = new([], true);

    internal delegate bool Visitor(ReadOnlySpan<byte> text, in LogRecord record, LogBatch batch);

    public int Lines => text.AsSpan().Count((byte)'\n') + (text.Length > 0 && text[^1] != '\n' ? 1 : 0);

    /// <summary>Shows every line as a format cuts it, until the visitor has seen enough.</summary>
    public void Each(ILogBackend log, ILogFormat format, Visitor visitor)
    {
        using ILogLexer lexer = log.CreateLexer(format);
        LogBatch batch = new();
        ReadOnlySpan<byte> rest = text;
        while (!rest.IsEmpty)
        {
            LogLexResult result = batch.Feed(lexer, rest, end);
            if (result.Records == 0)
            {
                return;
            }

            for (int i = 0; i < result.Records; i++)
            {
                if (!visitor(rest, batch.Records[i], batch))
                {
                    return;
                }
            }

            rest = rest[result.Consumed..];
        }
    }
}
