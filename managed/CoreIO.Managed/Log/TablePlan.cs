// A compiled table: which texts make its key, what is kept for each group, and how statistics are read from that.
//
// Statistics that need the same thing share it: avg(x) and sum(x) one sum, all quantiles of x one sketch.
using CoreIO.Log;

namespace CoreIO.Managed.Log;

/// <summary>What is kept for each group of a table.</summary>
internal enum Keep
{
    /// <summary>Three words: low and high half of a 128-bit sum, how many values.</summary>
    Sum,

    /// <summary>Three words: smallest, largest, how many values.</summary>
    Extremes,

    /// <summary>A <see cref="Log.Sketch"/>.</summary>
    Sketch,

    /// <summary>A <see cref="DistinctCounter"/>.</summary>
    Distinct,
}

/// <summary>One thing that is kept.</summary>
/// <param name="Keep">What.</param>
/// <param name="Input">The number, or for distinct the text, it is made of.</param>
/// <param name="Place">Its first word, its sketch or its counter in those of the group.</param>
internal readonly record struct Accumulator(Keep Keep, int Input, int Place);

/// <summary>A statistic.</summary>
/// <param name="Column">As the caller sees it.</param>
/// <param name="Accumulator">Index of what it is read from; -1 for count.</param>
/// <param name="Ppm">Quantile in millionths.</param>
internal readonly record struct Statistic(LogStatColumn Column, int Accumulator, int Ppm);

internal sealed class TablePlan
{
    /// <summary>Words of one sum or of one pair of extremes.</summary>
    internal const int WordsOfOne = 3;

    private readonly List<Accumulator> _accumulators = [];

    internal List<LogKeyColumn> Keys { get; } = [];

    /// <summary>The texts that make the key.</summary>
    internal List<int> KeyTexts { get; } = [];

    internal List<Statistic> Statistics { get; } = [];

    internal IReadOnlyList<Accumulator> Accumulators => _accumulators;

    /// <summary>Words of a group; its own come first.</summary>
    internal int Words { get; private set; } = GroupStore.OwnWords;

    /// <summary>Sketches of a group.</summary>
    internal int Sketches { get; private set; }

    /// <summary>Distinct counters of a group.</summary>
    internal int Counters { get; private set; }

    internal int MaxGroups { get; set; }

    /// <summary>The index of what is kept, added if it is new.</summary>
    internal int Add(Keep keep, int input)
    {
        int found = _accumulators.FindIndex(accumulator => accumulator.Keep == keep && accumulator.Input == input);
        if (found >= 0)
        {
            return found;
        }

        int place = keep switch
        {
            Keep.Sketch => Sketches++,
            Keep.Distinct => Counters++,
            _ => Words,
        };
        Words += keep is Keep.Sum or Keep.Extremes ? WordsOfOne : 0;
        _accumulators.Add(new Accumulator(keep, input, place));
        return _accumulators.Count - 1;
    }
}
