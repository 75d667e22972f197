// A call that may make few records does not look at much more than these: what it leaves of its window the next one looks at again.
using System.Diagnostics;
using CoreIO.Log;

namespace CoreIO.Tests.Log;

internal sealed class LookAheadTests
{
    private const int Lines = 8000;

    private static readonly byte[] Log = new LogMaker(5).Log("combined", LogQuality.Fitting, Lines);

    // One record a call takes one to three times as long as many, and thirty times and more where each call looks at a whole window.
    [Test]
    [NonParallelizable]
    public void A_call_looks_little_further_than_it_cuts([ValueSource(typeof(Backends), nameof(Backends.Names))] string name)
    {
        ICoreBackend backend = Backends.Get(name);
        using ILogFormat format = backend.Log.CompileFormat("combined");
        double one = Seconds(backend, format, 1);
        double many = Seconds(backend, format, 1024);
        TestContext.Out.WriteLine($"{name}: {one * 1e3:0.000} and {many * 1e3:0.000} ms");
        Assert.That(one, Is.LessThan(10 * many));
    }

    // The least of a few, the first of which are those of code that is not optimised yet.
    private static double Seconds(ICoreBackend backend, ILogFormat format, int records)
    {
        using ILogLexer lexer = backend.Log.CreateLexer(format);
        LogRecord[] made = new LogRecord[records];
        LogField[] fields = new LogField[(16 * records) + 64];
        double least = double.MaxValue;
        for (int round = 0; round < 20; round++)
        {
            long began = Stopwatch.GetTimestamp();
            int lines = 0;
            for (ReadOnlySpan<byte> rest = Log; !rest.IsEmpty;)
            {
                LogLexResult result = lexer.Feed(rest, last: true, made, fields);
                lines += result.Records;
                rest = rest[result.Consumed..];
            }

            least = Math.Min(least, Stopwatch.GetElapsedTime(began).TotalSeconds);
            Assert.That(lines, Is.GreaterThanOrEqualTo(Lines));
        }

        return least;
    }
}
