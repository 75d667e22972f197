// The path of the bytes. Nothing here allocates, or makes a call but those of the sockets, for bytes that their target takes: a read and a send,
// and a look for more where one was short. A lock is taken where a flow begins to wait and where it has; who waits for bytes holds no buffer.
//
// A flow reads only while nothing is held for its target, so a peer that does not read stops the reading of the other, and the kernel's
// windows stop that peer.
using System.Net.Sockets;
using CoreIO.Proxy;

namespace CoreIO.Managed.Proxy;

internal sealed partial class Connection
{
    // Bytes a flow may carry in a row before others get their turn; continuations may run on the thread that serves all sockets.
    private const long TurnBytes = 1024 * 1024;

    // Bandwidth that was not used is kept for so long.
    private const long Burst = Clock.Second / 10;

    /// <summary>What comes after a step of a flow.</summary>
    private enum Step
    {
        /// <summary>The next one.</summary>
        On,

        /// <summary>Waiting for its source.</summary>
        Dry,

        /// <summary>Waiting for its target.</summary>
        Full,

        /// <summary>Waiting for its bandwidth.</summary>
        Pause,

        /// <summary>The turns of others.</summary>
        Later,

        /// <summary>Nothing.</summary>
        Over,
    }

    // Runs a flow until it waits or is over.
    private void Run(Flow flow)
    {
        Socket source = flow.FromClient ? _client : _server!;
        Socket target = flow.FromClient ? _server! : _client;
        long turn = TurnBytes;
        while (true)
        {
            Step step = IsOver ? Step.Over : Move(flow, source, target, ref turn);
            switch (step)
            {
                case Step.On:
                    continue;
                case Step.Dry:
                    flow.Drop(_house.Tally);
                    if (Await(flow, static (flow, source) => flow.AwaitBytes(source), source))
                    {
                        return;
                    }

                    break;
                case Step.Full:
                    flow.CountHeld(_house.Tally, flow.Length);
                    if (Await(flow, static (flow, target) => flow.AwaitRoom(target), target))
                    {
                        return;
                    }

                    break;
                case Step.Pause:
                    Pause(flow);
                    return;
                case Step.Later:
                    Requeue(flow, true);
                    return;
                default:
                    Leave(flow);
                    return;
            }

            if (!Learn(flow))
            {
                Leave(flow);
                return;
            }
        }
    }

    // What a flow has waited for has happened.
    private void Found(Flow flow)
    {
        if (Learn(flow))
        {
            Run(flow);
        }
        else
        {
            Leave(flow);
        }
    }

    // Lets a flow wait for its first bytes.
    private void Wait(Flow flow)
    {
        if (!Await(flow, static (flow, source) => flow.AwaitBytes(source), flow.FromClient ? _client : _server!))
        {
            Found(flow);
        }
    }

    // Takes in what an operation has found; false when the flow is over by it.
    private bool Learn(Flow flow)
    {
        SocketError error = flow.SocketError;
        if (flow.Length == 0)
        {
            if (error == SocketError.Success)
            {
                return true;
            }

            SourceFailed(flow, error);
            return false;
        }

        if (error == SocketError.Success)
        {
            Sent(flow, flow.BytesTransferred);
            return true;
        }

        TargetGone(flow, error);
        return false;
    }

    // Reads once, if nothing is held, and sends it.
    private Step Move(Flow flow, Socket source, Socket target, ref long turn)
    {
        bool dry = false;
        if (flow.Length == 0)
        {
            if ((flow.Bits & FlowBits.Ended) != 0)
            {
                PassEnd(flow, target);
                return Step.Over;
            }

            if (turn <= 0)
            {
                return Step.Later;
            }

            long allowed = Allowance(flow);
            if (allowed == 0)
            {
                return Step.Pause;
            }

            Span<byte> room = flow.Room();
            room = room[..(int)Math.Min(room.Length, allowed)];
            int count = source.Receive(room, SocketFlags.None, out SocketError failed);
            if (count == 0)
            {
                if (failed == SocketError.WouldBlock)
                {
                    return Step.Dry;
                }

                if (failed == SocketError.Success)
                {
                    PassEnd(flow, target);
                }
                else
                {
                    SourceFailed(flow, failed);
                }

                return Step.Over;
            }

            flow.Fill(count);
            if (_house.Terms.Streams)
            {
                flow.Weigh(count);
            }

            Count(flow, count);
            turn -= count;
            // Everything that was there has been read, most likely; whoever waits looks again.
            dry = count < room.Length;
        }

        int sent = target.Send(flow.Held, SocketFlags.None, out SocketError error);
        if (error is not (SocketError.Success or SocketError.WouldBlock))
        {
            TargetGone(flow, error);
            return Step.Over;
        }

        Sent(flow, sent);
        return flow.Length > 0 ? Step.Full : dry ? Step.Dry : Step.On;
    }

    // Counts bytes that came from the source.
    private void Count(Flow flow, int bytes)
    {
        long now = Clock.Now;
        flow.Received += bytes;
        Volatile.Write(ref _last, now);
        _house.Tally.Bytes(flow.FromClient, bytes);
        if (_house.Terms.Bandwidth != 0)
        {
            flow.UsedUp = Math.Max(flow.UsedUp, now) + (long)((double)bytes * Clock.Second / _house.Terms.Bandwidth);
        }
    }

    // Bytes that the target has taken.
    private void Sent(Flow flow, int bytes)
    {
        flow.Take(bytes);
        if (flow.IsCounted)
        {
            // It has not read for a while, and now does: that puts the limits of silence off as well.
            flow.CountHeld(_house.Tally, flow.Length);
            Volatile.Write(ref _last, Clock.Now);
        }
    }

    // Bytes the bandwidth allows now.
    private long Allowance(Flow flow)
    {
        long bandwidth = _house.Terms.Bandwidth;
        if (bandwidth == 0)
        {
            return TurnBytes;
        }

        long free = Math.Min(Clock.Now + Burst - flow.UsedUp, Burst);
        return free <= 0 ? 0 : (long)((double)free * bandwidth / Clock.Second) + 1;
    }

    // Passes the end of the source on, once.
    private void PassEnd(Flow flow, Socket target)
    {
        lock (_gate)
        {
            flow.Bits |= FlowBits.Ended | FlowBits.Done;
            Settle();
            if (_over)
            {
                // With both ended the sockets are closed next, which says the same.
                return;
            }
        }

        try
        {
            target.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The target was reset; the other flow finds that out.
        }
    }

    // The source was reset, or failed otherwise.
    private void SourceFailed(Flow flow, SocketError error)
    {
        lock (_gate)
        {
            flow.Bits |= FlowBits.Ended | FlowBits.Reset;
            if (!_over)
            {
                _error = SocketCalls.Errno(error);
            }

            Settle();
        }
    }

    // The target takes nothing any more: the flow is over, and the other one will find out why.
    private void TargetGone(Flow flow, SocketError error)
    {
        flow.Drop(_house.Tally);
        lock (_gate)
        {
            flow.Bits |= error == SocketError.ConnectionReset ? FlowBits.Done | FlowBits.Gone : FlowBits.Done;
            if (!_over && _error == 0)
            {
                _error = SocketCalls.Errno(error);
            }

            Settle();
        }
    }

    // Under the lock: what a change of a flow means for the connection.
    private void Settle()
    {
        if ((_up.Bits & FlowBits.Reset) != 0)
        {
            Decide(ProxyEnd.ClientReset);
        }
        else if ((_down.Bits & FlowBits.Reset) != 0)
        {
            Decide(ProxyEnd.UpstreamReset);
        }
        else if ((_up.Bits & _down.Bits & FlowBits.Done) != 0)
        {
            // A reset that a send has met is told once: the read after it finds an end.
            Decide((_up.Bits & FlowBits.Gone) != 0 ? ProxyEnd.UpstreamReset
                : (_down.Bits & FlowBits.Gone) != 0 ? ProxyEnd.ClientReset
                : ProxyEnd.Done);
        }
        else if (HalfClosed != _halfClosed)
        {
            // Silence counts from the end on: a connection may have been idle for long before it.
            Volatile.Write(ref _last, Clock.Now);
            Arm();
        }
    }

    // Gives a flow up until its bandwidth allows more.
    private void Pause(Flow flow)
    {
        flow.Drop(_house.Tally);
        bool close;
        lock (_gate)
        {
            flow.Bits |= FlowBits.Pauses;
            flow.State = FlowState.Free;
            Arm();
            close = MayClose();
        }

        if (close)
        {
            Close();
        }
    }

    // When a flow that waits for its bandwidth may go on.
    private static long ResumesAt(Flow flow) => (flow.Bits & FlowBits.Pauses) == 0 ? long.MaxValue : flow.UsedUp - (Burst / 2);

    // Under the lock: whether a flow that has waited for its bandwidth goes on, and then it is the caller's.
    private static bool Resumes(Flow flow, long now)
    {
        if (ResumesAt(flow) > now)
        {
            return false;
        }

        flow.Bits &= ~FlowBits.Pauses;
        flow.State = FlowState.Running;
        return true;
    }

    // Lets a flow that is the caller's go on behind others.
    private static void Requeue(Flow flow, bool goes)
    {
        if (goes)
        {
            ThreadPool.UnsafeQueueUserWorkItem(flow, preferLocal: false);
        }
    }
}
