using CoreIO.Interop;
using CoreIO.Log;

namespace CoreIO.Native.Log;

/// <summary>A lexer of the library. A call takes one reference, pins three spans and crosses once; it allocates nothing.</summary>
internal sealed unsafe class NativeLogLexer(LogLexerHandle handle, string kernel) : ILogLexer
{
    public string Kernel => kernel;

    public LogLexResult Feed(ReadOnlySpan<byte> text, bool last, Span<LogRecord> records, Span<LogField> fields)
    {
        using Borrowed borrowed = new(handle);
        coreio_log_lex_result result;
        int status;
        fixed (byte* textStart = text)
        fixed (LogRecord* recordsStart = records)
        fixed (LogField* fieldsStart = fields)
        {
            // The structures of Abstractions have the layout of the C ones (checked by LayoutTests), so the library writes into them.
            status = LibCoreIO.coreio_log_lexer_feed(
                handle.Pointer,
                textStart,
                text.Length,
                last ? 1 : 0,
                (coreio_log_record*)recordsStart,
                records.Length,
                (coreio_log_field*)fieldsStart,
                fields.Length,
                &result);
        }

        if (status == StatusCode.Capacity)
        {
            return new LogLexResult(0, 0, 0, result.needed_fields);
        }

        Status.Check(status, "lexer");
        return new LogLexResult((int)result.consumed, result.records, result.fields, 0);
    }

    public void Dispose() => handle.Dispose();
}
