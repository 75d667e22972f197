// Each ctest case of build/release as one NUnit case, so that `dotnet test` runs the C tests, too.
//
// The project's build has built them. A case that ctest reports as skipped is ignored with its output.
using System.Text.Json;
using CoreIO.Testing;

namespace CoreIO.CTests;

public sealed class CTestCases
{
    private static readonly string Tree = Repository.PathOf("build/release");

    /// <summary>The cases ctest knows, with their labels as categories.</summary>
    public static IEnumerable<TestCaseData> Cases()
    {
        (int exitCode, string output) = Repository.Run("ctest", "--test-dir", Tree, "--show-only=json-v1");
        if (exitCode != 0)
        {
            throw new InvalidOperationException($"ctest does not list its cases: {output}");
        }

        using JsonDocument document = JsonDocument.Parse(output);
        foreach (JsonElement test in document.RootElement.GetProperty("tests").EnumerateArray())
        {
            string name = test.GetProperty("name").GetString()!;
            TestCaseData data = new TestCaseData(name).SetName(name);
            foreach (JsonElement property in test.GetProperty("properties").EnumerateArray())
            {
                if (property.GetProperty("name").GetString() == "LABELS")
                {
                    foreach (JsonElement label in property.GetProperty("value").EnumerateArray())
                    {
                        data.SetCategory(label.GetString()!);
                    }
                }
            }

            yield return data;
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Passes(string name)
    {
        (int exitCode, string output) = Repository.Run(
            "ctest", "--test-dir", Tree, "-R", $"^{name}$", "--verbose", "--no-tests=error");
        Assert.That(exitCode, Is.Zero, output);
        if (output.Contains("***Skipped", StringComparison.Ordinal))
        {
            Assert.Ignore(output);
        }
    }

    [Test]
    public void EveryTestFileIsACase()
    {
        string[] cases = [.. Cases().Select(data => (string)data.Arguments[0]!).Order()];
        IEnumerable<string> native = Directory.EnumerateFiles(Repository.PathOf("tests/native"), "test_*.c", SearchOption.AllDirectories)
            .Select(file => Path.GetFileName(Path.GetDirectoryName(file)!) + Path.GetFileNameWithoutExtension(file)["test".Length..]);
        IEnumerable<string> fuzz = Directory.EnumerateFiles(Repository.PathOf("tests/fuzz"), "*.c")
            .Select(file => Path.GetFileNameWithoutExtension(file))
            .Where(name => name != "replay")
            .Select(name => "fuzz_" + name);
        Assert.That(cases, Is.EqualTo(native.Concat(fuzz).Order()));
    }
}
