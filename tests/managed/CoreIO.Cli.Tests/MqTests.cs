// `coreio mq` as a script sees it, on both backends: the built program as child processes that meet at a queue. Names are unique to a test, and
// queues are removed however it ends.
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using CoreIO.Testing;

namespace CoreIO.Cli.Tests;

[TestFixture(CoreBackends.NativeName)]
[TestFixture(CoreBackends.ManagedName)]
public sealed partial class MqTests(string backend)
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "CoreIO.Cli.dll");

    private static int _names;

    private string _folder = "";
    private string _name = "";
    private string _key = "";

    [SetUp]
    public void Prepare()
    {
        if (backend == CoreBackends.NativeName && !CoreBackends.HasNative)
        {
            Assert.Ignore("this build has no native backend");
        }

        int number = Interlocked.Increment(ref _names);
        _folder = Directory.CreateTempSubdirectory("coreio-mq").FullName;
        _name = $"/coreio-cli-{Environment.ProcessId}-{number}";
        _key = $"0x{(Environment.ProcessId << 12) | number:x8}";
    }

    [TearDown]
    public void CleanUp()
    {
        if (_folder.Length > 0)
        {
            _ = Bash($"coreio mq posix rm {_name} 2>/dev/null; coreio mq sysv rm --key {_key} 2>/dev/null");
            Directory.Delete(_folder, recursive: true);
        }
    }

    [Test]
    public void WhatIsSentIsReceivedThePriorityFirst() => Expect(
        "posix create Q && posix send Q low && posix send Q high --priority 3 && posix recv Q && posix recv Q", "high\nlow\n");

    [Test]
    public void ASystemVQueueIsFoundByItsKeyAndByItsIdentifier() => Expect(
        "id=$(sysv create K) && sysv send K --type 5 five && sysv send --id $id --type 2 two && sysv recv --id $id --type -5 && sysv recv K", "two\nfive\n");

    [Test]
    public void AFileMakesAKey() => Expect(
        "touch f; sysv create --file f --proj A > /dev/null; sysv send --file f --proj 65 x; sysv recv --file f --proj A; sysv rm --file f --proj A", "x\n");

    [Test]
    public void TypesAreChosenSkippedCopiedAndCut() => Expect(
        "sysv create K > /dev/null; sysv send K --type 1 one; sysv send K --type 2 second; sysv recv K --copy 1; sysv recv K --type 1 --except --max 3 --truncate; "
        + "sysv recv K --type=1", "second\nsec\none\n");

    [Test]
    public void EachLineOfStandardInputIsAMessageTheLastOneToo() => Expect(
        "posix create Q; printf 'a\\n\\nb' | posix send Q --json; posix recv Q --follow --timeout 0 | od -An -c",
        "{\"schema\":1,\"queue\":\"Q\",\"sent\":3,\"bytes\":2}\n   a  \\n  \\n   b  \\n\n");

    [Test]
    public void EveryByteGoesThrough() => Expect(
        "sysv create K > /dev/null; printf '\\0\\n\\377' > f; sysv send K --files f f f; sysv recv K --raw | cmp - f; sysv recv K --base64; sysv recv K | od -An -tx1",
        "AAr/\n 00 0a ff 0a\n");

    [Test]
    public void Base64GoesIn() => Expect("posix create Q; posix send Q --base64 AAr/; posix recv Q --raw | od -An -tx1", " 00 0a ff\n");

    [Test]
    public void JsonHoldsTextOrBase64() => Expect(
        "posix create Q; posix send Q $'t\\xc3\\xa4g\\n' --priority 7; printf '\\377' > f; posix send Q --files f; posix send Q x; "
        + "posix recv Q -n 2 --json; posix recv Q --json --base64",
        "{\"schema\":1,\"queue\":\"Q\",\"priority\":7,\"length\":5,\"message\":\"täg\\n\",\"base64\":null}\n"
        + "{\"schema\":1,\"queue\":\"Q\",\"priority\":0,\"length\":1,\"message\":null,\"base64\":\"/w==\"}\n"
        + "{\"schema\":1,\"queue\":\"Q\",\"priority\":0,\"length\":1,\"message\":null,\"base64\":\"eA==\"}\n");

    [TestCase("posix recv Q --timeout 0", 1)]
    [TestCase("posix recv Q --timeout 100ms", 1)]
    [TestCase("posix recv Q -n 5 -t 0.05", 1)]
    [TestCase("sysv recv K -t 100ms", 1)]
    [TestCase("sysv recv K --copy 0", 1)]
    [TestCase("posix notify Q -t 50ms", 1)]
    [TestCase("posix send Q a b c d -t 0", 1)]
    [TestCase("posix send Q a b c d -t 50ms", 1)]
    [TestCase("posix send Q a && posix recv Q -n 2 -t 0", 0)]
    [TestCase("posix create Q", 2)]
    [TestCase("posix create Q --exist-ok", 0)]
    [TestCase("sysv create K", 2)]
    [TestCase("sysv create K --exist-ok > /dev/null", 0)]
    [TestCase("posix recv /coreio-cli-none", 2)]
    [TestCase("posix stat /coreio-cli-none", 2)]
    [TestCase("posix rm /coreio-cli-none Q", 2)]
    [TestCase("sysv stat --id 2147483647", 2)]
    [TestCase("posix send Q --files none", 2)]
    [TestCase("posix send Q --base64 '!'", 2)]
    [TestCase("posix create /coreio-cli-none --max-messages 100000000", 2)]
    [TestCase("posix recv", 64)]
    [TestCase("posix recv name", 64)]
    [TestCase("posix recv Q more", 64)]
    [TestCase("posix recv Q --timeout soon", 64)]
    [TestCase("posix recv Q --count many", 64)]
    [TestCase("posix send Q --priority 32768 x", 64)]
    [TestCase("posix send Q --files", 64)]
    [TestCase("posix create Q --mode 0999", 64)]
    [TestCase("posix set Q", 64)]
    [TestCase("sysv recv", 64)]
    [TestCase("sysv recv K --id 1", 64)]
    [TestCase("sysv recv --key 0", 64)]
    [TestCase("sysv send K --type 0 x", 64)]
    [TestCase("sysv recv K --copy 1 --type 2", 64)]
    [TestCase("sysv create --proj 1", 64)]
    [TestCase("bench-peer", 64)]
    [TestCase("bench --cpus 0", 64)]
    public void TheExitCodeTellsHowItWent(string command, int expected)
    {
        (int exitCode, string output) = Mq("posix create Q --max-messages 3 --message-size 100 && sysv create K > /dev/null; " + command);
        Assert.That(exitCode, Is.EqualTo(expected), output);
        Assert.That(output, Does.Not.Contain("Unhandled").And.Not.Contain("   at "));
    }

    [TestCase("posix send Q $(printf 'x%.0s' {1..101})",
        "coreio mq: send to Q: message too long (EMSGSIZE): the queue's message size is 100, the message has 101; create the queue with a larger message size")]
    [TestCase("posix recv coreio", "coreio mq posix recv: 'coreio' is no name of a POSIX queue; write '/coreio'; see 'coreio mq posix recv -h'")]
    [TestCase("posix send Q 1 2 3 4 -t 0", "coreio mq: send to Q: the queue was full until the timeout; 3 messages were sent before")]
    [TestCase("posix send Q 1; posix recv Q -n 2 -t 0 > /dev/null", "coreio mq: receive from Q: 1 of 2 messages came before the timeout")]
    [TestCase("posix send Q 0<&-", "coreio mq: standard input: bad file descriptor (EBADF)")]
    [TestCase("posix rm Q; posix rm Q", "coreio mq: unlink Q: no such file (ENOENT): no queue has this name in this IPC namespace")]
    [TestCase("posix rm Q; posix recv Q", "coreio mq: open Q: no such file (ENOENT): no queue has this name in this IPC namespace; create it first")]
    [TestCase("posix rcev Q", "coreio mq posix: no verb 'rcev'; did you mean 'recv'? See 'coreio mq posix -h'")]
    [TestCase("posix recv Q --timeout soon", "coreio mq posix recv: --timeout: 'soon' is no time; write 0, 5s, 0.5, 500ms, 1m or 2h; see 'coreio mq posix recv -h'")]
    public void AMessageIsOneSentenceAndAWayOut(string command, string message) =>
        Assert.That(Mq($"posix create Q --max-messages 3 --message-size 100; {command}").Output.TrimEnd('\n'), Is.EqualTo(Named(message)));

    [Test]
    public void ARemovedQueueWakesWhoWaits()
    {
        (int exitCode, string output) = Mq(
            "sysv create K > /dev/null; sysv send K a; (soon test -s o; sysv rm K) & sysv recv K --follow > o");
        Assert.That(exitCode, Is.EqualTo(2), output);
        Assert.That(output, Does.Contain("coreio mq: receive from queue").And.Contain("removed"));
    }

    [TestCase("posix", "Q")]
    [TestCase("sysv", "K")]
    public void AnInterruptLosesNothingAndEndsItByItsSignal(string family, string queue)
    {
        // `exec` keeps the process id, and a trap set to default undoes what a shell that starts it in the background ignores.
        (_, string output) = Mq(
            $"{family} create {queue} > /dev/null; perl -e '$SIG{{INT}} = \"DEFAULT\"; exec @ARGV' dotnet '{Program}' mq {family} recv {queue} --follow --backend {backend} > o & "
            + $"pid=$!; {family} send {queue} a b; for i in {{1..200}}; do [ $(wc -l < o) = 2 ] && break; sleep 0.1; done; kill -INT $pid; wait $pid; echo $?; "
            + $"{family} send {queue} c; cat o; {family} recv {queue} -t 0");
        Assert.That(output, Is.EqualTo("130\na\nb\nc\n"));
    }

    [TestCase("posix", "Q")]
    [TestCase("sysv", "K")]
    public void AReaderThatGoesAwayLeavesMessagesInTheirQueue(string family, string queue)
    {
        (int exitCode, string output) = Mq(
            $"{family} create {queue} > /dev/null; {{ {family} recv {queue} --follow; echo $? >&2; }} | true; {family} send {queue} kept; {family} recv {queue} -t 0");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Is.EqualTo("0\nkept\n").Or.EqualTo("kept\n0\n"));
    }

    [Test]
    public void OutputThatCannotBeWrittenIsAFailure() =>
        Assert.That(Mq("posix create Q; posix send Q x; posix recv Q > /dev/full").ExitCode, Is.EqualTo(2));

    [Test]
    public void OnATerminalNothingInAMessageIsObeyed()
    {
        File.WriteAllText(Path.Combine(_folder, "on-terminal.sh"), $"dotnet '{Program}' mq posix recv {_name} -n 2 --backend {backend}\n");
        (int exitCode, string output) = Mq(
            "posix create Q; posix send Q $'a\\e[2Jb'; printf 'a\\0\\377' > f; posix send Q --files f; TERM=dumb script -qec 'bash on-terminal.sh' /dev/null");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output.Replace("\r", "", StringComparison.Ordinal), Is.EqualTo(
            "a\\x1B[2Jb\n00000000  61 00 ff                                          |a..|\n"));
    }

    [Test]
    public void TheUmaskHasNoSayInAModeThatIsAskedFor()
    {
        (int exitCode, string output) = Mq("umask 077; posix create Q --mode 0666 --json; posix set Q --mode 0640 --json; sysv create K --mode 0644 --json");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output.Trim().Split('\n').Select(line => JsonDocument.Parse(line).RootElement.GetProperty("mode").GetString()),
            Is.EqualTo((string[])["0666", "0640", "0644"]));
    }

    [TestCase("posix create Q --mode 0640 --max-messages 3", "posix create Q --mode 0666 --max-messages 5 --exist-ok", "posix stat Q")]
    [TestCase("sysv create K --mode 0640 --max-bytes 1000", "sysv create K --mode 0666 --max-bytes 2000 --exist-ok", "sysv stat K")]
    public void OneThatExistsStaysAsItIs(string create, string again, string stat) =>
        Expect($"{create} > /dev/null; {stat} --json > a; {again} > /dev/null; {stat} --json > b; grep -o '\"mode\":\"[0-7]*\"' a; cmp a b && echo same",
            "\"mode\":\"0640\"\nsame\n");

    // Who creates a name first owns it, so a script says whose it has to be.
    [TestCase("posix create Q --exist-ok")]
    [TestCase("posix send Q x")]
    [TestCase("posix recv Q -t 0")]
    [TestCase("sysv create K --exist-ok")]
    [TestCase("sysv send K x")]
    [TestCase("sysv recv K -t 0")]
    [TestCase("sysv recv --id $id -t 0")]
    public void AQueueOfAnUnexpectedOwnerIsRefused(string command)
    {
        (int exitCode, string output) = Mq($"posix create Q; id=$(sysv create K); posix send Q a; sysv send K a; {command} --owner 65533");
        Assert.That(exitCode, Is.EqualTo(2), output);
        Assert.That(output, Does.Contain("permission denied (EACCES): it belongs to user").And.Contain("user 65533 was expected"));
        (exitCode, output) = Mq($"id=$(sysv create K --exist-ok); {command} --owner $(id -u)");
        Assert.That(exitCode, Is.Zero, output);
    }

    [Test]
    public void AnotherUserIsKeptOut()
    {
        NeedSomebodyElse();
        string other = $"setpriv --reuid 65534 --clear-groups dotnet '{Program}' mq";
        (int exitCode, string output) = Mq($"chmod 755 .; posix create Q; {other} posix recv Q -t 0 --backend {backend}");
        Assert.That(exitCode, Is.EqualTo(2), output);
        Assert.That(output, Does.StartWith($"coreio mq: open {_name}: permission denied (EACCES)"));
        (exitCode, output) = Mq($"sysv create K > /dev/null; {other} sysv recv K -t 0 --backend {backend}");
        Assert.That(exitCode, Is.EqualTo(2), output);
        Assert.That(output, Does.Contain("permission denied (EACCES): it belongs to user 0").And.Contain("has mode 0600"));
    }

    // More bytes than msgmnb take a right that not everybody has.
    [Test]
    public void AQueueThatCannotBeAsItWasAskedForDoesNotStay()
    {
        NeedSomebodyElse();
        (int exitCode, string output) = Mq("chmod 755 .; "
            + $"setpriv --reuid 65534 --clear-groups dotnet '{Program}' mq sysv create K --max-bytes 2000000000 --backend {backend}");
        Assert.That(exitCode, Is.EqualTo(2), output);
        Assert.That(output, Does.Contain("operation not permitted (EPERM)"));
        (exitCode, output) = Mq("sysv stat K");
        Assert.That(exitCode, Is.EqualTo(2), output);
        Assert.That(output, Does.Contain("(ENOENT)"));
    }

    [Test]
    public void WhoMayOnlySendKnowsWhoseAQueueIs()
    {
        NeedSomebodyElse();
        string other = $"setpriv --reuid 65534 --clear-groups dotnet '{Program}' mq";
        (int exitCode, string output) = Mq($"sysv create K --mode 0622 > /dev/null; {other} sysv send K x --owner 0 --backend {backend} && sysv recv K");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Is.EqualTo("x\n"));
        (exitCode, output) = Mq($"{other} sysv send K x --owner 65534 --backend {backend}");
        Assert.That(exitCode, Is.EqualTo(2), output);
        Assert.That(output, Does.Contain("it belongs to user 0 with mode 0622, and user 65534 was expected"));
    }

    [Test]
    public void TheListsShowOwnerDepthAndWhoWasLast()
    {
        (int exitCode, string output) = Mq("posix create Q --max-messages 3 --message-size 10; posix send Q ab c; sysv create K > /dev/null; sysv send K xyz; ls --json");
        Assert.That(exitCode, Is.Zero, output);
        using JsonDocument document = JsonDocument.Parse(output[output.IndexOf('{', StringComparison.Ordinal)..]);
        JsonElement root = document.RootElement;
        Assert.That(root.GetProperty("schema").GetInt32(), Is.EqualTo(1));
        JsonElement sysV = root.GetProperty("sysv").EnumerateArray().Single(queue => queue.GetProperty("key").GetString() == _key);
        Assert.Multiple(() =>
        {
            Assert.That(sysV.GetProperty("messages").GetInt64(), Is.EqualTo(1));
            Assert.That(sysV.GetProperty("bytes").GetInt64(), Is.EqualTo(3));
            Assert.That(sysV.GetProperty("mode").GetString(), Is.EqualTo("0600"));
            Assert.That(sysV.GetProperty("last_sender").GetInt32(), Is.GreaterThan(0));
            Assert.That(sysV.GetProperty("last_sender_name").GetString(), Is.EqualTo("gone"));
            Assert.That(sysV.GetProperty("last_receiver_name").ValueKind, Is.EqualTo(JsonValueKind.Null));
        });
        if (root.GetProperty("source").GetString() == "own_descriptors")
        {
            Assert.That(output, Does.Contain("mount -t mqueue"), "what to do is said");
            return;
        }

        JsonElement posix = root.GetProperty("posix").EnumerateArray().Single(queue => queue.GetProperty("name").GetString() == _name);
        Assert.Multiple(() =>
        {
            Assert.That(posix.GetProperty("messages").GetInt64(), Is.EqualTo(2));
            Assert.That(posix.GetProperty("max_messages").GetInt64(), Is.EqualTo(3));
            Assert.That(posix.GetProperty("message_size").GetInt64(), Is.EqualTo(10));
            Assert.That(posix.GetProperty("bytes").GetInt64(), Is.EqualTo(3));
            Assert.That(posix.GetProperty("mode").GetString(), Is.EqualTo("0600"));
            Assert.That(posix.GetProperty("notify_pid").GetInt32(), Is.Zero);
            Assert.That(posix.GetProperty("gap").ValueKind, Is.EqualTo(JsonValueKind.Null));
        });
    }

    [Test]
    public void SystemVListsAgreeWithTheKernelsOwn()
    {
        (int exitCode, string output) = Mq("sysv create K > /dev/null; sysv send K a b; tail -n +2 /proc/sysvipc/msg | awk '{print $2, $3, $4, $5, $6, $8}' | sort -n > k; "
            + "sysv ls --json | tr '{' '\\n' | sed -n 's/\"id\":\\([0-9]*\\).*\"mode\":\"0\\([0-9]*\\)\",\"messages\":\\([0-9]*\\),\"bytes\":\\([0-9]*\\).*\"last_sender\":\\([0-9]*\\).*/\\1 \\2 \\4 \\3 \\5/p' | sort -n > o; "
            + "awk '{print $1, $2, $3, $4, $5}' k | diff - o");
        Assert.That(exitCode, Is.Zero, output);
    }

    [Test]
    public void WithoutTheRightToMountAListingSaysWhatToDo()
    {
        NeedSomebodyElse();
        if (File.ReadAllText("/proc/self/mounts").Contains(" mqueue ", StringComparison.Ordinal))
        {
            Assert.Ignore("the file system of queues is mounted");
        }

        (int exitCode, string output) = Bash($"setpriv --reuid 65534 --clear-groups dotnet '{Program}' mq posix ls --backend {backend}");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.Contain("mkdir -p /dev/mqueue && mount -t mqueue none /dev/mqueue"));
    }

    [Test]
    public void LimitsAreThoseOfTheKernel()
    {
        (int exitCode, string output) = Mq("limits --json");
        Assert.That(exitCode, Is.Zero, output);
        JsonElement[] limits = [.. JsonDocument.Parse(output).RootElement.GetProperty("limits").EnumerateArray()];
        foreach (string name in (string[])["fs.mqueue.msg_max", "fs.mqueue.msgsize_max", "fs.mqueue.queues_max", "fs.mqueue.msg_default",
            "fs.mqueue.msgsize_default", "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni"])
        {
            long value = limits.Single(limit => limit.GetProperty("name").GetString() == name).GetProperty("value").GetInt64();
            Assert.That(value, Is.EqualTo(long.Parse(File.ReadAllText("/proc/sys/" + name.Replace('.', '/')), CultureInfo.InvariantCulture)), name);
        }

        Assert.That(output, Does.Contain("RLIMIT_MSGQUEUE").And.Contain("default_queues").And.Contain("cap_sys_resource"));
    }

    [Test]
    public void ALimitIsSaidToHoldAsManyQueuesAsItDoes()
    {
        (int exitCode, string output) = Bash(
            $"unshare -i true 2>/dev/null || exit 99; unshare -i dotnet '{Program}' mq posix limits --json --backend {backend}");
        if (exitCode == 99)
        {
            Assert.Ignore("needs the right to make an IPC namespace");
        }

        JsonElement fits = JsonDocument.Parse(output).RootElement.GetProperty("default_queues");
        long used = JsonDocument.Parse(output).RootElement.GetProperty("limits").EnumerateArray().Sum(
            limit => limit.GetProperty("name").GetString() == "RLIMIT_MSGQUEUE" && limit.GetProperty("used").ValueKind == JsonValueKind.Number
                ? limit.GetProperty("used").GetInt64() : 0);
        if (fits.ValueKind != JsonValueKind.Number || fits.GetInt64() > 20 || used > 0)
        {
            Assert.Ignore("the limit is none, or too large to fill");
        }

        // Others of this user may hold queues in other namespaces: never more than said, then.
        (_, output) = Bash($"unshare -i bash -c 'i=0; while dotnet {Program} mq posix create /q$i --backend {backend} 2> e; do i=$((i+1)); done; echo $i; cat e'");
        Assert.That(int.Parse(output.Split('\n')[0], CultureInfo.InvariantCulture), Is.InRange(1, fits.GetInt64()), output);
        Assert.That(output, Does.Contain("(EMFILE)").And.Contain("RLIMIT_MSGQUEUE"));
    }

    [Test]
    public void WatchShowsDepthAndWhoIsThere()
    {
        (int exitCode, string output) = Mq(
            "posix create Q; posix recv Q -t 60s & waits() { ! posix stat Q --json | grep -q '\"peers\":\\[\\],\"hidden_processes\":0'; }; soon waits; posix watch Q --count 2 --interval 100ms --json; posix watch Q --count 1; posix send Q x; wait");
        Assert.That(exitCode, Is.Zero, output);
        string[] looks = [.. output.Split('\n').Where(line => line.StartsWith('{'))];
        Assert.That(looks, Has.Length.EqualTo(2), output);
        JsonElement look = JsonDocument.Parse(looks[1]).RootElement;
        Assert.That(look.GetProperty("messages").GetInt64(), Is.Zero);
        Assert.That(look.GetProperty("messages_per_second").GetInt64(), Is.Zero);
        Assert.That(look.GetProperty("peers").GetArrayLength() + look.GetProperty("hidden_processes").GetInt32(), Is.GreaterThan(0));
        Assert.That(output, Does.Contain("messages/s").And.Contain("x\n"));
    }

    [Test]
    public void ABlockedSenderAndReceiverAreSeen()
    {
        if (Environment.UserName != "root")
        {
            Assert.Ignore("only root sees the calls of others everywhere");
        }

        (int exitCode, string output) = Mq(
            "id=$(sysv create K); perl -e 'my $m; msgrcv(shift, $m, 100, 0, 0)' $id & waits() { sysv stat K --json > o; grep -q receiving o; }; soon waits; cat o; sysv send K x; wait");
        Assert.That(exitCode, Is.Zero, output);
        JsonElement peer = JsonDocument.Parse(output).RootElement.GetProperty("peers").EnumerateArray().Single();
        Assert.That(peer.GetProperty("name").GetString(), Is.EqualTo("perl"));
        Assert.That(peer.GetProperty("state").GetString(), Is.EqualTo("receiving"));
    }

    [Test]
    public void ANotificationIsToldEachTimeAndTakesNothing()
    {
        (int exitCode, string output) = Mq(
            "posix create Q; posix notify Q -n 2 > o & waits() { posix stat Q | grep -q 'notifies.*('; }; soon waits; posix stat Q; posix notify Q; posix send Q a; posix recv Q; soon waits; posix send Q b; wait %1; cat o; posix recv Q");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.Match(@"notifies +\d+ \(").And.Match(@"EBUSY\): one process at a time is told, now \d+ \("));
        Assert.That(output, Does.Match($@"a\n{_name} [01]\n{_name} 1\nb\n"), "the first may be received before it is looked at");
    }

    [Test]
    public void ABenchMeasuresBothFamiliesAndLeavesNothing()
    {
        if (backend == CoreBackends.NativeName)
        {
            Assert.Ignore("a bench runs all backends: once is enough");
        }

        (int exitCode, string output) = Bash("before=$(ipcs -q | wc -l); coreio bench mq --count 50 --repeat 1 --sizes 64,100 --json && [ $(ipcs -q | wc -l) -le $before ] && "
            + "! coreio mq posix ls | grep coreio-bench");
        Assert.That(exitCode, Is.Zero, output);
        using JsonDocument document = JsonDocument.Parse(output.Split('\n')[0]);
        JsonElement[] rows = [.. document.RootElement.GetProperty("rows").EnumerateArray()];
        foreach (string work in (string[])["pair", "round_trip", "spin", "one_way", "batch"])
        {
            foreach (string transport in (string[])["posix", "sysv"])
            {
                Assert.That(rows.Count(row => row.GetProperty("work").GetString() == work && row.GetProperty("transport").GetString() == transport
                    && row.GetProperty("size").GetInt32() == 100 && row.GetProperty("who").GetString() == "managed"), Is.EqualTo(1), $"{work} {transport}");
            }
        }

        Assert.That(rows.Select(row => row.GetProperty("transport").GetString()), Does.Contain("pipe").And.Contain("seqpacket").And.Contain("channel"));
        Assert.That(rows.Any(row => row.GetProperty("who").GetString() == "C floor"), Is.EqualTo(CoreBackends.HasNative));
        Assert.That(rows.Where(row => row.GetProperty("transport").GetString() is "posix" or "sysv").Select(row => row.GetProperty("allocated_per_thousand"))
            .Where(bytes => bytes.ValueKind == JsonValueKind.Number).Max(bytes => bytes.GetInt64()), Is.LessThan(20_000), "nothing is allocated a message");
        (exitCode, output) = Bash("coreio mq bench --count 20 --repeat 1 --sizes 64 --markdown");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Does.StartWith("`coreio bench mq --sizes 64 --count 20 --repeat 1 --markdown`\n").And.Contain("### round trip, 64 bytes"));
    }

    // What it printed and what the queue holds are at most one message apart, and that one it had been handed. Both ends are the processes
    // that are killed, with no shell between.
    [TestCase("posix", "Q")]
    [TestCase("sysv", "K")]
    public void AReceiverThatIsKilledLosesOneMessageAtMost(string family, string queue) => Expect(
        $"{family} create {queue} > /dev/null; seq 1 1000000 > n; touch o; "
        + $"dotnet '{Program}' mq {family} send {queue} --backend {backend} < n > e 2>&1 & sender=$!; "
        + $"dotnet '{Program}' mq {family} recv {queue} --follow --backend {backend} > o 2> f & pid=$!; "
        + "for i in {1..400}; do [ $(wc -l < o) -gt 500 ] && break; sleep 0.05; done; { kill -9 $pid; wait $pid; } 2> /dev/null; "
        + $"apart=$(($({family} recv {queue} -t 5s) - $(tail -n 1 o))); [ $apart = 1 ] || [ $apart = 2 ] && echo kept || echo $apart; "
        + "{ kill -9 $sender; wait $sender; } 2> /dev/null; true", "kept\n");

    private void NeedSomebodyElse()
    {
        if (Environment.UserName != "root")
        {
            Assert.Ignore("only root can be somebody else");
        }

        if (Bash($"setpriv --reuid 65534 --clear-groups test -r '{Program}'").ExitCode != 0)
        {
            Assert.Ignore("somebody else may not read this build");
        }
    }

    private void Expect(string script, string expected)
    {
        (int exitCode, string output) = Mq(script);
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Is.EqualTo(Named(expected)));
    }

    // Q stands for the queue's name and K for the option with its key; `posix`, `sysv`, ... are verbs of `coreio mq` on this backend. `soon`
    // waits until a command succeeds, for a while.
    private (int ExitCode, string Output) Mq(string script)
    {
        string verbs = "posix() { coreio mq posix \"$@\" --backend " + backend + "; }\n"
            + "sysv() { coreio mq sysv \"$@\" --backend " + backend + "; }\n"
            + "ls() { coreio mq ls \"$@\" --backend " + backend + "; }\n"
            + "limits() { coreio mq limits \"$@\" --backend " + backend + "; }\n"
            + "soon() { for i in {1..200}; do \"$@\" && return; sleep 0.05; done; echo \"never: $*\"; return 1; }\n"
            + "bench() { coreio mq bench \"$@\"; }\nbench-peer() { coreio mq bench-peer; }\n";
        return Bash(verbs + Named(script));
    }

    private string Named(string text) => Key().Replace(Name().Replace(text, _name), "--key " + _key);

    [GeneratedRegex(@"(?<![\w-])Q(?![\w-])")]
    private static partial Regex Name();

    [GeneratedRegex(@"(?<![\w-])K(?![\w-])")]
    private static partial Regex Key();

    private (int ExitCode, string Output) Bash(string command) => Repository.Run(new ProcessStartInfo(
        "bash", ["-c", $"coreio() {{ dotnet '{Program}' \"$@\"; }}\n{command}"])
    { WorkingDirectory = _folder });
}
