namespace CoreIO;

/// <summary>A backend was asked for by name and cannot be used here.</summary>
public sealed class CoreBackendException : CoreIOException
{
    internal CoreBackendException(string backend, string reason)
        : base(StatusCode.Cpu, $"the {backend} backend cannot be used: {reason}", null) => Backend = backend;

    /// <summary>The name that was asked for.</summary>
    public string Backend { get; }
}
