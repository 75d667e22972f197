namespace CoreIO.Log;

/// <summary>A reason lines were rejected for.</summary>
/// <param name="Reason">The reason.</param>
/// <param name="Count">How many lines.</param>
/// <param name="Samples">
/// The first lines of the input it applies to, at most three, each at most 256 bytes of the line without its end.
/// </param>
public sealed record LogReject(LogReason Reason, long Count, IReadOnlyList<byte[]> Samples);
