namespace CoreIO.Loop;

/// <summary>How a loop is made.</summary>
public sealed record LoopOptions
{
    /// <summary>Whether a signal ends a wait, with <see cref="StatusCode.Interrupted"/>.</summary>
    public bool Interruptible { get; init; }
}
