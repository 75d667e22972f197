// What the C contract owes its readers: the fixed lines of each comment, the map of symbols, a test for each file.
using System.Text.RegularExpressions;

namespace CoreIO.Repository.Tests;

public sealed partial class ContractTests
{
    private const string ExemptFile = "tests/native/exempt.txt";

    private static IEnumerable<string> Headers => RepositoryFiles.EndingWith(".h")
        .Where(file => file.StartsWith("native/include/coreio/", StringComparison.Ordinal));

    /// <summary>Each public function of the headers with the comment right above it.</summary>
    private static IEnumerable<(string Header, string Name, string Comment)> Functions() =>
        from header in Headers
        from Match function in PublicFunction().Matches(RepositoryFiles.Read(header))
        select (header, function.Groups["name"].Value, function.Groups["comment"].Value);

    [Test]
    public void EveryPublicFunctionTellsThreadsBlocksErrorsAndSince()
    {
        List<string> faults = [];
        foreach ((string header, string name, string comment) in Functions())
        {
            string[] lines = [.. comment.Split('\n').Select(line => line.Trim())];
            foreach (string label in (string[])["Threads:", "Blocks:", "Errors:", "Since:"])
            {
                if (!lines.Any(line => Regex.IsMatch(line, $@"^\* {label} +\S")))
                {
                    faults.Add($"{header}: {name} has no line `{label}`");
                }
            }
        }

        Assert.That(faults, Is.Empty);
    }

    [Test]
    public void TheMapListsTheFunctionsOfTheHeaders()
    {
        string[] declared = [.. Functions().Select(function => function.Name)];
        IEnumerable<string> marked = Headers.SelectMany(RepositoryFiles.ReadLines)
            .Where(line => line.StartsWith("COREIO_API ", StringComparison.Ordinal));
        Assert.That(declared, Has.Length.EqualTo(marked.Count()), "every COREIO_API declaration has a comment right above it");
        string map = Comment().Replace(RepositoryFiles.Read("native/exports.map"), "");
        IEnumerable<string> listed = MapSymbol().Matches(map).Select(symbol => symbol.Groups["name"].Value);
        Assert.That(listed, Is.EquivalentTo(declared));
    }

    [Test]
    public void EverySourceFileHasATestOrAReason()
    {
        string[] sources =
        [
            .. RepositoryFiles.EndingWith(".c").Where(file => file.StartsWith("native/src/", StringComparison.Ordinal)),
        ];
        Assert.That(sources, Is.Not.Empty);
        HashSet<string> exempt = [.. Exempt().Select(entry => entry.File)];
        IEnumerable<string> untested = sources.Where(source => !exempt.Contains(source) && !RepositoryFiles.All.Contains(TestOf(source)));
        Assert.That(untested, Is.Empty, $"each needs tests/native/<word>/test_<unit>.c or a line in {ExemptFile}");
    }

    [Test]
    public void EveryExemptionNamesAFileWithoutATestAndAReason()
    {
        List<string> faults = [];
        foreach ((string file, string reason) in Exempt())
        {
            if (!RepositoryFiles.All.Contains(file))
            {
                faults.Add($"{file}: no such file");
            }
            else if (RepositoryFiles.All.Contains(TestOf(file)))
            {
                faults.Add($"{file}: has a test and needs no exemption");
            }

            if (reason.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length < 3)
            {
                faults.Add($"{file}: a reason is a sentence");
            }
        }

        Assert.That(faults, Is.Empty);
    }

    private static string TestOf(string source)
    {
        string[] parts = source.Split('/');
        return $"tests/native/{parts[2]}/test_{parts[^1]}";
    }

    private static IEnumerable<(string File, string Reason)> Exempt() =>
        from line in RepositoryFiles.ReadLines(ExemptFile)
        where line.Length > 0 && line[0] != '#'
        let parts = line.Split(' ', 2)
        select (parts[0], parts.Length > 1 ? parts[1] : "");

    [GeneratedRegex(@"/\*(?<comment>(?:(?!\*/).)*)\*/\s*^COREIO_API [^;(]*?\b(?<name>coreio_\w+)\(",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex PublicFunction();

    [GeneratedRegex(@"/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^\s*(?<name>coreio_\w+);", RegexOptions.Multiline)]
    private static partial Regex MapSymbol();
}
