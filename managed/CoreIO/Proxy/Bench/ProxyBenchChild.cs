// One contestant as a process: started, waited for until it listens, ended by its number, whatever happens.
using System.Diagnostics;
using System.Globalization;
using CoreIO.Log;

namespace CoreIO.Proxy.Bench;

internal sealed class ProxyBenchChild : IDisposable
{
    private const int Terminate = 15;
    private const int KillSignal = 9;
    private const int LinesKept = 20;
    private const int MessageLength = 300;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    private readonly Process _process;
    private readonly Queue<string> _said = new();
    private readonly string _name;

    private ProxyBenchChild(ProcessStartInfo start)
    {
        start.UseShellExecute = false;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.RedirectStandardInput = true;
        _name = Path.GetFileName(start.FileName);
        _process = Process.Start(start) ?? throw new ProxyBenchFault($"{_name} does not start");
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        _process.StandardInput.Close();
        Tree = new ProcessTree(_process.Id);
    }

    public ProcessTree Tree { get; }

    /// <summary>Starts a process and waits until somebody listens on the port.</summary>
    public static ProxyBenchChild Start(ProcessStartInfo start, int port, CancellationToken cancel)
    {
        ProxyBenchChild child;
        try
        {
            child = new ProxyBenchChild(start);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new ProxyBenchFault($"{Path.GetFileName(start.FileName)} does not start: {e.Message}");
        }

        try
        {
            child.WaitFor(port, cancel);
            return child;
        }
        catch
        {
            child.Dispose();
            throw;
        }
    }

    /// <summary>Fails if it has ended.</summary>
    public void Check()
    {
        if (_process.HasExited)
        {
            throw new ProxyBenchFault($"{_name} ended with {_process.ExitCode.ToString(CultureInfo.InvariantCulture)}{Said()}");
        }
    }

    /// <summary>Sets the congestion control of the sockets that it has now; false where that cannot be done.</summary>
    public bool SetCongestion(string name)
    {
        int count = 0;
        foreach (int pid in Tree.Pids())
        {
            IEnumerable<int> sockets = ProcText.Names($"/proc/{pid}/fd")
                .Where(fd => ProcText.Link($"/proc/{pid}/fd/{fd}")?.StartsWith("socket:", StringComparison.Ordinal) == true)
                .Select(fd => int.Parse(fd, CultureInfo.InvariantCulture));
            int set = LoadSockets.SetCongestionOf(pid, sockets, name);
            if (set < 0)
            {
                return false;
            }

            count += set;
        }

        return count > 0;
    }

    public void Dispose()
    {
        // Descendants outlive a parent that is killed, and are then nobody's: they are looked for while it runs.
        _ = Tree.Pids();
        if (!_process.HasExited)
        {
            LoadSockets.Signal(_process.Id, Terminate);
            if (!_process.WaitForExit(Grace))
            {
                _process.Kill();
                _ = _process.WaitForExit(Grace);
            }
        }

        foreach (int pid in Tree.Survivors())
        {
            LoadSockets.Signal(pid, KillSignal);
        }

        _process.Dispose();
    }

    private void WaitFor(int port, CancellationToken cancel)
    {
        long began = Stopwatch.GetTimestamp();
        while (!Listens(port))
        {
            Check();
            if (Stopwatch.GetElapsedTime(began) > Patience)
            {
                throw new ProxyBenchFault($"{_name} does not listen after {Patience.TotalSeconds} s{Said()}");
            }

            if (cancel.WaitHandle.WaitOne(Moment))
            {
                throw new OperationCanceledException(cancel);
            }
        }
    }

    // Asked without connecting, for the upstream would see the connection. Sockets that listen (state 0A) stand first.
    private static bool Listens(int port)
    {
        string end = $":{port:X4}";
        foreach (string line in File.ReadLines("/proc/net/tcp").Skip(1))
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields[3] != "0A")
            {
                return false;
            }

            if (fields[1].EndsWith(end, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    private void Hear(string? line)
    {
        if (string.IsNullOrWhiteSpace(line))
        {
            return;
        }

        lock (_said)
        {
            _said.Enqueue(line.Trim());
            if (_said.Count > LinesKept)
            {
                _said.Dequeue();
            }
        }
    }

    // The last words of a process say most often why it ended.
    private string Said()
    {
        // What it wrote last is still on its way from the pipe, which its children may hold for as long as they live.
        if (_process.HasExited)
        {
            Thread.Sleep(Moment);
        }

        lock (_said)
        {
            string text = string.Join("; ", _said.TakeLast(2));
            return text.Length == 0 ? "" : ": " + LogText.Escape(text.Length > MessageLength ? text[..MessageLength] + "..." : text);
        }
    }
}
