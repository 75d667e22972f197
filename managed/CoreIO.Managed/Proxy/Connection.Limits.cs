// The limits of time of a connection. One deadline serves all: it is set to the nearest of them and looks again when it comes, so that bytes
// cost no call.
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Managed.Proxy;

internal sealed partial class Connection
{
    // How long a connect goes on for a client that has ended without a byte: it may be gone, or it may have nothing to say and wait for an
    // answer, and TCP does not tell which.
    private const long LeftTime = Clock.Second;

    // When a try that is over its time is looked at again, because a thread has it in hand.
    private const long HandTime = Clock.Second / 1000;

    /// <summary>Its deadline has come: ends what is over its limit, goes on with what had to wait.</summary>
    internal void Expire()
    {
        Socket? expired = null;
        bool up = false;
        bool down = false;
        bool close;
        lock (_gate)
        {
            long now = Clock.Now;
            if (!_over)
            {
                LookAtLimits(now);
            }

            if (!_over && _phase == Phase.Relay)
            {
                up = Resumes(_up, now);
                down = Resumes(_down, now);
            }

            if (!_over && _phase == Phase.Connect && Clock.After(_connect, _house.Terms.ConnectTimeout) <= now && _down.State == FlowState.Waiting)
            {
                // What is awaited fails by it, and that goes on to the next upstream.
                _timedOut = true;
                expired = _server;
            }
            else
            {
                Arm();
            }

            close = MayClose();
        }

        expired?.Dispose();
        Requeue(_up, up);
        Requeue(_down, down);
        if (close)
        {
            Close();
        }
    }

    // Under the lock: ends a connection that is over one of its limits.
    private void LookAtLimits(long now)
    {
        Terms terms = _house.Terms;
        if (Clock.After(_begin, terms.Lifetime) <= now)
        {
            Decide(ProxyEnd.Lifetime);
        }
        else if (_phase == Phase.Look && Clock.After(_begin, terms.HeaderTimeout) <= now)
        {
            Decide(ProxyEnd.HeaderTimeout);
        }
        else if (_phase == Phase.Connect && _left && _last + LeftTime <= now)
        {
            Decide(ProxyEnd.ClientGone);
        }
        else if (_phase == Phase.Relay && HalfClosed && Clock.After(Volatile.Read(ref _last), terms.HalfCloseTimeout) <= now)
        {
            Decide(ProxyEnd.HalfClosed);
        }
        else if (_phase == Phase.Relay && Clock.After(Volatile.Read(ref _last), terms.IdleTimeout) <= now)
        {
            Decide(ProxyEnd.Idle);
        }
    }

    // Whether a side has ended, so that the silence of the other is limited.
    private bool HalfClosed => ((_up.Bits | _down.Bits) & (FlowBits.Ended | FlowBits.Done)) != 0;

    // Under the lock: sets the deadline to the nearest limit.
    private void Arm()
    {
        if (_over)
        {
            return;
        }

        Terms terms = _house.Terms;
        long last = Volatile.Read(ref _last);
        long deadline = Clock.After(_begin, terms.Lifetime);
        if (_phase == Phase.Look)
        {
            deadline = Math.Min(deadline, Clock.After(_begin, terms.HeaderTimeout));
        }
        else if (_phase == Phase.Connect)
        {
            long tried = Clock.After(_connect, terms.ConnectTimeout);
            if (_down.State != FlowState.Waiting)
            {
                // Nothing is awaited that could be ended: a deadline in the past would come for ever.
                tried = Math.Max(tried, Clock.Now + HandTime);
            }

            deadline = Math.Min(deadline, tried);
            deadline = _left ? Math.Min(deadline, last + LeftTime) : deadline;
        }
        else
        {
            _halfClosed = HalfClosed;
            deadline = Math.Min(deadline, Clock.After(last, terms.IdleTimeout));
            deadline = _halfClosed ? Math.Min(deadline, Clock.After(last, terms.HalfCloseTimeout)) : deadline;
            deadline = Math.Min(deadline, Math.Min(ResumesAt(_up), ResumesAt(_down)));
        }

        if (!_house.Deadlines.Set(this, deadline))
        {
            Decide(ProxyEnd.Resources, -StatusCode.NoMemory);
        }
    }
}
