// Timers in a hierarchy of wheels: starting, moving and ending one takes the same time however many there are. The same as
// native/src/loop/wheel.c.
//
// Time is counted in ticks of 2^20 ns. A wheel of level n has 64 buckets of 64^n ticks each; a timer lies in the wheel of the highest digit,
// base 64, in which its tick differs from now, and moves down a wheel when time comes to its bucket, at most five times. (Varghese and
// Lauck, Hashed and Hierarchical Timing Wheels, 1987, scheme 7.)
using System.Numerics;

namespace CoreIO.Managed.Loop;

internal sealed class TimerWheel
{
    private const int TickShift = 20;
    private const int Digit = 6;
    private const int Levels = 6;
    private const int Buckets = 64;

    // The bucket of timers that are due, in the order they became so.
    private const int DueBucket = Levels * Buckets;

    // What the wheels together turn over; a timer behind that lies in the last bucket, and is put again from there.
    private const long Reach = (1L << (Digit * Levels)) - 1;

    private readonly ulong[] _occupied = new ulong[Levels];
    private readonly int[] _first = new int[DueBucket + 1];

    // Nanoseconds as of the last advance, and the tick up to which everything is due.
    private long _time;
    private long _now;

    /// <summary>A wheel without timers at <paramref name="now"/> ns.</summary>
    internal TimerWheel(long now)
    {
        _time = now;
        _now = now >> TickShift;
        Array.Fill(_first, -1);
    }

    /// <summary>The timers, by index.</summary>
    internal Slab<Timer> Timers { get; } = new();

    /// <summary>The first timer that is due, or -1.</summary>
    internal int Due => _first[DueBucket];

    /// <summary>
    /// When there is something to do next, in ns: no later than the first deadline, and earlier when timers have to move down before it.
    /// <see cref="long.MaxValue"/> without timers.
    /// </summary>
    internal long Next
    {
        get
        {
            if (Due >= 0)
            {
                return _now << TickShift;
            }

            long tick = NextBucket(out _);
            return tick > long.MaxValue >> TickShift ? long.MaxValue : tick << TickShift;
        }
    }

    /// <summary>Adds a timer and returns its index, or -ENOMEM.</summary>
    internal int Add(long deadline, long period, long data)
    {
        int index = Timers.Take();
        if (index >= 0)
        {
            ref Timer timer = ref Timers[index];
            timer.Deadline = deadline;
            timer.Period = period;
            timer.Data = data;
            Place(index);
        }

        return index;
    }

    /// <summary>Moves a timer to another deadline.</summary>
    internal void Move(int index, long deadline)
    {
        Unlink(index);
        Timers[index].Deadline = deadline;
        Place(index);
    }

    /// <summary>Takes a timer out and gives its index back.</summary>
    internal void Remove(int index)
    {
        Unlink(index);
        Timers.Give(index);
    }

    /// <summary>Makes due what is due at <paramref name="now"/> ns.</summary>
    internal void Advance(long now)
    {
        long until = now >> TickShift;
        _time = now;
        for (long tick = NextBucket(out int bucket); tick <= until; tick = NextBucket(out bucket))
        {
            _now = tick;
            int index = _first[bucket];
            _first[bucket] = -1;
            _occupied[bucket / Buckets] &= ~(1UL << (bucket % Buckets));
            while (index >= 0)
            {
                int next = Timers[index].Next;
                Place(index);
                index = next;
            }
        }

        _now = Math.Max(_now, until);
    }

    // The first tick that is not before: a timer never fires early.
    private static long TickOf(long ns)
    {
        long tick = ns >> TickShift;
        return tick << TickShift == ns ? tick : tick + 1;
    }

    // Appends a timer to a bucket.
    private void Append(int index, int bucket)
    {
        ref Timer timer = ref Timers[index];
        int first = _first[bucket];
        timer.Bucket = bucket;
        timer.Next = -1;
        if (first < 0)
        {
            timer.Previous = index;
            _first[bucket] = index;
            if (bucket != DueBucket)
            {
                _occupied[bucket / Buckets] |= 1UL << (bucket % Buckets);
            }

            return;
        }

        ref Timer head = ref Timers[first];
        timer.Previous = head.Previous;
        Timers[head.Previous].Next = index;
        head.Previous = index;
    }

    private void Unlink(int index)
    {
        ref Timer timer = ref Timers[index];
        int bucket = timer.Bucket;
        int first = _first[bucket];
        if (first == index)
        {
            _first[bucket] = timer.Next;
            if (timer.Next >= 0)
            {
                Timers[timer.Next].Previous = timer.Previous;
            }
            else if (bucket != DueBucket)
            {
                _occupied[bucket / Buckets] &= ~(1UL << (bucket % Buckets));
            }

            return;
        }

        Timers[timer.Previous].Next = timer.Next;
        Timers[timer.Next >= 0 ? timer.Next : first].Previous = timer.Previous;
    }

    // Puts a timer into the bucket of its deadline, as seen from now.
    private void Place(int index)
    {
        long deadline = Timers[index].Deadline;
        long tick = TickOf(deadline);
        if (tick <= _now || deadline <= _time)
        {
            Append(index, DueBucket);
            return;
        }

        if (tick - _now > Reach)
        {
            tick = _now + Reach;
        }

        // A tick within reach may differ in a digit above the last wheel; that wheel then turns over on its way to it.
        int level = Math.Min(BitOperations.Log2((ulong)(tick ^ _now)) / Digit, Levels - 1);
        Append(index, (level * Buckets) + (int)((tick >> (level * Digit)) & (Buckets - 1)));
    }

    // The first tick of the bucket that comes first, or the end of all time; writes which one it is.
    private long NextBucket(out int bucket)
    {
        for (int level = 0; level < Levels; level++)
        {
            ulong occupied = _occupied[level];
            if (occupied == 0)
            {
                continue;
            }

            int shift = level * Digit;
            int current = (int)((_now >> shift) & (Buckets - 1));
            // Buckets behind the current one come first; those at and before it, on the last wheel, after a turn.
            ulong behind = current == Buckets - 1 ? 0 : occupied & (ulong.MaxValue << (current + 1));
            int index = BitOperations.TrailingZeroCount(behind != 0 ? behind : occupied);
            long turn = _now >> (shift + Digit);
            bucket = (level * Buckets) + index;
            return (((turn + (behind == 0 ? 1 : 0)) * Buckets) + index) << shift;
        }

        bucket = 0;
        return long.MaxValue;
    }

    internal struct Timer
    {
        /// <summary>In its bucket; of the first one the last.</summary>
        internal int Previous;

        /// <summary>-1 for the last.</summary>
        internal int Next;

        /// <summary>Nanoseconds on the loop's clock.</summary>
        internal long Deadline;

        /// <summary>Nanoseconds, 0 for once.</summary>
        internal long Period;

        internal long Data;
        internal int Bucket;
    }
}
