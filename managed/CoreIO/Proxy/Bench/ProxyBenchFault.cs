namespace CoreIO.Proxy.Bench;

/// <summary>A contestant, or the load on it, failed: it gets this message in the place of figures.</summary>
internal sealed class ProxyBenchFault(string message) : Exception(message);
