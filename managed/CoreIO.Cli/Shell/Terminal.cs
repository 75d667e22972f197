namespace CoreIO.Cli.Shell;

/// <summary>What is known of the terminal: whether there is one, its width, whether colours are wanted.</summary>
internal static class Terminal
{
    public static bool IsOutput => Libc.IsTerminal(Libc.StandardOutput);

    public static bool IsInput => Libc.IsTerminal(Libc.StandardInput);

    /// <summary>Whether a line on standard error can be written over.</summary>
    public static bool CanRewriteError => Libc.IsTerminal(Libc.StandardError) && !IsDumb;

    /// <summary>Columns of standard output; null where it is no terminal, and nothing has to be cut.</summary>
    public static int? Width
    {
        get
        {
            if (!IsOutput)
            {
                return null;
            }

            try
            {
                return Console.WindowWidth is > 0 and int width ? width : 80;
            }
            catch (IOException)
            {
                return 80;
            }
        }
    }

    private static bool IsDumb => Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";

    /// <summary>Whether output is coloured; the option beats the environment.</summary>
    public static bool UseColor(CliArguments arguments) => arguments.OneOf("color", "auto", "auto", "always", "never") switch
    {
        "always" => true,
        "never" => false,
        _ => IsOutput && !IsDumb && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")),
    };
}
