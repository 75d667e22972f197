// Programs that people run through a proxy, unchanged: what they say when something is lost, late or doubled is the test.
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text.Json;
using CoreIO.Testing;

namespace CoreIO.Cli.Tests;

[SupportedOSPlatform("linux")]
[TestFixture(CoreBackends.NativeName)]
[TestFixture(CoreBackends.ManagedName)]
public sealed class ProxyToolsTests(string backend)
{
    private const int MegaBytes = 20;

    private string _folder = "";

    [SetUp]
    public void Prepare()
    {
        if (backend == CoreBackends.NativeName && !CoreBackends.HasNative)
        {
            Assert.Ignore("this build has no native backend");
        }

        _folder = Directory.CreateTempSubdirectory("coreio-tools").FullName;
        // Workers of nginx may be somebody else.
        File.SetUnixFileMode(_folder, (UnixFileMode)0x1FF);
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
    public void Curl_gets_and_puts_a_large_file()
    {
        Tool.Need("curl", "nginx");
        using Tool nginx = Nginx($$"""
            server { listen unix:{{At("back")}}; root {{At("files")}}; client_max_body_size 64m; location / { dav_methods PUT; } }
            """, "back");
        Directory.CreateDirectory(At("files"));
        byte[] bytes = new byte[MegaBytes << 20];
        new Random(20).NextBytes(bytes);
        File.WriteAllBytes(At("files/down"), bytes);
        using ProxyProcess proxy = Proxy("back");
        Run("curl", "-sSf", "-m", "20", "-o", At("got"), $"http://127.0.0.1:{proxy.Port}/down");
        Assert.That(File.ReadAllBytes(At("got")).AsSpan().SequenceEqual(bytes), Is.True);
        Run("curl", "-sSf", "-m", "20", "-T", At("got"), $"http://127.0.0.1:{proxy.Port}/up");
        Assert.That(File.ReadAllBytes(At("files/up")).AsSpan().SequenceEqual(bytes), Is.True);
        // Both at once, some of each, and requests one after the other on one connection.
        Run("bash", "-c", $"""
            set -e
            for i in 1 2 3; do
                curl -sSf -m 20 -o {At("a")}$i http://127.0.0.1:{proxy.Port}/down & pids="$pids $!"
                curl -sSf -m 20 -T {At("got")} http://127.0.0.1:{proxy.Port}/up$i & pids="$pids $!"
            done
            for pid in $pids; do wait $pid; done
            for i in 1 2 3; do cmp {At("got")} {At("a")}$i; cmp {At("got")} {At("files/up")}$i; done
            """);
        string urls = $"http://127.0.0.1:{proxy.Port}/down?[1-20]";
        string counts = Run("curl", "-sSf", "-m", "20", "-r", "0-999", "-o", "/dev/null", "-w", "%{num_connects} %{size_download}\\n", urls);
        string[] lines = counts.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines[0], Is.EqualTo("1 1000"));
        Assert.That(lines[1..], Is.All.EqualTo("0 1000"));
    }

    [Test]
    public void Redis_is_used_and_loaded()
    {
        Tool.Need("redis-server", "redis-cli", "redis-benchmark");
        using Tool redis = Tool.Serving(At("back"), "redis-server", "--port", "0", "--unixsocket", At("back"), "--save", "", "--dir", _folder);
        using ProxyProcess proxy = Proxy("back");
        string port = proxy.Port.ToString(CultureInfo.InvariantCulture);
        File.WriteAllText(At("session"), "SET word hello\nAPPEND word ', you'\nGET word\nINCR count\nINCR count\nSTRLEN word\n");
        Assert.That(Run("bash", "-c", $"redis-cli -p {port} < {At("session")}"), Is.EqualTo("OK\n10\nhello, you\n1\n2\n10\n"));
        Run("bash", "-c", $"head -c 3000000 /dev/urandom > {At("big")} && redis-cli -p {port} -x SET big < {At("big")} "
            + $"&& redis-cli -p {port} GET big | head -c 3000000 | cmp - {At("big")}");
        string output = Run("redis-benchmark", "-p", port, "-n", "10000", "-c", "40", "-P", "4", "-t", "set,get,lrange_100", "-q");
        Assert.That(output, Does.Contain("SET:").And.Contain("GET:").And.Contain("LRANGE_100"));
        Assert.That(output, Does.Not.Contain("rror"));
    }

    [TestCase("")]
    [TestCase("-R")]
    [TestCase("--bidir")]
    public void Iperf3_measures(string direction)
    {
        Tool.Need("iperf3");
        int port = FreePort.Take();
        using Tool server = Tool.Start("Server listening", "iperf3", "-s", "-1", "--forceflush", "-B", "127.0.0.1", "-p",
            port.ToString(CultureInfo.InvariantCulture));
        // Which way a stream goes iperf3 takes from the order in which its connections arrive, which several workers do not keep.
        using ProxyProcess proxy = ProxyProcess.Start(
            "--listen", "127.0.0.1:0", "--to", $"127.0.0.1:{port}", "--workers", "1", "--backend", backend);
        string[] way = direction.Length == 0 ? [] : [direction];
        string output = Run("iperf3", ["-c", "127.0.0.1", "-p", proxy.Port.ToString(CultureInfo.InvariantCulture), "-t", "1", "-P", "2", "-J", .. way]);
        using JsonDocument document = JsonDocument.Parse(output);
        JsonElement end = document.RootElement.GetProperty("end");
        Assert.That(end.GetProperty("sum_received").GetProperty("bytes").GetInt64(), Is.GreaterThan(10_000_000));
        if (direction == "--bidir")
        {
            Assert.That(end.GetProperty("sum_received_bidir_reverse").GetProperty("bytes").GetInt64(), Is.GreaterThan(10_000_000));
        }
    }

    [Test]
    public void TLS_clients_come_to_the_server_that_they_name()
    {
        Tool.Need("curl", "nginx", "openssl");
        Run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test",
            "-keyout", At("key"), "-out", At("cert"));
        string[] names = ["one", "two", "other"];
        using Tool nginx = Nginx(string.Join('\n', names.Select(name => $$"""
            server { listen unix:{{At(name)}} ssl; ssl_certificate {{At("cert")}}; ssl_certificate_key {{At("key")}}; return 200 "{{name}}\n"; }
            """)), "other");
        using ProxyProcess proxy = ProxyProcess.Start("--listen", "127.0.0.1:0", "--to", $"unix:{At("other")}", "--backend", backend,
            "--route", $"sni=one.example=unix:{At("one")},sni=*.two.example=unix:{At("two")}");
        foreach ((string host, string answer) in
            ((string, string)[])[("one.example", "one"), ("a.Two.example", "two"), ("two.example", "other"), ("x.org", "other")])
        {
            Assert.That(Run("curl", "-sSfk", "-m", "20", "--resolve", $"{host}:{proxy.Port}:127.0.0.1", $"https://{host}:{proxy.Port}/"),
                Is.EqualTo(answer + "\n"), host);
        }

        string request = "printf 'GET / HTTP/1.0\\r\\n\\r\\n'; sleep 0.2";
        Assert.That(Run("bash", "-c",
            $"({request}) | openssl s_client -quiet -connect 127.0.0.1:{proxy.Port} -servername a.two.example 2>/dev/null"), Does.EndWith("two\n"));
        Assert.That(Run("bash", "-c",
            $"({request}) | openssl s_client -quiet -connect 127.0.0.1:{proxy.Port} -noservername 2>/dev/null"), Does.EndWith("other\n"));
    }

    private static string Run(string program, params string[] arguments)
    {
        (int exitCode, string output) = Repository.Run(program, arguments);
        Assert.That(exitCode, Is.Zero, output);
        return output;
    }

    private string At(string name) => Path.Combine(_folder, name);

    private ProxyProcess Proxy(string upstream) =>
        ProxyProcess.Start("--listen", "127.0.0.1:0", "--to", $"unix:{At(upstream)}", "--backend", backend);

    /// <summary>Starts nginx with servers, the last of which listens at a path.</summary>
    private Tool Nginx(string servers, string last)
    {
        File.WriteAllText(At("nginx.conf"), $$"""
            daemon off;
            master_process off;
            pid {{At("pid")}};
            error_log stderr;
            events { worker_connections 256; }
            http {
              access_log off;
              client_body_temp_path {{At("body")}};
              proxy_temp_path {{At("proxy")}};
              fastcgi_temp_path {{At("fastcgi")}};
              uwsgi_temp_path {{At("uwsgi")}};
              scgi_temp_path {{At("scgi")}};
              {{servers}}
            }
            """);
        string program = File.Exists("/usr/sbin/nginx") ? "/usr/sbin/nginx" : "nginx";
        return Tool.Serving(At(last), program, "-c", At("nginx.conf"), "-e", "stderr", "-p", _folder);
    }
}
