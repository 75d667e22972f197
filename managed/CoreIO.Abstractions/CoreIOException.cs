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

    /// <summary>Makes an exception whose message is what was tried, on what, the words of the status, and what to do.</summary>
    protected CoreIOException(int status, string operation, string subject, string? advice)
        : base($"{operation} {subject}: {StatusCode.Describe(status)}" + (advice is null ? "" : $": {advice}")) => Status = status;

    /// <summary>The errno: 90 for <c>EMSGSIZE</c>; 0 when the status is CoreIO's own.</summary>
    public int Errno => Status is < 0 and >= -4095 ? -Status : 0;

    /// <summary>The name of the status: <c>EMSGSIZE</c>, <c>COREIO_ECLOSED</c>.</summary>
    public string ErrnoName => StatusCode.Symbol(Status);

    /// <summary>The status: <c>-errno</c>, or a code of <see cref="StatusCode"/>.</summary>
    public int Status { get; }
}
