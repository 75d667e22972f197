// A plain command line is read without the library; it has to be read as the library would.
using CoreIO.Cli.Shell;

namespace CoreIO.Cli.Tests;

public sealed class ParserTests
{
    private static CliVerb Verb => Cli.Root.Child("log")!.Child("report")!;

    [TestCase("")]
    [TestCase("access.log")]
    [TestCase("-")]
    [TestCase("a.log b.log --by status c.log")]
    [TestCase("--by status,host a.log")]
    [TestCase("--by=status a.log")]
    [TestCase("--by:status a.log")]
    [TestCase("-b status a.log")]
    [TestCase("-b=status a.log")]
    [TestCase("-b:status a.log")]
    [TestCase("--since 2019-01-22T03:56:00+03:30 a.log")]
    [TestCase("--since=2019-01-22T03:56:00+03:30 a.log")]
    [TestCase("-w status>=500 a.log")]
    [TestCase("-w=status>=500 a.log")]
    [TestCase("--json --no-progress a.log")]
    [TestCase("--json -n 0 -j 2 -- -a --by b")]
    [TestCase("a.log --")]
    public void APlainLineIsReadAsTheLibraryReadsIt(string line)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        CliRequest? plain = CliParser.ParsePlain(Verb, "log report", words);
        Assert.That(plain, Is.Not.Null);
        Assert.That(Shown(plain!), Is.EqualTo(Shown(CliParser.ParseAny(Verb, "log report", words))));
    }

    [TestCase("--by")]
    [TestCase("--by=")]
    [TestCase("--by status --by host")]
    [TestCase("-b status --by host")]
    [TestCase("--json --json")]
    [TestCase("--where -x a.log")]
    [TestCase("--nothing a.log")]
    public void AnyOtherLineIsLeftToTheLibrary(string line) =>
        Assert.That(CliParser.ParsePlain(Verb, "log report", line.Split(' ')), Is.Null);

    [Test]
    public void MoreOperandsThanThereMayBeAreLeftToTheLibrary() =>
        Assert.That(CliParser.ParsePlain(Cli.Root.Child("log")!.Child("lex")!, "log lex", ["a", "b"]), Is.Null);

    [Test]
    public void AVerbIsCalledWhatItsParentCallsIt()
    {
        foreach (CliVerb verb in CommandLineTests.AllVerbs(Cli.Root))
        {
            Assert.That(verb.Children.Select(child => child.Verb().Name), Is.EqualTo(verb.Children.Select(child => child.Name)));
        }
    }

    private static string Shown(CliRequest request)
    {
        IEnumerable<string> options = Verb.Options
            .Where(option => request.Arguments!.Has(option.Name))
            .Select(option => $"{option.Name}={request.Arguments!.Get(option.Name) ?? "(none)"}");
        return string.Join('\n', [request.Path, .. options, "", .. request.Arguments!.Operands]);
    }
}
