// Adds values to what is kept of groups, for all lines of a batch, and merges what is kept of two groups.
//
// The state depends only on the multiset of values added, and merging adds multisets.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Managed.Log;

internal static class Measures
{
    /// <summary>Adds the values of some of the lines that count, from one up to another, to their groups.</summary>
    internal static void Add(
        GroupStore groups, TablePlan plan, in Accumulator accumulator, ref byte text, LineBatch batch, int from, int to)
    {
        ReadOnlySpan<int> lines = batch.Counted.AsSpan(from, to - from);
        ReadOnlySpan<int> owners = batch.Groups.AsSpan(from, to - from);
        switch (accumulator.Keep)
        {
            case Keep.Sum:
                AddSums(ref Unsafe.Add(ref groups.Words, accumulator.Place), groups.Stride, owners, lines, ref Numbers(batch, accumulator));
                break;
            case Keep.Extremes:
                AddExtremes(
                    ref Unsafe.Add(ref groups.Words, accumulator.Place), groups.Stride, owners, lines, ref Numbers(batch, accumulator));
                break;
            case Keep.Sketch:
                AddSketches(groups.Sketches[accumulator.Place..], plan.Sketches, owners, lines, ref Numbers(batch, accumulator));
                break;
            default:
                AddTexts(
                    ref Unsafe.Add(ref groups.Counters, accumulator.Place),
                    plan.Counters,
                    owners,
                    lines,
                    ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(batch.Texts), accumulator.Input * LineBatch.Capacity),
                    ref batch.HashesOf(ref text, accumulator.Input));
                break;
        }
    }

    /// <summary>Adds what a group of another store holds, which stays as it is.</summary>
    internal static void Merge(IReadOnlyList<Accumulator> accumulators, GroupStore groups, int group, GroupStore others, int other)
    {
        Span<long> words = groups.WordsOf(group);
        ReadOnlySpan<long> from = others.WordsOf(other);
        words[GroupStore.LinesAt] += from[GroupStore.LinesAt];
        foreach (Accumulator accumulator in accumulators)
        {
            int at = accumulator.Place;
            switch (accumulator.Keep)
            {
                case Keep.Sum:
                    AddSum(ref words[at], (ulong)from[at], from[at + 1], from[at + 2]);
                    break;
                case Keep.Extremes:
                    if (from[at + 2] > 0)
                    {
                        AddExtremes(ref words[at], from[at], from[at + 1], from[at + 2]);
                    }

                    break;
                case Keep.Sketch:
                    if (others.SketchesOf(other)[at] is { } sketch)
                    {
                        (groups.SketchesOf(group)[at] ??= new Sketch()).Merge(sketch);
                    }

                    break;
                default:
                    groups.CountersOf(group)[at].Merge(in others.CountersOf(other)[at]);
                    break;
            }
        }
    }

    private static ref Number Numbers(LineBatch batch, in Accumulator accumulator) =>
        ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(batch.Numbers), accumulator.Input * LineBatch.Capacity);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddSums(
        ref long words, int stride, ReadOnlySpan<int> groups, ReadOnlySpan<int> lines, ref Number numbers)
    {
        for (int i = 0; i < lines.Length; i++)
        {
            ref Number number = ref Unsafe.Add(ref numbers, lines[i]);
            if (!number.IsNull)
            {
                AddSum(ref Unsafe.Add(ref words, groups[i] * stride), (ulong)number.Value, number.Value >> 63, 1);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddExtremes(
        ref long words, int stride, ReadOnlySpan<int> groups, ReadOnlySpan<int> lines, ref Number numbers)
    {
        for (int i = 0; i < lines.Length; i++)
        {
            ref Number number = ref Unsafe.Add(ref numbers, lines[i]);
            if (!number.IsNull)
            {
                AddExtremes(ref Unsafe.Add(ref words, groups[i] * stride), number.Value, number.Value, 1);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddSketches(
        Span<Sketch?> sketches, int stride, ReadOnlySpan<int> groups, ReadOnlySpan<int> lines, ref Number numbers)
    {
        for (int i = 0; i < lines.Length; i++)
        {
            ref Number number = ref Unsafe.Add(ref numbers, lines[i]);
            if (!number.IsNull)
            {
                (sketches[groups[i] * stride] ??= new Sketch()).Add(number.Value);
            }
        }
    }

    /// <summary>Adds texts to distinct counters; null and empty ones do not count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddTexts(
        ref DistinctCounter counters,
        int stride,
        ReadOnlySpan<int> groups,
        ReadOnlySpan<int> lines,
        ref Slice texts,
        ref ulong hashes)
    {
        for (int i = 0; i < lines.Length; i++)
        {
            int line = lines[i];
            if (Unsafe.Add(ref texts, line).Length > 0)
            {
                Unsafe.Add(ref counters, groups[i] * stride).Add(Unsafe.Add(ref hashes, line));
            }
        }
    }

    /// <summary>Adds to three words: low and high half of a sum, how many values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddSum(ref long sum, ulong low, long high, long count)
    {
        ulong total = (ulong)sum + low;
        Unsafe.Add(ref sum, 1) += high + (total < low ? 1 : 0);
        sum = (long)total;
        Unsafe.Add(ref sum, 2) += count;
    }

    /// <summary>Adds to three words: smallest, largest, how many values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddExtremes(ref long extremes, long min, long max, long count)
    {
        bool isFirst = Unsafe.Add(ref extremes, 2) == 0;
        extremes = isFirst ? min : Math.Min(extremes, min);
        Unsafe.Add(ref extremes, 1) = isFirst ? max : Math.Max(Unsafe.Add(ref extremes, 1), max);
        Unsafe.Add(ref extremes, 2) += count;
    }
}
