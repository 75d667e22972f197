namespace CoreIO;

/// <summary>An operation failed with a status: <c>-errno</c> of the kernel, or a code of <see cref="StatusCode"/>.</summary>
public class CoreIOException : Exception
{
    /// <summary>Makes an exception whose message is <paramref name="message"/> and the name of the status.</summary>
    public CoreIOException(int status, string message)
        : base($"{message}: {StatusCode.Describe(status)}") => Status = status;

    /// <summary>Makes an exception with a message of its own.</summary>
    protected CoreIOException(int status, string message, Exception? inner)
        : base(message, inner) => Status = status;

    /// <summary>The status: <c>-errno</c>, or a code of <see cref="StatusCode"/>.</summary>
    public int Status { get; }
}
