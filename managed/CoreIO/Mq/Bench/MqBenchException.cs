namespace CoreIO.Mq.Bench;

/// <summary>A bench of queues cannot go on; the message says why.</summary>
public sealed class MqBenchException : CoreIOException
{
    internal MqBenchException(string message)
        : base(StatusCode.Closed, message, inner: null)
    {
    }
}
