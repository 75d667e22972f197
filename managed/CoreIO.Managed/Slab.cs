// A slab: items of one type in pages that stay where they are. The same as native/src/base/slab.c, identifiers included.
//
// An item is named by its index, and by an identifier that also holds its generation: the generation moves on when the item is taken and
// when it is given back, so an identifier of an earlier owner finds nothing. One thread at a time. Taking allocates when a page is full,
// and then only.
using System.Runtime.CompilerServices;

namespace CoreIO.Managed;

internal sealed class Slab<T>
    where T : struct
{
    // A few system pages, as in C.
    private const int PageBytes = 32 * 1024;

    private readonly int _shift;
    private Entry[][] _pages = new Entry[8][];
    private int _pageCount;
    private int _free = -1;
    private int _high;

    internal Slab()
    {
        while (_shift < 12 && (2 << _shift) * Unsafe.SizeOf<Entry>() <= PageBytes)
        {
            _shift++;
        }
    }

    /// <summary>How many are taken.</summary>
    internal int Taken { get; private set; }

    /// <summary>A taken item.</summary>
    internal ref T this[int index] => ref At(index).Value;

    /// <summary>Takes an item, all zero, and returns its index, or -ENOMEM.</summary>
    internal int Take()
    {
        int index = _free;
        if (index >= 0)
        {
            _free = At(index).Next;
        }
        else
        {
            if (_high == _pageCount << _shift && !AddPage())
            {
                return StatusCode.NoMemory;
            }

            index = _high++;
        }

        ref Entry item = ref At(index);
        item.Value = default;
        item.Next = -1;
        item.Generation = (item.Generation + 1) & int.MaxValue;
        Taken++;
        return index;
    }

    /// <summary>Gives an item back that is taken.</summary>
    internal void Give(int index)
    {
        ref Entry item = ref At(index);
        item.Generation = (item.Generation + 1) & int.MaxValue;
        item.Next = _free;
        _free = index;
        Taken--;
    }

    /// <summary>The identifier of a taken item; above 0, and its bit 31 is clear.</summary>
    internal long Id(int index) => ((long)At(index).Generation << 32) | (uint)index;

    /// <summary>The index of the taken item with this identifier, or -1. Any number may be asked for.</summary>
    internal int Find(long id)
    {
        uint index = (uint)id;
        if (index >= (uint)_high)
        {
            return -1;
        }

        int generation = At((int)index).Generation;
        return (generation & 1) != 0 && generation == id >> 32 ? (int)index : -1;
    }

    private ref Entry At(int index) => ref _pages[index >> _shift][index & ((1 << _shift) - 1)];

    private bool AddPage()
    {
        if (_high > int.MaxValue - (1 << _shift))
        {
            return false;
        }

        if (_pageCount == _pages.Length)
        {
            Array.Resize(ref _pages, 2 * _pages.Length);
        }

        _pages[_pageCount++] = new Entry[1 << _shift];
        return true;
    }

    private struct Entry
    {
        /// <summary>Odd while the item is taken; 31 bits.</summary>
        internal int Generation;

        /// <summary>Index of the next free item, -1 for none.</summary>
        internal int Next;

        internal T Value;
    }
}
