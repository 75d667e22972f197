// `coreio proxy` as a process of its own, its standard error read until it says that it listens.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace CoreIO.Cli.Tests;

internal sealed partial class ProxyProcess : IDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "CoreIO.Cli.dll");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly List<string> _said = [];
    private readonly ManualResetEventSlim _listens = new();

    private ProxyProcess(IEnumerable<string> arguments, string? inNamespace)
    {
        string[] words = inNamespace is null ? [] : ["netns", "exec", inNamespace, "dotnet"];
        ProcessStartInfo start = new(inNamespace is null ? "dotnet" : "ip", [.. words, Program, "proxy", .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.BeginErrorReadLine();
        Output = _process.StandardOutput.ReadToEndAsync();
    }

    /// <summary>What it writes on standard output, once it has ended.</summary>
    public Task<string> Output { get; }

    public int Id => _process.Id;

    /// <summary>Everything it has said on standard error.</summary>
    public string Said
    {
        get
        {
            lock (_said)
            {
                return string.Join('\n', _said);
            }
        }
    }

    /// <summary>Starts one and waits until it listens.</summary>
    public static ProxyProcess Start(params string[] arguments) => StartIn(null, arguments);

    /// <summary>The same in a network namespace.</summary>
    public static ProxyProcess StartIn(string? inNamespace, params string[] arguments)
    {
        ProxyProcess proxy = new(arguments, inNamespace);
        if (!proxy._listens.Wait(Patience))
        {
            string said = proxy.Said;
            proxy.Dispose();
            throw new TimeoutException($"coreio proxy {string.Join(' ', arguments)} does not listen: {said}");
        }

        return proxy;
    }

    /// <summary>The port of its first listener.</summary>
    public int Port => int.Parse(ListenLine().Match(Said).Groups["port"].Value, System.Globalization.CultureInfo.InvariantCulture);

    public void Signal(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Waits for its end and returns its exit code.</summary>
    public int WaitForExit()
    {
        Assert.That(_process.WaitForExit(Patience), Is.True, Said);
        _process.WaitForExit();
        return _process.ExitCode;
    }

    /// <summary>Waits until it has said a text so often.</summary>
    public void WaitUntilSaid(string text, int times = 1) => Assert.That(
        () => Said.Split(text).Length - 1, Is.GreaterThanOrEqualTo(times).After(30_000, 20), () => Said);

    public bool HasExited => _process.HasExited;

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.WaitForExit();
        _process.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_said)
        {
            _said.Add(line);
        }

        if (line.Contains("listening on", StringComparison.Ordinal))
        {
            _listens.Set();
        }
    }

    [GeneratedRegex(@"listening on [^,]*?:(?<port>\d+)[, ]")]
    private static partial Regex ListenLine();
}

/// <summary>An upstream on the loopback that answers each connection's first byte with a text and its end.</summary>
internal sealed class TextServer : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly byte[] _text;

    public TextServer(string text)
    {
        _text = System.Text.Encoding.ASCII.GetBytes(text);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(512);
        new Thread(Serve) { IsBackground = true, Name = "text-server" }.Start();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public string Address => $"127.0.0.1:{Port}";

    public void Dispose() => _listener.Dispose();

    private void Serve()
    {
        while (true)
        {
            try
            {
                Socket client = _listener.Accept();
                // One that says nothing yet holds up nobody.
                _ = Task.Run(() => Answer(client));
            }
            catch (SocketException)
            {
                if (!_listener.IsBound)
                {
                    return;
                }
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task Answer(Socket client)
    {
        using (client)
        {
            try
            {
                if (await client.ReceiveAsync(new byte[1]) > 0)
                {
                    await client.SendAsync(_text);
                }
            }
            catch (SocketException)
            {
                // The test has ended before the connection.
            }
        }
    }
}
