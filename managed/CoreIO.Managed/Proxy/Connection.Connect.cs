// The tries to connect to an upstream, and the client that waits meanwhile.
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Managed.Proxy;

internal sealed partial class Connection
{
    // Upstreams that were tried, a bit for each index modulo 64.
    private ulong _tried;
    private int _retries;

    // Whether it is counted among the connections of its upstream.
    private bool _entered;
    private bool _timedOut;

    // Lets the client wait, and connects: the flow of the client, which is run, is given up, and that of the upstream is run instead.
    private void Connect()
    {
        bool over;
        lock (_gate)
        {
            _phase = Phase.Connect;
            _connect = Clock.Now;
            over = _over;
            if (!over)
            {
                _down.State = FlowState.Running;
            }
        }

        // Each half fails by itself: the flow of the upstream has to be run whatever happens to that of the client.
        Guard(static (connection, _) => connection.AwaitClient(), _up);
        if (!over)
        {
            Guard(static (connection, _) => connection.ConnectNext(), _down);
        }
    }

    // Lets the client wait for its upstream. Runs its flow.
    private void AwaitClient()
    {
        bool told = (_up.Bits & FlowBits.Ended) != 0 || _up.Length > 0;
        if (IsOver || told || !Await(_up, static (flow, client) => flow.AwaitBytes(client), _client))
        {
            Stir(told);
        }
    }

    // The client has said something before there was an upstream, or has ended. Runs its flow.
    private void ClientStirs() => Stir(told: false);

    // Looks whether the client is still there, and gives its flow up until the upstream is; what it has sent wants an answer, and if that is
    // nothing it gets a moment. When the upstream has come meanwhile the flow goes on.
    private void Stir(bool told)
    {
        SocketError error = told ? SocketError.Success : _up.SocketError;
        bool left = false;
        if (!told && error == SocketError.Success)
        {
            Span<byte> peeked = stackalloc byte[1];
            left = _client.Receive(peeked, SocketFlags.Peek, out error) == 0 && error == SocketError.Success;
        }

        bool relays;
        bool close = false;
        lock (_gate)
        {
            relays = _phase == Phase.Relay;
            if (!relays && error is not (SocketError.Success or SocketError.WouldBlock))
            {
                Decide(ProxyEnd.ClientGone, SocketCalls.Errno(error));
            }

            if (!relays && left)
            {
                _left = true;
                _error = 0;
                Volatile.Write(ref _last, Clock.Now);
                Arm();
            }

            if (!relays)
            {
                // From here on it is whose who brings the upstream.
                _up.State = FlowState.Free;
                close = MayClose();
            }
        }

        if (relays)
        {
            Found(_up);
        }
        else if (close)
        {
            Close();
        }
    }

    // Connects to the next upstream that takes it, or ends the connection. Runs the flow of the upstream.
    private void ConnectNext()
    {
        while (!IsOver && NextUpstream(out SocketName? name, out bool spoof))
        {
            int status = Open(name!, spoof);
            if (status < 0 && SocketCalls.Exhausted(status))
            {
                End(ProxyEnd.Resources, -status);
                Leave(_down);
                _house.Thread!.RestFor();
                return;
            }

            if (status > 0)
            {
                Established();
                return;
            }

            int error = -status;
            if (status == 0)
            {
                if (Await(_down, static (flow, server) => flow.AwaitConnect(server), _server!))
                {
                    return;
                }

                error = Outcome();
                if (error == 0)
                {
                    Established();
                    return;
                }
            }

            Failed(error);
        }

        End(_tried == 0 ? ProxyEnd.NoUpstream : _error == -StatusCode.TimedOut ? ProxyEnd.ConnectTimeout : ProxyEnd.ConnectFailed);
        Leave(_down);
    }

    // A connect that was awaited has ended. Runs the flow of the upstream.
    private void Connected()
    {
        int error = Outcome();
        if (error == 0)
        {
            Established();
            return;
        }

        Failed(error);
        ConnectNext();
    }

    // How a connect that was awaited has ended: 0 or an errno.
    private int Outcome()
    {
        lock (_gate)
        {
            if (_timedOut)
            {
                _timedOut = false;
                return -StatusCode.TimedOut;
            }
        }

        return _down.SocketError == SocketError.Success ? 0 : SocketCalls.Errno(_down.SocketError);
    }

    // Notes that a try has failed.
    private void Failed(int error)
    {
        _error = error;
        _retries++;
        Interlocked.Increment(ref _house.Tally.Retries);
        if (_upstream is not null)
        {
            _house.Upstreams.Failed(_upstream, check: false, error, Clock.Now);
        }

        LeaveUpstream();
        Socket? server;
        lock (_gate)
        {
            server = _server;
            _server = null;
        }

        server?.Dispose();
    }

    // Where the next try goes; false when there is nowhere left to go.
    private bool NextUpstream(out SocketName? name, out bool spoof)
    {
        name = null;
        spoof = _listener.Spoof;
        if (_listener.Led && !_house.Upstreams.Has(_group))
        {
            name = _tried == 0 ? SocketName.Of(in _target) : null;
            _tried = 1;
            return name is not null;
        }

        if (_retries >= _house.Terms.ConnectTries)
        {
            return false;
        }

        _upstream = _house.Upstreams.Choose(_group, _source.Source, _tried, Clock.Now);
        if (_upstream is null)
        {
            return false;
        }

        _tried |= 1UL << (_upstream.Index % 64);
        name = _upstream.Name;
        spoof |= _upstream.Spoof;
        return true;
    }

    // Opens a socket and begins to connect it: 1 when it is connected, 0 when that is under way, or -errno, and then there is none.
    private int Open(SocketName name, bool spoof)
    {
        Socket server;
        try
        {
            AddressFamily family = name.Family switch
            {
                InternetAddress.Unix => AddressFamily.Unix,
                InternetAddress.Version4 => AddressFamily.InterNetwork,
                _ => AddressFamily.InterNetworkV6,
            };
            server = new Socket(family, SocketType.Stream, name.IsUnix ? ProtocolType.Unspecified : ProtocolType.Tcp) { Blocking = false };
        }
        catch (SocketException e)
        {
            return -e.NativeErrorCode;
        }

        int status = SocketCalls.Connect(
            (int)server.SafeHandle.DangerousGetHandle(), name, spoof ? _source : default, _house.Terms.Congestion);
        if (status < 0)
        {
            server.Dispose();
            return status;
        }

        if (_upstream is not null)
        {
            _house.Upstreams.Enter(_upstream);
            _entered = true;
        }

        lock (_gate)
        {
            _server = server;
            _connect = Clock.Now;
            Arm();
        }

        return status;
    }

    // The upstream is there: tells it who comes, and lets bytes pass. Runs the flow of the upstream.
    private void Established()
    {
        Interlocked.Increment(ref _house.Tally.Connected);
        if (_upstream is not null)
        {
            _house.Upstreams.Succeeded(_upstream, check: false);
        }

        int failed = _upstream is { Header: not ProxyHeader.None } ? SendHeader(_upstream.Header) : 0;
        if (_up.Length > 0)
        {
            // What the first look has kept counts once it is on its way.
            Count(_up, _up.Length);
        }

        bool run;
        lock (_gate)
        {
            _phase = Phase.Relay;
            _connect = Clock.Now;
            if (!_over)
            {
                // Tries that failed are counted; their errno is their upstream's, and not how this ends.
                _error = 0;
            }

            Volatile.Write(ref _last, _connect);
            if (failed != 0)
            {
                Decide(ProxyEnd.UpstreamReset, failed);
            }

            Arm();
            run = !_over && _up.State == FlowState.Free;
            if (run)
            {
                _up.State = FlowState.Running;
            }
        }

        if (run)
        {
            Guard(static (connection, flow) => connection.Run(flow), _up);
        }

        Wait(_down);
    }

    // Sends the header: 0 or an errno.
    private int SendHeader(ProxyHeader version)
    {
        if (_target.Family == 0)
        {
            _target = SocketCalls.Local((int)_client.SafeHandle.DangerousGetHandle());
        }

        Span<byte> header = stackalloc byte[HeaderCodec.LongestWritten];
        int length = HeaderCodec.Write(version == ProxyHeader.V1 ? 1 : 2, in _source, in _target, header);
        // The first bytes of a new socket: its buffer has room for more than this, or the socket has failed.
        int sent = _server!.Send(header[..length], SocketFlags.None, out SocketError error);
        return sent == length ? 0 : SocketCalls.Errno(error == SocketError.Success ? SocketError.Shutdown : error);
    }
}
