// What a machine without cmake, compiler or make gets from the .NET build: one sentence with the packages' names.
//
// The target runs in a folder of its own with a PATH of its own: the shell's tools are links, cmake and gcc are
// scripts, so the test says the same on every machine, also on one that really lacks them.
using System.Diagnostics;
using System.Runtime.Versioning;
using CoreIO.Testing;

namespace CoreIO.Repository.Tests;

[SupportedOSPlatform("linux")]
public sealed class MissingToolTests
{
    private static readonly string[] ShellTools =
        ["sh", "dirname", "mkdir", "grep", "rm", "cat", "sed", "sort", "head", "touch", "nproc", "printf"];

    private const string Cmake = "echo cmake version 3.25.1";
    private const string OldCmake = "echo cmake version 3.22.1";
    private const string Succeeds = "exit 0";
    private const string Fails = "exit 1";
    private const string Packages = "apt-get install cmake make gcc libc6-dev";

    private string _folder = "";

    [SetUp]
    public void MakeFolder()
    {
        _folder = Directory.CreateTempSubdirectory("coreio-tools-").FullName;
        foreach (string file in (string[])["native/build.sh", "interop/NativeLibrary.targets", "CMakePresets.json"])
        {
            string copy = Path.Combine(_folder, file);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(Testing.Repository.PathOf(file), copy);
        }

        Directory.CreateDirectory(Path.Combine(_folder, "bin"));
        foreach (string tool in ShellTools)
        {
            string path = File.Exists($"/usr/bin/{tool}") ? $"/usr/bin/{tool}" : $"/bin/{tool}";
            File.CreateSymbolicLink(Path.Combine(_folder, "bin", tool), path);
        }
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void NoCmake() => AssertSentence("COREIO41", Packages);

    [Test]
    public void NoCompiler()
    {
        Put("cmake", Cmake);
        AssertSentence("COREIO42", Packages);
    }

    [Test]
    public void CompilerWithoutHeaders()
    {
        Put("cmake", Cmake);
        Put("gcc", Fails);
        AssertSentence("COREIO42", Packages);
    }

    [Test]
    public void NoMakeAndNoNinja()
    {
        Put("cmake", Cmake);
        Put("gcc", Succeeds);
        AssertSentence("COREIO43", Packages);
    }

    [Test]
    public void OldCmakeIsNamedAsOld()
    {
        Put("cmake", OldCmake);
        Put("gcc", Succeeds);
        Put("make", Succeeds);
        AssertSentence("COREIO44", "3.25");
    }

    [Test]
    public void WithAllOfThemNothingIsSaid()
    {
        Put("cmake", Cmake);
        Put("gcc", Succeeds);
        Put("make", Succeeds);
        (int exitCode, string output) = Build();
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output.Trim(), Is.Empty);
    }

    [Test]
    public void TheManagedBuildAsksForNothing()
    {
        (int exitCode, string output) = Build("-p:CoreIOBackend=managed");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(Directory.Exists(Path.Combine(_folder, "build")), Is.False);
    }

    private void Put(string tool, string script)
    {
        string path = Path.Combine(_folder, "bin", tool);
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private void AssertSentence(string code, string wayOut)
    {
        (int exitCode, string output) = Build();
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.That(exitCode, Is.Not.Zero, output);
        Assert.That(lines, Has.Length.EqualTo(1), output);
        Assert.That(lines[0], Does.Contain($"error {code}: ").And.Contain(wayOut));
    }

    private (int ExitCode, string Output) Build(params string[] more)
    {
        string dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        ProcessStartInfo start = new(
            dotnet, ["msbuild", "interop/NativeLibrary.targets", "-t:BuildCoreIONative", "-v:q", "-nologo", "-nodeReuse:false", .. more])
        {
            WorkingDirectory = _folder,
        };
        start.Environment["PATH"] = Path.Combine(_folder, "bin");
        start.Environment.Remove("CC");
        // What the `dotnet test` around this one hands to its children is not for another build.
        start.Environment.Remove("MSBuildSDKsPath");
        start.Environment.Remove("MSBUILD_EXE_PATH");
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        return Testing.Repository.Run(start);
    }
}
