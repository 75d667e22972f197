namespace CoreIO.Interop.Tests;

/// <summary>The library exports exactly what exports.map names and exactly what is bound.</summary>
public sealed class ExportTests
{
    private static SortedSet<string> Bound => new(Bindings.Externs.Select(m => m.Name), StringComparer.Ordinal);

    private static SortedSet<string> Mapped => ExportsMap.Read(File.ReadAllText(PublicFiles.ExportsMap));

    [Test]
    public void Exports_are_the_map_and_the_externs()
    {
        SortedSet<string> exported = ElfExports.Read(CoreIONativeLibrary.Load().Path);
        Assert.That(Differences(exported, Mapped, Bound), Is.Empty);
    }

    [Test]
    public void Every_extern_can_be_bound()
    {
        nint library = NativeLibraryLoader.EnsureLoaded();
        Assert.That(Bound.Where(n => !System.Runtime.InteropServices.NativeLibrary.TryGetExport(library, n, out _)), Is.Empty);
    }

    [Test]
    public void A_forgotten_export_is_reported()
    {
        SortedSet<string> all = Bound;
        SortedSet<string> fewer = new(all.Where(n => n != "coreio_cpu_pin"), StringComparer.Ordinal);
        Assert.Multiple(() =>
        {
            Assert.That(Differences(fewer, fewer, all), Is.EqualTo("not in exports.map: coreio_cpu_pin\nnot exported: coreio_cpu_pin"));
            Assert.That(Differences(fewer, all, all), Is.EqualTo("not exported: coreio_cpu_pin"));
            Assert.That(
                Differences(all, all, fewer), Is.EqualTo("in exports.map, not bound: coreio_cpu_pin\nexported, not bound: coreio_cpu_pin"));
        });
    }

    [Test]
    public void The_map_is_read_as_the_linker_reads_it()
    {
        const string Map = """
            /* The diary; coreio_no: not this. */
            COREIO_1 {
                global:
                    coreio_abi;     # since 1
                    coreio_version;
                local: *;
            };
            COREIO_2 { global: coreio_new; } COREIO_1;
            """;
        Assert.That(string.Join(' ', ExportsMap.Read(Map)), Is.EqualTo("coreio_abi coreio_new coreio_version"));
    }

    // One line for each name that is not in all three.
    private static string Differences(SortedSet<string> exported, SortedSet<string> mapped, SortedSet<string> bound)
    {
        string[] lines =
        [
            .. bound.Except(mapped).Select(n => $"not in exports.map: {n}"),
            .. mapped.Except(bound).Select(n => $"in exports.map, not bound: {n}"),
            .. bound.Except(exported).Select(n => $"not exported: {n}"),
            .. exported.Except(bound).Select(n => $"exported, not bound: {n}"),
        ];
        return string.Join('\n', lines);
    }
}
