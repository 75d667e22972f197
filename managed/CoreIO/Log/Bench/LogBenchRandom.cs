// Numbers that a seed decides, the same on every machine and runtime: the input of a bench is part of its result.
namespace CoreIO.Log.Bench;

/// <summary>A sequence of numbers that a seed decides (Vigna, splitmix64).</summary>
internal sealed class LogBenchRandom(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        ulong mixed = _state;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>A number below <paramref name="bound"/>, which is small beside 2^32.</summary>
    public int Below(int bound) => (int)(((Next() >> 32) * (ulong)bound) >> 32);
}

/// <summary>Indexes by Zipf's law: index i comes with a frequency of 1 / (i + 1).</summary>
internal sealed class LogBenchZipf
{
    // 2^20 places: the rarest of 13,000 indexes still has several.
    private readonly int[] _places = new int[1 << 20];

    public LogBenchZipf(int count)
    {
        double all = 0;
        for (int i = 0; i < count; i++)
        {
            all += 1.0 / (i + 1);
        }

        double sum = 0;
        int place = 0;
        for (int i = 0; i < count; i++)
        {
            sum += 1.0 / (i + 1);
            // At least one place each; the last index takes what rounding leaves.
            int end = i == count - 1 ? _places.Length : Math.Max(place + 1, (int)(sum / all * _places.Length));
            for (; place < end && place < _places.Length; place++)
            {
                _places[place] = i;
            }
        }
    }

    public int Next(LogBenchRandom random) => _places[random.Next() >> 44];
}
