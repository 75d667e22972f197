using System.Text.RegularExpressions;

namespace CoreIO.Interop.Tests;

/// <summary>Reads the names that a linker version script makes global.</summary>
internal static partial class ExportsMap
{
    internal static SortedSet<string> Read(string text)
    {
        SortedSet<string> names = new(StringComparer.Ordinal);
        text = Comments().Replace(text, " ");
        foreach (Match node in Nodes().Matches(text))
        {
            bool global = true;
            foreach (Match token in Tokens().Matches(node.Groups[1].Value))
            {
                if (token.Groups[2].Value == ":")
                {
                    global = token.Groups[1].Value == "global";
                }
                else if (global)
                {
                    names.Add(token.Groups[1].Value);
                }
            }
        }

        return names;
    }

    [GeneratedRegex(@"/\*.*?\*/|\#[^\n]*", RegexOptions.Singleline)]
    private static partial Regex Comments();

    [GeneratedRegex(@"\{([^}]*)\}")]
    private static partial Regex Nodes();

    [GeneratedRegex(@"([\w*?]+)\s*([:;])")]
    private static partial Regex Tokens();
}
