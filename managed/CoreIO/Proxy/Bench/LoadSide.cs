// One side of the load: a thread with an event loop. Both sides are the same for every contestant.
//
// Hot path: nothing allocates once there have been as many connections at a time as there will be. Counters are written by the thread
// of the side alone and read by the bench's.
using CoreIO.Loop;

namespace CoreIO.Proxy.Bench;

internal abstract class LoadSide : IDisposable
{
    private const int Batch = 256;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    private readonly EventLoop _loop = new();
    private readonly LoopEvent[] _events = new LoopEvent[Batch];
    private readonly List<LoadConnection> _all = [];
    private readonly Stack<LoadConnection> _free = [];
    private readonly Thread _thread;
    private volatile Exception? _fault;
    private volatile bool _stop;

    protected LoadSide(string name) => _thread = new Thread(Run) { Name = name, IsBackground = true };

    /// <summary>What went wrong; null for nothing.</summary>
    public Exception? Fault => _fault;

    protected EventLoop Loop => _loop;

    /// <summary>Connections that are open.</summary>
    protected int Live => _all.Count - _free.Count;

    public void Start() => _thread.Start();

    /// <summary>Ends the thread and closes what is open.</summary>
    public void Dispose()
    {
        _stop = true;
        if (_thread.IsAlive)
        {
            _loop.Wake();
            _thread.Join();
        }

        _loop.Dispose();
        foreach (LoadConnection connection in _all)
        {
            if (!connection.IsInvalid)
            {
                LoadSockets.Close(connection.Socket);
            }

            connection.Dispose();
        }

        Closing();
        GC.SuppressFinalize(this);
    }

    protected void Wake() => _loop.Wake();

    /// <summary>On the thread of the side, before the first event.</summary>
    protected abstract void Begin();

    /// <summary>A connection is ready.</summary>
    protected abstract void On(LoadConnection connection, LoopInterest ready);

    /// <summary>An event of a watch that is no connection.</summary>
    protected virtual void OnOther(long data)
    {
    }

    /// <summary>After each batch of events.</summary>
    protected virtual void AfterBatch()
    {
    }

    /// <summary>What else is to be closed.</summary>
    protected virtual void Closing()
    {
    }

    protected LoadConnection Add(int socket, LoopInterest interest)
    {
        if (!_free.TryPop(out LoadConnection? connection))
        {
            connection = new LoadConnection(_all.Count);
            _all.Add(connection);
        }

        connection.Hold(socket);
        connection.Watch = _loop.Add(connection, interest, connection.Slot);
        return connection;
    }

    protected void Close(LoadConnection connection)
    {
        _ = _loop.Remove(connection.Watch);
        LoadSockets.Close(connection.Socket);
        connection.Leave();
        connection.Watch = 0;
        _free.Push(connection);
    }

    protected static ProxyBenchFault Failed(string what, int status) => new($"{what}: {StatusCode.Describe(status)}");

    private void Run()
    {
        try
        {
            Begin();
            while (!_stop)
            {
                int count = _loop.Wait(_events, Patience);
                for (int i = 0; i < count; i++)
                {
                    ref LoopEvent happened = ref _events[i];
                    if (happened.Kind != LoopEventKind.Descriptor)
                    {
                        continue;
                    }

                    if (happened.Data < 0)
                    {
                        OnOther(happened.Data);
                    }
                    else if (_all[(int)happened.Data] is { } connection && connection.Watch == happened.Id)
                    {
                        // Of a connection that was closed in the same batch nothing is left to do.
                        On(connection, happened.Ready);
                    }
                }

                AfterBatch();
            }
        }
        catch (Exception e)
        {
            // The bench looks at it, and says it.
            _fault = e;
        }
    }
}
