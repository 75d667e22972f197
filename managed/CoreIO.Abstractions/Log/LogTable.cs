namespace CoreIO.Log;

/// <summary>One table of a question.</summary>
public sealed record LogTable
{
    /// <summary>Names of the fields that make the key; empty for one group without a key.</summary>
    public IReadOnlyList<string> By { get; init; } = [];

    /// <summary>Statistics, as in <c>sum(bytes)</c>.</summary>
    // An array: a list of any other kind is a type more to load, as in the other defaults.
    public IReadOnlyList<string> Stats { get; init; } = (string[])["count"];

    /// <summary>How many groups keep a row of their own.</summary>
    public int MaxGroups { get; init; } = 1 << 20;
}
