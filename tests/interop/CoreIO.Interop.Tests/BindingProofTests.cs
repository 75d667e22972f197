namespace CoreIO.Interop.Tests;

/// <summary>The bindings fit the headers, as the C compiler sees it; and when they do not, it says so.</summary>
public sealed class BindingProofTests
{
    private static string Proof => BindingProof.Write(HeaderInventory.Words(PublicFiles.Headers));

    [Test]
    public void Bindings_fit_the_headers() => Assert.That(CCompiler.Check(Proof, PublicFiles.Headers), Is.Empty);

    [Test]
    public void The_proof_covers_every_binding()
    {
        string proof = Proof;
        Assert.Multiple(() =>
        {
            Assert.That(Bindings.Externs, Has.Length.GreaterThan(30));
            Assert.That(Bindings.Structs, Has.Length.GreaterThan(15));
            Assert.That(Bindings.Externs.Where(m => !proof.Contains($"proof_{m.Name})", StringComparison.Ordinal)), Is.Empty);
            Assert.That(Bindings.Structs.Where(t => !proof.Contains($"sizeof(struct {t.Name})", StringComparison.Ordinal)), Is.Empty);
            Assert.That(Bindings.Constants.Where(f => !proof.Contains($"({f.Name} == ", StringComparison.Ordinal)), Is.Empty);
        });
    }

    [TestCase("log", "int32_t thread_id;\n    int32_t cpu; /*", "int32_t cpu;\n    int32_t thread_id; /*",
        "offset of coreio_log_worker_info.thread_id",
        TestName = "A moved field is seen")]
    [TestCase("log", "int32_t needed_fields;", "uint32_t needed_fields;", "type of coreio_log_lex_result.needed_fields",
        TestName = "A field's changed sign is seen")]
    [TestCase("log", "const uint8_t *where;", "uint8_t *where;", "type of coreio_log_query_options.where",
        TestName = "A field's lost const is seen")]
    [TestCase("log", "uint8_t name[24];", "uint8_t name[32];", "size of coreio_log_kernel_info",
        TestName = "An array's changed length is seen")]
    [TestCase("log", "int64_t bytes_total;", "int64_t bytes_total;\n    int64_t added;", "size of coreio_log_progress",
        TestName = "A field added to a structure is seen")]
    [TestCase("log", "int64_t bytes_done;", "int64_t bytes_read;", "bytes_done",
        TestName = "A renamed field is seen")]
    [TestCase("log", "coreio_log_scan_feed(struct coreio_log_scan *scan, const uint8_t *bytes, int64_t length)",
        "coreio_log_scan_feed(struct coreio_log_scan *scan, const uint8_t *bytes, int32_t length)", "proof_coreio_log_scan_feed",
        TestName = "A changed parameter type is seen")]
    [TestCase("log", "coreio_log_scan_feed(struct coreio_log_scan *scan, const uint8_t *bytes, int64_t length)",
        "coreio_log_scan_feed(struct coreio_log_scan *scan, uint8_t *bytes, int64_t length)", "proof_coreio_log_scan_feed",
        TestName = "A parameter's lost const is seen")]
    [TestCase("log", "int64_t coreio_log_scan_fd(", "int64_t coreio_log_scan_descriptor(", "coreio_log_scan_fd",
        TestName = "A renamed function is seen")]
    [TestCase("log", "int64_t coreio_log_scan_file(", "int32_t coreio_log_scan_file(", "proof_coreio_log_scan_file",
        TestName = "A changed return type is seen")]
    [TestCase("cpu", "coreio_cpu_where(struct coreio_cpu_place *place)", "coreio_cpu_where(struct coreio_cpu_place *place, int32_t flags)",
        "proof_coreio_cpu_where", TestName = "An added parameter is seen")]
    [TestCase("cpu", "#define COREIO_CPU_LIMIT 4096", "#define COREIO_CPU_LIMIT 8192", "value of COREIO_CPU_LIMIT",
        TestName = "A changed constant is seen")]
    [TestCase("cpu", "(1u << 3)", "(1 << 3)", "type of COREIO_CPU_AVX2",
        TestName = "A constant's changed type is seen")]
    [TestCase("base", "COREIO_ECPU = -5003", "COREIO_ECPU = -5007", "value of COREIO_ECPU",
        TestName = "A changed status is seen")]
    public void A_changed_header_does_not_compile(string word, string old, string replacement, string expected)
    {
        using HeaderCopy headers = HeaderCopy.With(word, old, replacement);
        Assert.That(CCompiler.Check(Proof, headers.Path), Does.Contain(expected));
    }
}
