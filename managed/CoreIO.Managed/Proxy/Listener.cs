// A listener of a plan and its sockets. Sockets that were passed in are the caller's until the start, and so is the path of a unix one.
using CoreIO.Proxy;

namespace CoreIO.Managed.Proxy;

internal sealed class Listener
{
    private readonly Lock _gate = new();
    private readonly ProxyListener _plan;
    private readonly List<int> _sockets = [];
    private bool _unlinks;
    private volatile bool _handedOver;

    private Listener(int index, ProxyListener plan, SocketName name)
    {
        Index = index;
        _plan = plan;
        Name = name;
    }

    internal int Index { get; }

    /// <summary>Whether its sockets and its path live on in a successor. Any thread.</summary>
    internal bool HandedOver
    {
        get => _handedOver;
        set => _handedOver = value;
    }

    /// <summary>What it is bound to.</summary>
    internal SocketName Name { get; private set; }

    internal int Group => _plan.Group;

    internal bool Transparent => _plan.Transparent;

    /// <summary>Whether connections were led here from other destinations.</summary>
    internal bool Led => _plan.Transparent || _plan.Redirected;

    internal bool Spoof => _plan.Spoof;

    internal bool Header => _plan.Header;

    internal bool Names => _plan.Names;

    /// <summary>The sockets that are open.</summary>
    internal IReadOnlyList<int> Sockets
    {
        get
        {
            lock (_gate)
            {
                return [.. _sockets];
            }
        }
    }

    /// <summary>Opens the sockets of a listener, or looks at those that were passed: 0 or a status.</summary>
    internal static int Open(int index, ProxyListener plan, Terms terms, out Listener? listener)
    {
        listener = null;
        SocketName? name = SocketName.Of(plan.Address);
        if (name is null || plan.Group < 0 || (plan.Transparent && plan.Redirected) || ((plan.Transparent || plan.Redirected) && name.IsUnix))
        {
            return StatusCode.InvalidArgument;
        }

        Listener made = new(index, plan, name);
        int status = plan.Descriptors.Count > 0 ? made.Adopt(terms) : made.Bind(terms);
        listener = status < 0 ? null : made;
        return status;
    }

    /// <summary>Closes the sockets: nothing more is taken here.</summary>
    internal void Close()
    {
        lock (_gate)
        {
            _sockets.ForEach(socket => _ = ProxyLibc.Close(socket));
            _sockets.Clear();
        }
    }

    /// <summary>Takes the path of a unix listener away, once.</summary>
    internal void Unlink()
    {
        if (_unlinks && Name.Path is { } path)
        {
            _ = ProxyLibc.Unlink(path);
        }

        _unlinks = false;
    }

    /// <summary>Gives back what a proxy that was not started has: nothing of what was passed in.</summary>
    internal void Abandon()
    {
        if (_plan.Descriptors.Count == 0)
        {
            Close();
            Unlink();
        }
    }

    private int Adopt(Terms terms)
    {
        _unlinks = Name.IsUnix;
        foreach (int socket in _plan.Descriptors)
        {
            int status = SocketCalls.Adopt(socket, Name, terms, Transparent);
            if (status < 0)
            {
                return status;
            }

            _sockets.Add(socket);
        }

        return 0;
    }

    private int Bind(Terms terms)
    {
        int socket = SocketCalls.Listen(Name, terms, Transparent, _plan.V6Only);
        if (socket < 0)
        {
            return socket;
        }

        _sockets.Add(socket);
        _unlinks = Name.IsUnix;
        Span<byte> name = stackalloc byte[InternetAddress.SocketAddressBytes];
        int length = _unlinks ? -1 : ProxyLibc.Name(socket, name);
        if (length > 0)
        {
            // With port 0 asked for, the one the kernel gave.
            Name = SocketName.Of(name[..length]);
        }

        return 0;
    }
}
