namespace CoreIO.Loop;

/// <summary>An operation of an event loop failed; the message says on which descriptor, why, and what to do.</summary>
public sealed class EventLoopException : CoreIOException
{
    internal EventLoopException(int status, string operation, string subject, int descriptor, string? advice)
        : base(status, Text(status, operation, subject, advice), inner: null)
    {
        Operation = operation;
        Descriptor = descriptor;
        Advice = advice;
    }

    /// <summary>What was tried: <c>watch</c>, <c>change</c>, <c>wait on</c>.</summary>
    public string Operation { get; }

    /// <summary>The number of the descriptor; -1 where the operation has none.</summary>
    public int Descriptor { get; }

    /// <summary>The limit that matters, and what to do; null where the errno says all.</summary>
    public string? Advice { get; }

    /// <summary>The errno: 1 for <c>EPERM</c>; 0 when the status is CoreIO's own.</summary>
    public int Errno => Status is < 0 and >= -4095 ? -Status : 0;

    /// <summary>The name of the errno: <c>EPERM</c>.</summary>
    public string ErrnoName => StatusCode.Symbol(Status);

    private static string Text(int status, string operation, string subject, string? advice)
    {
        string text = $"{operation} {subject}: {StatusCode.Describe(status)}";
        return advice is null ? text : $"{text}: {advice}";
    }
}
