// What is kept of the groups of a table: for each its words, sketches and distinct counters, in arrays that groups have an equal share of.
//
// A group's own words come before those of its sums and extremes, so most of what a line changes is side by side. The first group is that
// of all lines whose own group is folded.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Managed.Log;

internal sealed class GroupStore
{
    /// <summary>The group of the folded ones.</summary>
    internal const int Other = 0;

    /// <summary>The first group with a key of its own.</summary>
    internal const int First = 1;

    /// <summary>Words of a group before those that its statistics need: hash, lines, place of the key.</summary>
    internal const int OwnWords = 3;

    internal const int HashAt = 0;
    internal const int LinesAt = 1;
    internal const int KeyAt = 2;

    private const int FirstCapacity = 16;

    private readonly TablePlan _plan;
    private long[] _words;
    private Sketch?[] _sketches;
    private DistinctCounter[] _counters;

    internal GroupStore(TablePlan plan, int capacity = FirstCapacity)
    {
        _plan = plan;
        Capacity = capacity;
        Stride = plan.Words;
        _words = new long[checked(capacity * plan.Words)];
        _sketches = new Sketch?[checked(capacity * plan.Sketches)];
        _counters = new DistinctCounter[checked(capacity * plan.Counters)];
    }

    /// <summary>How many groups there are, the other ones among them.</summary>
    internal int Count { get; private set; } = First;

    /// <summary>How many there is room for.</summary>
    internal int Capacity { get; private set; }

    /// <summary>Words from a group to the next.</summary>
    internal int Stride { get; }

    internal KeyArena Keys { get; } = new();

    /// <summary>The words of all groups; they move when groups are added.</summary>
    internal ref long Words => ref MemoryMarshal.GetArrayDataReference(_words);

    internal Span<Sketch?> Sketches => _sketches;

    internal ref DistinctCounter Counters => ref MemoryMarshal.GetArrayDataReference(_counters);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong HashOf(int group) => (ulong)_words[(group * Stride) + HashAt];

    internal long LinesOf(int group) => _words[(group * Stride) + LinesAt];

    internal ReadOnlySpan<byte> KeyOf(int group) => Keys.Of(_words[(group * Stride) + KeyAt]);

    internal Span<long> WordsOf(int group) => _words.AsSpan(group * Stride, Stride);

    internal Span<Sketch?> SketchesOf(int group) => _sketches.AsSpan(group * _plan.Sketches, _plan.Sketches);

    internal Span<DistinctCounter> CountersOf(int group) => _counters.AsSpan(group * _plan.Counters, _plan.Counters);

    /// <summary>Adds an empty group whose key is in the arena; returns its number.</summary>
    internal int Add(ulong hash, long key)
    {
        if (Count == Capacity)
        {
            int capacity = checked(Capacity * 2);
            Array.Resize(ref _words, checked(capacity * Stride));
            Array.Resize(ref _sketches, checked(capacity * _plan.Sketches));
            Array.Resize(ref _counters, checked(capacity * _plan.Counters));
            Capacity = capacity;
        }

        Span<long> words = WordsOf(Count);
        words[HashAt] = (long)hash;
        words[KeyAt] = key;
        return Count++;
    }

    /// <summary>A store of the other ones and of some groups.</summary>
    internal GroupStore Pick(ReadOnlySpan<int> groups)
    {
        GroupStore store = new(_plan, Capacity);
        store.Copy(this, Other, Other);
        foreach (int group in groups)
        {
            long key = store.Keys.Add(KeyOf(group));
            int to = store.Add(HashOf(group), key);
            store.Copy(this, group, to);
            store.WordsOf(to)[KeyAt] = key;
        }

        return store;
    }

    private void Copy(GroupStore store, int from, int to)
    {
        store.WordsOf(from).CopyTo(WordsOf(to));
        store.SketchesOf(from).CopyTo(SketchesOf(to));
        store.CountersOf(from).CopyTo(CountersOf(to));
    }
}
