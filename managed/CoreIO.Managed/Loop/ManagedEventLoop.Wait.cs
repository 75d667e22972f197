// The wait: descriptors, timers and what was asked for again, in one batch. The same as native/src/loop/wait.c.
//
// The three kinds take turns in being first. Each but the last may fill half of what is left of the batch, so that with a capacity of one
// every kind is served within three waits, and with more within one.
//
// Hot path: nothing allocates for an event or a wait.
using CoreIO.Loop;

namespace CoreIO.Managed.Loop;

internal sealed partial class ManagedEventLoop
{
    // Events taken from the kernel in one call at most.
    private const int BatchEvents = 256;

    private const int TimersTurn = 0;
    private const int AgainTurn = 1;
    private const int Turns = 3;

    public int Wait(Span<LoopEvent> events, long timeoutNs)
    {
        ThrowIfClosed();
        if (events.IsEmpty)
        {
            return StatusCode.InvalidArgument;
        }

        _counts.Waits++;
        Flush();
        Tick();
        long deadline = timeoutNs < 0 ? long.MaxValue : After(_now, timeoutNs);
        int count;
        do
        {
            // The timer descriptor may have fired for timers that only moved down a wheel, and would end every poll until it is set again.
            Arm();
            count = Serve(events, deadline);
            if (count == StatusCode.Interrupted)
            {
                if (_interruptible)
                {
                    break;
                }

                count = 0;
            }

            // Nothing: a stale event, timers that moved down a wheel, a signal, or the end of the wait.
        }
        while (count == 0 && timeoutNs != 0 && _now < deadline);

        if (count > 0)
        {
            _counts.Events += count;
        }

        Arm();
        return count;
    }

    // One batch, from every kind in turn.
    private int Serve(Span<LoopEvent> events, long deadline)
    {
        int written = 0;
        int first = _turn;
        _turn = (first + 1) % Turns;
        for (int i = 0; i < Turns && written < events.Length; i++)
        {
            int left = events.Length - written;
            int share = i == Turns - 1 ? left : (left + 1) / 2;
            Span<LoopEvent> room = events.Slice(written, share);
            int turn = (first + i) % Turns;
            if (turn == TimersTurn)
            {
                written += ServeTimers(room);
            }
            else if (turn == AgainTurn)
            {
                written += ServeAgain(room);
            }
            else
            {
                long timeout = written > 0 ? 0 : Patience(deadline);
                int count = ServeKernel(room, timeout);
                if (timeout != 0)
                {
                    Tick();
                }

                if (count < 0 && written == 0)
                {
                    return count;
                }

                written += Math.Max(count, 0);
            }
        }

        return written;
    }

    // What reaches nobody may have taken the place of what does: the kernel tells of all that is ready in turn, so it is asked again until it
    // comes back to the first. That never happens where the first was told once for an edge; then BatchEvents times are the end.
    private int ServeKernel(Span<LoopEvent> events, long timeout)
    {
        int most = Math.Min(events.Length, BatchEvents);
        int count = Poll(most, timeout);
        int written = count < 0 ? count : Translate(count, events);
        if (written != 0 || count != most)
        {
            return written;
        }

        _ = LoopLibc.Read(_batch, 0, out ulong first);
        for (int again = 0; written == 0 && count == most && again < BatchEvents; again++)
        {
            count = Poll(most, 0);
            written = count < 0 ? count : Translate(count, events);
            if (written == 0 && ToldOf(count, first))
            {
                break;
            }
        }

        return written;
    }

    private int Poll(int most, long timeout)
    {
        _counts.Polls++;
        return LoopLibc.Wait(_epoll, _batch, most, timeout);
    }

    // Whether the kernel told of this registration just now.
    private bool ToldOf(int count, ulong data)
    {
        for (int i = 0; i < count; i++)
        {
            _ = LoopLibc.Read(_batch, i, out ulong told);
            if (told == data)
            {
                return true;
            }
        }

        return false;
    }

    // Turns what the kernel told into events; returns how many.
    private int Translate(int count, Span<LoopEvent> events)
    {
        int written = 0;
        for (int i = 0; i < count; i++)
        {
            LoopInterest ready = (LoopInterest)LoopLibc.Read(_batch, i, out ulong data);
            if (data == TimerData)
            {
                // The timer descriptor of a loop that is watched itself needs no event: timers are served from the wheel.
                continue;
            }

            if (data == WakeData)
            {
                // Cleared before the owner looks at what the wakers wrote: who comes later wakes the next wait.
                _ = Interlocked.Exchange(ref _woken.Value, 0);
                _counts.Wakes++;
                events[written++] = new LoopEvent(0, 0, LoopInterest.None, LoopEventKind.Woken, 0);
                continue;
            }

            long id = (long)data;
            int index = _watches.Find(id);
            if (index < 0 || _watches[index].Descriptor < 0)
            {
                _counts.Stale++;
                continue;
            }

            ref Watch watch = ref _watches[index];
            if ((watch.Known & LoopInterest.OneShot) != 0)
            {
                // The kernel watches for nothing until it hears of an interest again; wanting the same is a change then.
                watch.Known = LoopInterest.None;
                watch.Wanted = LoopInterest.None;
            }

            if (watch.Again != LoopInterest.None)
            {
                // One event for both, and the turn that was asked for is over.
                ready |= watch.Again;
                watch.Again = LoopInterest.None;
                _counts.Again++;
                if (watch.Lost == 0)
                {
                    _again.Remove(index);
                }
            }

            events[written++] = new LoopEvent(id, watch.Data, ready, LoopEventKind.Descriptor, 0);
        }

        return written;
    }

    private int ServeAgain(Span<LoopEvent> events)
    {
        int written = 0;
        while (written < events.Length && _again.First >= 0)
        {
            int index = _again.First;
            ref Watch watch = ref _watches[index];
            long id = _watches.Id(index);
            if (watch.Lost != 0)
            {
                events[written++] = new LoopEvent(id, watch.Data, LoopInterest.None, LoopEventKind.Lost, watch.Lost);
                watch.Lost = 0;
                if (watch.Again != LoopInterest.None)
                {
                    continue;
                }
            }
            else
            {
                events[written++] = new LoopEvent(id, watch.Data, watch.Again, LoopEventKind.Descriptor, 0);
                watch.Again = LoopInterest.None;
                _counts.Again++;
            }

            _again.Remove(index);
        }

        return written;
    }

    private int ServeTimers(Span<LoopEvent> events)
    {
        int written = 0;
        for (int index = _wheel.Due; written < events.Length && index >= 0; index = _wheel.Due)
        {
            ref TimerWheel.Timer timer = ref _wheel.Timers[index];
            events[written++] =
                new LoopEvent(_wheel.Timers.Id(index) | TimerMark, timer.Data, LoopInterest.None, LoopEventKind.Timer, 0);
            _counts.TimersFired++;
            long late = _now - timer.Deadline;
            _counts.TimersBehind = late;
            if (timer.Period == 0)
            {
                _wheel.Remove(index);
            }
            else
            {
                // The next of its times that is still to come.
                _wheel.Move(index, After(timer.Deadline + (late / timer.Period * timer.Period), timer.Period));
            }
        }

        return written;
    }

    private void Tick()
    {
        _now = Clock();
        _wheel.Advance(_now);
    }

    // How long the kernel may wait: until the deadline, the next timer, or not at all when something is there.
    private long Patience(long deadline)
    {
        if (_again.First >= 0)
        {
            return 0;
        }

        long until = Math.Min(_wheel.Next, deadline);
        return until == long.MaxValue ? until : Math.Max(until - _now, 0);
    }
}
