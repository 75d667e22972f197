namespace CoreIO;

/// <summary>A backend of this build: itself where it can be used, the reason where it cannot.</summary>
/// <param name="Name"><c>native</c> or <c>managed</c>.</param>
public sealed record CoreBackendInfo(string Name)
{
    /// <summary>The backend; null when it cannot be used.</summary>
    public ICoreBackend? Backend { get; init; }

    /// <summary>Why it cannot be used; null when it can.</summary>
    public string? Reason { get; init; }

    /// <summary>The file of the library it calls; null when it calls none.</summary>
    public string? LibraryPath { get; init; }

    /// <summary>The version of that library.</summary>
    public Version? LibraryVersion { get; init; }

    /// <summary>The ABI number of that library.</summary>
    public int? LibraryAbi { get; init; }
}
