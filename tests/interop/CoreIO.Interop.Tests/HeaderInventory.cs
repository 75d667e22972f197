// What the public headers declare, by name, so that a declaration the bindings lack is found.
//
// It reads the dialect the headers are written in (one declaration a statement, tagged structs, literal #defines) and nothing more;
// that the declarations also have the right types is the compiler's work (BindingProof).
using System.Text.RegularExpressions;

namespace CoreIO.Interop.Tests;

internal static partial class HeaderInventory
{
    /// <summary>The words that have a header, which are the names of the files.</summary>
    internal static string[] Words(string includeDirectory) =>
        [.. Directory.GetFiles(Path.Combine(includeDirectory, "coreio"), "*.h").Select(f => Path.GetFileNameWithoutExtension(f)).Order()];

    /// <summary>The names of everything declared, each with what it is.</summary>
    internal static SortedSet<string> Read(string includeDirectory)
    {
        SortedSet<string> names = new(StringComparer.Ordinal);
        foreach (string word in Words(includeDirectory))
        {
            string text = Comments().Replace(File.ReadAllText(Path.Combine(includeDirectory, "coreio", word + ".h")), " ");
            names.UnionWith(Defines().Matches(text).Select(m => $"constant {m.Groups[1].Value}"));
            text = Directives().Replace(text, "");
            foreach (Match match in Bodies().Matches(text))
            {
                bool isEnum = match.Groups[1].Value == "enum";
                string owner = match.Groups[2].Value;
                IEnumerable<Match> members = isEnum ? Values().Matches(match.Groups[3].Value) : Fields().Matches(match.Groups[3].Value);
                names.UnionWith(members.Select(m => $"{(isEnum ? "value" : "field")} {owner}.{m.Groups[1].Value}"));
            }

            text = Bodies().Replace(text, "");
            names.UnionWith(OpaqueStructs().Matches(text).Select(m => $"opaque {m.Groups[1].Value}"));
            names.UnionWith(Functions().Matches(text).Select(m => $"function {m.Groups[1].Value}"));
        }

        return names;
    }

    [GeneratedRegex(@"/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Comments();

    // A #define without a value is a guard, or the visibility of COREIO_API under the binding generator.
    [GeneratedRegex(@"^\#define[ \t]+(COREIO_(?!API\b)\w+)[ \t]+\S", RegexOptions.Multiline)]
    private static partial Regex Defines();

    [GeneratedRegex(@"^\#.*$", RegexOptions.Multiline)]
    private static partial Regex Directives();

    [GeneratedRegex(@"\b(struct|enum)\s+(\w+)\s*\{([^}]*)\}\s*;")]
    private static partial Regex Bodies();

    [GeneratedRegex(@"(\w+)\s*(?:=[^,]*)?(?:,|$)", RegexOptions.Singleline)]
    private static partial Regex Values();

    [GeneratedRegex(@"(\w+)\s*(?:\[[^\]]*\])?\s*;")]
    private static partial Regex Fields();

    [GeneratedRegex(@"\bstruct\s+(\w+)\s*;")]
    private static partial Regex OpaqueStructs();

    [GeneratedRegex(@"\b(coreio_\w+)\s*\(")]
    private static partial Regex Functions();
}
