// The command tree as data: parsing, both kinds of help, completions and did-you-mean all read this one description, so none of them can
// say anything else than the others. Its lists are arrays, because a list of any other kind is a type more to load.
namespace CoreIO.Cli.Shell;

/// <summary>An option of a verb.</summary>
/// <param name="Name">Long name, without the dashes.</param>
/// <param name="Value">What its value is called; null for a flag.</param>
/// <param name="Summary">What it does, in the rest of a line of 80.</param>
internal sealed record CliOption(string Name, string? Value, string Summary)
{
    /// <summary>The letter that means the same.</summary>
    public char? Letter { get; init; }

    /// <summary>The heading it stands under in <c>--help</c>.</summary>
    public string Group { get; init; } = "Options";

    /// <summary>Whether <c>-h</c> shows it, too.</summary>
    public bool Short { get; init; } = true;

    /// <summary>Further lines of <c>--help</c>.</summary>
    public string[] More { get; init; } = [];

    /// <summary>The values it takes, where they can be listed.</summary>
    public string[] Choices { get; init; } = [];

    /// <summary>Whether other values than the listed ones are fine.</summary>
    public bool Open { get; init; }

    /// <summary>Whether its value is a path.</summary>
    public bool IsPath { get; init; }
}

/// <summary>A verb below another, known by name until it is asked for.</summary>
/// <param name="Name">The word.</param>
/// <param name="Verb">What it means.</param>
internal sealed record CliChild(string Name, Func<CliVerb> Verb)
{
    /// <summary>Whether help and completions leave it out: the command itself is its only user.</summary>
    public bool IsHidden { get; init; }
}

/// <summary>A verb: a word with verbs below it, or one that does something.</summary>
/// <param name="Name">The word.</param>
/// <param name="Summary">What it does, in the rest of a line of 80.</param>
internal sealed record CliVerb(string Name, string Summary)
{
    /// <summary>The verbs below it, none of them made: a command line needs one, and all their options take a while.</summary>
    public CliChild[] Children { get; init; } = [];

    /// <summary>The verbs below it that people use.</summary>
    public IReadOnlyList<CliVerb> Verbs => [.. Children.Where(child => !child.IsHidden).Select(child => child.Verb())];

    /// <summary>Its options, without <c>--help</c>, which all have.</summary>
    public CliOption[] Options { get; init; } = [];

    /// <summary>Its operands as the usage line shows them; null when it takes none.</summary>
    public string? Operands { get; init; }

    /// <summary>Most operands it takes.</summary>
    public int MaxOperands { get; init; } = int.MaxValue;

    /// <summary>The words its operand may be, where they can be listed; else an operand is a path.</summary>
    public string[] OperandChoices { get; init; } = [];

    /// <summary>Paragraphs of <c>--help</c> after the options.</summary>
    public string[] Notes { get; init; } = [];

    /// <summary>The verb below it that is called so.</summary>
    public CliVerb? Child(string name)
    {
        foreach (CliChild child in Children)
        {
            if (child.Name == name)
            {
                return child.Verb();
            }
        }

        return null;
    }

    /// <summary>The option that a word names, as in <c>--by</c> or <c>-b</c>.</summary>
    public CliOption? Option(ReadOnlySpan<char> word)
    {
        foreach (CliOption option in Options)
        {
            if (word.StartsWith("--") ? word[2..].SequenceEqual(option.Name) : word.Length == 2 && word[0] == '-' && word[1] == option.Letter)
            {
                return option;
            }
        }

        return null;
    }

    /// <summary>Does it and returns the exit code; null for a word that only holds others.</summary>
    public Func<CliArguments, int>? Run { get; init; }
}
