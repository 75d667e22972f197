// How a call of either family waits: what it does after each try that found the queue full or empty.
//
// Counted on the monotonic clock, so a step of the system's clock moves no deadline. A wait that asks for nothing never comes here: the
// plain call of libc waits best.
using System.Diagnostics;
using CoreIO.Mq;

namespace CoreIO.Managed.Mq;

internal struct Pace
{
    /// <summary>Try without waiting.</summary>
    internal const int Try = 0;

    /// <summary>Make the plain call of libc.</summary>
    internal const int Block = 1;

    // A spin asks for the cancel descriptor this often: a poll(2) costs about half of a try, and nobody notices 50 us.
    private const long LookNanoseconds = 50_000;

    // A System V queue is tried so often at once, which is about 20 us; then the pauses begin.
    private const int Yields = 32;

    // The first pause is what the kernel rounds a sleep to anyway; the last is what a message may be late by, at about 0.5 % of a CPU.
    private const long FirstPause = 50_000;
    private const long LastPause = 1_000_000;

    private readonly bool _once;
    private readonly bool _cancellable;
    private readonly int _cancel;
    private readonly long _spin;
    private readonly long _deadline;
    private int _pauses;
    private long _spinEnd;
    private long _look;

    /// <summary>Begins the time of a call; <paramref name="cancel"/> is the descriptor of its wait, if it has one.</summary>
    internal Pace(in MqWait wait, int cancel)
    {
        _cancellable = wait.Cancel is not null;
        _cancel = cancel;
        _spin = Nanoseconds(wait.Spin);
        _deadline = long.MaxValue;
        if (wait.Timeout is { } timeout)
        {
            _once = timeout <= TimeSpan.Zero;
            _deadline = _once ? long.MaxValue : Later(Stopwatch.GetTimestamp(), Nanoseconds(timeout));
        }
    }

    /// <summary>Whether the plain call of libc does all that <paramref name="wait"/> asks for.</summary>
    internal static bool IsPlain(in MqWait wait) => wait.Timeout is null && wait.Cancel is null && wait.Spin <= TimeSpan.Zero;

    /// <summary>Begins the wait for one message, or tells what is wrong with it.</summary>
    internal int Begin()
    {
        _pauses = 0;
        _spinEnd = 0;
        // poll(2) passes over a negative descriptor in silence, and the wait would never be cancelled.
        return _cancellable && _cancel < 0 ? StatusCode.BadDescriptor : Try;
    }

    /// <summary>
    /// Waits until another try makes sense: what to do next, or the status that ends it. <paramref name="refused"/> is what the try
    /// returned; <paramref name="queue"/> becomes ready with <paramref name="events"/>, and is -1 where it has no descriptor.
    /// </summary>
    internal int Next(int refused, int queue, short events)
    {
        if (_once)
        {
            return refused;
        }

        long now = Stopwatch.GetTimestamp();
        if (now >= _deadline)
        {
            return StatusCode.TimedOut;
        }

        if (_spinEnd == 0)
        {
            _spinEnd = Later(now, _spin);
            _look = now;
        }

        if (now < _spinEnd)
        {
            if (!_cancellable || now < _look)
            {
                return Try;
            }

            _look = now + LookNanoseconds;
            return Poll(-1, 0, 0);
        }

        if (_deadline == long.MaxValue && !_cancellable)
        {
            return Block;
        }

        long remaining = _deadline == long.MaxValue ? long.MaxValue : _deadline - now;
        return queue < 0 ? Pause(remaining) : Poll(queue, events, remaining);
    }

    // A timestamp of Stopwatch is nanoseconds of CLOCK_MONOTONIC on Linux.
    private static long Nanoseconds(TimeSpan time) => time.Ticks > long.MaxValue / 100 ? long.MaxValue : Math.Max(time.Ticks, 0) * 100;

    private static long Later(long now, long nanoseconds) => nanoseconds > long.MaxValue - now ? long.MaxValue : now + nanoseconds;

    private readonly int Poll(int queue, short events, long nanoseconds)
    {
        int ready = MqLibc.Poll(_cancellable ? _cancel : -1, queue, events, nanoseconds, out int found);
        return ready switch
        {
            StatusCode.Interrupted => Try,
            < 0 => ready,
            _ when (found & MqLibc.PollInvalid) != 0 => StatusCode.BadDescriptor,
            _ => found != 0 ? StatusCode.Canceled : Try,
        };
    }

    /// <summary>Gives others time to change a queue that cannot be polled.</summary>
    private int Pause(long remaining)
    {
        if (_pauses < Yields)
        {
            _pauses++;
            Thread.Yield();
            return Poll(-1, 0, 0);
        }

        long pause = FirstPause << (_pauses - Yields);
        if (pause < LastPause)
        {
            _pauses++;
        }
        else
        {
            pause = LastPause;
        }

        return Poll(-1, 0, Math.Min(pause, remaining));
    }
}
