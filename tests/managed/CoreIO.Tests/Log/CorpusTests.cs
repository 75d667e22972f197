// Every case of the corpus, on every backend, kernel and number of workers, from a file, a pipe and a gzip file: one expected result.
using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using CoreIO.Log;
using CoreIO.Testing;

namespace CoreIO.Tests.Log;

[TestFixtureSource(typeof(Backends), nameof(Backends.Names))]
internal sealed class CorpusTests(string backendName)
{
    private static readonly int[] Blocks = [4096, 64 * 1024, 4 * 1024 * 1024];

    private ICoreBackend _backend = null!;

    // One backend writes what is accepted, so that it cannot hide what the other one says.
    private bool Accepts => CorpusCase.Accept && _backend.Name == CoreBackends.Default.Name;

    [OneTimeSetUp]
    public void TakeBackend() => _backend = Backends.Get(backendName);

    [TestCaseSource(typeof(CorpusCase), nameof(CorpusCase.Names))]
    public void A_report_is_as_expected(string name)
    {
        CorpusCase one = CorpusCase.Read(name);
        string actual = Report(one, one.LogPath, new LogScanOptions { Workers = 1 });
        if (Accepts)
        {
            File.WriteAllText(one.ExpectedPath, actual);
        }

        Assert.That(actual, Is.EqualTo(File.ReadAllText(one.ExpectedPath)));
    }

    [TestCaseSource(typeof(CorpusCase), nameof(CorpusCase.Names))]
    public void A_report_does_not_depend_on_how_it_was_made(string name)
    {
        CorpusCase one = CorpusCase.Read(name);
        string expected = File.ReadAllText(one.ExpectedPath);
        byte[] bytes = one.Bytes();
        using TempFolder folder = new();
        string plain = folder.Write("plain", bytes);
        string gzip = Gzip(folder, bytes);
        int turn = 0;
        foreach (LogKernel kernel in _backend.Log.Kernels.Where(kernel => kernel.Supported))
        {
            foreach (int workers in (int[])[1, 2, 5])
            {
                foreach (string path in (string[])[plain, gzip, "pipe"])
                {
                    LogScanOptions scan = new() { Workers = workers, Kernel = kernel.Name, BlockBytes = Blocks[turn++ % Blocks.Length] };
                    string actual = path == "pipe" ? ReportOfPipe(one, folder, plain, scan) : Report(one, path, scan);
                    Assert.That(actual, Is.EqualTo(expected), $"{kernel.Name}, {workers} workers, {Path.GetFileName(path)}, blocks of {scan.BlockBytes}");
                }
            }
        }
    }

    [TestCaseSource(nameof(LexedNames))]
    public void Lines_are_cut_as_expected(string name)
    {
        CorpusCase one = CorpusCase.Read(name);
        foreach (LogKernel kernel in _backend.Log.Kernels.Where(kernel => kernel.Supported))
        {
            string actual = LexText.Of(_backend, one.LexFormat, one.Bytes(), kernel.Name);
            if (Accepts)
            {
                File.WriteAllText(one.LexExpectedPath, actual);
            }

            Assert.That(actual, Is.EqualTo(File.ReadAllText(one.LexExpectedPath)), kernel.Name);
        }
    }

    [Test]
    public void Every_file_of_the_corpus_belongs_to_a_case()
    {
        HashSet<string> known = [Path.Combine(CorpusCase.Folder, "README.md")];
        foreach (CorpusCase one in CorpusCase.Names().Select(CorpusCase.Read))
        {
            known.UnionWith([Path.Combine(CorpusCase.Folder, one.Name + ".args"), one.LogPath, one.ExpectedPath]);
            known.UnionWith(one.Lexes ? [one.LexExpectedPath] : []);
        }

        Assert.That(Directory.GetFiles(CorpusCase.Folder).Where(file => !known.Contains(file)), Is.Empty);
    }

    private static IEnumerable<string> LexedNames() => CorpusCase.Names().Where(name => CorpusCase.Read(name).Lexes);

    private static string Gzip(TempFolder folder, byte[] bytes)
    {
        string path = folder.File("log.gz");
        using GZipStream gzip = new(File.Create(path), CompressionLevel.Fastest);
        gzip.Write(bytes);
        return path;
    }

    private string ReportOfPipe(CorpusCase one, TempFolder folder, string plain, LogScanOptions scan)
    {
        string pipe = folder.File("pipe");
        if (!File.Exists(pipe))
        {
            Assert.That(Repository.Run("mkfifo", pipe).ExitCode, Is.Zero, "mkfifo");
        }

        using Process writer = Process.Start("/bin/sh", ["-c", "exec cat \"$0\" > \"$1\"", plain, pipe]);
        string report = Report(one, pipe, scan);
        writer.WaitForExit();
        return report;
    }

    private string Report(CorpusCase one, string path, LogScanOptions scan)
    {
        LogReport report = LogReports.Run(_backend, one.Options(path, scan));
        Assert.That(report.Errors, Is.Empty);
        Assert.That(report.Format.Name, Is.EqualTo(one.FormatTaken ?? report.Format.Name), "the format that auto took");
        byte[] document = ReportText.Document(report);
        string head = $",\"backend\":\"{backendName}\",\"kernel\":\"{report.Answer.Kernel}\",\"workers\":{report.Answer.Workers.Count},";
        Assert.That(Encoding.UTF8.GetString(document), Does.Contain(head));
        return ReportText.Compared(document);
    }
}
