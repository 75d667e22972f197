// Properties: whatever a line holds, every lexer cuts it as the page says. Lines are made of the bytes that mean something, so that short
// ones already meet every rule, and are shrunk by FsCheck when they fail.
using System.Globalization;
using System.Text;
using CoreIO.Log;
using FsCheck;
using FsCheck.Fluent;

namespace CoreIO.Tests.Log;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class ReferenceLexerTests(string backendName)
{
    private static readonly Config Settings = Config.QuickThrowOnFailure.WithMaxTest(2000).WithEndSize(60).WithReplay(20230227, 1);

    private ICoreBackend _backend = null!;

    [OneTimeSetUp]
    public void TakeBackend() => _backend = Backends.Get(backendName);

    [TestCaseSource(nameof(KernelNames))]
    public void The_free_lexer_cuts_any_line_as_the_page_says(string kernel) =>
        Holds(kernel, "delimited", "\"[]| \t\\a-\r\0\u00ff", ReferenceLexer.Free);

    [TestCaseSource(nameof(KernelNames))]
    public void Templates_cut_any_line_as_the_page_says(string kernel)
    {
        // Pieces of the templates themselves stand often enough for lines that fit.
        Holds(kernel, "$x-$y", "-a\\\"", line => ReferenceLexer.Template(["", "-", ""], ["x", "y"], line));
        Holds(kernel, "\"$x\"-\"$y\"", "-a\\\"", line => ReferenceLexer.Template(["\"", "\"-\"", "\""], ["x", "y"], line));
        Holds(kernel, "[$x] \"$y\" $z", "[] \"\\a", line => ReferenceLexer.Template(["[", "] \"", "\" ", ""], ["x", "y", "z"], line));
        Holds(kernel, "$host $x $status", " a\t", line => ReferenceLexer.Template(["", " ", " ", ""], ["host", "x", "status"], line));
        Holds(kernel, "a$x aab${y}b", " ab", line => ReferenceLexer.Template(["a", " aab", "b"], ["x", "y"], line));
        Holds(kernel, "\"$host\"$status\"$x\"", "\"a \\", line => ReferenceLexer.Template(["\"", "\"", "\"", "\""], ["host", "status", "x"], line));
    }

    // Both backends have more kernels than every machine can run; the scalar one and the best are always there.
    private static IEnumerable<string> KernelNames() => ["scalar", "avx2", "avx512"];

    private void Holds(string kernel, string format, string alphabet, Func<string, (string Reason, List<string> Fields)> reference)
    {
        if (!_backend.Log.Kernels.Any(k => k.Name == kernel && k.Supported))
        {
            Assert.Ignore($"no kernel {kernel} here");
        }

        using ILogFormat compiled = _backend.Log.CompileFormat(format);
        using ILogLexer lexer = _backend.Log.CreateLexer(compiled, kernel);
        Arbitrary<char[]> lines = ArbMap.Default.ArbFor<int[]>().Convert(
            numbers => numbers.Select(n => alphabet[(int)((uint)n % (uint)alphabet.Length)]).ToArray(),
            chars => chars.Select(c => alphabet.IndexOf(c, StringComparison.Ordinal)).ToArray());
        Prop.ForAll(lines, chars =>
        {
            string line = new(chars);
            string actual = LexText.Of(lexer, Encoding.Latin1.GetBytes(line + "\n"), 1);
            // One CR before the newline belongs to the line end.
            (string reason, List<string> fields) = reference(line.EndsWith('\r') ? line[..^1] : line);
            string expected = reason == "parsed"
                ? string.Create(CultureInfo.InvariantCulture, $"parsed {fields.Count}\n")
                    + string.Concat(fields.Select(f => $"  \"{AnswerText.Escape(Encoding.Latin1.GetBytes(f))}\"\n"))
                : reason + "\n";
            Assert.That(actual, Is.EqualTo(expected), () => $"{format}: {AnswerText.Escape(Encoding.Latin1.GetBytes(line))}");
        }).Check(Settings);
    }
}
