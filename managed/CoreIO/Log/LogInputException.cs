namespace CoreIO.Log;

/// <summary>An input cannot be read to its end for a reason that no status tells.</summary>
public sealed class LogInputException : CoreIOException
{
    private LogInputException(int status, string message)
        : base(status, message, null)
    {
    }

    internal static LogInputException Compressed(string tool) =>
        new(StatusCode.InputOutput, $"is compressed by another program than gzip; '{tool} FILE | coreio log report -' reads it");

    internal static LogInputException Gzip(string message) => new(StatusCode.InputOutput, message);
}
