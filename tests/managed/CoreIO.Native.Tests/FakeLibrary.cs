using System.Diagnostics;

namespace CoreIO.Native.Tests;

/// <summary>A shared library compiled for one test, to answer as the real one does not.</summary>
internal sealed class FakeLibrary : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("coreio-fake-").FullName;

    /// <summary>Compiles C text; the includes and the ABI function come by themselves.</summary>
    internal FakeLibrary(string source, int? abi)
    {
        string file = System.IO.Path.Combine(_directory, "fake.c");
        string abiFunction = abi is { } number ? $"int32_t coreio_abi(void) {{ return {number}; }}\n" : "";
        File.WriteAllText(file, $"#include <stdint.h>\n{abiFunction}{source}\n");
        ProcessStartInfo start = new("cc", ["-shared", "-fPIC", "-o", Path, file]) { RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, errors);
    }

    internal string Path => System.IO.Path.Combine(_directory, "libcoreio.so");

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
