using CoreIO.Cli.Shell;

namespace CoreIO.Cli.Commands;

/// <summary><c>coreio completions</c>: a script for a shell, written from the tree of verbs.</summary>
internal static class CompletionsCommand
{
    private static readonly string[] Shells = ["bash", "zsh", "fish"];

    public static CliVerb Verb { get; } = new("completions", "a completion script for bash, zsh or fish")
    {
        Operands = "bash|zsh|fish",
        MaxOperands = 1,
        OperandChoices = Shells,
        Run = Run,
        Notes =
        [
            """
            To use it:
              bash  source <(coreio completions bash)           in ~/.bashrc
              zsh   source <(coreio completions zsh)            in ~/.zshrc, after compinit
              fish  coreio completions fish > ~/.config/fish/completions/coreio.fish
            """,
        ],
    };

    private static int Run(CliArguments arguments) => arguments.Operands is [string shell]
        ? Cli.Print(shell switch
        {
            "bash" => CompletionScripts.Bash(Cli.Root),
            "zsh" => CompletionScripts.Zsh(Cli.Root),
            "fish" => CompletionScripts.Fish(Cli.Root),
            _ => throw new UsageException($"no shell '{shell}'; there are bash, zsh and fish{DidYouMean.Suffix(shell, Shells)}"),
        })
        : throw new UsageException("which shell? bash, zsh or fish");
}
