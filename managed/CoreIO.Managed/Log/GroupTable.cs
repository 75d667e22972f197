// Groups of lines by key, each with what is kept of it.
//
// A table belongs to one worker; tables of one plan merge. Which groups keep a row when there are more than the limit does not depend on
// the order of the lines: those with the smallest hash of their key. A table grows to twice the limit, then folds the rest into `other`; a
// group that is among the smallest of all input is among the smallest of any part of it, so it is never folded, and its row is exact.
// A new key allocates now and then; a known one never does.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Managed.Log;

internal sealed class GroupTable
{
    private const int FirstPlaces = 64;
    private const int FirstGroups = 16;
    private const ulong Upper = 0xFFFFFFFF00000000;

    private readonly TablePlan _plan;
    private readonly int[] _parts;
    private readonly Accumulator[] _accumulators;
    private readonly int _wordCount;
    private readonly int _objectCount;
    private KeyArena _keys = new();

    /// <summary>Open addressing: the upper half of the hash, and the group's index plus one; 0 is empty.</summary>
    private ulong[] _places = new ulong[FirstPlaces];
    private Group[] _groups = new Group[FirstGroups];
    private long[] _words;
    private object?[] _objects;
    private int _count;

    /// <summary>The group of the line before: lines of one key often follow each other.</summary>
    private int _last;
    private bool _isLimited;
    private ulong _bound = ulong.MaxValue;

    private long _otherCount;
    private readonly long[] _otherWords;
    private readonly object?[] _otherObjects;

    internal GroupTable(TablePlan plan)
    {
        _plan = plan;
        _parts = [.. plan.KeyTexts];
        _accumulators = [.. plan.Accumulators];
        _wordCount = plan.Words;
        _objectCount = plan.Objects;
        _words = new long[FirstGroups * plan.Words];
        _objects = new object?[FirstGroups * plan.Objects];
        _otherWords = new long[plan.Words];
        _otherObjects = new object?[plan.Objects];
        if (_parts.Length == 0)
        {
            // One group without a key is there from the beginning, so that no input is one row of zeros.
            NewGroup(0, _keys.Add([]));
        }
    }

    internal int Count => _count;

    internal long KeyBytes => _keys.Bytes;

    /// <summary>Lines of the groups without a row of their own.</summary>
    internal long OtherCount => _otherCount;

    /// <summary>Counts a line in the group of its key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Add(ref byte text, ref Slice texts, ref Number numbers)
    {
        int group = _last;
        if (_parts.Length != 0
            && ((uint)group >= (uint)_count || !KeyArena.Matches(in GroupAt(group).Key, ref text, ref texts, _parts)))
        {
            ulong hash = HashKey(ref text, ref texts);
            group = Find(hash, ref text, ref texts);
            if (group < 0)
            {
                group = FindNew(hash, ref text, ref texts);
                if (group < 0)
                {
                    _otherCount++;
                    AddLine(ref First(_otherWords), ref First(_otherObjects), ref text, ref texts, ref numbers);
                    return;
                }
            }

            _last = group;
        }

        GroupAt(group).Count++;
        if (_accumulators.Length != 0)
        {
            AddLine(
                ref Unsafe.Add(ref First(_words), group * _wordCount),
                ref Unsafe.Add(ref First(_objects), group * _objectCount),
                ref text,
                ref texts,
                ref numbers);
        }
    }

    /// <summary>Adds all groups of a table of the same plan.</summary>
    internal void Merge(GroupTable other)
    {
        _otherCount += other._otherCount;
        MergeInto(_otherWords, _otherObjects, other._otherWords, other._otherObjects);
        if (other._isLimited)
        {
            _isLimited = true;
            _bound = Math.Min(_bound, other._bound);
        }

        for (int i = 0; i < other._count; i++)
        {
            ref Group from = ref other._groups[i];
            ReadOnlySpan<byte> key = from.Key.Bytes;
            int group = Find(from.Hash, key);
            if (group < 0)
            {
                if (_parts.Length != 0 && _count >= 2L * _plan.MaxGroups)
                {
                    Limit();
                }

                group = NewGroup(from.Hash, _keys.Add(key));
            }

            _groups[group].Count += from.Count;
            MergeInto(WordsOf(group), ObjectsOf(group), other.WordsOf(i), other.ObjectsOf(i));
        }
    }

    /// <summary>Folds the groups beyond the limit into the other ones.</summary>
    internal void Limit()
    {
        int keep = _plan.MaxGroups;
        if (_parts.Length == 0 || _count <= keep)
        {
            return;
        }

        int[] ranks = new int[_count];
        for (int i = 0; i < ranks.Length; i++)
        {
            ranks[i] = i;
        }

        ranks.AsSpan().Sort(Compare);
        foreach (int folded in ranks.AsSpan(keep))
        {
            _otherCount += _groups[folded].Count;
            MergeInto(_otherWords, _otherObjects, WordsOf(folded), ObjectsOf(folded));
        }

        _bound = _groups[ranks[keep - 1]].Hash;
        _isLimited = true;
        KeepOnly(ranks.AsSpan(0, keep));
    }

    /// <summary>The lines of a group.</summary>
    internal long CountOf(int group) => _groups[group].Count;

    internal ReadOnlySpan<byte> KeyOf(int group) => _groups[group].Key.Bytes;

    internal Span<long> WordsOf(int group) => _words.AsSpan(group * _plan.Words, _plan.Words);

    internal Span<object?> ObjectsOf(int group) => _objects.AsSpan(group * _plan.Objects, _plan.Objects);

    internal ReadOnlySpan<long> OtherWords => _otherWords;

    internal ReadOnlySpan<object?> OtherObjects => _otherObjects;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref T First<T>(T[] array) => ref MemoryMarshal.GetArrayDataReference(array);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref Group GroupAt(int group) => ref Unsafe.Add(ref First(_groups), group);

    /// <summary>The group of a key that is not in the table: a new one, or -1 when its lines go to the other ones.</summary>
    private int FindNew(ulong hash, ref byte text, ref Slice texts)
    {
        if (_count >= 2L * _plan.MaxGroups && hash <= _bound)
        {
            Limit();
        }

        return hash > _bound ? -1 : NewGroup(hash, _keys.Add(ref text, ref texts, _parts));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddLine(ref long words, ref object? objects, ref byte text, ref Slice texts, ref Number numbers)
    {
        foreach (ref readonly Accumulator accumulator in _accumulators.AsSpan())
        {
            if (accumulator.Keep == Keep.Distinct)
            {
                Slice counted = Unsafe.Add(ref texts, accumulator.Input);
                if (counted.Length > 0)
                {
                    ref object? place = ref Unsafe.Add(ref objects, accumulator.Place);
                    place ??= new DistinctCounter();
                    Unsafe.As<DistinctCounter>(place).Add(Hash.Of(ref Unsafe.Add(ref text, counted.Start), counted.Length, 0));
                }

                continue;
            }

            ref readonly Number number = ref Unsafe.Add(ref numbers, accumulator.Input);
            if (number.IsNull)
            {
                continue;
            }

            if (accumulator.Keep == Keep.Sketch)
            {
                ref object? place = ref Unsafe.Add(ref objects, accumulator.Place);
                place ??= new Sketch();
                Unsafe.As<Sketch>(place).Add(number.Value);
                continue;
            }

            Span<long> kept = MemoryMarshal.CreateSpan(ref Unsafe.Add(ref words, accumulator.Place), TablePlan.WordsOfOne);
            if (accumulator.Keep == Keep.Sum)
            {
                AddSum(kept, (ulong)number.Value, number.Value >> 63, 1);
            }
            else
            {
                AddExtremes(kept, number.Value, number.Value, 1);
            }
        }
    }

    private void MergeInto(Span<long> words, Span<object?> objects, ReadOnlySpan<long> fromWords, ReadOnlySpan<object?> fromObjects)
    {
        foreach (Accumulator accumulator in _accumulators)
        {
            int at = accumulator.Place;
            switch (accumulator.Keep)
            {
                case Keep.Sum:
                    AddSum(words[at..], (ulong)fromWords[at], fromWords[at + 1], fromWords[at + 2]);
                    break;
                case Keep.Extremes:
                    if (fromWords[at + 2] > 0)
                    {
                        AddExtremes(words[at..], fromWords[at], fromWords[at + 1], fromWords[at + 2]);
                    }

                    break;
                case Keep.Sketch:
                    if (fromObjects[at] is Sketch sketch)
                    {
                        ((Sketch)(objects[at] ??= new Sketch())).Merge(sketch);
                    }

                    break;
                default:
                    if (fromObjects[at] is DistinctCounter counter)
                    {
                        ((DistinctCounter)(objects[at] ??= new DistinctCounter())).Merge(counter);
                    }

                    break;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddSum(Span<long> sum, ulong low, long high, long count)
    {
        ulong total = (ulong)sum[0] + low;
        sum[1] += high + (total < low ? 1 : 0);
        sum[0] = (long)total;
        sum[2] += count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddExtremes(Span<long> extremes, long min, long max, long count)
    {
        if (extremes[2] == 0)
        {
            extremes[0] = min;
            extremes[1] = max;
        }
        else
        {
            extremes[0] = Math.Min(extremes[0], min);
            extremes[1] = Math.Max(extremes[1], max);
        }

        extremes[2] += count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong HashKey(ref byte text, ref Slice texts)
    {
        ulong hash = 0;
        foreach (int part in _parts)
        {
            Slice slice = Unsafe.Add(ref texts, part);
            hash = slice.IsNull ? Hash.OfNull(hash) : Hash.Of(ref Unsafe.Add(ref text, slice.Start), slice.Length, hash);
        }

        return hash;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Find(ulong hash, ref byte text, ref Slice texts)
    {
        ref ulong places = ref First(_places);
        int mask = _places.Length - 1;
        for (int at = (int)hash & mask; ; at = (at + 1) & mask)
        {
            ulong place = Unsafe.Add(ref places, at);
            if (place == 0)
            {
                return -1;
            }

            if (((place ^ hash) & Upper) == 0)
            {
                int group = (int)(uint)place - 1;
                if (KeyArena.Matches(in GroupAt(group).Key, ref text, ref texts, _parts))
                {
                    return group;
                }
            }
        }
    }

    private int Find(ulong hash, ReadOnlySpan<byte> key)
    {
        int mask = _places.Length - 1;
        for (int at = (int)hash & mask; ; at = (at + 1) & mask)
        {
            ulong place = _places[at];
            if (place == 0)
            {
                return -1;
            }

            if (((place ^ hash) & Upper) == 0)
            {
                int group = (int)(uint)place - 1;
                if (KeyOf(group).SequenceEqual(key))
                {
                    return group;
                }
            }
        }
    }

    private int NewGroup(ulong hash, KeyPlace key)
    {
        if (_count == _groups.Length)
        {
            Array.Resize(ref _groups, checked(_count * 2));
            Array.Resize(ref _words, checked(_groups.Length * _plan.Words));
            Array.Resize(ref _objects, checked(_groups.Length * _plan.Objects));
            PlaceAll();
        }

        _groups[_count] = new Group { Hash = hash, Key = key };
        Place(hash, _count);
        return _count++;
    }

    private void Place(ulong hash, int group)
    {
        int mask = _places.Length - 1;
        int at = (int)hash & mask;
        while (_places[at] != 0)
        {
            at = (at + 1) & mask;
        }

        _places[at] = (hash & Upper) | (uint)(group + 1);
    }

    /// <summary>Makes the table of places anew, with at least twice as many as there is room for groups.</summary>
    private void PlaceAll()
    {
        int size = FirstPlaces;
        while (size < _groups.Length * 2L)
        {
            size = checked(size * 2);
        }

        _places = new ulong[size];
        for (int i = 0; i < _count; i++)
        {
            Place(_groups[i].Hash, i);
        }
    }

    private void KeepOnly(ReadOnlySpan<int> kept)
    {
        Group[] groups = new Group[_groups.Length];
        long[] words = new long[_words.Length];
        object?[] objects = new object?[_objects.Length];
        KeyArena keys = new();
        for (int i = 0; i < kept.Length; i++)
        {
            groups[i] = _groups[kept[i]];
            groups[i].Key = keys.Add(KeyOf(kept[i]));
            WordsOf(kept[i]).CopyTo(words.AsSpan(i * _plan.Words));
            ObjectsOf(kept[i]).CopyTo(objects.AsSpan(i * _plan.Objects));
        }

        _groups = groups;
        _words = words;
        _objects = objects;
        _keys = keys;
        _count = kept.Length;
        PlaceAll();
    }

    private int Compare(int left, int right)
    {
        int order = _groups[left].Hash.CompareTo(_groups[right].Hash);
        return order != 0 ? order : KeyOf(left).SequenceCompareTo(KeyOf(right));
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Group
    {
        internal ulong Hash;
        internal long Count;
        internal KeyPlace Key;
    }
}
