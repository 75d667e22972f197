namespace CoreIO.Loop;

/// <summary>How an <see cref="AsyncEventLoop"/> is made.</summary>
public sealed record AsyncEventLoopOptions
{
    /// <summary>
    /// Whether what follows an <c>await</c> runs on the thread of the loop, which saves a hand-over to the thread pool; while it runs, the
    /// loop serves nobody, so it must be short and must not block.
    /// </summary>
    public bool RunContinuationsOnLoop { get; init; }
}
