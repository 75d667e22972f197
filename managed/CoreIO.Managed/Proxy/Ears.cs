// The listening sockets of a proxy: accepting, resting, and the end of it. On the thread that accepts. The same as native/src/proxy/ears.c.
using CoreIO.Loop;
using CoreIO.Managed.Loop;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Managed.Proxy;

internal sealed class Ears(ProxyHouse house, ManagedEventLoop loop) : IDisposable
{
    // Connections accepted in one turn, before others get theirs.
    private const int Turn = 64;

    // How long accepting rests when there are as many connections as may be.
    private const long LimitRest = 5_000_000;

    // Descriptors that are kept for the runtime: each thread that it starts needs a pipe for a moment, and without one it ends the process. One more
    // is for what else comes then.
    private const int Spares = 3;

    // EAGAIN, and errors that are the socket's own.
    private const int None = 0;
    private const int Many = 1;

    private readonly RateLimit _rate = new(house.Terms.Rate);
    private readonly List<Ear> _ears = [];
    private readonly List<int> _spares = [];
    private bool _rests;
    private bool _closed;

    /// <summary>Watches every listening socket: 0 or a status.</summary>
    internal int Open()
    {
        foreach (Listener listener in house.Listeners)
        {
            foreach (int socket in listener.Sockets)
            {
                _ears.Add(new Ear(listener, socket));
                int status = Watch(_ears.Count - 1);
                if (status < 0)
                {
                    return status;
                }
            }
        }

        return Spare() ? 0 : StatusCode.TooManyOpenFiles;
    }

    /// <summary>Accepts what is queued on one of them, in turns.</summary>
    internal void Accept(int index)
    {
        Ear ear = _ears[index];
        for (int i = 0; i < Turn && ear.Watch != 0 && !house.Thread!.IsTired; i++)
        {
            long wait = _rate.Take(Clock.Now);
            if (wait > 0)
            {
                RestFor(wait);
                return;
            }

            int status = AcceptOne(ear, house.Terms.MaxConnections);
            if (status == Many)
            {
                continue;
            }

            _rate.Give();
            if (status == StatusCode.Busy)
            {
                RestFor(LimitRest);
            }
            else if (status < 0)
            {
                Interlocked.Increment(ref house.Tally.AcceptFailures);
                RestFor(AcceptThread.Rest);
            }

            return;
        }
    }

    /// <summary>Accepts nothing for so many ns; who is queued waits.</summary>
    internal void RestFor(long delay)
    {
        // Without memory for a timer nothing would end the rest.
        if (_rests || _closed || loop.StartTimer(delay, 0, AcceptThread.Owned(AcceptThread.Owner.Rest), out _) < 0)
        {
            return;
        }

        _rests = true;
        if (delay == AcceptThread.Rest)
        {
            GiveSpares();
        }

        foreach (Ear ear in _ears)
        {
            Unwatch(ear);
        }
    }

    /// <summary>Goes on accepting: the rest is over.</summary>
    internal void Resume()
    {
        _rests = false;
        if (!_closed && !Spare())
        {
            RestFor(AcceptThread.Rest);
            return;
        }

        for (int i = 0; i < _ears.Count && !_closed; i++)
        {
            if (_ears[i].Watch == 0 && Watch(i) < 0)
            {
                RestFor(AcceptThread.Rest);
                return;
            }
        }
    }

    /// <summary>Ends accepting and closes the sockets; what is queued may be taken first.</summary>
    internal void Close(bool take)
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        GiveSpares();
        foreach (Ear ear in _ears)
        {
            Unwatch(ear);
            bool last = take && !ear.Listener.HandedOver;
            // No more than may be queued at this moment: the socket still listens, and others come.
            for (int i = 0; last && i <= house.Terms.Backlog && AcceptOne(ear, most: 0) > 0; i++)
            {
                // The next.
            }
        }

        foreach (Listener listener in house.Listeners)
        {
            listener.Close();
        }
    }

    /// <summary>Gives up what is kept; the sockets are their listeners'.</summary>
    public void Dispose() => GiveSpares();

    // Takes one connection from a socket, unless there are as many already; 0 is any number: Many, None, or a status.
    private int AcceptOne(Ear ear, int most)
    {
        if (!house.Tally.TakePlace(most))
        {
            return StatusCode.Busy;
        }

        int accepted = ProxyLibc.Accept(ear.Socket, out InternetAddress source);
        if (accepted < 0)
        {
            house.Tally.GivePlace();
            if (accepted == StatusCode.Again)
            {
                return None;
            }

            // Errors of the connection itself, which accept(2) passes on: it is gone, and others may be queued.
            bool own = SocketCalls.Exhausted(accepted) || accepted is StatusCode.BadDescriptor or StatusCode.InvalidArgument;
            return own ? accepted : Many;
        }

        house.Tally.Enter();
        Connection.Begin(house, ear.Listener, accepted, in source);
        return Many;
    }

    // Takes the spare descriptors that are not there; false when there are none to be had.
    private bool Spare()
    {
        while (_spares.Count < Spares)
        {
            int socket = ProxyLibc.OpenStream(InternetAddress.Unix);
            if (socket < 0)
            {
                return false;
            }

            _spares.Add(socket);
        }

        return true;
    }

    private void GiveSpares()
    {
        _spares.ForEach(socket => _ = ProxyLibc.Close(socket));
        _spares.Clear();
    }

    private int Watch(int index)
    {
        Ear ear = _ears[index];
        using SafeFileHandle borrowed = new(ear.Socket, ownsHandle: false);
        int status = loop.Add(borrowed, LoopInterest.Read, AcceptThread.Owned(AcceptThread.Owner.Ear, index), out long watch);
        ear.Watch = watch;
        return status;
    }

    private void Unwatch(Ear ear)
    {
        if (ear.Watch != 0)
        {
            _ = loop.Remove(ear.Watch, closing: false);
            ear.Watch = 0;
        }
    }

    /// <summary>A listening socket as it is watched.</summary>
    private sealed class Ear(Listener listener, int socket)
    {
        internal Listener Listener => listener;

        internal int Socket => socket;

        /// <summary>0 while it rests.</summary>
        internal long Watch { get; set; }
    }
}
