using System.Text;
using CoreIO.Log;
using CoreIO.Managed.Log;

namespace CoreIO.Managed.Tests;

/// <summary>A line is cut the same by the quick way, among others, and by the definition, alone at the end of what may be read.</summary>
public sealed class LexerTests
{
    private const string EdgeLine =
        "Feb 27 11:53:25 edge01 nginx: [-] [27/Feb/2023:11:53:25 +0800] [https] [1.2.3.4:443] [a.b] [GET /x HTTP/1.1] [0.1, 0.2][r] [-]\n";

    [TestCase("combined", Samples.Line)]
    [TestCase("common", "10.0.0.1 - u [27/Feb/2023:11:53:25 +0800] \"GET / HTTP/1.1\" 200 5\n")]
    [TestCase("$a \"$b\" [$status] $host", "some text \"x y\" [200] a.b\n")]
    [TestCase("<$remote_addr> : longer than eight : $b \"$c\"", "<::1> : longer than eight : v : w \"z\"\n")]
    [TestCase("$a \"x\" $b", "1 \"x\" 2\n")]
    [TestCase("$remote_addr|$time_iso8601|$status|\"$request\"|$a", "10.0.0.1|2023-02-27T11:53:25+08:00|200|\"GET / HTTP/1.1\"|x y\n")]
    [TestCase("$a,$b;$c,$d", "1,2;3,4\n")]
    [TestCase("[$a] ended by a text of more than eight", "[x] ended by a text of more than eight\n")]
    [TestCase("$a $b $c $d $e $f $g $h $i", "1 22 333 4 5 6 7 8 999\n")]
    [TestCase("$a $b $c $d $e $f $g $h $i $j $k $l", "1 22 333 4 5 6 7 8 999 10 11 12\n")]
    [TestCase("edge", EdgeLine)]
    public void A_line_is_cut_the_same_wherever_it_stands(string format, string line)
    {
        Random random = new(20230227);
        foreach (LogKernel kernel in Kernel.List.Where(kernel => kernel.Supported))
        {
            using LogLexer lexer = new(FormatCompiler.Compile(format), Kernel.Pick(kernel.Name));
            int parsed = 0;
            for (int round = 0; round < 300; round++)
            {
                byte[] text = Mutate(random, Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat(line, random.Next(1, 40)))));
                List<string> together = Cut(lexer, text, 0, text.Length);
                List<string> alone = CutAlone(lexer, text);
                Assert.That(together, Is.EqualTo(alone), $"{kernel.Name}, round {round}");
                parsed += together.Count(cut => cut.StartsWith(nameof(LogReason.Parsed), StringComparison.Ordinal));
            }

            Assert.That(parsed, Is.GreaterThan(1000), "most lines fit, or nothing was compared");
        }
    }

    [Test]
    public void Stretches_of_lines_that_fit_and_do_not_are_cut_the_same()
    {
        Random random = new(20261128);
        StringBuilder text = new();
        for (int stretch = 0; stretch < 12; stretch++)
        {
            // An odd stretch has no line that fits its frame, so that windows are not marked for a while.
            string odd = stretch % 2 == 0 ? "" : "\r";
            for (int end = text.Length + random.Next(Limits.Window / 2, 5 * Limits.Window); text.Length < end;)
            {
                string line = random.Next(20) == 0 ? Encoding.Latin1.GetString(Mutate(random, Encoding.Latin1.GetBytes(Samples.Line))) : Samples.Line;
                text.Append(line.TrimEnd('\n')).Append(odd).Append('\n');
            }
        }

        byte[] bytes = Encoding.Latin1.GetBytes(text.ToString());
        using LogLexer alone = new(FormatCompiler.Compile("combined"), Kernel.Pick("scalar"));
        List<string> expected = CutAlone(alone, bytes);
        foreach (LogKernel kernel in Kernel.List.Where(kernel => kernel.Supported))
        {
            using LogLexer lexer = new(FormatCompiler.Compile("combined"), Kernel.Pick(kernel.Name));
            Assert.That(Cut(lexer, bytes, 0, bytes.Length), Is.EqualTo(expected), kernel.Name);
        }
    }

    [TestCase("combined", 17)]
    [TestCase("common", 11)]
    [TestCase("main", 20)]
    [TestCase("vhost_combined", 22)]
    [TestCase("$a|$b|\"$request\"", 5)]
    public void A_usual_template_has_a_frame(string format, int marks) =>
        Assert.That(FormatCompiler.Compile(format).Walker.Frame?.Marks, Is.EqualTo(marks));

    [TestCase("$a-$b", TestName = "a dash is frequent in values")]
    [TestCase("$a x $b\\", TestName = "a backslash")]
    [TestCase("\"$a $b\"", TestName = "a space that quotes hide")]
    [TestCase("$a[$b; $c", TestName = "one half for two marks")]
    [TestCase("$status,$a", TestName = "a space that no mark tells")]
    [TestCase("$time_iso8601+$a", TestName = "a sign that may end the value")]
    [TestCase("delimited", TestName = "no template")]
    [TestCase("$a $b $c $d $e $f $g $h $i $j $k $l $m $n $o $p $q", TestName = "more fields than are made")]
    public void A_template_that_marks_do_not_tell_has_no_frame(string format) =>
        Assert.That(FormatCompiler.Compile(format).Walker.Frame, Is.Null);

    private static byte[] Mutate(Random random, byte[] text)
    {
        ReadOnlySpan<byte> bytes = "\" \\[]|\t\n\r:-"u8;
        List<byte> changed = [.. text];
        for (int i = random.Next(0, 12); i > 0; i--)
        {
            int at = random.Next(changed.Count);
            byte b = bytes[random.Next(bytes.Length)];
            switch (random.Next(3))
            {
                case 0:
                    changed[at] = b;
                    break;
                case 1:
                    changed.Insert(at, b);
                    break;
                default:
                    changed.InsertRange(at, Enumerable.Repeat((byte)'x', random.Next(40)));
                    break;
            }
        }

        return [.. changed];
    }

    /// <summary>What <see cref="Cut"/> makes of each line as a text of its own.</summary>
    private static List<string> CutAlone(LogLexer lexer, byte[] text)
    {
        List<string> alone = [];
        for (int begin = 0; begin < text.Length;)
        {
            int newline = Array.IndexOf(text, (byte)'\n', begin);
            int end = newline < 0 ? text.Length : newline + 1;
            alone.AddRange(Cut(lexer, text, begin, end));
            begin = end;
        }

        return alone;
    }

    /// <summary>Each line as its reason and fields; the text is copied, so that nothing behind it is there to be read.</summary>
    private static List<string> Cut(LogLexer lexer, byte[] text, int begin, int end)
    {
        byte[] own = text[begin..end];
        LogRecord[] records = new LogRecord[own.Length];
        LogField[] fields = new LogField[own.Length + 64];
        LogLexResult result = lexer.Feed(own, true, records, fields);
        Assert.That(result.Consumed, Is.EqualTo(own.Length));
        List<string> lines = [];
        foreach (LogRecord record in records.AsSpan(0, result.Records))
        {
            StringBuilder line = new(record.Reason.ToString());
            line.Append(' ').Append(record.Length);
            for (uint i = 0; i < record.FieldCount; i++)
            {
                line.Append('<').Append(Encoding.Latin1.GetString(fields[record.FirstField + i].Of(own))).Append('>');
            }

            lines.Add(line.ToString());
        }

        return lines;
    }
}
