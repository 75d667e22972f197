// The peer as the bench sees it: one process for all runs, for to start one takes longer than most runs.
using System.Diagnostics;

namespace CoreIO.Mq.Bench;

internal sealed class MqBenchPeerProcess : IDisposable
{
    private readonly Process _process;

    public MqBenchPeerProcess(ProcessStartInfo start)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        _process = Process.Start(start) ?? throw new MqBenchException("the peer's process does not start");
    }

    /// <summary>Lets the peer begin, and returns when it has opened its end.</summary>
    public void Begin(MqBenchPeer.Task task)
    {
        _process.StandardInput.WriteLine(task.ToString());
        _process.StandardInput.Flush();
        Expect(MqBenchPeer.Ready);
    }

    /// <summary>Waits until it has done its part.</summary>
    public void End() => Expect(MqBenchPeer.Done);

    /// <summary>Returns when the process has ended, whenever that is.</summary>
    public void WaitForExit() => _process.WaitForExit();

    public void Dispose()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended before.
        }

        if (!_process.WaitForExit(5000))
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private void Expect(string word)
    {
        string? line = _process.StandardOutput.ReadLine();
        if (line != word)
        {
            throw new MqBenchException("the peer's process " + (line is null ? "ended"
                : line.StartsWith(MqBenchPeer.Fault, StringComparison.Ordinal) ? "failed: " + line[MqBenchPeer.Fault.Length..] : $"said '{line}'"));
        }
    }
}
