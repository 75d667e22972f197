// Quantiles: a DDSketch over long values; the arithmetic is that of native/src/log/sketch.c.
//
// Masson, Rim, Lee: DDSketch, VLDB 2019, with the linearly interpolated mapping: 64 buckets for each power of two, so a value is off by at
// most 1/128 of itself. Values below 128 have a bucket each; negative values mirror positive ones. Sketches of parts merge to exactly the
// sketch of the whole. Up to 32 values are kept as bucket numbers, more as counters of the range of buckets seen.
using System.Numerics;
using System.Runtime.CompilerServices;

namespace CoreIO.Managed.Log;

internal sealed class Sketch
{
    private const int Few = 32;
    private const int SubBits = 6;
    private const int SubCount = 64;

    /// <summary>Spare counters on both sides of a new bucket, so that growth is rare: half a power of two.</summary>
    private const int Slack = 32;

    private ulong _count;
    private long _min;
    private long _max;
    private short[]? _few;
    private ulong[]? _counters;
    private int _first;

    internal long Count => (long)_count;

    /// <summary>The bucket of a value: 0 for 0, ascending with the value, negative for negative values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Bucket(long value)
    {
        ulong magnitude = value < 0 ? 0 - (ulong)value : (ulong)value;
        int bucket = (int)magnitude;
        if (magnitude >= SubCount)
        {
            int exponent = BitOperations.Log2(magnitude);
            int sub = (int)(magnitude >> (exponent - SubBits)) & (SubCount - 1);
            bucket = SubCount + ((exponent - SubBits) * SubCount) + sub;
        }

        return value < 0 ? -bucket : bucket;
    }

    /// <summary>The value a bucket answers with: its middle, rounded down in magnitude.</summary>
    internal static long Value(int bucket)
    {
        int number = Math.Abs(bucket);
        ulong magnitude = (ulong)number;
        if (number >= 2 * SubCount)
        {
            int shift = (number - SubCount) / SubCount;
            ulong low = (ulong)(SubCount + ((number - SubCount) % SubCount)) << shift;
            magnitude = low + (((1UL << shift) - 1) / 2);
        }

        if (magnitude > long.MaxValue)
        {
            return bucket < 0 ? long.MinValue : long.MaxValue;
        }

        return bucket < 0 ? -(long)magnitude : (long)magnitude;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Add(long value)
    {
        AddBucket(Bucket(value));
        if (_count == 1)
        {
            _min = value;
            _max = value;
        }
        else
        {
            _min = Math.Min(_min, value);
            _max = Math.Max(_max, value);
        }
    }

    internal void Merge(Sketch other)
    {
        if (other._count == 0)
        {
            return;
        }

        long min = _count > 0 ? Math.Min(_min, other._min) : other._min;
        long max = _count > 0 ? Math.Max(_max, other._max) : other._max;
        if (other._counters is null)
        {
            foreach (short bucket in other._few.AsSpan(0, (int)other._count))
            {
                AddBucket(bucket);
            }
        }
        else
        {
            _counters ??= Spread(Bucket(min), Bucket(max));
            Cover(Bucket(other._min), Bucket(other._max));
            for (int i = 0; i < other._counters.Length; i++)
            {
                if (other._counters[i] != 0)
                {
                    _counters[other._first + i - _first] += other._counters[i];
                }
            }

            _count += other._count;
        }

        _min = min;
        _max = max;
    }

    /// <summary>The element of rank floor(ppm / 1e6 * (count - 1)); 0 when empty.</summary>
    internal long Quantile(int ppm)
    {
        if (_count == 0)
        {
            return 0;
        }

        ulong rank = (ulong)((UInt128)(uint)ppm * (_count - 1) / 1_000_000);

        // The ends are known exactly.
        if (rank == 0)
        {
            return _min;
        }

        return rank == _count - 1 ? _max : Math.Clamp(Value(BucketOfRank(rank)), _min, _max);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void AddBucket(int bucket)
    {
        if (_counters is { } counters && (uint)(bucket - _first) < (uint)counters.Length)
        {
            counters[bucket - _first]++;
            _count++;
            return;
        }

        AddNewBucket(bucket);
    }

    private void AddNewBucket(int bucket)
    {
        if (_counters is null)
        {
            _few ??= new short[Few];
            if (_count < Few)
            {
                _few[_count++] = (short)bucket;
                return;
            }

            _counters = Spread(bucket, bucket);
        }

        Cover(bucket, bucket);
        _counters[bucket - _first]++;
        _count++;
    }

    /// <summary>Changes from bucket numbers to counters, with room for two more buckets.</summary>
    private ulong[] Spread(int low, int high)
    {
        ReadOnlySpan<short> few = _few is null ? [] : _few.AsSpan(0, (int)_count);
        foreach (short bucket in few)
        {
            low = Math.Min(low, bucket);
            high = Math.Max(high, bucket);
        }

        _first = low - Slack;
        ulong[] counters = new ulong[high + Slack + 1 - _first];
        foreach (short bucket in few)
        {
            counters[bucket - _first]++;
        }

        _few = null;
        return counters;
    }

    private void Cover(int low, int high)
    {
        ulong[] old = _counters!;
        int oldEnd = _first + old.Length;
        if (low >= _first && high < oldEnd)
        {
            return;
        }

        int first = low < _first ? low - Slack : _first;
        int end = high >= oldEnd ? high + Slack + 1 : oldEnd;
        _counters = new ulong[end - first];
        old.CopyTo(_counters, _first - first);
        _first = first;
    }

    private int BucketOfRank(ulong rank)
    {
        if (_counters is null)
        {
            Span<short> sorted = stackalloc short[Few];
            sorted = sorted[..(int)_count];
            _few.AsSpan(0, (int)_count).CopyTo(sorted);
            sorted.Sort();
            return sorted[(int)rank];
        }

        int last = 0;
        for (int i = 0; i < _counters.Length; i++)
        {
            if (_counters[i] == 0)
            {
                continue;
            }

            last = _first + i;
            if (rank < _counters[i])
            {
                break;
            }

            rank -= _counters[i];
        }

        return last;
    }
}
