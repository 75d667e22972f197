// What every file owes the others: no unsafe code outside its rooms, a bearable length, nothing of the machine it
// was written on, links that lead somewhere.
using System.Text.RegularExpressions;

namespace CoreIO.Repository.Tests;

public sealed partial class FileTests
{
    private const int LongFile = 800;

    private static readonly string[] UnsafeRooms =
    [
        "interop/CoreIO.Interop/", "managed/CoreIO.Native/", "tests/interop/", "tests/managed/CoreIO.Native.Tests/",
    ];

    // Logs of other machines and inputs of the fuzzer say what they say.
    private static readonly string[] Data = ["samples/", "tests/corpus/"];

    private static readonly string[] CodeEndings =
        [".c", ".h", ".cs", ".sh", ".ps1", ".cmake", "CMakeLists.txt", ".ci/run", ".props", ".targets"];

    [Test]
    public void UnsafeLivesInInteropAndNativeAlone()
    {
        IEnumerable<string> faults =
            from file in RepositoryFiles.EndingWith(".cs")
            where !UnsafeRooms.Any(room => file.StartsWith(room, StringComparison.Ordinal))
            where UnsafeKeyword().IsMatch(CommentOrString().Replace(RepositoryFiles.Read(file), " "))
            select file;
        Assert.That(faults, Is.Empty);
    }

    [Test]
    public void LongFilesSayWhyAtTheTop()
    {
        IEnumerable<string> faults =
            from file in RepositoryFiles.EndingWith(CodeEndings)
            where !file.EndsWith(".g.cs", StringComparison.Ordinal) && !IsData(file)
            let lines = RepositoryFiles.ReadLines(file)
            where lines.Length > LongFile && !FirstComment(lines).Contains($"{LongFile} lines", StringComparison.Ordinal)
            select $"{file}: {lines.Length} lines, and its first comment does not say why it is over {LongFile} lines";
        Assert.That(faults, Is.Empty);
    }

    [Test]
    public void NoFileKnowsTheMachineItWasWrittenOn()
    {
        List<string> faults = [];
        foreach (string file in RepositoryFiles.All.Where(file => !IsData(file)))
        {
            string[] lines = RepositoryFiles.ReadLines(file);
            for (int i = 0; i < lines.Length; i++)
            {
                Match match = MachinePath().Match(lines[i]);
                match = match.Success ? match : RegistryAddress().Match(lines[i]);
                if (match.Success)
                {
                    faults.Add($"{file}:{i + 1}: {match.Value}");
                }
            }
        }

        Assert.That(faults, Is.Empty);
    }

    [Test]
    public void NoFileChoosesARegistryForItsUser()
    {
        IEnumerable<string> faults = RepositoryFiles.All
            .Where(file => Path.GetFileName(file).ToUpperInvariant() is "NUGET.CONFIG" or ".NPMRC" or ".YARNRC" or "PIP.CONF");
        Assert.That(faults, Is.Empty);
    }

    [Test]
    public void LinksLeadToFilesThatExist()
    {
        List<string> faults = [];
        foreach (string file in RepositoryFiles.EndingWith(".md").Where(file => !IsData(file)))
        {
            string folder = Path.GetDirectoryName(Testing.Repository.PathOf(file))!;
            string text = CodeBlock().Replace(RepositoryFiles.Read(file), "");
            foreach (Match link in Link().Matches(text))
            {
                string target = Uri.UnescapeDataString(link.Groups["target"].Value.Split('#')[0]);
                if (target.Length > 0 && !target.Contains("://", StringComparison.Ordinal)
                    && !target.StartsWith("mailto:", StringComparison.Ordinal) && !Path.Exists(Path.Combine(folder, target)))
                {
                    faults.Add($"{file}: {link.Value}");
                }
            }
        }

        Assert.That(faults, Is.Empty);
    }

    private static bool IsData(string file) => Data.Any(folder => file.StartsWith(folder, StringComparison.Ordinal));

    /// <summary>The comment lines before the first line of another kind.</summary>
    private static string FirstComment(string[] lines)
    {
        string[] starts = ["//", "/*", "*", "#", "<!--", "<Project"];
        return string.Join('\n', lines.TakeWhile(line => line.Trim() is "" || starts.Any(line.TrimStart().StartsWith)));
    }

    [GeneratedRegex(@"\bunsafe\b")]
    private static partial Regex UnsafeKeyword();

    [GeneratedRegex(""""//.*|/\*[\s\S]*?\*/|"""[\s\S]*?"""|@?"(?:[^"\\\n]|\\.)*" """", RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex CommentOrString();

    // A home or a working directory of somebody, at the start of a word.
    [GeneratedRegex(@"(?<![\w.~$}*)-])/(?:root|work|home/\w+|Users/\w+)/")]
    private static partial Regex MachinePath();

    // Package feeds and mirrors by the paths they all have.
    [GeneratedRegex(
        @"https?://[^\s""'<>)]*/(?:v3/index\.json|artifactory/|_packaging/|repository/(?:npm|nuget|pypi|apt)[\w-]*|pypi/simple)")]
    private static partial Regex RegistryAddress();

    [GeneratedRegex(@"^```[\s\S]*?^```|`[^`\n]*`", RegexOptions.Multiline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\]\(<?(?<target>[^)>\s]+)>?(?:\s+""[^""]*"")?\)")]
    private static partial Regex Link();
}
