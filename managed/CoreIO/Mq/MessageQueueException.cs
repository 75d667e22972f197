namespace CoreIO.Mq;

/// <summary>An operation on a message queue failed; the message says on which queue, why, and what to do.</summary>
public sealed class MessageQueueException : CoreIOException
{
    internal MessageQueueException(int status, string operation, string queue, string? advice)
        : base(status, operation, queue, advice)
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
}
