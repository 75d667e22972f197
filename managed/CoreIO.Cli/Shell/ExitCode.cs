namespace CoreIO.Cli.Shell;

/// <summary>The exit codes that scripts depend on. An interrupt ends the process by its signal, which a shell shows as 130.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int NothingMatched = 1;
    public const int Failure = 2;
    public const int Usage = 64;

    /// <summary>Ended by a signal before it was done.</summary>
    public const int Interrupted = 130;
}
