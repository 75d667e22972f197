using System.IO.Compression;
using System.Text;
using CoreIO.Log;

namespace CoreIO.Cli.Tests;

public sealed class LogInputTests
{
    private static readonly byte[] Text = MakeText();
    private static readonly byte[] Packed = Gzip(Text);

    [Test]
    public void MembersFollowEachOtherAndMayBeEmptyOrPadded()
    {
        byte[] empty = Gzip([]);
        Assert.That(Unpack([.. Packed, .. empty, .. Packed, .. empty, 0, 0, 0]), Is.EqualTo((byte[])[.. Text, .. Text]));
        Assert.That(Unpack(empty), Is.Empty);
    }

    [Test]
    public void HeadersMayHoldNamesAndExtras()
    {
        byte[] header = [0x1F, 0x8B, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 3, 0, 1, 2, 3, (byte)'n', 0, (byte)'c', 0, 9, 9];
        Assert.That(Unpack([.. header, .. Packed[10..]]), Is.EqualTo(Text));
    }

    [Test]
    public void EveryCutIsFoundAndNothingBeforeItIsLost([Values(1, 4, 7, 8, 9, 100, 5000)] int cut)
    {
        (byte[] read, string? fault) = TryUnpack(Packed[..^cut]);
        Assert.That(fault, Does.Contain("cut short").Or.Contain("truncated"));
        Assert.That(Text.AsSpan(0, read.Length).SequenceEqual(read));
        Assert.That(read, Has.Length.GreaterThan(cut < 9 ? Text.Length - 1 : Text.Length / 2));
    }

    [Test]
    public void ACutSecondMemberIsFound([Values(1, 2, 9, 11, 300)] int kept)
    {
        (byte[] read, string? fault) = TryUnpack([.. Packed, .. Packed[..kept]]);
        Assert.That(fault, Is.Not.Null);
        Assert.That(read, Has.Length.GreaterThanOrEqualTo(Text.Length));
    }

    [Test]
    public void DamageIsFound([Values(-1, -5, 2000)] int at)
    {
        byte[] damaged = [.. Packed];
        damaged[at < 0 ? damaged.Length + at : at] ^= 0x55;
        Assert.That(TryUnpack(damaged).Fault, Does.Contain("damaged"));
        Assert.That(TryUnpack([.. Packed, 1, 2, 3]).Fault, Does.Contain("no gzip data"));
    }

    [Test]
    public void TheChecksumIsThatOfTheTableHoweverItIsCutUp()
    {
        Random random = new(4);
        byte[] bytes = new byte[3000];
        random.NextBytes(bytes);
        for (int length = 0; length < bytes.Length; length += 1 + (length / 8))
        {
            Crc32 crc = new();
            uint table = uint.MaxValue;
            for (int at = 0; at < length;)
            {
                int piece = Math.Min(length - at, 1 + random.Next(300));
                crc.Append(bytes.AsSpan(at, piece));
                table = Crc32.Table(table, bytes.AsSpan(at, piece));
                at += piece;
            }

            Assert.That(crc.Value, Is.EqualTo(~table), $"{length} bytes");
        }

        Crc32 known = new();
        known.Append("123456789"u8);
        Assert.That(known.Value, Is.EqualTo(0xCBF43926));
    }

    [Test]
    public void TheSampleIsWholeLinesAndIsReadAgain()
    {
        string path = Path.GetTempFileName();
        try
        {
            foreach (byte[] file in (byte[][])[Text, Packed])
            {
                File.WriteAllBytes(path, file);
                using LogInput input = LogInput.Open(path);
                ReadOnlySpan<byte> sample = input.Sample(out bool end);
                Assert.That(end, Is.False);
                Assert.That(sample.Length, Is.InRange(LogInput.SampleBytes - 200, LogInput.SampleBytes));
                Assert.That(sample[^1], Is.EqualTo((byte)'\n'));
                using MemoryStream all = new();
                input.AsStream().CopyTo(all);
                Assert.That(all.ToArray(), Is.EqualTo(Text));
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void AFileThatIsNoneIsNamedWithItsCause()
    {
        Assert.That(() => LogInput.Open("/no/such"), Throws.TypeOf<CoreIOException>().With.Property("Status").EqualTo(StatusCode.NoEntry));
        Assert.That(() => LogInput.Open("/tmp"), Throws.TypeOf<CoreIOException>().With.Property("Status").EqualTo(StatusCode.IsADirectory));
        Assert.That(() => LogInput.Open("/etc/passwd/x"),
            Throws.TypeOf<CoreIOException>().With.Property("Status").EqualTo(StatusCode.NotADirectory));
    }

    [TestCase(new byte[] { 0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00, 0x00 }, "xzcat")]
    [TestCase(new byte[] { 0x28, 0xB5, 0x2F, 0xFD }, "zstdcat")]
    [TestCase(new byte[] { 0x42, 0x5A, 0x68, 0x39, 0x31, 0x41, 0x59 }, "bzcat")]
    [TestCase(new byte[] { 0x42, 0x5A, 0x68, 0x39, 0x0A }, null)]
    [TestCase(new byte[] { 0x28 }, null)]
    public void WhatAnotherProgramCompressedIsNoText(byte[] bytes, string? tool)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, bytes);
            if (tool is null)
            {
                using LogInput input = LogInput.Open(path);
                Assert.That(input.IsPlainFile);
                return;
            }

            Assert.That(() => LogInput.Open(path), Throws.TypeOf<LogInputException>().With.Message.Contains($"'{tool} FILE"));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void NginxConfigurationsAreReadAsNginxDoes()
    {
        const string config =
            """
            # log_format commented '$a';
            http {
                log_format main '$remote_addr - [$time_local] '   # first
                                "\"$request\" $status" ;
                log_format json escape=json '{"a":"$arg_a",'
                    '"b":"${arg_b}c\tx\d"}';
                log_format bare $remote_addr|${status}${x};
                server { content_by_lua_block { if x then return "{" .. '}' end } location / { return 200 "log_format no '$b';"; } }
            }
            """;
        Assert.That(NginxConfig.LogFormats(config).Select(f => $"{f.Key}={f.Value}"), Is.EqualTo((string[])
            [
                "main=$remote_addr - [$time_local] \"$request\" $status",
                "json={\"a\":\"$arg_a\",\"b\":\"${arg_b}c\tx\\d\"}",
                "bare=$remote_addr|${status}${x}",
            ]));
    }

    [Test]
    public void AFormatThatIsNotThereIsAnsweredWithThoseThatAre()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "log_format one '$a'; log_format two '$b';");
            Assert.That(LogFormatSource.FromFile($"@{path}:two"), Is.EqualTo("$b"));
            Assert.That(LogFormatSource.FromFile($"@{path}:combined"), Does.StartWith("$remote_addr"));
            Assert.That(() => LogFormatSource.FromFile($"@{path}:three"),
                Throws.TypeOf<LogFormatException>().With.Message.Contains("it has one, two"));
            Assert.That(() => LogFormatSource.FromFile($"@{path}"),
                Throws.TypeOf<LogFormatException>().With.Message.Contains("it has one, two"));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestCase("2019-01-22T03:56:14+03:30", "2019-01-22T00:26:14Z")]
    [TestCase("2019-01-22 03:56", "2019-01-22T01:56:00Z")]
    [TestCase("2019-01-22", "2019-01-21T22:00:00Z")]
    [TestCase("2019-01-22T03:56:14.5Z", "2019-01-22T03:56:14.5Z")]
    [TestCase("22/Jan/2019:03:56:14 +0330", "2019-01-22T00:26:14Z")]
    public void AMomentWithoutAnOffsetIsInThatOfTheLog(string text, string instant)
    {
        Assert.That(LogMoment.TryParse(text, out LogMoment moment));
        Assert.That(moment.In(120), Is.EqualTo(DateTimeOffset.Parse(instant, null)));
    }

    [TestCase("yesterday")]
    [TestCase("2019-13-01")]
    [TestCase("2019-01-22T03:56+1")]
    public void WhatIsNoMomentIsRefused(string text) => Assert.That(LogMoment.TryParse(text, out _), Is.False);

    internal static byte[] Gzip(byte[] bytes)
    {
        using MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.Optimal))
        {
            gzip.Write(bytes);
        }

        // .NET writes nothing at all for nothing; gzip(1) writes a member.
        return bytes.Length == 0 ? [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0] : packed.ToArray();
    }

    private static byte[] Unpack(byte[] packed)
    {
        (byte[] bytes, string? fault) = TryUnpack(packed);
        Assert.That(fault, Is.Null);
        return bytes;
    }

    private static (byte[] Bytes, string? Fault) TryUnpack(byte[] packed)
    {
        using GzipInput input = new(new MemoryStream(packed[2..]), packed.AsSpan(0, 2));
        using MemoryStream bytes = new();
        try
        {
            input.CopyTo(bytes);
            return (bytes.ToArray(), null);
        }
        catch (LogInputException e)
        {
            return (bytes.ToArray(), e.Message);
        }
    }

    private static byte[] MakeText()
    {
        StringBuilder text = new();
        Random random = new(3);
        while (text.Length < 200_000)
        {
            text.Append($"10.0.{random.Next(256)}.{random.Next(256)} - - [22/Jan/2019:03:56:14 +0330] ");
            text.Append($"\"GET /{random.Next()} HTTP/1.1\" 200 {random.Next(99999)}\n");
        }

        return Encoding.ASCII.GetBytes(text.ToString());
    }
}
