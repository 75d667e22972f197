namespace CoreIO.Cli.Shell;

/// <summary>The command line is wrong: one sentence, and a way out. Ends the process with <see cref="ExitCode.Usage"/>.</summary>
internal sealed class UsageException(string message, CliVerb? verb = null, string? path = null) : Exception(message)
{
    /// <summary>The verb whose help is the way out, where the parser knows it.</summary>
    public CliVerb? Verb { get; } = verb;

    /// <summary>The words that lead to it.</summary>
    public string? VerbPath { get; } = path;
}
