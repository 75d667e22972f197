// The only place where a negative status of the library becomes an exception.
//
// A status that a caller answers by itself (COREIO_ECAPACITY of a lexer, COREIO_ECLOSED of a stop) is looked at before it comes here.
using CoreIO.Log;

namespace CoreIO.Interop;

internal static class Status
{
    /// <summary>Returns a status that is not negative; throws with <paramref name="subject"/> (a path, what was tried) otherwise.</summary>
    internal static int Check(int status, string subject)
    {
        Crossings.Add();
        return status >= 0 ? status : throw Failure(status, subject);
    }

    /// <summary>Returns a count of bytes that is not negative; throws otherwise.</summary>
    internal static long Check(long status, string subject)
    {
        Crossings.Add();
        return status >= 0 ? status : throw Failure((int)status, subject);
    }

    /// <summary>As <see cref="Check(int, string)"/>; when text of the user does not compile, the exception says where and why.</summary>
    internal static int CheckText(int status, in coreio_log_fault fault, LogSyntaxPart part, string text, string subject) =>
        status == StatusCode.Format
            ? throw new LogSyntaxException(part, (LogFault)fault.reason, text, fault.offset, fault.length)
            : Check(status, subject);

    /// <summary>The exception of a status, for callers that find out before the call that it would fail.</summary>
    internal static CoreIOException Failure(int status, string subject) => new(status, subject);
}
