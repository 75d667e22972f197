// `coreio proxy` as an operator runs it: processes, signals, files, and load while things change.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using System.Text.Json;
using CoreIO.Cli.Show;
using CoreIO.Testing;

namespace CoreIO.Cli.Tests;

[SupportedOSPlatform("linux")]
[TestFixture(CoreBackends.NativeName)]
[TestFixture(CoreBackends.ManagedName)]
public sealed class ProxyTests(string backend)
{
    private string _folder = "";

    [SetUp]
    public void Prepare()
    {
        if (backend == CoreBackends.NativeName && !CoreBackends.HasNative)
        {
            Assert.Ignore("this build has no native backend");
        }

        _folder = Directory.CreateTempSubdirectory("coreio-proxy").FullName;
    }

    [TearDown]
    public void CleanUp()
    {
        if (_folder.Length > 0)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    [Test]
    public void BytesGoThroughAndSigtermLetsConnectionsEnd()
    {
        using TextServer server = new("answer");
        using ProxyProcess proxy = Start("--listen", "127.0.0.1:0", "--to", server.Address);
        using Socket client = Connect(proxy.Port);
        using Socket late = Connect(proxy.Port);
        proxy.Signal("TERM");
        Assert.That(Ask(client), Is.EqualTo("answer"));
        Assert.That(proxy.HasExited, Is.False);
        Assert.That(Ask(late), Is.EqualTo("answer"));
        Stopwatch watch = Stopwatch.StartNew();
        Assert.That(proxy.WaitForExit(), Is.Zero);
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(20)), "not the half-close timeout, nor the end of the drain");
    }

    [Test]
    public void ASecondSignalEndsAtOnce()
    {
        using TextServer server = new("answer");
        string log = Path.Combine(_folder, "proxy.log");
        using ProxyProcess proxy = Start("--listen", "127.0.0.1:0", "--to", server.Address, "--log", log);
        using Socket other = Connect(proxy.Port);
        // Until the first signal is obeyed a second one would be part of it.
        proxy.Signal("TERM");
        Assert.That(() => Refuses(proxy.Port), Is.True.After(10_000, 20));
        proxy.Signal("TERM");
        Assert.That(proxy.WaitForExit(), Is.EqualTo(130));
        Assert.That(File.ReadAllText(log), Does.Match("^127.0.0.1:[0-9]+ .* 200 stopped "), "what ended with the proxy is in its log");
    }

    [Test]
    public void ADrainEndsAfterItsTime()
    {
        using TextServer server = new("answer");
        using ProxyProcess proxy = Start("--listen", "127.0.0.1:0", "--to", server.Address, "--drain", "200ms");
        using Socket client = Connect(proxy.Port);
        proxy.Signal("TERM");
        Assert.That(proxy.WaitForExit(), Is.Zero);
        Assert.That(client.Receive(new byte[1]), Is.Zero);
    }

    [Test]
    public void UnixSocketsOnBothSides()
    {
        string front = Path.Combine(_folder, "front.sock");
        string back = Path.Combine(_folder, "back.sock");
        using Socket upstream = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        upstream.Bind(new UnixDomainSocketEndPoint(back));
        upstream.Listen();
        using (ProxyProcess proxy = Start("--listen", "unix:" + front, "--to", "unix:" + back))
        {
            using Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            client.Connect(new UnixDomainSocketEndPoint(front));
            using Socket server = upstream.Accept();
            client.Send("question"u8);
            byte[] bytes = new byte[8];
            server.Receive(bytes);
            Assert.That(Encoding.ASCII.GetString(bytes), Is.EqualTo("question"));
            server.Shutdown(SocketShutdown.Send);
            Assert.That(client.Receive(bytes), Is.Zero);
            client.Close();
            proxy.Signal("TERM");
            Assert.That(proxy.WaitForExit(), Is.Zero);
        }

        Assert.That(File.Exists(front), Is.False);
    }

    [Test]
    public void AReloadUnderLoadRefusesNobody()
    {
        using TextServer one = new("one");
        using TextServer two = new("two");
        string config = Path.Combine(_folder, "proxy.conf");
        int port = FreePort.Take();
        File.WriteAllText(config, $"# a proxy\nlisten 127.0.0.1:{port}\n\nto {one.Address}\n");
        using ProxyProcess proxy = Start("--config", config);
        using Load load = new(port);
        for (int i = 0; i < 4; i++)
        {
            load.WaitFor(100);
            File.WriteAllText(config, $"listen 127.0.0.1:{port}\nto {(i % 2 == 0 ? two : one).Address}\n");
            proxy.Signal("HUP");
            proxy.WaitUntilSaid("read again", i + 1);
        }

        load.WaitFor(100);
        // What makes no sense changes nothing, and says where.
        File.WriteAllText(config, $"listen 127.0.0.1:{port}\nto nonsense\n");
        proxy.Signal("HUP");
        proxy.WaitUntilSaid($"{config}:2:4: 'nonsense' is no address");
        load.WaitFor(100);
        Assert.That(load.End(), Is.Empty);
        Assert.That(load.Answers, Is.SupersetOf((string[])["one", "two"]));
        proxy.Signal("TERM");
        Assert.That(proxy.WaitForExit(), Is.Zero);
    }

    [Test]
    public void AReloadThatIsRefusedLeavesTheProxyAsItWas()
    {
        using TextServer server = new("answer");
        string path = Path.Combine(_folder, "front.sock");
        string config = Path.Combine(_folder, "proxy.conf");
        int port = FreePort.Take();
        File.WriteAllText(config, $"listen unix:{path}\nlisten 127.0.0.1:{port}\nto {server.Address}\n");
        using ProxyProcess proxy = Start("--config", config);
        // Sockets that the new proxy has got already go back when a later address is taken.
        File.WriteAllText(config, $"listen unix:{path}\nlisten 127.0.0.1:{port}\nlisten {server.Address}\nto {server.Address}\n");
        proxy.Signal("HUP");
        proxy.WaitUntilSaid($"reload: listen on {server.Address}: address already in use (EADDRINUSE)");
        using Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(path));
        Assert.That(Ask(client), Is.EqualTo("answer"));
        using Socket other = Connect(port);
        Assert.That(Ask(other), Is.EqualTo("answer"));
        // What only a restart changes is said.
        File.WriteAllText(config, $"listen unix:{path}\nlisten 127.0.0.1:{port}\nto {server.Address}\nlog {_folder}/log\n");
        proxy.Signal("HUP");
        proxy.WaitUntilSaid("log, metrics and handover stay as they were until a restart");
        proxy.WaitUntilSaid("read again");
        proxy.Signal("TERM");
        Assert.That(proxy.WaitForExit(), Is.Zero);
    }

    [Test]
    public void ARestartUnderLoadRefusesNobody()
    {
        using TextServer one = new("one");
        using TextServer two = new("two");
        string path = Path.Combine(_folder, "handover.sock");
        int port = FreePort.Take();
        List<ProxyProcess> proxies = [Start("--listen", $"127.0.0.1:{port}", "--to", one.Address, "--handover", path)];
        try
        {
            using Load load = new(port);
            load.WaitFor(100);
            Assert.That(File.GetUnixFileMode(path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
            for (int i = 0; i < 3; i++)
            {
                string upstream = (i % 2 == 0 ? two : one).Address;
                proxies.Add(Start("--listen", $"127.0.0.1:{port}", "--to", upstream, "--handover", path));
                Assert.That(proxies[^2].WaitForExit(), Is.Zero, proxies[^2].Said);
                load.WaitFor(100);
            }

            Assert.That(load.End(), Is.Empty);
            Assert.That(load.Answers, Is.SupersetOf((string[])["one", "two"]));
        }
        finally
        {
            proxies.ForEach(proxy => proxy.Dispose());
        }
    }

    [Test]
    public void ASuccessorThatCannotStartChangesNothing()
    {
        using TextServer server = new("answer");
        string path = Path.Combine(_folder, "handover.sock");
        int port = FreePort.Take();
        int taken = server.Port;
        using ProxyProcess proxy = Start("--listen", $"127.0.0.1:{port}", "--to", server.Address, "--handover", path);
        (int exitCode, string output) = Coreio(
            "proxy", "--listen", $"127.0.0.1:{port},127.0.0.1:{taken}", "--to", server.Address, "--handover", path, "--backend", backend);
        Assert.That(exitCode, Is.EqualTo(2), output);
        Assert.That(output, Does.Contain($"listen on 127.0.0.1:{taken}: address already in use (EADDRINUSE)"));
        using Socket client = Connect(port);
        Assert.That(Ask(client), Is.EqualTo("answer"));
    }

    [Test]
    public void FinishedConnectionsAreALogThatCoreioReads()
    {
        using TextServer server = new("answer");
        string log = Path.Combine(_folder, "proxy.log");
        int port;
        using (ProxyProcess proxy = Start("--listen", "127.0.0.1:0", "--to", server.Address, "--log", log))
        {
            port = proxy.Port;
            for (int i = 0; i < 20; i++)
            {
                using Socket client = Connect(port);
                Assert.That(Ask(client), Is.EqualTo("answer"));
            }

            proxy.Signal("TERM");
            Assert.That(proxy.WaitForExit(), Is.Zero);
        }

        (int exitCode, string output) = Coreio("log", "report", log, "--format", ProxyLogLine.Template, "--by", "status,end,upstream_addr",
            "--stats", "count,sum(bytes_sent),sum(request_length),max(request_time)", "--output", "json");
        Assert.That(exitCode, Is.Zero, output);
        using JsonDocument document = JsonDocument.Parse(output[output.IndexOf('{', StringComparison.Ordinal)..]);
        JsonElement root = document.RootElement;
        Assert.That(root.GetProperty("rejected").GetInt64(), Is.Zero);
        JsonElement group = root.GetProperty("groups")[0];
        Assert.That(root.GetProperty("groups").GetArrayLength(), Is.EqualTo(1), output);
        Assert.That(group.GetProperty("status").ToString(), Is.EqualTo("200"));
        Assert.That(group.GetProperty("end").GetString(), Is.EqualTo("done"));
        Assert.That(group.GetProperty("upstream_addr").GetString(), Is.EqualTo(server.Address));
        Assert.That(group.GetProperty("count").GetInt64(), Is.EqualTo(20));
        Assert.That(group.GetProperty("sum(bytes_sent)").GetInt64(), Is.EqualTo(20 * 6));
        Assert.That(group.GetProperty("sum(request_length)").GetInt64(), Is.EqualTo(20));
    }

    [Test]
    public async Task MetricsAreWhatPrometheusReads()
    {
        using TextServer server = new("answer");
        int port = FreePort.Take();
        using ProxyProcess proxy = Start("--listen", "127.0.0.1:0", "--to", server.Address, "--metrics", $"127.0.0.1:{port}");
        using (Socket client = Connect(proxy.Port))
        {
            Assert.That(Ask(client), Is.EqualTo("answer"));
        }

        using HttpClient http = new();
        string text = "";
        Assert.That(() => text = http.GetStringAsync($"http://127.0.0.1:{port}/metrics").GetAwaiter().GetResult(),
            Does.Contain("coreio_proxy_ended_total 1\n").After(10_000, 50));
        using HttpResponseMessage response = await http.GetAsync(new Uri($"http://127.0.0.1:{port}/metrics"));
        Assert.That(response.Content.Headers.ContentType!.ToString(), Does.StartWith("text/plain; version=0.0.4"));
        Assert.That(text, Does.Contain("coreio_proxy_bytes_to_client_total 6\n"));
        Assert.That(text, Does.Contain("coreio_proxy_ends_total{reason=\"done\"} 1\n"));
        Assert.That(text, Does.Contain($"coreio_proxy_upstream_up{{upstream=\"{server.Address}\",index=\"0\"}} 1\n"));
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            Assert.That(line, Does.Match(@"^(# TYPE [a-z_]+ (counter|gauge)|[a-z_]+(\{[^}]*\})? \d+)$"));
        }
    }

    [Test]
    public async Task StatsAreJsonLinesWithoutATerminal()
    {
        using TextServer server = new("answer");
        string output;
        using (ProxyProcess proxy = Start("--listen", "127.0.0.1:0", "--to", server.Address, "--stats"))
        {
            using (Socket client = Connect(proxy.Port))
            {
                Assert.That(Ask(client), Is.EqualTo("answer"));
            }

            await Task.Delay(2500);
            proxy.Signal("TERM");
            Assert.That(proxy.WaitForExit(), Is.Zero);
            output = await proxy.Output;
        }

        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.Length.GreaterThanOrEqualTo(2));
        using JsonDocument last = JsonDocument.Parse(lines[^1]);
        Assert.That(last.RootElement.GetProperty("schema").GetInt32(), Is.EqualTo(1));
        Assert.That(last.RootElement.GetProperty("accepted").GetInt64(), Is.EqualTo(1));
        Assert.That(last.RootElement.GetProperty("ends").GetProperty("done").GetInt64(), Is.EqualTo(1));
        Assert.That(last.RootElement.GetProperty("upstreams")[0].GetProperty("up").GetBoolean(), Is.True);
        if (backend == CoreBackends.NativeName)
        {
            int[] cpus = [.. last.RootElement.GetProperty("workers").EnumerateArray().Select(worker => worker.GetProperty("cpu").GetInt32())];
            Assert.That(cpus, Is.EqualTo(CoreBackends.Get(backend).Cpu.Allowed()), "one for each CPU, pinned to it");
        }
    }

    [TestCase("--to 127.0.0.1:1", "where do clients connect to? --listen ADDR")]
    [TestCase("--listen :1", "where do connections go? --to ADDR")]
    [TestCase("--listen 1 --to 127.0.0.1:1", "--listen: '1' is no address; write")]
    [TestCase("--listen ::1:80 --to 127.0.0.1:1", "--listen: '::1:80' is no address: an IPv6 address stands in brackets")]
    [TestCase("--listen :1 --to 127.0.0.1:1*0", "--to: '127.0.0.1:1*0' has no weight from 1 to 256")]
    [TestCase("--listen :1 --to 127.0.0.1:1 --route a=b", "--route: 'a=b' is no route; write sni=HOST=ADDR")]
    [TestCase("--listen :1 --to 127.0.0.1:1 --balance lest", "--balance: 'lest' is none of round-robin, least, source")]
    [TestCase("--listen :1 --to 127.0.0.1:1 --idle 5x", "--idle: '5x' is no time; write")]
    [TestCase("--listen :1 --to 127.0.0.1:1 --tries 99", "--tries: '99' is no whole number from 1 to 64")]
    [TestCase("--listen :1 --transparent --redirect", "--redirect: connections come by TPROXY")]
    [TestCase("--listen unix:/x --transparent", "--listen: 'unix:/x' is a unix socket")]
    [TestCase("--listen :1 --to 127.0.0.1:1 --proxy-protocol v3", "--proxy-protocol: 'v3' is none of in, out, v1, v2")]
    public void WhatMakesNoSenseIsSaid(string line, string message)
    {
        (int exitCode, string output) = Coreio(["proxy", "--check", .. line.Split(' ')]);
        Assert.That(exitCode, Is.EqualTo(64), output);
        Assert.That(output, Does.StartWith("coreio proxy: " + message));
    }

    [TestCase("--config /nonexistent", "--config: /nonexistent: no such file (ENOENT)")]
    [TestCase("--config /", "--config: /: is a directory (EISDIR)")]
    [TestCase("--listen 127.0.0.1:0 --to 127.0.0.1:1 --log /nonexistent/log", "--log: /nonexistent/log: no such file (ENOENT)")]
    [TestCase("--listen unix:/nonexistent/s --to 127.0.0.1:1", "listen on unix:/nonexistent/s: no such file (ENOENT): its folder does not exist")]
    public void WhatTheMachineLacksIsSaid(string line, string message)
    {
        (int exitCode, string output) = Coreio(["proxy", "--backend", backend, .. line.Split(' ')]);
        Assert.That(exitCode, Is.EqualTo(2), output);
        Assert.That(output.TrimEnd('\n'), Is.EqualTo("coreio proxy: " + message));
    }

    [Test]
    public void MetricsThatCannotBeServedAreSaid()
    {
        using Socket taken = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        string address = taken.LocalEndPoint!.ToString()!;
        (int exitCode, string output) = Coreio(
            "proxy", "--backend", backend, "--listen", "127.0.0.1:0", "--to", "127.0.0.1:1", "--metrics", address);
        Assert.That(exitCode, Is.EqualTo(2), output);
        Assert.That(output.TrimEnd('\n'), Does.EndWith($"--metrics: {address}: address already in use (EADDRINUSE)"));
    }

    [TestCase("listen :1\nto 127.0.0.1:1\nblance least\n", ":3:1: no option 'blance'; did you mean 'balance'?")]
    [TestCase("listen\n", ":1:1: listen needs a value, ADDR,...")]
    [TestCase("transparent yes\n", ":1:1: transparent takes no value")]
    [TestCase("listen :1\n\n# no\nto 127.0.0.1:x\n", ":4:4: '127.0.0.1:x' is no address; write")]
    [TestCase("listen :1\nto 127.0.0.1:1, 127.0.0.1:2*0\nto 127.0.0.1:3\n", ":2:17: '127.0.0.1:2*0' has no weight from 1 to 256")]
    [TestCase("listen :1\nroute sni=a=127.0.0.1:1,b\nto 127.0.0.1:3\n", ":2:25: 'b' is no route")]
    [TestCase("listen :1\nto 127.0.0.1:1\n   idle   5x  \n", ":3:11: '5x' is no time; write")]
    [TestCase("listen :1\nto 127.0.0.1:1\n\tspoofs\n", ":3:2: no option 'spoofs'")]
    [TestCase("listen :1\nproxy-protocol in,v3\nproxy-protocol v2\nto 127.0.0.1:1\n", ":2:19: 'v3' is none of in, out, v1, v2")]
    public void AFileIsToldWhereItIsWrong(string text, string message)
    {
        string file = Path.Combine(_folder, "proxy.conf");
        File.WriteAllText(file, text);
        (int exitCode, string output) = Coreio("proxy", "--check", "--config", file);
        Assert.That(exitCode, Is.EqualTo(64), output);
        Assert.That(output, Does.Contain(file + message));
    }

    // What comes by IPv6 is not led to a listener of IPv4, where nobody would hear it.
    [TestCase("", ":15001", 2)]
    [TestCase("--redirect", ":15001", 2)]
    [TestCase("", "0.0.0.0:15001", 1)]
    [TestCase("--redirect", "0.0.0.0:15001", 1)]
    public void RulesAreThoseOfTheListener(string mode, string listen, int families)
    {
        (int exitCode, string output) = Coreio(["proxy", "rules", "--listen", listen, .. mode.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output.Split('\n').Count(line => line.EndsWith("to :15001") || line.Contains("to :15001 meta")), Is.EqualTo(families));
        Assert.That(output.Contains('6'), Is.EqualTo(families == 2));
        (_, output) = Coreio(["proxy", "rules", "--undo", "--listen", listen, .. mode.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Assert.That(output.Contains('6'), Is.EqualTo(families == 2));
    }

    [TestCase("--listen 192.0.2.1:80", "--listen: '192.0.2.1:80' is one address")]
    [TestCase("--listen unix:/x", "--listen: 'unix:/x' is no address of the internet with a port")]
    [TestCase("--redirect --transparent", "--redirect: connections come by TPROXY")]
    [TestCase("--ports 80,x", "--ports: '80,x' is no list of ports")]
    [TestCase("--interface a;b", "--interface: 'a;b' is no name of an interface")]
    public void RulesThatCannotBeAreRefused(string line, string message)
    {
        (int exitCode, string output) = Coreio(["proxy", "rules", .. line.Split(' ')]);
        Assert.That(exitCode, Is.EqualTo(64), output);
        Assert.That(output, Does.StartWith("coreio proxy rules: " + message));
    }

    [Test]
    public void ACheckCountsWhatThereIs()
    {
        string file = Path.Combine(_folder, "proxy.conf");
        File.WriteAllText(file, "listen :1\nlisten unix:/x\nto 127.0.0.1:1*3\nroute sni=a.b=127.0.0.1:2\nroute sni=a.b=127.0.0.1:3\n");
        (int exitCode, string output) = Coreio("proxy", "--check", "--config", file, "--to", "127.0.0.1:4");
        Assert.That(exitCode, Is.Zero, output);
        Assert.That(output, Is.EqualTo("the options make sense: 2 listeners, 3 upstreams, 1 route\n"));
    }

    [Test]
    public void AnAddressThatIsTakenIsSaidWithAWayOut()
    {
        using TextServer server = new("answer");
        (int exitCode, string output) = Coreio("proxy", "--listen", server.Address, "--to", "127.0.0.1:1", "--backend", backend);
        Assert.That(exitCode, Is.EqualTo(2), output);
        Assert.That(output, Does.StartWith($"coreio proxy: listen on {server.Address}: address already in use (EADDRINUSE): somebody listens there"));
    }

    private static Socket Connect(int port)
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
        client.Connect(IPAddress.Loopback, port);
        return client;
    }

    private static bool Refuses(int port)
    {
        try
        {
            Connect(port).Dispose();
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    // What a connection answers; it is closed then.
    private static string Ask(Socket client)
    {
        client.Send("x"u8);
        StringBuilder answer = new();
        byte[] bytes = new byte[64];
        int count;
        while ((count = client.Receive(bytes)) > 0)
        {
            answer.Append(Encoding.ASCII.GetString(bytes, 0, count));
        }

        client.Dispose();
        return answer.ToString();
    }

    private static (int ExitCode, string Output) Coreio(params string[] arguments) =>
        Repository.Run("dotnet", [Path.Combine(AppContext.BaseDirectory, "CoreIO.Cli.dll"), .. arguments]);

    private ProxyProcess Start(params string[] arguments) => ProxyProcess.Start([.. arguments, "--backend", backend]);

    /// <summary>Clients that ask one connection after the other, and remember what went wrong.</summary>
    private sealed class Load : IDisposable
    {
        private readonly Thread[] _threads;
        private readonly List<string> _faults = [];
        private readonly HashSet<string> _answers = [];
        private readonly int _port;
        private int _served;
        private volatile bool _end;

        public Load(int port)
        {
            _port = port;
            _threads = [.. Enumerable.Range(0, 4).Select(_ => new Thread(Run) { IsBackground = true })];
            Array.ForEach(_threads, thread => thread.Start());
        }

        public IReadOnlyCollection<string> Answers => _answers;

        /// <summary>Waits until so many more were served, or one failed.</summary>
        public void WaitFor(int more)
        {
            int enough = Volatile.Read(ref _served) + more;
            Assert.That(() => Volatile.Read(ref _served) >= enough || _faults.Count > 0, Is.True.After(30_000, 5));
        }

        /// <summary>Ends it; what went wrong.</summary>
        public List<string> End()
        {
            _end = true;
            Array.ForEach(_threads, thread => thread.Join());
            return _faults;
        }

        public void Dispose() => End();

        private void Run()
        {
            while (!_end)
            {
                string answer;
                try
                {
                    using Socket client = Connect(_port);
                    answer = Ask(client);
                }
                catch (SocketException e)
                {
                    answer = e.SocketErrorCode.ToString();
                }

                lock (_faults)
                {
                    if (answer is "one" or "two")
                    {
                        _answers.Add(answer);
                    }
                    else
                    {
                        _faults.Add(answer.Length == 0 ? "an end without an answer" : answer);
                        return;
                    }
                }

                Interlocked.Increment(ref _served);
            }
        }
    }
}
