namespace CoreIO.Interop.Tests;

/// <summary>A copy of the public headers in which one thing is changed, to show that the change is seen.</summary>
internal sealed class HeaderCopy : IDisposable
{
    private HeaderCopy(string path) => Path = path;

    internal string Path { get; }

    /// <summary>Copies the headers and replaces the one place where <paramref name="old"/> stands.</summary>
    internal static HeaderCopy With(string word, string old, string replacement)
    {
        HeaderCopy copy = new(Directory.CreateTempSubdirectory("coreio-headers-").FullName);
        string target = System.IO.Path.Combine(copy.Path, "coreio");
        Directory.CreateDirectory(target);
        foreach (string file in Directory.GetFiles(System.IO.Path.Combine(PublicFiles.Headers, "coreio"), "*.h"))
        {
            File.Copy(file, System.IO.Path.Combine(target, System.IO.Path.GetFileName(file)));
        }

        string header = System.IO.Path.Combine(target, word + ".h");
        string text = File.ReadAllText(header);
        int first = text.IndexOf(old, StringComparison.Ordinal);
        Assert.That(first, Is.GreaterThanOrEqualTo(0), $"'{old}' is not in {word}.h any more; choose another place");
        Assert.That(text.IndexOf(old, first + 1, StringComparison.Ordinal), Is.EqualTo(-1), $"'{old}' stands twice in {word}.h");
        File.WriteAllText(header, string.Concat(text.AsSpan(0, first), replacement, text.AsSpan(first + old.Length)));
        return copy;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
