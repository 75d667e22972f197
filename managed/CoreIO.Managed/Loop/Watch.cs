// A descriptor that is watched, and the lists a watch may be in. The data of its epoll registration is the identifier of its slot, whose
// generation moves on when the slot is given back: what the kernel still tells of an earlier owner finds no slot.
using System.Runtime.CompilerServices;
using CoreIO.Loop;

namespace CoreIO.Managed.Loop;

internal enum WatchListKind
{
    /// <summary>To be given out once more.</summary>
    Again = 0,

    /// <summary>Whose interest the kernel may have to hear of.</summary>
    Dirty = 1,
}

internal struct Watch
{
    internal long Data;

    /// <summary>-1 once the number belongs to a later watch.</summary>
    internal int Descriptor;

    /// <summary>Interest the owner asked for last.</summary>
    internal LoopInterest Wanted;

    /// <summary>Interest the kernel has; none after an event of one that is one-shot.</summary>
    internal LoopInterest Known;

    /// <summary>Events to give out once more.</summary>
    internal LoopInterest Again;

    /// <summary>Status with which the kernel refused a change, 0 for none.</summary>
    internal int Lost;

    /// <summary>A bit for each list it is in.</summary>
    internal uint Listed;

    /// <summary>Its place in each list.</summary>
    internal WatchLinks Links;
}

/// <summary>The place of a watch in a list: indices, -1 at its ends.</summary>
internal struct WatchLink
{
    internal int Previous;
    internal int Next;
}

/// <summary>One for each list.</summary>
[InlineArray(2)]
internal struct WatchLinks
{
    private WatchLink _first;
}

/// <summary>Watches, first in, first out.</summary>
internal sealed class WatchList(Slab<Watch> watches, WatchListKind kind)
{
    private int _last = -1;

    /// <summary>Index of the first, -1 for none.</summary>
    internal int First { get; private set; } = -1;

    /// <summary>Puts a watch at the end, unless it is in the list.</summary>
    internal void Add(int index)
    {
        ref Watch watch = ref watches[index];
        if ((watch.Listed & (1u << (int)kind)) != 0)
        {
            return;
        }

        watch.Listed |= 1u << (int)kind;
        watch.Links[(int)kind] = new WatchLink { Previous = _last, Next = -1 };
        if (_last < 0)
        {
            First = index;
        }
        else
        {
            watches[_last].Links[(int)kind].Next = index;
        }

        _last = index;
    }

    /// <summary>Takes a watch out, if it is in the list.</summary>
    internal void Remove(int index)
    {
        ref Watch watch = ref watches[index];
        if ((watch.Listed & (1u << (int)kind)) == 0)
        {
            return;
        }

        watch.Listed &= ~(1u << (int)kind);
        WatchLink link = watch.Links[(int)kind];
        if (link.Previous < 0)
        {
            First = link.Next;
        }
        else
        {
            watches[link.Previous].Links[(int)kind].Next = link.Next;
        }

        if (link.Next < 0)
        {
            _last = link.Previous;
        }
        else
        {
            watches[link.Next].Links[(int)kind].Previous = link.Previous;
        }
    }
}
