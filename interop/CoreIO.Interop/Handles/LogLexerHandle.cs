using Microsoft.Win32.SafeHandles;

namespace CoreIO.Interop;

/// <summary>Owns a <c>coreio_log_lexer</c>.</summary>
internal sealed unsafe class LogLexerHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private LogLexerHandle(coreio_log_lexer* lexer)
        : base(ownsHandle: true) => SetHandle((nint)lexer);

    /// <summary>The object; valid while a reference is held.</summary>
    internal coreio_log_lexer* Pointer => (coreio_log_lexer*)handle;

    /// <summary>Makes a lexer; it does not need the format afterwards.</summary>
    internal static LogLexerHandle Create(LogFormatHandle format, int kernel)
    {
        using Borrowed borrowed = new(format);
        coreio_log_lexer* lexer;
        Status.Check(LibCoreIO.coreio_log_lexer_create(format.Pointer, kernel, &lexer), "lexer");
        return new LogLexerHandle(lexer);
    }

    protected override bool ReleaseHandle()
    {
        Crossings.Add();
        LibCoreIO.coreio_log_lexer_destroy(Pointer);
        return true;
    }
}
