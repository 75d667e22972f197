// A table whose indices travel with events as their data. Used by one thread; grows, and is used again.
namespace CoreIO.Loop;

internal sealed class LoopSlots<T>
    where T : class
{
    private readonly Stack<int> _free = new();
    private readonly List<T?> _items = [];

    /// <summary>What stands there; null when nothing does.</summary>
    internal T? this[long slot] => slot >= 0 && slot < _items.Count ? _items[(int)slot] : null;

    /// <summary>Puts an item somewhere, and returns where.</summary>
    internal int Add(T item)
    {
        if (_free.TryPop(out int slot))
        {
            _items[slot] = item;
            return slot;
        }

        _items.Add(item);
        return _items.Count - 1;
    }

    /// <summary>Frees a place.</summary>
    internal void Remove(int slot)
    {
        _items[slot] = null;
        _free.Push(slot);
    }
}
