// The life of a connection: who runs it, and its end. Connection.Look.cs and Connection.Connect.cs have what comes before an upstream is there,
// Connection.Relay.cs the path of the bytes, Connection.Limits.cs the limits of time. The same as native/src/proxy/connection.c and flow.c, for
// threads that come as they like.
//
// Who may do what. A connection has two flows, and each is run by one thread at a time: by the thread that accepted it, by one of the socket
// layer that tells of an operation, or by one of the pool. Before the upstream is there the flow of the client looks at the first bytes, and
// the flow of the upstream connects; after that each carries its bytes, without a lock. `_gate` is held for a moment whenever a flow changes
// hands, ends, or a limit is looked at; nothing blocks under it, and no other lock of a connection is taken.
//
// An end is decided once, by anybody, and carried out when no flow runs: by whoever decides, or by the last one to run. So no socket is closed
// under a call of a flow that runs; a flow that waits may be closed on, even before its operation has begun. It comes back to a connection that
// is over, is not run any more, and gives back its buffer then and not earlier: until then the kernel may read it. All counts are lowered by the
// one who closes.
//
// Whatever a flow throws ends its connection (Guard), and each flow has a guard of its own, for one that nobody runs nor frees would keep the
// connection for ever. Closing throws nothing.
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Managed.Proxy;

internal sealed partial class Connection : IDisposable
{
    private readonly Lock _gate = new();
    private readonly ProxyHouse _house;
    private readonly Listener _listener;
    private readonly Socket _client;
    private readonly Flow _up;
    private readonly Flow _down;
    private readonly long _begin = Clock.Now;
    private InternetAddress _source;
    private InternetAddress _target;
    private Socket? _server;
    private Upstream? _upstream;
    private Phase _phase;
    private ProxyEnd _reason;
    private bool _over;
    private bool _closed;

    // Whether a side had ended when the deadline was set.
    private bool _halfClosed;
    private bool _left;
    private int _error;
    private int _group;

    // While connecting when this try began; then when the upstream was there.
    private long _connect;

    // When a byte last came, or went after a wait; or the first end.
    private long _last;

    // The source it is counted among, 0 for none.
    private ulong _counted;

    private Connection(ProxyHouse house, Listener listener, Socket client, in InternetAddress source)
    {
        _house = house;
        _listener = listener;
        _client = client;
        _source = source;
        _group = listener.Group;
        _last = _begin;
        _up = new Flow(this, fromClient: true);
        _down = new Flow(this, fromClient: false);
    }

    private enum Phase : byte
    {
        /// <summary>Waits for a PROXY header or a ClientHello.</summary>
        Look,
        Connect,
        Relay,
    }

    /// <summary>Its place in the wheel of deadlines, whose lock holds it; -1 for none.</summary>
    internal int Timer { get; set; } = -1;

    /// <summary>Of the list of connections, whose lock holds them.</summary>
    internal Connection? Next { get; set; }

    internal Connection? Previous { get; set; }

    /// <summary>Ends it, unless it has ended already.</summary>
    internal void End(ProxyEnd reason, int error = 0)
    {
        bool close;
        lock (_gate)
        {
            Decide(reason, error);
            close = MayClose();
        }

        if (close)
        {
            Close();
        }
    }

    /// <summary>Ends it with its proxy.</summary>
    public void Dispose() => End(ProxyEnd.Stopped);

    /// <summary>The turn of a flow that has let others go first.</summary>
    internal void Resume(Flow flow) => Guard(static (connection, flow) => connection.Run(flow), flow);

    /// <summary>What a flow has waited for has happened.</summary>
    internal void Completed(Flow flow) => Guard(static (connection, flow) => connection.Go(flow), flow);

    // No exception of a connection may reach the thread, which is another's: it ends the connection.
    private void Guard(Action<Connection, Flow> run, Flow flow)
    {
        try
        {
            run(this, flow);
        }
#pragma warning disable CA1031 // Whatever it is, it belongs to this connection alone.
        catch (Exception e)
#pragma warning restore CA1031
        {
            int error = e switch
            {
                SocketException socket => SocketCalls.Errno(socket.SocketErrorCode),
                OutOfMemoryException => -StatusCode.NoMemory,
                _ => 0,
            };
            End(ProxyEnd.Resources, error);
            if (flow.State == FlowState.Running)
            {
                Leave(flow);
            }
        }
    }

    private void Go(Flow flow)
    {
        Phase phase;
        bool over;
        lock (_gate)
        {
            flow.State = FlowState.Running;
            phase = _phase;
            over = _over;
        }

        if (over)
        {
            Leave(flow);
        }
        else if (phase == Phase.Relay)
        {
            Found(flow);
        }
        else if (phase == Phase.Look)
        {
            Look();
        }
        else if (flow.FromClient)
        {
            ClientStirs();
        }
        else
        {
            Connected();
        }
    }

    private bool IsOver => Volatile.Read(ref _over);

    // Under the lock.
    private void Decide(ProxyEnd reason, int error = 0)
    {
        if (!_over)
        {
            _reason = reason;
            _error = error != 0 ? error : _error;
            Volatile.Write(ref _over, true);
        }
    }

    // Under the lock: whether the caller is the one to close, once it holds it no more.
    private bool MayClose()
    {
        if (!_over || _closed || _up.State == FlowState.Running || _down.State == FlowState.Running)
        {
            return false;
        }

        // From here on nobody makes a flow that waits running again; what it holds is the kernel's to read until it comes back.
        _up.Lingers = _up.State == FlowState.Waiting;
        _down.Lingers = _down.State == FlowState.Waiting;
        return _closed = true;
    }

    // The caller runs a flow no longer.
    private void Leave(Flow flow)
    {
        bool close;
        bool late;
        lock (_gate)
        {
            flow.State = FlowState.Free;
            late = _closed;
            close = MayClose();
        }

        if (close)
        {
            Close();
        }
        else if (late)
        {
            // It was still waiting when the connection was closed.
            flow.Release();
        }
    }

    // Lets the socket layer have a flow; true when the caller runs it no longer, false when what it would wait for has happened. The call is made
    // without the lock, so that who is told at once need not wait for it; an end may come before it, and then it finds the socket closed.
    private bool Await(Flow flow, Func<Flow, Socket, bool> start, Socket socket)
    {
        bool over;
        lock (_gate)
        {
            over = _over;
            flow.State = over ? FlowState.Running : FlowState.Waiting;
            flow.AwaitsClient = socket == _client;
        }

        if (over)
        {
            Leave(flow);
            return true;
        }

        try
        {
            if (start(flow, socket))
            {
                return true;
            }
        }
        catch (ObjectDisposedException)
        {
            // Ended, or a connect that took too long.
        }
        catch
        {
            // It does not wait, and the caller runs it still; unless the connection was closed meanwhile, which then is the end of it.
            if (Closed(flow))
            {
                return true;
            }

            throw;
        }

        return Closed(flow);
    }

    // Takes a flow back that did not have to wait; true when the connection was closed before that, and then the flow is over.
    private bool Closed(Flow flow)
    {
        bool closed;
        lock (_gate)
        {
            closed = _closed;
            flow.State = closed ? FlowState.Free : FlowState.Running;
        }

        if (closed)
        {
            flow.Release();
        }

        return closed;
    }

    // Carries an end out; once, when no flow runs.
    private void Close()
    {
        bool clientAwaited = Awaits(_up, client: true) || Awaits(_down, client: true);
        bool serverAwaited = Awaits(_up, client: false) || Awaits(_down, client: false);
        bool resets = _house.Terms.PassResets;
        try
        {
            _house.Deadlines.Set(this, long.MaxValue);
            // Who reads a record finds it in the counts.
            LeaveUpstream();
            _house.Tally.End(_reason);
            Note();
        }
        finally
        {
            if (_server is { } server)
            {
                SocketCalls.Close(server, resets && _reason == ProxyEnd.ClientReset, serverAwaited);
            }

            SocketCalls.Close(_client, resets && _reason == ProxyEnd.UpstreamReset, clientAwaited);
            GiveUp(_up);
            GiveUp(_down);
            _house.Sources.Leave(_counted);
            _house.Connections.Remove(this);
            _house.Tally.Leave();
        }
    }

    // Gives up what a flow holds, but for the buffer of one that waits: a send of it may be under way, and who takes it back gives it back.
    private void GiveUp(Flow flow)
    {
        flow.CountHeld(_house.Tally, 0);
        if (!flow.Lingers)
        {
            flow.Release();
        }

        // What is still awaited comes back to it, and it is given up after that.
        flow.Dispose();
    }

    // Whether a flow waited for the client, or for the upstream, when the connection was closed.
    private static bool Awaits(Flow flow, bool client) => flow.Lingers && flow.AwaitsClient == client;

    private void Note()
    {
        if (!_house.Journal.Keeps)
        {
            return;
        }

        long duration = Clock.Now - _begin;
        ProxyRecord record = new()
        {
            BeginNs = Clock.Wall - duration,
            DurationNs = duration,
            ConnectNs = _phase == Phase.Relay ? _connect - _begin : -1,
            BytesIn = _up.Received,
            BytesOut = _down.Received,
            Upstream = _upstream?.Index ?? -1,
            Listener = _listener.Index,
            End = _reason,
            Error = _error,
            Retries = _retries,
            SourceFamily = _source.Family,
            SourcePort = _source.Port,
            Source = _source.Bytes,
            TargetFamily = _target.Family,
            TargetPort = _target.Port,
            Target = _target.Bytes,
        };
        if (!_house.Journal.Write(in record))
        {
            Interlocked.Increment(ref _house.Tally.JournalLost);
        }
    }

    // Counts the connection out of its upstream.
    private void LeaveUpstream()
    {
        if (_entered)
        {
            _entered = false;
            _house.Upstreams.Leave(_upstream!, _down.Received, _up.Received);
        }
    }
}
