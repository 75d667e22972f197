using System.Numerics;

namespace CoreIO.Proxy.Bench;

/// <summary>Times in ns, in steps of a sixty-fourth: counted without allocating. One thread writes, and another reads once that has stopped.</summary>
internal sealed class LoadHistogram
{
    private const int Bits = 6;

    private readonly long[] _counts = new long[(64 - Bits) << Bits];

    public long Count { get; private set; }

    public void Add(long ns)
    {
        Count++;
        _counts[Index(Math.Max(0, ns))]++;
    }

    /// <summary>What so many of a hundred do not exceed; the middle of the step; 0 of nothing.</summary>
    public long Percentile(double percent)
    {
        long left = (long)Math.Ceiling(Count * percent / 100);
        for (int i = 0; i < _counts.Length && Count > 0; i++)
        {
            left -= _counts[i];
            if (left <= 0)
            {
                return (Lowest(i) + Lowest(i + 1) - 1) / 2;
            }
        }

        return 0;
    }

    // Values below 64 each have a step; from there on the six bits below the highest choose one.
    private static int Index(long ns)
    {
        int shift = Math.Max(0, BitOperations.Log2((ulong)ns | 1) - Bits);
        return (shift << Bits) + (int)(ns >> shift);
    }

    private static long Lowest(int index)
    {
        int shift = Math.Max(0, (index >> Bits) - 1);
        return ((long)index - ((long)shift << Bits)) << shift;
    }
}
