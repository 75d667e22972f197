namespace CoreIO.Loop;

/// <summary>An operation of an event loop failed; the message says on which descriptor, why, and what to do.</summary>
public sealed class EventLoopException : CoreIOException
{
    internal EventLoopException(int status, string operation, string subject, int descriptor, string? advice)
        : base(status, operation, subject, advice)
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
}
