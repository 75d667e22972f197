namespace CoreIO.Proxy;

/// <summary>A proxy could not be made, started or handed over; the message says which part of it, why, and what to do.</summary>
public sealed class TcpProxyException : CoreIOException
{
    internal TcpProxyException(int status, string operation, string subject, string? advice)
        : base(status, operation, subject, advice)
    {
        Operation = operation;
        Subject = subject;
        Advice = advice;
    }

    /// <summary>What was tried: <c>listen on</c>, <c>start</c>.</summary>
    public string Operation { get; }

    /// <summary>The address or the part it belongs to.</summary>
    public string Subject { get; }

    /// <summary>What to do; null where the errno says all.</summary>
    public string? Advice { get; }
}
