// Which of several buffers the next block of a file is read to.
//
// One buffer that is read to again and again stays in the near caches, and the kernel's copy then writes over its lines. Most CPUs like
// that; Zen 4 takes a quarter longer, so there several buffers in turn are faster. Which of the two it is here is told by trying both: the
// shortest time of a block says, for what disturbs only ever adds to it. native/src/log/turns.h does the same.
namespace CoreIO.Managed.Log;

/// <param name="blockBytes">Bytes of a block.</param>
internal struct Turns(int blockBytes)
{
    /// <summary>Buffers at most.</summary>
    internal const int Most = 4;

    /// <summary>Bytes of all buffers together beyond which one is not near anyway.</summary>
    private const int AllBytes = 1 << 20;

    /// <summary>Blocks in a row of one kind.</summary>
    private const int Row = 8;

    /// <summary>The first blocks of a row, which find what the kind before left.</summary>
    private const int Uncounted = 4;

    /// <summary>Blocks until it is decided, half of them of each kind.</summary>
    private const int Tried = 64;

    private readonly int _count = Math.Clamp(AllBytes / blockBytes, 1, Most);
    private long _bestOfOne = long.MaxValue;
    private long _bestOfSeveral = long.MaxValue;
    private int _tried;
    private int _at;

    private readonly bool IsSeveral => _tried < Tried ? _tried / Row % 2 == 1 : _bestOfSeveral < _bestOfOne;

    /// <summary>Returns the buffer for the next block.</summary>
    internal int Next()
    {
        if (IsSeveral)
        {
            _at = (_at + 1) % _count;
        }

        return _at;
    }

    /// <summary>Notes how long the whole block that followed took, to read and to work on, in any unit.</summary>
    internal void Took(long time)
    {
        if (_tried == Tried)
        {
            return;
        }

        if (_tried % Row >= Uncounted)
        {
            if (IsSeveral)
            {
                _bestOfSeveral = Math.Min(_bestOfSeveral, time);
            }
            else
            {
                _bestOfOne = Math.Min(_bestOfOne, time);
            }
        }

        _tried++;
    }
}
