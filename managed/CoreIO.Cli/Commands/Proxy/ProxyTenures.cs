// The proxy of now and those before it, whose connections still end: what they did together, and the log of all of them.
using System.Runtime.InteropServices;
using System.Text;
using CoreIO.Cli.Shell;
using CoreIO.Cli.Show;
using CoreIO.Proxy;

namespace CoreIO.Cli.Commands;

internal sealed class ProxyTenures : IDisposable
{
    private const int Batch = 256;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private readonly Lock _lock = new();
    private readonly List<(TcpProxy Proxy, Task Drained)> _former = [];
    private readonly Stream? _log;
    private readonly Thread? _writer;
    private readonly ManualResetEventSlim _ended = new();
    private readonly Action<string> _say;
    private readonly ProxyRecord[] _records = new ProxyRecord[Batch];
    private TcpProxy? _current;
    private ProxyCounters _past;
    private long _lostTold;
    private long _unwritten;

    /// <param name="log">Where finished connections are written to; - is standard output, null nowhere.</param>
    /// <param name="say">Tells what goes wrong.</param>
    public ProxyTenures(string? log, Action<string> say)
    {
        _say = say;
        _log = log switch
        {
            null => null,
            "-" => StandardOutput.Open(),
            _ => OpenLog(log),
        };
        if (_log is not null)
        {
            _writer = new Thread(WriteOn) { Name = "coreio-log", IsBackground = true };
            _writer.Start();
        }
    }

    /// <summary>The proxy of now.</summary>
    public TcpProxy Current => _current!;

    /// <summary>What all of them have done.</summary>
    public ProxyCounters Counters
    {
        get
        {
            lock (_lock)
            {
                ProxyCounters sum = _past;
                Add(ref sum, _current!.Counters);
                foreach ((TcpProxy proxy, _) in _former)
                {
                    Add(ref sum, proxy.Counters);
                }

                return sum;
            }
        }
    }

    /// <summary>A proxy takes the place of the one before, which drains.</summary>
    public void Begin(TcpProxy proxy, TimeSpan? drain = null)
    {
        lock (_lock)
        {
            Settle();
            if (_current is not null)
            {
                _former.Add((_current, _current.DrainAsync(drain)));
            }

            _current = proxy;
        }
    }

    /// <summary>Waits until all connections have ended, or the time is over.</summary>
    public Task DrainAsync(TimeSpan timeout)
    {
        lock (_lock)
        {
            return Task.WhenAll([_current!.DrainAsync(timeout), .. _former.Select(f => f.Drained)]);
        }
    }

    // Writes what has finished, and lets those go whose last connection has.
    private void Settle()
    {
        Write(_current);
        for (int i = _former.Count - 1; i >= 0; i--)
        {
            (TcpProxy proxy, Task drained) = _former[i];
            bool ended = drained.IsCompleted;
            Write(proxy);
            if (ended)
            {
                Add(ref _past, proxy.Counters);
                proxy.Dispose();
                _former.RemoveAt(i);
            }
        }

        TellLost();
    }

    public void Dispose()
    {
        _ended.Set();
        _writer?.Join();
        lock (_lock)
        {
            // Connections that end with the proxy are written, too.
            TcpProxy[] all = [.. _former.Select(former => former.Proxy), .. _current is null ? [] : (TcpProxy[])[_current]];
            foreach (TcpProxy proxy in all)
            {
                proxy.Stop();
                Write(proxy);
            }

            TellLost();
            TellUnwritten();
            Array.ForEach(all, proxy => proxy.Dispose());
            CloseLog();
        }

        _ended.Dispose();
    }

    private void CloseLog()
    {
        try
        {
            _log?.Dispose();
        }
        catch (Exception e) when (e is IOException or OutputException or ClosedPipeException)
        {
            // Said when it was written.
        }
    }

    private static FileStream OpenLog(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FileFault.Of($"--log: {path}", path, e);
        }
    }

    private void WriteOn()
    {
        while (!_ended.Wait(Look))
        {
            lock (_lock)
            {
                Settle();
            }
        }
    }

    private void Write(TcpProxy? proxy)
    {
        if (_log is null || proxy is null)
        {
            return;
        }

        StringBuilder lines = new();
        int count;
        while ((count = proxy.ReadJournal(_records)) > 0)
        {
            foreach (ref readonly ProxyRecord record in _records.AsSpan(0, count))
            {
                ProxyLogLine.Append(lines, record, proxy);
            }

            Append(lines.ToString(), count);
            lines.Clear();
        }
    }

    private void TellLost()
    {
        long lost = _log is null || _current is null ? 0 : Counters.JournalLost;
        if (lost > _lostTold)
        {
            _say($"--log: {lost - _lostTold} finished connections were not written: they came faster than they could be");
            _lostTold = lost;
        }
    }

    // A disk that is full may have room later, so writing goes on; what was not written is told once it does, or at the end.
    private void Append(string lines, int count)
    {
        try
        {
            _log!.Write(Encoding.UTF8.GetBytes(lines));
            _log.Flush();
            TellUnwritten();
        }
        catch (Exception e) when (e is IOException or OutputException or ClosedPipeException)
        {
            if (_unwritten == 0)
            {
                _say($"--log: {e.Message}");
            }

            _unwritten += count;
        }
    }

    private void TellUnwritten()
    {
        if (_unwritten > 0)
        {
            _say($"--log: {_unwritten} finished connections could not be written");
            _unwritten = 0;
        }
    }

    private static void Add(ref ProxyCounters sum, ProxyCounters more)
    {
        // All members are 64-bit sums, one behind the other.
        Span<long> to = MemoryMarshal.Cast<ProxyCounters, long>(MemoryMarshal.CreateSpan(ref sum, 1));
        ReadOnlySpan<long> from = MemoryMarshal.Cast<ProxyCounters, long>(MemoryMarshal.CreateReadOnlySpan(in more, 1));
        for (int i = 0; i < to.Length; i++)
        {
            to[i] += from[i];
        }
    }
}
