// Checks of upstreams by connecting, on the thread that accepts. One that succeeds is reset, so that it leaves nothing in TIME_WAIT. The same
// as native/src/proxy/check.c.
using CoreIO.Loop;
using CoreIO.Managed.Loop;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Managed.Proxy;

internal sealed class Checks(ProxyHouse house, ManagedEventLoop loop) : IDisposable
{
    private Check[] _checks = [];

    /// <summary>Sets the times of the first ones: 0 or a status.</summary>
    internal int Start()
    {
        int count = house.Terms.CheckInterval > 0 ? house.Upstreams.Count : 0;
        _checks = new Check[count];
        for (int i = 0; i < count; i++)
        {
            _checks[i].Socket = -1;
            int status = SetTimer(i, house.Terms.CheckInterval / count * i);
            if (status < 0)
            {
                return status;
            }
        }

        return 0;
    }

    /// <summary>It is time for a check, or over for the one under way.</summary>
    internal void Begin(int index, long timer)
    {
        ref Check check = ref _checks[index];
        if (check.Timer != timer)
        {
            return;
        }

        if (check.Socket >= 0)
        {
            Conclude(index, -StatusCode.TimedOut);
            return;
        }

        check.Begin = Clock.Now;
        _ = SetTimer(index, house.Terms.ConnectTimeout > 0 ? house.Terms.ConnectTimeout : house.Terms.CheckInterval);
        SocketName name = house.Upstreams[index].Name;
        int status = ProxyLibc.OpenStream(name.Family);
        if (status >= 0)
        {
            check.Socket = status;
            status = SocketCalls.Connect(check.Socket, name, default, []);
        }

        if (status > 0)
        {
            Conclude(index, 0);
            return;
        }

        if (status == 0)
        {
            using SafeFileHandle borrowed = new(check.Socket, ownsHandle: false);
            status = loop.Add(borrowed, LoopInterest.Write | LoopInterest.EdgeTriggered,
                AcceptThread.Owned(AcceptThread.Owner.Check, index), out check.Watch);
        }

        // Descriptors that ran out here say nothing of the upstream; the timer looks again.
        if (status < 0 && SocketCalls.Exhausted(status))
        {
            Close(ref check);
        }
        else if (status < 0)
        {
            Conclude(index, -status);
        }
    }

    /// <summary>The connect of a check has ended.</summary>
    internal void Found(int index, long watch, LoopInterest ready)
    {
        ref Check check = ref _checks[index];
        if (check.Watch != watch)
        {
            return;
        }

        int error = 0;
        if ((ready & (LoopInterest.Error | LoopInterest.HangUp)) != 0)
        {
            error = SocketCalls.Error(check.Socket);
            error = error == 0 ? -StatusCode.ConnectionReset : error;
        }

        Conclude(index, error);
    }

    public void Dispose()
    {
        foreach (ref Check check in _checks.AsSpan())
        {
            Close(ref check);
        }
    }

    // Notes how a check ended and sets the time of the next.
    private void Conclude(int index, int error)
    {
        ref Check check = ref _checks[index];
        long now = Clock.Now;
        if (error == 0)
        {
            house.Upstreams.Succeeded(house.Upstreams[index], check: true);
        }
        else
        {
            house.Upstreams.Failed(house.Upstreams[index], check: true, error, now);
        }

        Close(ref check);
        _ = SetTimer(index, Math.Max(check.Begin + house.Terms.CheckInterval - now, 0));
    }

    private int SetTimer(int index, long delay)
    {
        ref Check check = ref _checks[index];
        if (check.Timer != 0)
        {
            _ = loop.StopTimer(check.Timer);
        }

        return loop.StartTimer(delay, 0, AcceptThread.Owned(AcceptThread.Owner.CheckTimer, index), out check.Timer);
    }

    private void Close(ref Check check)
    {
        if (check.Socket < 0)
        {
            return;
        }

        if (check.Watch != 0)
        {
            _ = loop.Remove(check.Watch, closing: true);
        }

        SocketCalls.Abort(check.Socket);
        check.Socket = -1;
        check.Watch = 0;
    }

    /// <summary>A check of one upstream.</summary>
    private struct Check
    {
        /// <summary>-1 between checks.</summary>
        internal int Socket;

        internal long Watch;
        internal long Timer;
        internal long Begin;
    }
}
