// Transparent proxies where they work: a client, a router with the proxy, and a server, each a network namespace, joined by veth pairs. The router
// drops what is only forwarded, so a connection that arrives has gone through the proxy. The rules are those that `coreio proxy rules` prints.
using System.Diagnostics;
using System.Runtime.Versioning;
using CoreIO.Testing;

namespace CoreIO.Cli.Tests;

[TestFixture(CoreBackends.NativeName)]
[TestFixture(CoreBackends.ManagedName)]
[SupportedOSPlatform("linux")]
public sealed class ProxyNamespaceTests(string backend)
{
    private const string ServerAddress = "10.211.2.2";
    private const string ServerAddress6 = "fd21:2::2";
    private const string ClientAddress = "10.211.1.2";
    private const string ClientAddress6 = "fd21:1::2";
    private const string RouterAddress = "10.211.2.1";
    private const string RouterAddress6 = "fd21:2::1";

    // Answers each connection with the address it came from.
    private const string Server = """
        import os, socket, threading
        def serve(family, address):
            listener = socket.socket(family)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, 8080))
            listener.listen(16)
            os.write(1, b'ready\n')
            while True:
                client, peer = listener.accept()
                client.recv(16)
                client.sendall(peer[0].encode())
                client.close()
        threading.Thread(target=serve, args=(socket.AF_INET, '10.211.2.2'), daemon=True).start()
        serve(socket.AF_INET6, 'fd21:2::2')
        """;

    private const string Client = """
        import socket, sys
        client = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5)
        client.sendall(b'x')
        answer = b''
        while True:
            try:
                part = client.recv(64)
            except ConnectionResetError:
                # What the proxy had not read when it closed.
                part = b''
            if not part:
                break
            answer += part
        print(answer.decode())
        """;

    private readonly string _id = Environment.ProcessId.ToString("x", System.Globalization.CultureInfo.InvariantCulture);
    private Process? _server;

    private string In(string place) => $"coreio-{place}{_id}";

    [SetUp]
    public void Prepare()
    {
        if (backend == CoreBackends.NativeName && !CoreBackends.HasNative)
        {
            Assert.Ignore("this build has no native backend");
        }

        if (!Environment.IsPrivilegedProcess)
        {
            Assert.Ignore("making network namespaces needs root");
        }

        foreach (string tool in (string[])["ip", "nft", "python3"])
        {
            if (Repository.Run("bash", "-c", $"command -v {tool}").ExitCode != 0)
            {
                Assert.Ignore($"needs {tool}");
            }
        }

        (int exitCode, string output) = Bash($"""
            for n in {In("c")} {In("r")} {In("s")}; do ip netns add $n && ip -n $n link set lo up; done
            ip -n {In("r")} link add front type veth peer name e0 netns {In("c")}
            ip -n {In("r")} link add back type veth peer name e0 netns {In("s")}
            ip -n {In("c")} addr add {ClientAddress}/24 dev e0
            ip -n {In("r")} addr add 10.211.1.1/24 dev front
            ip -n {In("s")} addr add {ServerAddress}/24 dev e0
            ip -n {In("r")} addr add {RouterAddress}/24 dev back
            ip -n {In("c")} addr add {ClientAddress6}/64 dev e0 nodad
            ip -n {In("r")} addr add fd21:1::1/64 dev front nodad
            ip -n {In("s")} addr add {ServerAddress6}/64 dev e0 nodad
            ip -n {In("r")} addr add {RouterAddress6}/64 dev back nodad
            ip -n {In("c")} link set e0 up; ip -n {In("r")} link set front up; ip -n {In("r")} link set back up; ip -n {In("s")} link set e0 up
            ip -n {In("c")} route add default via 10.211.1.1; ip -n {In("s")} route add default via {RouterAddress}
            ip -n {In("c")} route add default via fd21:1::1; ip -n {In("s")} route add default via {RouterAddress6}
            ip netns exec {In("r")} sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'
            ip netns exec {In("r")} nft -f - <<'END'
            table inet closed {"{"}
              chain through {"{"}
                type filter hook forward priority filter
                meta l4proto tcp drop
              {"}"}
            {"}"}
            END
            """);
        Assert.That(exitCode, Is.Zero, output);
        _server = Process.Start(new ProcessStartInfo("ip", ["netns", "exec", In("s"), "python3", "-c", Server]) { RedirectStandardOutput = true })!;
        Assert.That(_server.StandardOutput.ReadLine(), Is.EqualTo("ready"));
        Assert.That(_server.StandardOutput.ReadLine(), Is.EqualTo("ready"));
    }

    [TearDown]
    public void CleanUp()
    {
        _server?.Kill(entireProcessTree: true);
        _server?.WaitForExit();
        _server?.Dispose();
        _server = null;
        _ = Repository.Run("bash", "-c", $"for n in {In("c")} {In("r")} {In("s")}; do ip netns del $n; done 2>/dev/null");
    }

    [Test]
    public void WithoutAProxyNothingGetsThrough() => Assert.That(Ask(ServerAddress, 8080).ExitCode, Is.Not.Zero);

    [TestCase(false, RouterAddress, RouterAddress6)]
    [TestCase(true, ClientAddress, ClientAddress6)]
    public void ConnectionsGoWhereTheyWereGoing(bool spoof, string from, string from6)
    {
        Rules("--transparent");
        using ProxyProcess proxy = ProxyProcess.StartIn(
            In("r"), ["--listen", "[::]:15001", "--transparent", "--log", "-", "--backend", backend, .. spoof ? (string[])["--spoof"] : []]);
        Expect(from, from6);
        // Every thread has CAP_NET_RAW and nothing else, and can get nothing else.
        Assert.That(Rights(proxy), Is.EqualTo((string[])["CapBnd: 2000", "CapEff: 2000", "CapPrm: 2000"]));
        // One that comes to the proxy itself would come back for ever.
        Assert.That(Ask("10.211.1.1", 15001), Is.EqualTo((0, "\n")));
    }

    [TestCase("--transparent")]
    [TestCase("--spoof --to 127.0.0.1:1")]
    public void WithoutTheCapabilityItSaysWhichItNeeds(string options)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "CoreIO.Cli.dll");
        (int exitCode, string output) = Repository.Run("setpriv", ["--bounding-set", "-all", "--inh-caps", "-all", "dotnet", program,
            "proxy", "--listen", "127.0.0.1:0", "--backend", backend, .. options.Split(' ')]);
        Assert.That(exitCode, Is.EqualTo(2), output);
        Assert.That(output, Does.Contain("EPERM").And.Contain("needs CAP_NET_RAW or CAP_NET_ADMIN"));
    }

    // It executes itself, and would find it empty then.
    [Test]
    public void AConfigThatCannotBeReadTwiceIsRefused()
    {
        string program = Path.Combine(AppContext.BaseDirectory, "CoreIO.Cli.dll");
        (int exitCode, string output) = Bash(
            $"set +e; dotnet '{program}' proxy --backend {backend} --config <(printf 'listen 127.0.0.1:0\nredirect\n') 2>&1; echo $?");
        Assert.That(exitCode, Is.Zero);
        Assert.That(output, Does.Contain("is no plain file").And.EndsWith("64\n"));
    }

    [Test]
    public void RedirectedConnectionsFindTheirDestination()
    {
        Rules("--redirect");
        using ProxyProcess proxy = ProxyProcess.StartIn(In("r"), "--listen", "[::]:15001", "--redirect", "--backend", backend);
        Expect(RouterAddress, RouterAddress6);
        Assert.That(Rights(proxy), Is.EqualTo((string[])["CapBnd: 0", "CapEff: 0", "CapPrm: 0"]));
        Assert.That(Ask("10.211.1.1", 15001), Is.EqualTo((0, "\n")));
    }

    private void Expect(string from, string from6)
    {
        Assert.That(Ask(ServerAddress, 8080), Is.EqualTo((0, from + "\n")));
        Assert.That(Ask(ServerAddress6, 8080), Is.EqualTo((0, from6 + "\n")));
    }

    private static string[] Rights(ProxyProcess proxy) =>
    [
        .. Directory.GetDirectories($"/proc/{proxy.Id}/task")
            .SelectMany(task => File.ReadLines(task + "/status"))
            .Where(line => line.StartsWith("CapPrm", StringComparison.Ordinal) || line.StartsWith("CapEff", StringComparison.Ordinal)
                || line.StartsWith("CapBnd", StringComparison.Ordinal))
            .Select(line => $"{line[..7]} {Convert.ToUInt64(line[7..].Trim(), 16):x}")
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];

    private (int ExitCode, string Output) Ask(string address, int port)
    {
        (int exitCode, string output) = Repository.Run("ip", "netns", "exec", In("c"), "python3", "-c", Client, address,
            port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return exitCode == 0 ? (0, output) : (exitCode, "");
    }

    private void Rules(string mode)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "CoreIO.Cli.dll");
        (int exitCode, string output) = Bash(
            $"dotnet '{program}' proxy rules {mode} --listen '[::]:15001' --interface front | ip netns exec {In("r")} sh -e");
        Assert.That(exitCode, Is.Zero, output);
        // They can be taken back, and set again.
        (exitCode, output) = Bash(
            $"for a in --undo ''; do dotnet '{program}' proxy rules {mode} --listen '[::]:15001' --interface front $a | ip netns exec {In("r")} sh -e; done");
        Assert.That(exitCode, Is.Zero, output);
    }

    private static (int ExitCode, string Output) Bash(string script) => Repository.Run("bash", "-e", "-o", "pipefail", "-c", script);
}
