// From the acceptance to the first try to connect: the limit of its source, its target, the PROXY header and the ClientHello of the client.
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Managed.Proxy;

internal sealed partial class Connection
{
    // The room for a first look; a ClientHello may need more.
    private const int LookBytes = 4096;

    private bool _headerRead;

    /// <summary>Begins the life of an accepted socket, which is counted already. On the thread that accepts.</summary>
    internal static void Begin(ProxyHouse house, Listener listener, int accepted, in InternetAddress source)
    {
        Connection? connection = null;
        SafeSocketHandle? handle = null;
        try
        {
            handle = new SafeSocketHandle(accepted, ownsHandle: true);
            connection = new Connection(house, listener, new Socket(handle) { Blocking = false }, in source);
            house.Connections.Add(connection);
        }
#pragma warning disable CA1031 // Whatever it is, it belongs to this connection alone.
        catch (Exception)
#pragma warning restore CA1031
        {
            // A client that is gone already, or no memory: it has not begun.
            if (handle is null)
            {
                _ = ProxyLibc.Close(accepted);
            }
            else
            {
                handle.Dispose();
            }

            house.Tally.End(ProxyEnd.Resources);
            house.Tally.Leave();
            return;
        }

        connection._up.State = FlowState.Running;
        connection.Guard(static (connection, _) => connection.Begin(), connection._up);
    }

    // Runs the flow of the client.
    private void Begin()
    {
        if (!_listener.Header && !EnterSource())
        {
            Leave(_up);
            return;
        }

        int status = FindTarget();
        if (status < 0)
        {
            End(ProxyEnd.NoUpstream, -status);
            Leave(_up);
            return;
        }

        if (_listener.Header || _listener.Names)
        {
            lock (_gate)
            {
                Arm();
            }

            Look();
        }
        else
        {
            Connect();
        }
    }

    // Counts the connection among those of its source; ends it when there are too many.
    private bool EnterSource()
    {
        ulong source = _source.Source;
        if (_house.Terms.MaxPerSource == 0)
        {
            return true;
        }

        if (!_house.Sources.Enter(source, _house.Terms.MaxPerSource))
        {
            Interlocked.Increment(ref _house.Tally.OverLimit);
            End(ProxyEnd.Limit);
            return false;
        }

        _counted = source;
        return true;
    }

    // The destination that a connection had before it was led here: 0 or -errno.
    private int FindTarget()
    {
        if (!_listener.Led)
        {
            return 0;
        }

        int socket = (int)_client.SafeHandle.DangerousGetHandle();
        InternetAddress local = SocketCalls.Local(socket);
        _target = _listener.Transparent ? local : SocketCalls.OriginalDestination(socket);
        if (_target.Family == 0)
        {
            return StatusCode.NoEntry;
        }

        // One that came to the listener itself was not led here, and would come back for ever.
        bool same = _listener.Transparent
            ? _target.Port == InternetAddress.Read(_listener.Name.Bytes).Port && SocketCalls.IsLocal(in _target)
            : _target.Equals(in local);
        return same ? StatusCode.TooManyLinks : 0;
    }

    // Looks at the first bytes, and keeps them for the upstream but for a PROXY header. Runs the flow of the client.
    private void Look()
    {
        while (true)
        {
            int enough = _up.Length == 0 ? 0 : Judge();
            if (enough > 0)
            {
                Connect();
                return;
            }

            bool ended = (_up.Bits & FlowBits.Ended) != 0;
            Span<byte> room = default;
            if (enough == 0 && !ended)
            {
                room = _up.Room(LookBytes);
                room = room.IsEmpty && _up.Grow() ? _up.Room() : room;
            }

            if (room.IsEmpty)
            {
                End(_up.Length == 0 && ended ? ProxyEnd.ClientGone : ProxyEnd.BadHeader);
                Leave(_up);
                return;
            }

            int count = _client.Receive(room, SocketFlags.None, out SocketError error);
            if (count > 0)
            {
                _up.Fill(count);
            }
            else if (error == SocketError.Success)
            {
                _up.Bits |= FlowBits.Ended;
            }
            else if (error != SocketError.WouldBlock)
            {
                End(ProxyEnd.ClientGone, SocketCalls.Errno(error));
                Leave(_up);
                return;
            }
            else
            {
                if (_up.Length == 0)
                {
                    _up.Drop(_house.Tally);
                }

                if (Await(_up, static (flow, client) => flow.AwaitBytes(client), _client))
                {
                    return;
                }
            }
        }
    }

    // Whether the first bytes say where to go: 1, 0 for more of them, -1 for no.
    private int Judge()
    {
        if (_listener.Header && !_headerRead)
        {
            int length = HeaderCodec.Read(_up.Held, ref _source, ref _target);
            if (length <= 0)
            {
                return length;
            }

            _headerRead = true;
            _up.Take(length);
            if (!EnterSource())
            {
                return -1;
            }

            if (!_listener.Names || _up.Length == 0)
            {
                return _listener.Names ? 0 : 1;
            }
        }

        return ChooseByName();
    }

    // Whether the name in the ClientHello, or the lack of one, has led to a group.
    private int ChooseByName()
    {
        Span<byte> name = stackalloc byte[ClientHello.LongestName];
        int found = ClientHello.Name(_up.Held, name);
        if (found == ClientHello.More && (_up.Bits & FlowBits.Ended) == 0)
        {
            return 0;
        }

        int group = found > 0 ? _house.Routes.Find(name[..found]) : -1;
        _group = group >= 0 ? group : _group;
        // A name without a route and without a group to fall back to has no upstream; what is no TLS has no name.
        return found > 0 || found == ClientHello.Nameless || _house.Upstreams.Has(_group) ? 1 : -1;
    }
}
