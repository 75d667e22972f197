namespace CoreIO.Log;

/// <summary>A variant of the inner loop.</summary>
/// <param name="Name">Name to force it by.</param>
/// <param name="Supported">Whether this machine can run it.</param>
public sealed record LogKernel(string Name, bool Supported);
