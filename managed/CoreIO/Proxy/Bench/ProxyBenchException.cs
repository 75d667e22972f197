namespace CoreIO.Proxy.Bench;

/// <summary>A bench of proxies cannot be run as asked; the message says why.</summary>
public sealed class ProxyBenchException : CoreIOException
{
    internal ProxyBenchException(string message)
        : base(StatusCode.InvalidArgument, message, inner: null)
    {
    }
}
