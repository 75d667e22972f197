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

    [TestCase("combined", 18)]
    [TestCase("common", 12)]
    [TestCase("main", 21)]
    [TestCase("vhost_combined", 23)]
    [TestCase("$a $b $c $d $e $f $g {$h", 9)]
    [TestCase("[$a] $b;", 3)]
    [TestCase("[$a] [$b] [$c] [$d] [$e]", 6)]
    [TestCase("$a|$b|\"$request\"", 5)]
    public void A_usual_template_has_a_frame(string format, int marks) =>
        Assert.That(FormatCompiler.Compile(format).Walker.Frame?.Marks, Is.EqualTo(marks));

    [TestCase("$a-$b", TestName = "a dash is frequent in values")]
    [TestCase("$a x $b\\", TestName = "a backslash")]
    [TestCase("\"$a $b\"", TestName = "a space that quotes hide")]
    [TestCase("$a[$b; $c", TestName = "one half for two marks")]
    [TestCase("$status,$a", TestName = "a space that no mark tells")]
    [TestCase("$a+$time_iso8601 $b", TestName = "a sign that is a mark")]
    [TestCase("$time_local $a", TestName = "a space that may end the value")]
    [TestCase("$time_local:$a", TestName = "a colon that may end the value")]
    [TestCase("$a\0$b", TestName = "what stands behind a text")]
    [TestCase("delimited", TestName = "no template")]
    [TestCase("$a $b $c $d $e $f $g $h $i $j $k $l $m $n $o $p $q", TestName = "more fields than are made")]
    public void A_template_that_marks_do_not_tell_has_no_frame(string format) =>
        Assert.That(FormatCompiler.Compile(format).Walker.Frame, Is.Null);

    [Test]
    public void Lines_that_fit_are_quick_and_write_no_further_than_they_may()
    {
        const int Lines = 20;
        const int Canary = -77;
        byte[] line = Encoding.Latin1.GetBytes(Samples.Line);
        byte[] text = [.. Enumerable.Repeat(line, Lines).SelectMany(bytes => bytes), .. new byte[64]];
        int end = Lines * line.Length;
        Line[] lines = new Line[Lines];
        for (int limit = 0; limit <= 8; limit++)
        {
            // A line that ends too near to what may not be read is left to the definition.
            foreach ((int readable, int quick) in (ReadOnlySpan<(int, int)>)[(end, Lines - 1), (end + 6, Lines - 1), (end + 7, Lines), (end + 64, Lines)])
            {
                Lexer lexer = Framing("combined");
                int width = limit + 1;
                Slice[] fields = new Slice[(Lines * width) + Frame.Slack + 4];
                Array.Fill(fields, new Slice(Canary, Canary));
                lexer.Begin(ref text[0], 0, end, readable);
                int cut = lexer.CutQuick(ref text[0], ref fields[0], limit, width, ref lines[0], Lines);
                Assert.That(cut, Is.EqualTo(quick));
                Assert.That(lines[cut - 1].Next, Is.EqualTo(cut * line.Length));
                Assert.That(fields[((cut * width) + Frame.Slack)..].Select(field => field.Start), Is.All.EqualTo(Canary));
                for (int i = 0; i < limit; i++)
                {
                    Assert.That(fields[((cut - 1) * width) + i].Start, Is.EqualTo(fields[i].Start + ((cut - 1) * line.Length)));
                }
            }
        }
    }

    [Test]
    public void A_lexer_writes_no_further_than_the_fields_it_is_given()
    {
        byte[] text = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat(Samples.Line, 20)));
        LogField canary = new(uint.MaxValue, uint.MaxValue);
        LogRecord[] records = new LogRecord[32];
        using LogLexer lexer = new(FormatCompiler.Compile("combined"), Kernel.Pick(null));
        for (int room = 0; room <= 200; room++)
        {
            LogField[] fields = new LogField[room + 16];
            Array.Fill(fields, canary);
            LogLexResult result = lexer.Feed(text, true, records, fields.AsSpan(0, room));
            Assert.That(result.Records, Is.EqualTo(Math.Min(20, room / 8)));
            Assert.That(fields[room..], Is.All.EqualTo(canary));
        }
    }

    [Test]
    public void Marks_of_a_window_before_are_no_marks()
    {
        // A line of eighteen colons; then a text of one, behind which kernels may write more of them, up to those of the line before.
        string names = string.Concat(Enumerable.Range(0, 15).Select(i => $"${(char)('a' + i)}:"));
        byte[] line = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat("x:", 15)) + "27/Feb/2023:11:53:25 +0800\n");
        byte[] text = [.. line, .. Enumerable.Repeat((byte)'x', 64), (byte)':', .. new byte[64]];
        int begin = line.Length;
        int end = begin + 65;
        Lexer lexer = Framing(names + "$time_local");
        Line[] lines = new Line[4];
        Slice[] fields = new Slice[64 + Frame.Slack];
        lexer.Begin(ref text[0], 0, begin, text.Length);
        Assert.That(lexer.CutQuick(ref text[0], ref fields[0], 16, 16, ref lines[0], 4), Is.EqualTo(1));
        lexer.Begin(ref text[0], begin, end, text.Length);
        Assert.That(lexer.CutQuick(ref text[0], ref fields[0], 16, 16, ref lines[0], 4), Is.Zero);
        Assert.That(lexer.CutLine(ref text[0], ref fields[0], 16, ref lines[0]), Is.True);
        Assert.That(lines[0].Reason, Is.EqualTo(LogReason.MissingText));
        Assert.That(lines[0].Next, Is.EqualTo(end));
    }

    [TestCase(10, 10)]
    [TestCase(40, 1)]
    [TestCase(280, 3)]
    public void Marks_are_tried_seldom_where_lines_do_not_fit(int linesOfText, int linesOfCall)
    {
        byte[] line = Encoding.Latin1.GetBytes(Samples.Line);
        byte[] fits = [.. Enumerable.Repeat(line, linesOfText).SelectMany(bytes => bytes)];
        byte[] misses = [.. Enumerable.Repeat(line, linesOfText).SelectMany(bytes => (byte[])[.. bytes[..^1], .. "\r\n"u8])];
        Lexer lexer = Framing("combined");
        // Enough for each to be judged many times; the longest pause is 64 windows.
        int calls = 200 * Limits.Window / (linesOfCall * line.Length);
        _ = Marked(lexer, fits, linesOfCall, calls);
        Assert.That(Marked(lexer, fits, linesOfCall, calls), Is.EqualTo(calls));
        Assert.That(Marked(lexer, misses, linesOfCall, calls), Is.InRange(1, calls / 12));
        _ = Marked(lexer, fits, linesOfCall, calls);
        Assert.That(Marked(lexer, fits, linesOfCall, calls), Is.EqualTo(calls));
    }

    /// <summary>How many windows of a text again and again were marked, of each of which so many lines are cut.</summary>
    private static int Marked(Lexer lexer, byte[] text, int lines, int windows)
    {
        Line[] room = new Line[lines];
        Slice[] fields = new Slice[(lines * 8) + Frame.Slack];
        int marked = 0;
        for (int i = 0; i < windows; i++)
        {
            lexer.Begin(ref text[0], 0, text.Length, text.Length);
            marked += lexer.IsMarked ? 1 : 0;
            for (int cut = 0, more = 1; cut < lines && more > 0; cut += more)
            {
                more = lexer.CutQuick(ref text[0], ref fields[0], 8, 8, ref room[0], lines - cut);
                if (more == 0)
                {
                    more = lexer.CutLine(ref text[0], ref fields[0], 8, ref room[0]) ? 1 : 0;
                }
            }
        }

        return marked;
    }

    /// <summary>A lexer that cuts lines by their frames; where no kernel here does, the test ends.</summary>
    private static Lexer Framing(string format)
    {
        Kernel kernel = Kernel.List.Where(kernel => kernel.Supported).Select(kernel => Kernel.Pick(kernel.Name)).FirstOrDefault(kernel => kernel is IFrameCutter)
            ?? throw new IgnoreException("no kernel here cuts lines by their frames");
        Walker walker = FormatCompiler.Compile(format).Walker;
        Assert.That(walker.Frame, Is.Not.Null);
        return new Lexer(walker, kernel);
    }

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
