namespace CoreIO.Mq;

/// <summary>An operation on a message queue failed; the message says on which queue, why, and what to do.</summary>
public sealed class MessageQueueException : CoreIOException
{
    internal MessageQueueException(int status, string operation, string queue, string? advice)
        : base(status, Text(status, operation, queue, advice), inner: null)
    {
        Operation = operation;
        Queue = queue;
        Advice = advice;
    }

    /// <summary>What was tried: <c>send to</c>, <c>receive from</c>, <c>open</c>.</summary>
    public string Operation { get; }

    /// <summary>The name of a POSIX queue, or the key and identifier of a System V queue.</summary>
    public string Queue { get; }

    /// <summary>The limits or owners that matter, and what to do; null where the errno says all.</summary>
    public string? Advice { get; }

    /// <summary>The errno: 90 for <c>EMSGSIZE</c>; 0 when the status is CoreIO's own.</summary>
    public int Errno => Status is < 0 and >= -4095 ? -Status : 0;

    /// <summary>The name of the errno: <c>EMSGSIZE</c>.</summary>
    public string ErrnoName => StatusCode.Symbol(Status);

    private static string Text(int status, string operation, string queue, string? advice)
    {
        string text = $"{operation} {queue}: {StatusCode.Describe(status)}";
        return advice is null ? text : $"{text}: {advice}";
    }
}
