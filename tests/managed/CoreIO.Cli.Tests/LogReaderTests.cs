using System.Text;
using CoreIO.Log;

namespace CoreIO.Cli.Tests;

public sealed class LogReaderTests
{
    [Test]
    public void LinesAreViewsWithNamesAndPlaces()
    {
        byte[] text = "1.2.3.4 - - [22/Jan/2019:03:56:14 +0330] \"GET / HTTP/1.1\" 200 7\nbad\n5.6.7.8 - - [x] \"\" - -"u8.ToArray();
        List<string> seen = [];
        using LogReader reader = LogReader.ReadLines(new MemoryStream(text), "common");
        foreach (LogLine line in reader)
        {
            seen.Add($"{line.Number}@{line.Offset} {line.Reason} {Encoding.ASCII.GetString(line["status"])} {line.IsNull(4)}");
        }

        Assert.That(seen, Is.EqualTo((string[])["1@0 Parsed 200 False", "2@64 MissingText  True", "3@68 Parsed - True"]));
    }

    [Test]
    public void ALineTooLongForAnyBufferPassesByWhole([Values(8 << 20, (8 << 20) + 1, 20 << 20)] int length)
    {
        byte[] line = new byte[length];
        line.AsSpan().Fill((byte)'x');
        line[^1] = (byte)'\n';
        byte[] text = [.. "a b\n"u8, .. line, .. "c d\n"u8];
        using MemoryStream passed = new();
        using ILogFormat format = CoreBackends.Default.Log.CompileFormat("delimited");
        using LogReader reader = new(new MemoryStream(text), CoreBackends.Default.Log, format) { PassedOn = passed };
        List<string> seen = [];
        while (reader.MoveNext())
        {
            LogLine current = reader.Current;
            seen.Add($"{current.Offset} {current.Reason}");
            if (current.Reason != LogReason.Parsed)
            {
                passed.Write(reader.CurrentWhole);
                Assert.That(current.Text.Length, Is.EqualTo(256));
            }
        }

        LogReason reason = length > LogReader.MaxLineBytes ? LogReason.TooLong : LogReason.Parsed;
        Assert.That(seen, Is.EqualTo((string[])["0 Parsed", $"4 {reason}", $"{4 + length} Parsed"]));
        Assert.That(passed.ToArray(), Is.EqualTo(reason == LogReason.Parsed ? [] : line));
    }

    [Test]
    public void NothingIsAllocatedPerLine()
    {
        byte[] text = [.. Enumerable.Repeat("1.2.3.4 - - [22/Jan/2019:03:56:14 +0330] \"GET / HTTP/1.1\" 200 7\n"u8.ToArray(),
            20_000).SelectMany(l => l)];
        _ = CountLines(text);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(CountLines(text), Is.EqualTo(20_000));
        // The buffers of the reader are about 600 KiB; an object a line would be 480 KB more.
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(800_000));
    }

    private static long CountLines(byte[] text)
    {
        using LogReader reader = LogReader.ReadLines(new MemoryStream(text), "common");
        long lines = 0;
        foreach (LogLine line in reader)
        {
            lines += line.Reason == LogReason.Parsed ? 1 : 0;
        }

        return lines;
    }
}
