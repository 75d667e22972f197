// A program beside the tests that goes on until its test ends.
using System.Diagnostics;
using System.Net.Sockets;
using CoreIO.Testing;

namespace CoreIO.Cli.Tests;

internal sealed class Tool : IDisposable
{
    private readonly Process _process;
    private readonly List<string> _said = [];

    private Tool(ProcessStartInfo start)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Skips the test when a program is not to be had.</summary>
    public static void Need(params string[] programs)
    {
        foreach (string program in programs)
        {
            if (Repository.Run("bash", "-c", $"PATH=$PATH:/usr/sbin command -v {program}").ExitCode != 0)
            {
                Assert.Ignore($"needs {program}");
            }
        }
    }

    /// <summary>Starts a program and waits until it says a text.</summary>
    public static Tool Start(string text, string program, params string[] arguments)
    {
        Tool tool = new(new ProcessStartInfo(program, arguments));
        try
        {
            tool.WaitUntilSaid(text);
            return tool;
        }
        catch
        {
            tool.Dispose();
            throw;
        }
    }

    /// <summary>Starts a program and waits until somebody answers at a unix socket.</summary>
    public static Tool Serving(string path, string program, params string[] arguments)
    {
        Tool tool = new(new ProcessStartInfo(program, arguments));
        try
        {
            Assert.That(() => Answers(path), Is.True.After(20_000, 10), () => tool.Said);
            return tool;
        }
        catch
        {
            tool.Dispose();
            throw;
        }
    }

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

    /// <summary>Writes a line to its standard input.</summary>
    public void Tell(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    public void WaitUntilSaid(string text, int times = 1) =>
        Assert.That(() => Said.Split(text).Length - 1, Is.GreaterThanOrEqualTo(times).After(20_000, 10), () => Said);

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.WaitForExit();
        _process.Dispose();
    }

    private static bool Answers(string path)
    {
        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void Hear(string? line)
    {
        lock (_said)
        {
            if (line is not null)
            {
                _said.Add(line);
            }
        }
    }
}
