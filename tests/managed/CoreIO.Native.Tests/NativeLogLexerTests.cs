using System.Text;
using CoreIO.Log;

namespace CoreIO.Native.Tests;

/// <summary>What crossing the boundary adds to formats and lexers: handles, capacity, kernels' names.</summary>
public sealed class NativeLogLexerTests
{
    private static readonly byte[] Lines = Encoding.ASCII.GetBytes("a b c\nd e\nf");

    private readonly ILogBackend _log = new NativeBackend().Log;

    [Test]
    public void Kernels_are_listed_and_the_last_supported_one_runs()
    {
        using ILogFormat format = _log.CompileFormat("delimited");
        using ILogLexer lexer = _log.CreateLexer(format);
        Assert.Multiple(() =>
        {
            Assert.That(_log.Kernels[0], Is.EqualTo(new LogKernel("scalar", true)));
            Assert.That(lexer.Kernel, Is.EqualTo(_log.Kernels.Last(k => k.Supported).Name));
        });
    }

    [Test]
    public void Every_supported_kernel_can_be_forced()
    {
        using ILogFormat format = _log.CompileFormat("delimited");
        foreach (LogKernel kernel in _log.Kernels.Where(k => k.Supported))
        {
            using ILogLexer lexer = _log.CreateLexer(format, kernel.Name);
            LogRecord[] records = new LogRecord[4];
            LogField[] fields = new LogField[16];
            LogLexResult result = lexer.Feed(Lines, last: true, records, fields);
            Assert.Multiple(() =>
            {
                Assert.That(lexer.Kernel, Is.EqualTo(kernel.Name));
                Assert.That(result, Is.EqualTo(new LogLexResult(Lines.Length, 3, 6, 0)));
                Assert.That((records[1].Offset, records[1].Length, records[1].FieldCount), Is.EqualTo((6u, 3u, 2u)));
                Assert.That((fields[4].Offset, fields[4].Length), Is.EqualTo((8u, 1u)));
            });
        }
    }

    [Test]
    public void An_unknown_kernel_is_refused_and_the_known_ones_are_named()
    {
        using ILogFormat format = _log.CompileFormat("delimited");
        CoreIOException? e = Assert.Throws<CoreIOException>(() => _log.CreateLexer(format, "mmx"));
        Assert.Multiple(() =>
        {
            Assert.That(e!.Status, Is.EqualTo(StatusCode.Cpu));
            Assert.That(e.Message, Does.StartWith("kernel 'mmx' (available: scalar"));
        });
    }

    [Test]
    public void A_line_with_more_fields_than_room_says_how_many_and_does_not_throw()
    {
        using ILogFormat format = _log.CompileFormat("delimited");
        using ILogLexer lexer = _log.CreateLexer(format);
        Assert.That(lexer.Feed(Lines, last: true, new LogRecord[4], new LogField[2]), Is.EqualTo(new LogLexResult(0, 0, 0, 3)));
    }

    [Test]
    public void Nothing_in_is_nothing_out()
    {
        using ILogFormat format = _log.CompileFormat("delimited");
        using ILogLexer lexer = _log.CreateLexer(format);
        Assert.That(lexer.Feed([], last: true, new LogRecord[1], new LogField[1]), Is.EqualTo(default(LogLexResult)));
    }

    [Test]
    public void Feeding_allocates_nothing()
    {
        using ILogFormat format = _log.CompileFormat("delimited");
        using ILogLexer lexer = _log.CreateLexer(format);
        LogRecord[] records = new LogRecord[4];
        LogField[] fields = new LogField[16];
        lexer.Feed(Lines, last: true, records, fields);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            lexer.Feed(Lines, last: true, records, fields);
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void A_format_tells_its_fields()
    {
        using ILogFormat format = _log.CompileFormat("$remote_addr $status $upstream_response_time");
        Assert.Multiple(() =>
        {
            Assert.That(format.Text, Is.EqualTo("$remote_addr $status $upstream_response_time"));
            Assert.That(format.Fields, Is.EqualTo(new LogFieldInfo[]
            {
                new("remote_addr", LogKind.Text, false),
                new("status", LogKind.Integer, false),
                new("upstream_response_time", LogKind.Seconds, true),
            }));
        });
    }

    [Test]
    public void A_format_that_does_not_compile_says_where()
    {
        LogSyntaxException? e = Assert.Throws<LogSyntaxException>(() => _log.CompileFormat("é $a$b"));
        Assert.That((e!.Part, e.Fault, e.Offset, e.Length), Is.EqualTo((LogSyntaxPart.Format, LogFault.AdjacentVariables, 5, 2)));
    }

    [Test]
    public void Another_backends_format_is_refused()
    {
        using ForeignFormat foreign = new();
        Assert.That(() => _log.CreateLexer(foreign), Throws.ArgumentException);
    }

    [Test]
    public void What_is_disposed_is_not_used()
    {
        ILogFormat format = _log.CompileFormat("delimited");
        ILogLexer lexer = _log.CreateLexer(format);
        format.Dispose();
        format.Dispose();
        Assert.Multiple(() =>
        {
            Assert.That(() => _log.CreateLexer(format), Throws.InstanceOf<ObjectDisposedException>());
            Assert.That(lexer.Feed(Lines, last: true, new LogRecord[4], new LogField[16]).Records, Is.EqualTo(3));
        });
        lexer.Dispose();
        Assert.That(() => lexer.Feed(Lines, last: true, new LogRecord[4], new LogField[16]), Throws.InstanceOf<ObjectDisposedException>());
    }

    private sealed class ForeignFormat : ILogFormat
    {
        public string Text => "delimited";

        public IReadOnlyList<LogFieldInfo> Fields => [];

        public void Dispose()
        {
        }
    }
}
