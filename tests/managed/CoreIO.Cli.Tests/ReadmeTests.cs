// The README shows what its commands print: each console block is run and compared, but for times and this machine's kernels.
using System.Diagnostics;
using System.Text.RegularExpressions;
using CoreIO.Testing;

namespace CoreIO.Cli.Tests;

[TestFixture]
public sealed partial class ReadmeTests
{
    private static readonly string Program = Path.Combine(TestContext.CurrentContext.TestDirectory, "CoreIO.Cli.dll");

    private static IEnumerable<TestCaseData> Blocks()
    {
        string readme = File.ReadAllText(Repository.PathOf("README.md"));
        foreach (Match block in Block().Matches(readme))
        {
            bool differs = block.Groups["differs"].Success;
            yield return new TestCaseData(block.Groups["command"].Value, block.Groups["output"].Value, differs)
                .SetArgDisplayNames(block.Groups["command"].Value);
        }
    }

    [TestCaseSource(nameof(Blocks))]
    public void AConsoleBlockShowsWhatItsCommandPrints(string command, string output, bool differsByMachine)
    {
        string script = $"coreio() {{ dotnet '{Program}' \"$@\"; }}\n{{ {command}\n}} 2>/dev/null";
        (int exitCode, string printed) = Repository.Run(
            new ProcessStartInfo("bash", ["-c", script]) { WorkingDirectory = Repository.Root });
        Assert.That(exitCode, Is.Zero);
        if (differsByMachine)
        {
            // Figures and names of hardware change with the machine; the words around them do not.
            string[] words = [.. Word().Matches(output).Select(word => word.Value).Distinct()];
            Assert.That(words.Count(word => printed.Contains(word, StringComparison.Ordinal)), Is.GreaterThan(words.Length / 2), printed);
        }
        else
        {
            Assert.That(Steady(printed), Is.EqualTo(Steady(output)));
        }
    }

    /// <summary>The text without what changes from run to run and from machine to machine, and without spaces at line ends.</summary>
    private static string Steady(string text)
    {
        text = Rate().Replace(text, "TIME, RATE, BACKEND, KERNEL, WORKERS");
        text = Seconds().Replace(text, "\"seconds\":S,\"backend\":B,\"kernel\":K,\"workers\":W");
        return string.Join('\n', text.Split('\n').Select(line => line.TrimEnd())).TrimEnd('\n');
    }

    [GeneratedRegex(@"(?<differs><!-- differs by machine -->\n)?```console\n\$ (?<command>[^\n]*)\n(?<output>.*?)\n```",
        RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^[\d.]+ s, [\d.]+ \w+/s, \w+ backend, \w+ kernel, \d+ workers?", RegexOptions.Multiline)]
    private static partial Regex Rate();

    [GeneratedRegex("[a-z]{4,}")]
    private static partial Regex Word();

    [GeneratedRegex(@"""seconds"":[\d.]+,""backend"":""\w+"",""kernel"":""\w+"",""workers"":\d+")]
    private static partial Regex Seconds();
}
