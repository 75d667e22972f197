namespace CoreIO.Interop.Tests;

/// <summary>Everything that the headers declare is bound, and nothing else.</summary>
public sealed class FreshnessTests
{
    [Test]
    public void Headers_and_bindings_declare_the_same() =>
        Assert.That(Differences(PublicFiles.Headers), Is.Empty, "regenerate: ClangSharpPInvokeGenerator @interop/<word>.rsp");

    [Test]
    public void Every_header_has_its_generator_file_and_its_bindings()
    {
        string interop = PublicFiles.Interop;
        foreach (string word in HeaderInventory.Words(PublicFiles.Headers))
        {
            string generated = $"{char.ToUpperInvariant(word[0])}{word[1..]}.g.cs";
            Assert.Multiple(() =>
            {
                Assert.That(Path.Combine(interop, word + ".rsp"), Does.Exist);
                Assert.That(Path.Combine(interop, "CoreIO.Interop", "Generated", generated), Does.Exist);
            });
        }
    }

    [TestCase("COREIO_API int32_t coreio_abi(void);", "COREIO_API int32_t coreio_abi(void);\nCOREIO_API int32_t coreio_new(int32_t a);",
        "not bound: function coreio_new")]
    [TestCase("COREIO_API int32_t coreio_abi(void);", "", "not in the headers: function coreio_abi")]
    [TestCase("#define COREIO_ABI 1", "#define COREIO_ABI 1\n#define COREIO_NEW 2", "not bound: constant COREIO_NEW")]
    [TestCase("COREIO_OK = 0,", "COREIO_OK = 0,\n    COREIO_NEW = -5999,", "not bound: value coreio_status.COREIO_NEW")]
    [TestCase("enum coreio_status {", "struct coreio_new {\n    int32_t a;\n};\nenum coreio_status {", "not bound: field coreio_new.a")]
    [TestCase("enum coreio_status {", "struct coreio_new;\nenum coreio_status {", "not bound: opaque coreio_new")]
    public void A_difference_is_reported(string old, string replacement, string expected)
    {
        using HeaderCopy headers = HeaderCopy.With("base", old, replacement);
        Assert.That(Differences(headers.Path), Is.EqualTo(new[] { expected }));
    }

    private static string[] Differences(string includeDirectory)
    {
        SortedSet<string> declared = HeaderInventory.Read(includeDirectory);
        SortedSet<string> bound = Bindings.Inventory();
        return
        [
            .. declared.Except(bound).Select(n => $"not bound: {n}"),
            .. bound.Except(declared).Select(n => $"not in the headers: {n}"),
        ];
    }
}
