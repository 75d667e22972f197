// The command line as a script sees it: the built program as a child process. Shell text runs in bash with `coreio` as a function.
using System.Diagnostics;
using System.Text;
using CoreIO.Cli.Shell;
using CoreIO.Testing;

namespace CoreIO.Cli.Tests;

public sealed class CommandLineTests
{
    private const string Good = "1.2.3.4 - - [22/Jan/2019:03:56:14 +0330] \"GET / HTTP/1.1\" 200 7\n";

    private const string Colour = "\u001b\\[[0-9;]*m";

    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "CoreIO.Cli.dll");

    private string _folder = "";

    [SetUp]
    public void MakeFolder()
    {
        _folder = Directory.CreateTempSubdirectory("coreio-cli").FullName;
        File.WriteAllText(Path.Combine(_folder, "good.log"), Good);
        File.WriteAllText(Path.Combine(_folder, "bad.log"), "no such line\n");
    }

    [TearDown]
    public void DropFolder() => Directory.Delete(_folder, recursive: true);

    [TestCase("coreio --version", 0)]
    [TestCase("coreio log report good.log", 0)]
    [TestCase("coreio log report -f common bad.log", 1)]
    [TestCase("coreio log report -f common -w 'status==1' good.log", 1)]
    [TestCase("coreio log report -f common /dev/null", 1)]
    [TestCase("coreio log report none.log good.log", 2)]
    [TestCase("coreio log report . good.log", 2)]
    [TestCase("coreio log report --backend managed -j 2 --cpus 0 --kernel scalar --block-size 4K < good.log", 0)]
    [TestCase("gzip -c good.log | coreio log report -f common -", 0)]
    [TestCase("coreio log report -f common --rejects no/such good.log", 2)]
    [TestCase("coreio log report -f common --kernel none good.log", 2)]
    [TestCase("coreio log lex good.log", 0)]
    [TestCase("coreio log lex -f common bad.log", 1)]
    [TestCase("coreio log lex none.log", 2)]
    [TestCase("coreio log formats", 0)]
    [TestCase("coreio cpu", 0)]
    [TestCase("coreio completions bash", 0)]
    [TestCase("coreio", 64)]
    [TestCase("coreio log", 64)]
    [TestCase("coreio nothing", 64)]
    [TestCase("coreio log report --nothing", 64)]
    [TestCase("coreio log report --by", 64)]
    [TestCase("coreio log report --interval 10 good.log", 64)]
    [TestCase("coreio log report --by nothing good.log", 64)]
    [TestCase("coreio log report -w 'status>' good.log", 64)]
    [TestCase("coreio log report -b status --sort nothing good.log", 64)]
    [TestCase("coreio log lex good.log bad.log", 64)]
    [TestCase("coreio completions tcsh", 64)]
    [TestCase("coreio log report -o json good.log > /dev/full", 2)]
    [TestCase("coreio log report -f common '' good.log", 2)]
    [TestCase("coreio log lex ''", 2)]
    [TestCase("coreio log lex -f edge --rejects /dev/full good.log", 2)]
    [TestCase("gzip -c good.log > good.gz; coreio log report -f edge -b status --rejects /dev/full good.gz good.log", 2)]
    public void TheExitCodeTellsHowItWent(string command, int expected)
    {
        (int exitCode, string output) = Bash(command);
        Assert.That(exitCode, Is.EqualTo(expected), output);
        Assert.That(output, Does.Not.Contain("Unhandled").And.Not.Contain("   at "));
    }

    [TestCase("coreio lgo", "coreio: no verb 'lgo'; did you mean 'log'? See 'coreio -h'")]
    [TestCase("coreio log reprot", "coreio log: no verb 'reprot'; did you mean 'report'? See 'coreio log -h'")]
    [TestCase("coreio log report --stat x", "coreio log report: no option '--stat'; did you mean '--stats'? See 'coreio log report -h'")]
    [TestCase("coreio log report --backend nativ x",
        "coreio log report: --backend: 'nativ' is none of native, managed; did you mean 'native'? See 'coreio log report -h'")]
    [TestCase("coreio log report --workers 0 x",
        "coreio log report: --workers: '0' is no whole number from 1 to 1024; see 'coreio log report -h'")]
    [TestCase("coreio log report -f common none.log", "coreio log: none.log: no such file (ENOENT)")]
    [TestCase("coreio log lex --rejects - good.log",
        "coreio log lex: --rejects: '-' is no file here; write /dev/stderr, or ./- for a file of that name; see 'coreio log lex -h'")]
    [TestCase("coreio log report --rejects - good.log",
        "coreio log report: --rejects: '-' is no file here; write /dev/stderr, or ./- for a file of that name; see 'coreio log report -h'")]
    [TestCase("coreio log report 0<&-", "coreio log: standard input: bad file descriptor (EBADF)")]
    [TestCase("coreio log lex - 0<&-", "coreio log: standard input: bad file descriptor (EBADF)")]
    [TestCase("printf '\\x28\\xB5\\x2F\\xFD' > good.zst; coreio log lex good.zst", "coreio log: good.zst: "
        + "is compressed by another program than gzip; 'zstdcat FILE | coreio log report -' reads it")]
    [TestCase("printf '\\xFD7zXZ\\x00' > good.log.xz; coreio log report -f common good.log.xz", "coreio log: good.log.xz: "
        + "is compressed by another program than gzip; 'xzcat FILE | coreio log report -' reads it")]
    [TestCase("seq 3 | coreio log report -b status", "coreio log: format delimited: no other fits half of the first 3 lines; --format chooses one\n"
        + "coreio log: --by, at byte 1: this format has no field 'status'; see `coreio log formats`")]
    [TestCase("coreio log report -f common -w 'time > 3' good.log",
        "coreio log: --where, at byte 1: expected a field at 'time'; of when lines are, --since and --until are the bounds")]
    [TestCase("coreio log report -f common .", "coreio log: .: is a directory (EISDIR)")]
    [TestCase("coreio log report -f edge --rejects /dev/full good.log", "coreio log: --rejects /dev/full: no space left on device (ENOSPC)")]
    [TestCase("coreio log report -f common $'a\\x1b[2Jb'", @"coreio log: a\x1B[2Jb: no such file (ENOENT)")]
    public void AMessageIsOneSentenceAndAWayOut(string command, string message) =>
        Assert.That(Bash(command + " 2>&1 >/dev/null").Output.TrimEnd('\n'), Is.EqualTo(message));

    [TestCase("1677470000.000", "9223372036000.000")]
    [TestCase("-9223372036000.000", "1677470000.000")]
    [TestCase("-9223372036854.775808", "9223372036854.775807")]
    public void AChartSpansWhateverTimesALogHolds(string first, string last)
    {
        (int exitCode, string output) = Bash(
            $"printf -- '{first} 200\\n{last} 200\\n' > far.log; coreio log report -f '$msec $status' far.log 2>/dev/null");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output.Split('\n'), Has.Some.Match("^requests, [0-9]+ d a column, highest 1$").And.Some.Match("^█ {50,58}█$"));
    }

    [TestCase("9000000000000000000", "23.4 EiB sent (7.8 EiB a response)")]
    [TestCase("-9000000000000000000", "-23.4 EiB sent (-7.8 EiB a response)")]
    [TestCase("7", "21 B sent (7 B a response)")]
    public void BytesOfAnySumAreShown(string bytes, string shown)
    {
        (_, string output) = Bash($"sed 's| 7$| {bytes}|' good.log > one; coreio log report -f common one one one 2>/dev/null");
        Assert.That(output, Does.Contain(shown));
    }

    // As many as the tables have rows, which is exact, but where the tables have a limit.
    [TestCase("seq 3000 | sed 's|.*|& - - [20/May/2015:12:05:17 +0000] \"GET /a HTTP/1.1\" 200 7|'", "", "3,000 clients, 1 path, ")]
    [TestCase("seq 3000 | sed 's|.*|1.2.3.4 - - [20/May/2015:12:05:17 +0000] \"GET /& HTTP/1.1\" 200 7|'", "--max-groups 2999", "1 client, about [23],[0-9]{3} paths, ")]
    public void ClientsAndPathsAreThoseOfTheirTables(string make, string options, string expected)
    {
        (int exitCode, string output) = Bash($"{make} | coreio log report -f common {options} - 2>/dev/null");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output.Split('\n'), Has.Some.Match("^" + expected));
    }

    // Three million groups need more than 64 MiB; the second input would have counts without those of the first.
    [Test]
    public void WantOfMemoryIsOneErrorAndNoReport()
    {
        (int exitCode, string output) = Bash("seq 1 3000000 > many; "
            + "DOTNET_GCHeapHardLimit=0x4000000 coreio log report --backend managed -j 1 -f '$x' -b x --max-groups 4000000 many good.log 2>&1");
        Assert.That(output, Is.EqualTo("coreio log: the report: out of memory (ENOMEM)\n"));
        Assert.That(exitCode, Is.EqualTo(2));
    }

    [Test]
    public void NothingQuotesTheReportButTheReport()
    {
        (_, string output) = Bash("coreio log report -b status -o json good.log 2>/dev/null");
        Assert.That(output, Does.StartWith("{\"schema\":1,\"lines\":1,\"parsed\":1,").And.EndWith("}\n"));
        Assert.That(Bash("coreio log report -b status -o csv good.log 2>/dev/null").Output, Is.EqualTo("status,count\n200,1\n"));
        Assert.That(Bash("coreio log lex -f delimited good.log").Output, Is.EqualTo(
            "[\"1.2.3.4\",null,null,\"22/Jan/2019:03:56:14 +0330\",\"GET / HTTP/1.1\",\"200\",\"7\"]\n"));
        Assert.That(Bash("coreio log lex -f common good.log").Output, Does.StartWith("{\"remote_addr\":\"1.2.3.4\",\"remote_user\":null,"));
    }

    [Test]
    public void RejectedLinesAreKeptWhole()
    {
        (int exitCode, string output) = Bash(
            "cat good.log bad.log good.log > all; coreio log report -f common --rejects r1 all >/dev/null && cmp r1 bad.log "
            + "&& coreio log lex -f common --rejects r2 all >/dev/null && cmp r2 bad.log");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.Contain("coreio log: rejected 1 line: missing_text (line 2 at byte 64)"));
    }

    [TestCase("coreio log report -f common --rejects good.log good.log")]
    [TestCase("coreio log report -f common --rejects ./good.log \"$PWD/good.log\"")]
    [TestCase("ln -s good.log link; coreio log report -f common --rejects link good.log")]
    [TestCase("ln -s . folder; coreio log report -f common --rejects folder/good.log good.log")]
    [TestCase("coreio log report -f common --rejects good.log < good.log")]
    [TestCase("coreio log lex -f common --rejects good.log < good.log")]
    public void RejectsNeverGoIntoAnInput(string command)
    {
        (int exitCode, string output) = Bash(command);
        Assert.That(exitCode, Is.EqualTo(2), output);
        Assert.That(output, Does.Contain("is an input, too"));
        Assert.That(File.ReadAllText(Path.Combine(_folder, "good.log")), Is.EqualTo(Good));
    }

    [Test]
    public void AClosedPipeEndsQuietly()
    {
        (_, string output) = Bash(
            "for i in {1..9}; do cat good.log good.log > x; cat x x > good.log; done; "
            + "coreio log lex -f common good.log | head -1 | wc -l; echo ${PIPESTATUS[0]}");
        Assert.That(output, Is.EqualTo("1\n0\n"));
    }

    [Test]
    public void OutputThatIsAppendedToIsNotOverwritten() =>
        Assert.That(Bash("(echo before; coreio --version; echo after) > o; cat o").Output, Does.Match(@"^before\ncoreio \S+\nafter\n$"));

    [Test]
    public void AnInterruptEndsItByItsSignal()
    {
        // A shell tells a signal as 128 and its number; SIGINT is 2. `exec` keeps the process id, and a trap set to default undoes what
        // the shell that starts it in the background ignores.
        (_, string output) = Bash(
            "mkfifo f; sleep 30 > f & writer=$!; "
            + $"perl -e '$SIG{{INT}} = \"DEFAULT\"; exec @ARGV' dotnet '{Program}' log report -f common f & "
            + "pid=$!; sleep 2; kill -INT $pid; wait $pid; echo $?; kill $writer");
        Assert.That(output.Trim(), Is.EqualTo("130"));
    }

    [Test]
    public void ColoursAreAskedForAndNeverSurprise()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Bash("coreio log report -b status good.log").Output, Does.Not.Contain("\u001b"));
            Assert.That(Bash("NO_COLOR=1 TERM=xterm coreio log report -b status --color always good.log").Output, Does.Contain("\u001b["));
        });
    }

    // `script` gives a command a terminal of its own. Colours are looked for, not any escape: where TERM is known, the runtime itself
    // sets a terminal's keypad.
    [TestCase("TERM=xterm", "", true)]
    [TestCase("TERM=xterm NO_COLOR=", "", true)]
    [TestCase("TERM=xterm NO_COLOR=1", "", false)]
    [TestCase("TERM=dumb", "", false)]
    [TestCase("TERM=", "", false)]
    [TestCase("TERM=xterm", "--color never", false)]
    [TestCase("TERM=xterm NO_COLOR=1", "--color always", true)]
    [TestCase("TERM=dumb", "--color always", true)]
    public void ATerminalIsColouredUnlessItIsNotWanted(string environment, string option, bool coloured)
    {
        File.WriteAllText(Path.Combine(_folder, "on-terminal.sh"),
            $"{environment} dotnet '{Program}' log report -f common -b status --no-progress {option} good.log\n");
        (int exitCode, string output) = Bash("script -qec 'bash on-terminal.sh' /dev/null");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.Contain("status").And.Contain("200"));
        Assert.That(output, coloured ? Does.Match(Colour) : Does.Not.Match(Colour));
    }

    [Test]
    public void ATableFitsTheTerminal()
    {
        File.WriteAllText(Path.Combine(_folder, "on-terminal.sh"), $"stty cols 40; NO_COLOR=1 TERM=xterm dotnet '{Program}' "
            + "log report -f common -b path good.log 2>/dev/null\n");
        (int exitCode, string output) = Bash(
            "sed -i \"s|GET /|GET /$(printf 'x%.0s' {1..300})|\" good.log; script -qec 'bash on-terminal.sh' /dev/null");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output.Replace("\r", "", StringComparison.Ordinal).Split('\n'), Does.Contain("/" + new string('x', 31) + "…      1"));
    }

    [TestCase("-n1", 1)]
    [TestCase("-n=1", 1)]
    [TestCase("-n 1", 1)]
    [TestCase("-j2 -n2 -scount", 2)]
    public void AShortOptionTakesItsValueWithOrWithoutASpace(string options, int rows)
    {
        (int exitCode, string output) = Bash(
            "sed 's|GET /|GET /other|' good.log > more.log; coreio log report -f common -bpath -ocsv "
            + $"{options} good.log more.log 2>/dev/null");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output.TrimEnd('\n').Split('\n'), Has.Length.EqualTo(1 + rows));
    }

    [TestCase("coreio log re", "report")]
    [TestCase("coreio lo", "log")]
    [TestCase("coreio log report --sta", "--stats")]
    [TestCase("coreio log report --backend ma", "managed")]
    [TestCase("coreio log report -f vh", "vhost_combined")]
    [TestCase("coreio log report --rejects goo", "good.log")]
    [TestCase("coreio log report goo", "good.log")]
    [TestCase("coreio completions fi", "fish")]
    [TestCase("coreio doctor --j", "--json")]
    public void BashCompletesWhatIsTyped(string typed, string completed)
    {
        string[] words = typed.Split(' ');
        (int exitCode, string output) = Bash(
            "eval \"$(coreio completions bash)\"; "
            + $"COMP_WORDS=({typed}); COMP_CWORD={words.Length - 1}; _coreio; printf '%s\\n' \"${{COMPREPLY[@]}}\"");
        Assert.That(exitCode, Is.Zero);
        Assert.That(output, Is.EqualTo(completed + "\n"));
    }

    [Test]
    public void EveryVerbAndOptionIsCompletedInEveryShell([Values("bash", "zsh", "fish")] string shell)
    {
        (_, string script) = Bash("coreio completions " + shell);
        foreach (CliVerb verb in AllVerbs(Cli.Root))
        {
            Assert.That(script, verb == Cli.Root ? Does.Contain("coreio") : Does.Contain(verb.Name));
            foreach (CliOption option in verb.Options)
            {
                Assert.That(script, Does.Contain(shell == "fish" ? "-l " + option.Name : "--" + option.Name));
            }
        }
    }

    [TestCase("--by status", "time,status,count")]
    [TestCase("--by status,time", "status,time,count")]
    [TestCase("--by time", "time,count")]
    [TestCase("", "time,count")]
    public void AnIntervalAddsItsKeyOnceAndFirst(string by, string head) =>
        Assert.That(Bash($"coreio log report --interval 1h {by} -o csv good.log 2>/dev/null | head -1").Output, Is.EqualTo(head + "\n"));

    [Test]
    public void AGuessedFormatAndTheWorkersAreTold()
    {
        Assert.That(Bash("coreio log report good.log 2>&1 >/dev/null").Output,
            Is.EqualTo("coreio log: format common (1 of the first 1 lines fit); --format chooses another\n"));
        Assert.That(Bash("coreio log report -j 1 good.log").Output, Does.Match("kernel, 1 worker\n"));
        Assert.That(Bash("coreio log report -j 2 good.log").Output, Does.Match("kernel, 2 workers\n"));
    }

    internal static IEnumerable<CliVerb> AllVerbs(CliVerb verb) => [verb, .. verb.Verbs.SelectMany(AllVerbs)];

    private (int ExitCode, string Output) Bash(string command)
    {
        string script = $"coreio() {{ dotnet '{Program}' \"$@\"; }}\n{command}";
        ProcessStartInfo start = new("bash", ["-c", script]) { WorkingDirectory = _folder };
        start.Environment.Remove("NO_COLOR");
        return Repository.Run(start);
    }
}
