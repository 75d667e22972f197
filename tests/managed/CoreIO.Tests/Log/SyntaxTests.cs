// What does not compile: which fault, in which text, and where, the same for every backend. Random expressions look for the faults nobody
// thought of: both backends refuse them alike, or both answer alike.
using System.Text;
using CoreIO.Log;

namespace CoreIO.Tests.Log;

internal sealed class SyntaxTests
{
    private static readonly string TooManyVariables = string.Join('-', Enumerable.Range(0, 257).Select(i => $"$v{i}"));
    private static readonly string TooDeep = new string('(', 65) + "status == 1" + new string(')', 65);
    private static readonly string DeepEnough = new string('(', 64) + "status == 1" + new string(')', 64);

    public static IEnumerable<TestCaseData> Faults()
    {
        (LogSyntaxPart Part, string Text, LogFault Fault, int Offset, int Length)[] faults =
        [
            (LogSyntaxPart.Format, "nope", LogFault.UnknownFormat, 0, 4),
            (LogSyntaxPart.Format, "", LogFault.UnknownFormat, 0, 0),
            (LogSyntaxPart.Format, "a $ b", LogFault.BadVariable, 2, 1),
            (LogSyntaxPart.Format, "a $", LogFault.BadVariable, 2, 1),
            (LogSyntaxPart.Format, "${x", LogFault.BadVariable, 0, 3),
            (LogSyntaxPart.Format, "${}", LogFault.BadVariable, 0, 2),
            (LogSyntaxPart.Format, "$a$b", LogFault.AdjacentVariables, 2, 2),
            (LogSyntaxPart.Format, "\u00e9 $a${b}", LogFault.AdjacentVariables, 5, 4),
            (LogSyntaxPart.Format, "$a\n$b", LogFault.UnexpectedText, 2, 1),
            (LogSyntaxPart.Format, TooManyVariables, LogFault.TooMany, TooManyVariables.LastIndexOf('$'), 5),
            (LogSyntaxPart.Where, "status >", LogFault.ExpectedValue, 8, 0),
            (LogSyntaxPart.Where, "status", LogFault.ExpectedOperator, 6, 0),
            (LogSyntaxPart.Where, "status = 200", LogFault.ExpectedOperator, 7, 1),
            (LogSyntaxPart.Where, "status == abc", LogFault.ExpectedValue, 10, 3),
            (LogSyntaxPart.Where, "nope == 1", LogFault.UnknownField, 0, 4),
            (LogSyntaxPart.Where, "status == 200 status", LogFault.UnexpectedText, 14, 6),
            (LogSyntaxPart.Where, "status == 200)", LogFault.UnexpectedText, 13, 1),
            (LogSyntaxPart.Where, "(status == 200", LogFault.ExpectedClose, 14, 0),
            (LogSyntaxPart.Where, "(status == 200 x", LogFault.ExpectedClose, 15, 1),
            (LogSyntaxPart.Where, "status == \"x", LogFault.UnterminatedString, 10, 2),
            (LogSyntaxPart.Where, "status == 'x\\'", LogFault.UnterminatedString, 10, 4),
            (LogSyntaxPart.Where, "request == 5", LogFault.NotNumeric, 0, 7),
            (LogSyntaxPart.Where, "status ^= 5", LogFault.TextOperator, 7, 2),
            (LogSyntaxPart.Where, "request =~ 5", LogFault.TextOperator, 8, 2),
            (LogSyntaxPart.Where, "status == 1.5", LogFault.BadNumber, 10, 3),
            (LogSyntaxPart.Where, "status == 99999999999999999999", LogFault.BadNumber, 10, 20),
            (LogSyntaxPart.Where, "path =~ \"(\"", LogFault.BadPattern, 8, 3),
            (LogSyntaxPart.Where, "path =~ \"a{256}\"", LogFault.BadPattern, 8, 8),
            (LogSyntaxPart.Where, "path =~ \"a{3,2}\"", LogFault.BadPattern, 8, 8),
            (LogSyntaxPart.Where, "path =~ \"*\"", LogFault.BadPattern, 8, 3),
            (LogSyntaxPart.Where, "path =~ \"[b-a]\"", LogFault.BadPattern, 8, 7),
            (LogSyntaxPart.Where, "path =~ \"(a)\\\\1\"", LogFault.BadPattern, 8, 8),
            (LogSyntaxPart.Where, "path =~ \"(a{255}){255}\"", LogFault.PatternTooLarge, 8, 15),
            (LogSyntaxPart.Where, "time == 1", LogFault.ExpectedField, 0, 4),
            (LogSyntaxPart.Where, "minute == \"x\"", LogFault.ExpectedField, 0, 6),
            (LogSyntaxPart.Where, "== 1", LogFault.ExpectedField, 0, 2),
            (LogSyntaxPart.Where, "not", LogFault.ExpectedField, 3, 0),
            (LogSyntaxPart.Where, "status == 1 and", LogFault.ExpectedField, 15, 0),
            (LogSyntaxPart.Where, "status == 1 and and", LogFault.UnknownField, 16, 3),
            (LogSyntaxPart.Where, "request == \"\u00e9\" or nope == 1", LogFault.UnknownField, 19, 4),
            (LogSyntaxPart.Where, TooDeep, LogFault.TooDeep, 64, 1),
            (LogSyntaxPart.By, "nope", LogFault.UnknownField, 0, 4),
            (LogSyntaxPart.By, "status,nope", LogFault.UnknownField, 7, 4),
            (LogSyntaxPart.By, "status,", LogFault.ExpectedField, 7, 0),
            (LogSyntaxPart.By, "time", LogFault.NoInterval, 0, 4),
            (LogSyntaxPart.By, "f1", LogFault.UnknownField, 0, 2),
            (LogSyntaxPart.Stats, "median(bytes)", LogFault.UnknownStatistic, 0, 13),
            (LogSyntaxPart.Stats, "count,sum", LogFault.UnknownStatistic, 6, 3),
            (LogSyntaxPart.Stats, "count(bytes)", LogFault.UnknownStatistic, 0, 12),
            (LogSyntaxPart.Stats, "p101(bytes)", LogFault.BadQuantile, 0, 11),
            (LogSyntaxPart.Stats, "p99.99999(bytes)", LogFault.BadQuantile, 0, 16),
            (LogSyntaxPart.Stats, "sum(request)", LogFault.NotNumeric, 4, 7),
            (LogSyntaxPart.Stats, "count,sum(nope)", LogFault.UnknownField, 10, 4),
            (LogSyntaxPart.Stats, "distinct(time)", LogFault.ExpectedField, 9, 4),
        ];
        return
            from backend in Backends.Names
            from fault in faults
            let shown = fault.Text.Length > 40 ? fault.Text[..40] + "..." : fault.Text
            select new TestCaseData(backend, fault.Part, fault.Text, fault.Fault, fault.Offset, fault.Length)
                .SetArgDisplayNames(backend, fault.Part.ToString(), AnswerText.Escape(Encoding.UTF8.GetBytes(shown)));
    }

    [TestCaseSource(nameof(Faults))]
    public void A_fault_says_what_and_where(string backend, LogSyntaxPart part, string text, LogFault fault, int offset, int length)
    {
        LogSyntaxException? e = Compile(Backends.Get(backend), part, text);
        Assert.That(e, Is.Not.Null, "it compiles");
        Assert.That((e!.Part, e.Text, e.Fault, e.Offset, e.Length), Is.EqualTo((part, text, fault, offset, length)));
    }

    [Test]
    public void What_is_just_within_the_limits_compiles([ValueSource(typeof(Backends), nameof(Backends.Names))] string name)
    {
        ICoreBackend backend = Backends.Get(name);
        Assert.Multiple(() =>
        {
            Assert.That(Compile(backend, LogSyntaxPart.Where, DeepEnough), Is.Null);
            Assert.That(Compile(backend, LogSyntaxPart.Where, "path =~ \"a{255}\""), Is.Null);
            Assert.That(Compile(backend, LogSyntaxPart.Where, ""), Is.Null, "an empty filter is none");
            Assert.That(Compile(backend, LogSyntaxPart.Stats, "p0(bytes),p100(bytes),p99.9999(bytes)"), Is.Null);
            Assert.That(Compile(backend, LogSyntaxPart.Format, TooManyVariables[..TooManyVariables.LastIndexOf('-')]), Is.Null);
        });
    }

    [TestCase(LogSyntaxPart.Format, "$ $a ${b} ${ } a - \" [ ] \\ combined $status $x_1 {} : \u00e9")]
    [TestCase(LogSyntaxPart.By, "status client path time minute nope f1 bytes , , \u00e9 ( $")]
    [TestCase(LogSyntaxPart.Stats, "count sum avg p50 p99.99 p100 p101 p.5 distinct min ( ) ( ) bytes status request nope , , . \u00e9 (bytes) (status)")]
    public void Random_text_is_refused_alike_or_answered_alike(LogSyntaxPart part, string words)
    {
        Backends.NeedBoth();
        ICoreBackend[] backends = [.. Backends.All];
        string[] pieces = words.Split(' ');
        Random random = new((int)part + 1);
        int compiled = 0;
        for (int i = 0; i < 4000; i++)
        {
            string text = string.Join(
                random.Next(3) == 0 || part is LogSyntaxPart.Stats or LogSyntaxPart.By ? "" : " ",
                Enumerable.Range(0, random.Next(1, 9)).Select(_ => pieces[random.Next(pieces.Length)]));
            LogSyntaxException?[] faults = [.. backends.Select(backend => Compile(backend, part, text))];
            Assert.That(Tell(faults[1]), Is.EqualTo(Tell(faults[0])), $"{part}: {text}");
            compiled += faults[0] is null ? 1 : 0;
        }

        Assert.That(compiled, Is.GreaterThan(20), "too few texts compile for the comparison to mean much");
    }

    [Test]
    public void Filters_with_random_faults_are_refused_alike()
    {
        Backends.NeedBoth();
        ICoreBackend[] backends = [.. Backends.All];
        Random random = new(13);
        string[] odd = ["nope", "time", "and", "or", "not", "!", "&&", "(", ")", "=", "==", "<=", "^=", "=~", "1.5", "-1", "0.1234567", "'(", "'[b-a]'", "\"", "\\", "\u00e9", ""];
        int compiled = 0;
        for (int i = 0; i < 4000; i++)
        {
            List<string> words = [.. Expression(random, 2).Split(' ')];
            for (int k = random.Next(3); k > 0; k--)
            {
                words[random.Next(words.Count)] = random.Next(2) == 0 ? odd[random.Next(odd.Length)] : words[random.Next(words.Count)];
            }

            string text = string.Join(' ', words);
            LogSyntaxException?[] faults = [.. backends.Select(backend => Compile(backend, LogSyntaxPart.Where, text))];
            Assert.That(Tell(faults[1]), Is.EqualTo(Tell(faults[0])), text);
            compiled += faults[0] is null ? 1 : 0;
        }

        Assert.That(compiled, Is.InRange(500, 3500), "too few texts of one kind for the comparison to mean much");
    }

    [Test]
    public void Random_filters_let_the_same_lines_through()
    {
        Backends.NeedBoth();
        ICoreBackend[] backends = [.. Backends.All];
        byte[] log = new LogMaker(11).Log("combined", LogQuality.Mutated, 120);
        Random random = new(12);
        for (int i = 0; i < 400; i++)
        {
            Question question = new("combined") { Where = Expression(random, 3), Tables = [new LogTable { By = ["request", "client"] }] };
            string[] answers = [.. backends.Select(backend => AnswerText.Of(Scans.Feed(backend, question, log)))];
            Assert.That(answers[1], Is.EqualTo(answers[0]), question.Where);
        }
    }

    private static string Expression(Random random, int depth)
    {
        string[] comparisons =
        [
            "status >= 400", "status != 200", "bytes < 5000", "bytes <= -1", "status == '-'", "path ^= '/p1'", "path $= 'php'", "uri *= 'q=3'",
            "request =~ '^(GET|POST) /p[0-9]{1,2}/'", "http_user_agent =~ '[^ -~]'", "client < '10.1'", "method > 'H'", "protocol == \"HTTP/1.1\"",
            "http_referer =~ '(?i)CURL|^$'", "time_local =~ ':\\\\d\\\\d [-+]'", "status_class >= '4xx'", "request =~ '(a|b)*c?$'", "remote_user != 'bob'",
        ];
        return depth == 0 || random.Next(4) == 0
            ? comparisons[random.Next(comparisons.Length)]
            : random.Next(4) switch
            {
                0 => $"not {Expression(random, depth - 1)}",
                1 => $"({Expression(random, depth - 1)})",
                2 => $"{Expression(random, depth - 1)} and {Expression(random, depth - 1)}",
                _ => $"{Expression(random, depth - 1)} or {Expression(random, depth - 1)}",
            };
    }

    private static string Tell(LogSyntaxException? e) => e is null ? "compiles" : $"{e.Part} {e.Fault} at {e.Offset}, {e.Length} bytes, of {e.Text}";

    private static LogSyntaxException? Compile(ICoreBackend backend, LogSyntaxPart part, string text)
    {
        try
        {
            using ILogFormat format = backend.Log.CompileFormat(part == LogSyntaxPart.Format ? text : "combined");
            Question question = new("combined")
            {
                Where = part == LogSyntaxPart.Where ? text : null,
                Tables =
                [
                    new LogTable
                    {
                        By = part == LogSyntaxPart.By ? text.Split(',') : [],
                        Stats = part == LogSyntaxPart.Stats ? text.Split(',') : ["count"],
                    },
                ],
            };
            if (part != LogSyntaxPart.Format)
            {
                backend.Log.CreateScan(Scans.Query(question, format), new LogScanOptions { Workers = 1 }).Dispose();
            }

            return null;
        }
        catch (LogSyntaxException e)
        {
            return e;
        }
    }
}
