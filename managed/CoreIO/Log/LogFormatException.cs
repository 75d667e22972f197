namespace CoreIO.Log;

/// <summary>A format that was named cannot be found; the message says where was looked and what is there.</summary>
public sealed class LogFormatException : CoreIOException
{
    internal LogFormatException(int status, string message)
        : base(status, message, null)
    {
    }
}
