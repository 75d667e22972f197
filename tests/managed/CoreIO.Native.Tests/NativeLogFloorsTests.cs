// What the native backend adds for measuring: floors, and the count of its crossings.
using CoreIO.Log;

namespace CoreIO.Native.Tests;

public sealed class NativeLogFloorsTests
{
    private const string Text = "a \"b c\" [d]|e\nf\n";

    private readonly NativeBackend _backend = new();
    private string _path = "";

    [SetUp]
    public void Write()
    {
        _path = Path.GetTempFileName();
        File.WriteAllText(_path, Text);
    }

    [TearDown]
    public void Remove() => File.Delete(_path);

    [TestCase(LogFloor.Read, 0, 0)]
    [TestCase(LogFloor.Newlines, 2, 0)]
    [TestCase(LogFloor.Index, 0, 10)]
    [TestCase(LogFloor.Scalar, 2, 5)]
    [TestCase(LogFloor.Lex, 2, 5)]
    public void AFloorCountsWhatItFinds(LogFloor work, long lines, long hits)
    {
        using ILogFormat format = _backend.Log.CompileFormat("delimited");
        foreach (LogKernel kernel in _backend.Log.Kernels.Where(k => k.Supported))
        {
            LogFloorResult result = _backend.Log.Floors!.Run(work, _path, format, kernel.Name);
            Assert.That((result.Bytes, result.Lines, result.Hits, result.Kernel), Is.EqualTo(((long)Text.Length, lines, hits, kernel.Name)));
        }
    }

    [Test]
    public void WhatCannotBeDoneIsTold()
    {
        ILogFloors floors = _backend.Log.Floors!;
        Assert.That(() => floors.Run(LogFloor.Lex, _path), Throws.ArgumentNullException);
        Assert.That(() => floors.Run(LogFloor.Read, "/nowhere/at/all"), Throws.TypeOf<CoreIOException>().With.Property("Status").EqualTo(StatusCode.NoEntry));
        Assert.That(() => floors.Run(LogFloor.Index, _path, kernel: "none"), Throws.TypeOf<CoreIOException>().With.Property("Status").EqualTo(StatusCode.Cpu));
    }

    [Test]
    public void FloorsAreAFeature() => Assert.That(_backend.Features.HasFlag(BackendFeatures.LogFloors | BackendFeatures.CrossesBoundary), Is.True);

    [Test]
    public void EveryCrossingIsCountedOnce()
    {
        ILogFloors floors = _backend.Log.Floors!;
        long before = _backend.Crossings;
        floors.Run(LogFloor.Read, _path);
        Assert.That(_backend.Crossings - before, Is.EqualTo(1));
        using ILogFormat format = _backend.Log.CompileFormat("delimited");
        using ILogLexer lexer = _backend.Log.CreateLexer(format);
        before = _backend.Crossings;
        lexer.Feed([], last: false, [], []);
        lexer.Feed([], last: false, [], []);
        lexer.Dispose();
        Assert.That(_backend.Crossings - before, Is.EqualTo(3));
    }
}
