namespace CoreIO.Cli.Shell;

/// <summary>What a command line said, for the verb it chose.</summary>
internal sealed class CliArguments(string path, IReadOnlyDictionary<string, string?> options, IReadOnlyList<string> operands)
{
    /// <summary>The words of the verb: <c>log report</c>.</summary>
    public string Path { get; } = path;

    /// <summary>The word that messages begin with: <c>coreio log</c>.</summary>
    public string Speaker => "coreio " + Path.Split(' ')[0];

    public IReadOnlyList<string> Operands { get; } = operands;

    public bool Has(string option) => options.ContainsKey(option);

    public string? Get(string option) => options.GetValueOrDefault(option);

    /// <summary>The value of an option that takes one of a few words.</summary>
    public string OneOf(string option, string otherwise, params string[] choices)
    {
        string? value = Get(option);
        if (value is null)
        {
            return otherwise;
        }

        foreach (string choice in choices)
        {
            if (choice == value)
            {
                return value;
            }
        }

        string known = string.Join(", ", choices);
        throw new UsageException($"--{option}: '{value}' is none of {known}{DidYouMean.Suffix(value, choices)}");
    }

    /// <summary>A whole number that an option gives.</summary>
    public int Number(string option, int otherwise, int min, int max)
    {
        string? value = Get(option);
        return value is null ? otherwise
            : int.TryParse(value, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int number) && number >= min && number <= max ? number
            : throw new UsageException($"--{option}: '{value}' is no whole number from {min} to {max}");
    }

    /// <summary>The parts of a list joined by commas; null when the option is not given.</summary>
    public string[]? List(string option) => Get(option)?.Split(',', StringSplitOptions.TrimEntries);
}
