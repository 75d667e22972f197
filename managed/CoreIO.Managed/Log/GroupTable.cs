// Groups of lines by key.
//
// A table belongs to one worker; tables of one plan merge. Which groups keep a row when there are more than the limit does not depend on
// the order of the lines: those with the smallest hash of their key. A table grows to twice the limit, then folds the rest into the other
// ones; a group that is among the smallest of all input is among the smallest of any part of it, so it is never folded, and its row is
// exact. A new key allocates now and then; a known one never does.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Managed.Log;

internal sealed class GroupTable
{
    private const int FirstPlaces = 64;

    /// <summary>
    /// Places beyond which a look-up is not likely to find its group in a near cache: then what the lines of a batch will look at is read
    /// first, step by step for all of them, so that the waits overlap.
    /// </summary>
    private const int FarPlaces = 1024;

    private const ulong Upper = 0xFFFFFFFF00000000;

    /// <summary>So many places that the few keys there are seldom share one.</summary>
    private const int RecentBits = 8;

    private readonly TablePlan _plan;
    private readonly int[] _parts;
    private readonly int[] _columns;
    private readonly Accumulator[] _accumulators;

    /// <summary>Short keys of one or two texts that came lately, while there are few places.</summary>
    private readonly Recent[] _recents = new Recent[1 << RecentBits];

    /// <summary>Open addressing: the upper half of the hash, and the group; 0 is empty.</summary>
    private ulong[] _places = new ulong[FirstPlaces];
    private ulong _bound = ulong.MaxValue;

    /// <summary>What was read ahead; kept, so that it is read.</summary>
    private ulong _touched;

    internal GroupTable(TablePlan plan)
    {
        _plan = plan;
        _parts = [.. plan.KeyTexts];
        _columns = [.. plan.KeyTexts.Select(part => part * LineBatch.Capacity)];
        _accumulators = [.. plan.Accumulators];
        Groups = new GroupStore(plan);
        if (_parts.Length == 0)
        {
            // One group without a key is there from the beginning, so that no input is one row of zeros.
            NewGroup(0, Groups.Keys.Add([]));
        }
    }

    internal GroupStore Groups { get; private set; }

    /// <summary>Groups with a key of their own.</summary>
    private int Own => Groups.Count - GroupStore.First;

    /// <summary>Counts the lines of a batch in the groups of their keys.</summary>
    internal void Add(ref byte text, LineBatch batch)
    {
        if (batch.Count == 0)
        {
            return;
        }

        int from = 0;
        if (_parts.Length == 0)
        {
            batch.Groups.AsSpan(0, batch.Count).Fill(GroupStore.First);
        }
        else if (_parts.Length <= 2 && _places.Length <= FarPlaces)
        {
            from = FindRecent(ref text, batch);
        }
        else
        {
            HashKeys(ref text, batch);
            if (_places.Length > FarPlaces)
            {
                Touch(batch);
            }

            from = _parts.Length == 1 ? FindOne(ref text, batch) : FindMany(ref text, batch);
        }

        AddLines(ref text, batch, from, batch.Count);
    }

    /// <summary>Adds all groups of a table of the same plan.</summary>
    internal void Merge(GroupTable other)
    {
        _bound = Math.Min(_bound, other._bound);
        Measures.Merge(_accumulators, Groups, GroupStore.Other, other.Groups, GroupStore.Other);
        for (int i = GroupStore.First; i < other.Groups.Count; i++)
        {
            ulong hash = other.Groups.HashOf(i);
            ReadOnlySpan<byte> key = other.Groups.KeyOf(i);
            int group = Find(hash, key);
            if (group < 0)
            {
                if (_parts.Length != 0 && Own >= 2L * _plan.MaxGroups)
                {
                    Limit();
                }

                group = NewGroup(hash, Groups.Keys.Add(key));
            }

            Measures.Merge(_accumulators, Groups, group, other.Groups, i);
        }
    }

    /// <summary>Folds the groups beyond the limit into the other ones.</summary>
    internal void Limit()
    {
        int keep = _plan.MaxGroups;
        if (_parts.Length == 0 || Own <= keep)
        {
            return;
        }

        // Hashes alone are sorted, and groups then looked at in the order in which they lie.
        ulong[] hashes = new ulong[Own];
        for (int i = 0; i < hashes.Length; i++)
        {
            hashes[i] = Groups.HashOf(GroupStore.First + i);
        }

        Array.Sort(hashes);
        _bound = hashes[keep - 1];
        ReadOnlySpan<int> last = WithHash(_bound).AsSpan(0, keep - Array.IndexOf(hashes, _bound));
        List<int> kept = new(keep);
        for (int i = GroupStore.First; i < Groups.Count; i++)
        {
            ulong hash = Groups.HashOf(i);
            if (hash < _bound || (hash == _bound && last.Contains(i)))
            {
                kept.Add(i);
            }
            else
            {
                Measures.Merge(_accumulators, Groups, GroupStore.Other, Groups, i);
            }
        }

        Groups = Groups.Pick(CollectionsMarshal.AsSpan(kept));
        PlaceAll();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref T First<T>(T[] array) => ref MemoryMarshal.GetArrayDataReference(array);

    /// <summary>Hashes of the keys of the lines that count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void HashKeys(ref byte text, LineBatch batch)
    {
        ReadOnlySpan<int> lines = batch.Counted.AsSpan(0, batch.Count);
        ref ulong keys = ref First(batch.Keys);
        ref ulong hashes = ref batch.HashesOf(ref text, _parts[0]);
        for (int i = 0; i < lines.Length; i++)
        {
            Unsafe.Add(ref keys, i) = Unsafe.Add(ref hashes, lines[i]);
        }

        foreach (int column in _columns.AsSpan(1))
        {
            ref Slice texts = ref Unsafe.Add(ref First(batch.Texts), column);
            for (int i = 0; i < lines.Length; i++)
            {
                Slice slice = Unsafe.Add(ref texts, lines[i]);
                ref ulong key = ref Unsafe.Add(ref keys, i);
                key = slice.IsNull ? Hash.OfNull(key) : Hash.Of(ref Unsafe.Add(ref text, slice.Start), slice.Length, key);
            }
        }
    }

    /// <summary>Reads what the look-ups of a batch will, a step at a time: places, then groups, then keys.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Touch(LineBatch batch)
    {
        ref ulong places = ref First(_places);
        ref ulong keys = ref First(batch.Keys);
        ref int groups = ref First(batch.Groups);
        ref long words = ref Groups.Words;
        int mask = _places.Length - 1;
        int stride = Groups.Stride;
        int count = batch.Count;
        for (int i = 0; i < count; i++)
        {
            Unsafe.Add(ref groups, i) = (int)(uint)Unsafe.Add(ref places, (int)Unsafe.Add(ref keys, i) & mask);
        }

        ulong touched = 0;
        for (int i = 0; i < count; i++)
        {
            ref long own = ref Unsafe.Add(ref words, Unsafe.Add(ref groups, i) * stride);
            touched += (ulong)own + (ulong)Unsafe.Add(ref own, stride - 1);
        }

        foreach (Accumulator accumulator in _accumulators)
        {
            if (accumulator.Keep == Keep.Distinct)
            {
                ref DistinctCounter counters = ref Unsafe.Add(ref Groups.Counters, accumulator.Place);
                for (int i = 0; i < count; i++)
                {
                    touched += Unsafe.Add(ref counters, Unsafe.Add(ref groups, i) * _plan.Counters).Touch();
                }
            }
        }

        KeyArena arena = Groups.Keys;
        for (int i = 0; i < count; i++)
        {
            int group = Unsafe.Add(ref groups, i);
            touched += group == 0 ? 0u : arena.At(Unsafe.Add(ref words, (group * stride) + GroupStore.KeyAt));
        }

        _touched = touched;
    }

    /// <summary>Finds or makes the groups of a batch whose keys are one text; returns the first line not yet added.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int FindOne(ref byte text, LineBatch batch)
    {
        ref Slice texts = ref Unsafe.Add(ref First(batch.Texts), _columns[0]);
        int added = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            ulong hash = batch.Keys[i];
            Slice slice = Unsafe.Add(ref texts, batch.Counted[i]);
            ref ulong places = ref First(_places);
            int mask = _places.Length - 1;
            int group = -1;
            for (int at = (int)hash & mask; Unsafe.Add(ref places, at) != 0; at = (at + 1) & mask)
            {
                ulong place = Unsafe.Add(ref places, at);
                if (((place ^ hash) & Upper) == 0
                    && KeyArena.IsPart(ref KeyOf((int)(uint)place), ref text, slice, out _))
                {
                    group = (int)(uint)place;
                    break;
                }
            }

            batch.Groups[i] = group >= 0 ? group : FindNew(ref text, batch, i, ref added);
        }

        return added;
    }

    /// <summary>The same for keys of several texts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int FindMany(ref byte text, LineBatch batch)
    {
        int added = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            ref Slice texts = ref Unsafe.Add(ref First(batch.Texts), batch.Counted[i]);
            int group = Find(ref text, ref texts, batch.Keys[i]);
            batch.Groups[i] = group >= 0 ? group : FindNew(ref text, batch, i, ref added);
        }

        return added;
    }

    /// <summary>The same for few different keys of one or two texts: most are short and came lately, and need neither hash nor look-up.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int FindRecent(ref byte text, LineBatch batch)
    {
        bool isPair = _columns.Length == 2;
        ref Slice firsts = ref Unsafe.Add(ref First(batch.Texts), _columns[0]);
        ref Slice seconds = ref Unsafe.Add(ref First(batch.Texts), _columns[^1]);
        ref int groups = ref First(batch.Groups);
        ReadOnlySpan<int> lines = batch.Counted.AsSpan(0, batch.Count);
        int added = 0;
        for (int i = 0; i < lines.Length; i++)
        {
            Slice first = Unsafe.Add(ref firsts, lines[i]);
            Slice second = isPair ? Unsafe.Add(ref seconds, lines[i]) : default;
            if (!Hash.IsShort(first) || (isPair && !Hash.IsShort(second)))
            {
                Unsafe.Add(ref groups, i) = FindAt(ref text, batch, i, ref added);
                continue;
            }

            Recent key = new()
            {
                First = Hash.ShortWord(ref text, first),
                Second = isPair ? Hash.ShortWord(ref text, second) : 0,
                Lengths = (uint)first.Length | (ulong)second.Length << 32,
            };
            ref Recent recent = ref Unsafe.Add(ref First(_recents), (int)(Hash.OfWords(key.First, key.Second) >> (64 - RecentBits)));
            if (((recent.First ^ key.First) | (recent.Second ^ key.Second) | (recent.Lengths ^ key.Lengths)) != 0)
            {
                key.Group = FindAt(ref text, batch, i, ref added);
                Unsafe.Add(ref groups, i) = key.Group;
                recent = key.Group == GroupStore.Other ? recent : key;
                continue;
            }

            Unsafe.Add(ref groups, i) = recent.Group;
        }

        return added;
    }

    /// <summary>Finds or makes the group of one line.</summary>
    private int FindAt(ref byte text, LineBatch batch, int index, ref int added)
    {
        ref Slice texts = ref Unsafe.Add(ref First(batch.Texts), batch.Counted[index]);
        ulong hash = 0;
        foreach (int column in _columns)
        {
            Slice slice = Unsafe.Add(ref texts, column);
            hash = slice.IsNull ? Hash.OfNull(hash) : Hash.Of(ref Unsafe.Add(ref text, slice.Start), slice.Length, hash);
        }

        batch.Keys[index] = hash;
        int group = Find(ref text, ref texts, hash);
        return group >= 0 ? group : FindNew(ref text, batch, index, ref added);
    }

    /// <summary>The group of a line's key, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Find(ref byte text, ref Slice texts, ulong hash)
    {
        ref ulong places = ref First(_places);
        int mask = _places.Length - 1;
        for (int at = (int)hash & mask; Unsafe.Add(ref places, at) != 0; at = (at + 1) & mask)
        {
            ulong place = Unsafe.Add(ref places, at);
            if (((place ^ hash) & Upper) == 0 && IsKey(ref KeyOf((int)(uint)place), ref text, ref texts))
            {
                return (int)(uint)place;
            }
        }

        return -1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref byte KeyOf(int group) => ref Groups.Keys.At(Unsafe.Add(ref Groups.Words, (group * Groups.Stride) + GroupStore.KeyAt));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsKey(ref byte key, ref byte text, ref Slice texts)
    {
        foreach (int column in _columns)
        {
            if (!KeyArena.IsPart(ref key, ref text, Unsafe.Add(ref texts, column), out int length))
            {
                return false;
            }

            key = ref Unsafe.Add(ref key, length);
        }

        return true;
    }

    /// <summary>The group of a key that is not in the table: a new one, or that of the folded ones.</summary>
    private int FindNew(ref byte text, LineBatch batch, int index, ref int added)
    {
        ulong hash = batch.Keys[index];
        if (Own >= 2L * _plan.MaxGroups && hash <= _bound)
        {
            // Groups are about to move, so what was found so far is added first.
            AddLines(ref text, batch, added, index);
            added = index;
            Limit();
        }

        ref Slice texts = ref Unsafe.Add(ref First(batch.Texts), batch.Counted[index]);
        return hash > _bound ? GroupStore.Other : NewGroup(hash, Groups.Keys.Add(ref text, ref texts, _columns));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddLines(ref byte text, LineBatch batch, int from, int to)
    {
        ref long lines = ref Unsafe.Add(ref Groups.Words, GroupStore.LinesAt);
        int stride = Groups.Stride;
        foreach (int group in batch.Groups.AsSpan(from, to - from))
        {
            Unsafe.Add(ref lines, group * stride)++;
        }

        foreach (ref readonly Accumulator accumulator in _accumulators.AsSpan())
        {
            Measures.Add(Groups, _plan, in accumulator, ref text, batch, from, to);
        }
    }

    private int Find(ulong hash, ReadOnlySpan<byte> key)
    {
        int mask = _places.Length - 1;
        for (int at = (int)hash & mask; _places[at] != 0; at = (at + 1) & mask)
        {
            int group = (int)(uint)_places[at];
            if (((_places[at] ^ hash) & Upper) == 0 && Groups.KeyOf(group).SequenceEqual(key))
            {
                return group;
            }
        }

        return -1;
    }

    private int NewGroup(ulong hash, long key)
    {
        int capacity = Groups.Capacity;
        int group = Groups.Add(hash, key);
        if (Groups.Capacity != capacity)
        {
            PlaceAll();
        }
        else
        {
            Place(hash, group);
        }

        return group;
    }

    private void Place(ulong hash, int group)
    {
        int mask = _places.Length - 1;
        int at = (int)hash & mask;
        while (_places[at] != 0)
        {
            at = (at + 1) & mask;
        }

        _places[at] = (hash & Upper) | (uint)group;
    }

    /// <summary>Makes the table of places anew, with at least twice as many as there is room for groups.</summary>
    private void PlaceAll()
    {
        int size = FirstPlaces;
        while (size < Groups.Capacity * 2L)
        {
            size = checked(size * 2);
        }

        _places = new ulong[size];
        Array.Clear(_recents);
        for (int i = GroupStore.First; i < Groups.Count; i++)
        {
            Place(Groups.HashOf(i), i);
        }
    }

    /// <summary>The groups with a hash, nearly always one, by their keys.</summary>
    private int[] WithHash(ulong hash)
    {
        int[] groups = [.. Enumerable.Range(GroupStore.First, Own).Where(i => Groups.HashOf(i) == hash)];
        Array.Sort(groups, (left, right) => Groups.KeyOf(left).SequenceCompareTo(Groups.KeyOf(right)));
        return groups;
    }

    /// <summary>A key of one or two texts of one to eight bytes, and its group; lengths of 0 for none.</summary>
    private struct Recent
    {
        internal ulong First;
        internal ulong Second;

        /// <summary>Of both texts, the second in the upper half.</summary>
        internal ulong Lengths;
        internal int Group;
    }
}
