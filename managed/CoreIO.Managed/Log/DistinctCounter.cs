// Distinct counts: HyperLogLog with 2^14 registers, exact up to 1,024 different hashes; the arithmetic is that of native/src/log/hll.c.
//
// Up to that many, the hashes themselves are kept; beyond, one register each of 2^14. Which of the two it is depends only on the set of
// hashes, so parts merge to exactly the state of the whole. The estimate is Ertl's improved one (arXiv:1702.01284, algorithm 6), the only
// floating-point arithmetic here: IEEE 754 operations in a fixed order, so that C and C# agree to the bit.
using System.Numerics;
using System.Runtime.CompilerServices;

namespace CoreIO.Managed.Log;

internal sealed class DistinctCounter
{
    private const int Bits = 14;
    private const int Registers = 1 << Bits;
    private const int Exact = 1024;
    private const int Ranks = 64 - Bits;

    /// <summary>1 / (2 ln 2), the limit of the bias correction for many registers.</summary>
    private const double Alpha = 0.72134752044448170368;

    /// <summary>Open addressing; 0 is an empty place.</summary>
    private ulong[] _hashes = [];
    private byte[]? _registers;
    private int _count;

    /// <summary>What was added last: the same text often follows itself.</summary>
    private ulong _last;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Add(ulong hash)
    {
        if (hash == _last && hash != 0)
        {
            return;
        }

        _last = hash;
        if (_registers is not null)
        {
            SetRegister(_registers, hash);
            return;
        }

        if (hash == 0)
        {
            hash = 1;
        }

        if (_count * 2 >= _hashes.Length)
        {
            Grow();
        }

        if (!Place(_hashes, hash))
        {
            return;
        }

        _count++;
        if (_count > Exact)
        {
            ToRegisters();
        }
    }

    internal void Merge(DistinctCounter other)
    {
        if (other._registers is not null)
        {
            byte[] registers = _registers ?? ToRegisters();
            for (int i = 0; i < Registers; i++)
            {
                registers[i] = Math.Max(registers[i], other._registers[i]);
            }

            return;
        }

        foreach (ulong hash in other._hashes)
        {
            if (hash != 0)
            {
                Add(hash);
            }
        }
    }

    /// <summary>How many different hashes were added, rounded to a whole number.</summary>
    internal long Estimate()
    {
        if (_registers is null)
        {
            return _count;
        }

        Span<int> histogram = stackalloc int[Ranks + 2];
        histogram.Clear();
        foreach (byte rank in _registers)
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
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
    private static void SetRegister(byte[] registers, ulong hash)
    {
        // The guard bit bounds the rank when the rest of the hash is zero.
        ulong rest = hash << Bits | 1UL << (Bits - 1);
        byte rank = (byte)(BitOperations.LeadingZeroCount(rest) + 1);
        ref byte register = ref registers[hash >> Ranks];
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

    private void Grow()
    {
        ulong[] hashes = new ulong[Math.Max(8, _hashes.Length * 2)];
        foreach (ulong hash in _hashes)
        {
            if (hash != 0)
            {
                Place(hashes, hash);
            }
        }

        _hashes = hashes;
    }

    private byte[] ToRegisters()
    {
        byte[] registers = new byte[Registers];
        foreach (ulong hash in _hashes)
        {
            if (hash != 0)
            {
                SetRegister(registers, hash);
            }
        }

        _hashes = [];
        _count = 0;
        _registers = registers;
        return registers;
    }
}
