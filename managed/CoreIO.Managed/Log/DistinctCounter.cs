// Distinct counts: HyperLogLog with 2^14 registers, exact up to 1,024 different hashes; the arithmetic is that of native/src/log/hll.c.
//
// Up to that many, the hashes themselves are kept; beyond, one register each of 2^14. Which of the two it is depends only on the set of
// hashes, so parts merge to exactly the state of the whole. The estimate is Ertl's improved one (arXiv:1702.01284, algorithm 6), the only
// floating-point arithmetic here: IEEE 754 operations in a fixed order, so that C and C# agree to the bit.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Managed.Log;

/// <remarks>Most counters of a table with many groups have one hash, so one needs no memory of its own.</remarks>
internal struct DistinctCounter
{
    private const int Bits = 14;
    private const int Registers = 1 << Bits;
    private const int Exact = 1024;
    private const int Ranks = 64 - Bits;

    /// <summary>Places of the first set: two hashes half fill it.</summary>
    private const int FirstPlaces = 4;

    /// <summary>1 / (2 ln 2), the limit of the bias correction for many registers.</summary>
    private const double Alpha = 0.72134752044448170368;

    /// <summary>The hash that was added last, for the same text often comes again; 0 for none.</summary>
    private ulong _last;

    /// <summary>More than one hash, by open addressing, 0 an empty place; or the registers, a byte each. Null up to one hash.</summary>
    private ulong[]? _set;

    /// <summary>Hashes of the set; -1 when it is registers.</summary>
    private int _count;

    private readonly Span<byte> AllRegisters => MemoryMarshal.AsBytes(_set.AsSpan());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Add(ulong hash)
    {
        // 0 marks an empty place.
        hash += hash == 0 ? 1UL : 0;
        if (hash != _last)
        {
            AddOther(hash);
            _last = hash;
        }
    }

    /// <summary>Reads what adding a hash will look at first, so that waits for it overlap with others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly ulong Touch() => _last;

    internal void Merge(in DistinctCounter other)
    {
        if (other._count < 0)
        {
            if (_count >= 0)
            {
                ToRegisters();
            }

            Span<byte> registers = AllRegisters;
            ReadOnlySpan<byte> others = other.AllRegisters;
            for (int i = 0; i < Registers; i++)
            {
                registers[i] = Math.Max(registers[i], others[i]);
            }

            _last = other._last;
            return;
        }

        ReadOnlySpan<ulong> hashes = other._set is null ? new ReadOnlySpan<ulong>(in other._last) : other._set;
        foreach (ulong hash in hashes)
        {
            if (hash != 0)
            {
                Add(hash);
            }
        }
    }

    /// <summary>How many different hashes were added, rounded to a whole number.</summary>
    internal readonly long Estimate()
    {
        if (_count >= 0)
        {
            return _set is not null ? _count : _last != 0 ? 1 : 0;
        }

        Span<int> histogram = stackalloc int[Ranks + 2];
        histogram.Clear();
        foreach (byte rank in AllRegisters)
        {
            histogram[rank]++;
        }

        const double m = Registers;
        double z = m * Tau(1.0 - (histogram[Ranks + 1] / m));
        for (int k = Ranks; k >= 1; k--)
        {
            z = 0.5 * (z + histogram[k]);
        }

        z = z + (m * Sigma(histogram[0] / m));
        return (long)((Alpha * m * m / z) + 0.5);
    }

    private static bool Place(ulong[] hashes, ulong hash)
    {
        int mask = hashes.Length - 1;
        int at = (int)hash & mask;
        while (hashes[at] != 0)
        {
            if (hashes[at] == hash)
            {
                return false;
            }

            at = (at + 1) & mask;
        }

        hashes[at] = hash;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SetRegister(Span<byte> registers, ulong hash)
    {
        // The guard bit bounds the rank when the rest of the hash is zero.
        ulong rest = hash << Bits | 1UL << (Bits - 1);
        byte rank = (byte)(BitOperations.LeadingZeroCount(rest) + 1);
        ref byte register = ref registers[(int)(hash >> Ranks)];
        register = Math.Max(register, rank);
    }

    /// <summary>Ertl's sigma and tau: what registers at the two ends of the scale would have added.</summary>
    private static double Sigma(double x)
    {
        if (x == 1.0)
        {
            return double.PositiveInfinity;
        }

        double y = 1.0;
        double z = x;
        double before;
        do
        {
            x = x * x;
            before = z;
            z = z + (x * y);
            y = y + y;
        }
        while (z != before);
        return z;
    }

    private static double Tau(double x)
    {
        if (x is 0.0 or 1.0)
        {
            return 0.0;
        }

        double y = 1.0;
        double z = 1.0 - x;
        double before;
        do
        {
            x = Math.Sqrt(x);
            before = z;
            y = 0.5 * y;
            double rest = 1.0 - x;
            z = z - (rest * rest * y);
        }
        while (z != before);
        return z / 3.0;
    }

    /// <summary>Adds a hash that is not the last one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddOther(ulong hash)
    {
        if (_count < 0)
        {
            SetRegister(AllRegisters, hash);
            return;
        }

        if (_set is null)
        {
            if (_last == 0)
            {
                return;
            }

            _set = new ulong[FirstPlaces];
            Place(_set, _last);
            _count = 1;
        }

        if (_count * 2 >= _set.Length)
        {
            Grow();
        }

        _count += Place(_set, hash) ? 1 : 0;
        if (_count > Exact)
        {
            ToRegisters();
        }
    }

    private void Grow()
    {
        ulong[] hashes = new ulong[_set!.Length * 2];
        foreach (ulong hash in _set)
        {
            if (hash != 0)
            {
                Place(hashes, hash);
            }
        }

        _set = hashes;
    }

    private void ToRegisters()
    {
        ReadOnlySpan<ulong> hashes = _set is null ? new ReadOnlySpan<ulong>(in _last) : _set;
        ulong[] registers = new ulong[Registers / sizeof(ulong)];
        foreach (ulong hash in hashes)
        {
            if (hash != 0)
            {
                SetRegister(MemoryMarshal.AsBytes(registers.AsSpan()), hash);
            }
        }

        _set = registers;
        _count = -1;
    }
}
