// Builds the automaton of a pattern: a set of program places is a state. The start is added to every state, for a match may begin anywhere.
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal sealed class PatternCompiler
{
    private const int MaxStates = 2000;

    private readonly List<Place> _program;
    private readonly int _start;
    private readonly List<ulong[]> _sets = [];
    private readonly Dictionary<ulong[], int> _numbers = new(new SetComparer());
    private readonly Stack<int> _stack = new();
    private readonly byte[] _classOf = new byte[256];
    private int _classes = 1;
    private ulong[] _work;

    private PatternCompiler(List<Place> program, int start)
    {
        _program = program;
        _start = start;
        _work = NewSet();
    }

    /// <summary>Compiles a pattern; null when it does not compile, and <paramref name="fault"/> says why.</summary>
    internal static Pattern? Compile(byte[] pattern, out LogFault fault)
    {
        PatternParser parser = new(pattern);
        int start = parser.Parse();
        fault = parser.Fault;
        if (fault != LogFault.None)
        {
            return null;
        }

        PatternCompiler compiler = new(parser.Program, start);
        compiler.Classify();
        Pattern? compiled = compiler.Build();
        fault = compiled is null ? LogFault.PatternTooLarge : LogFault.None;
        return compiled;
    }

    private static bool Has(ulong[] set, int place) => (set[place >> 6] >> (place & 63) & 1) != 0;

    private ulong[] NewSet() => new ulong[(_program.Count + 63) / 64];

    /// <summary>Bytes that no set of the program tells apart share a class.</summary>
    private void Classify()
    {
        foreach (Place place in _program)
        {
            if (place.Op != PlaceOp.Set || _classes == 256)
            {
                continue;
            }

            bool[] outside = new bool[256];
            int[] moved = new int[256];
            int classes = _classes;
            for (int b = 0; b < 256; b++)
            {
                outside[_classOf[b]] |= !place.Set[b];
            }

            for (int b = 0; b < 256; b++)
            {
                int old = _classOf[b];
                if (old < classes && place.Set[b] && outside[old])
                {
                    if (moved[old] == 0)
                    {
                        moved[old] = _classes++;
                    }

                    _classOf[b] = (byte)moved[old];
                }
            }
        }
    }

    private Pattern? Build()
    {
        byte[] byteOf = new byte[_classes];
        for (int b = 255; b >= 0; b--)
        {
            byteOf[_classOf[b]] = (byte)b;
        }

        List<ushort> next = [];
        CloseOver(_start, atBegin: true, atEnd: false);

        // State 0 alone stands at the beginning of the text, so it is never found again.
        _sets.Add(_work);
        for (int state = 0; state < _sets.Count; state++)
        {
            ulong[] set = _sets[state];
            for (int c = 0; c < _classes; c++)
            {
                _work = NewSet();
                CloseOver(_start, atBegin: false, atEnd: false);
                foreach (int i in Members(set))
                {
                    Place place = _program[i];
                    if (place.Op == PlaceOp.Set && place.Set[byteOf[c]])
                    {
                        CloseOver(place.First, atBegin: false, atEnd: false);
                    }
                }

                if (!_numbers.TryGetValue(_work, out int number))
                {
                    if (_sets.Count == MaxStates)
                    {
                        return null;
                    }

                    number = _sets.Count;
                    _sets.Add(_work);
                    _numbers.Add(_work, number);
                }

                next.Add((ushort)number);
            }
        }

        byte[] accept = new byte[_sets.Count];
        for (int state = 0; state < accept.Length; state++)
        {
            accept[state] = Accepts(state);
        }

        return new Pattern([.. next], accept, _classOf, _classes);
    }

    /// <summary>Adds a place, and all that it goes on to without a byte, to the set being made.</summary>
    private void CloseOver(int from, bool atBegin, bool atEnd)
    {
        _stack.Push(from);
        while (_stack.TryPop(out int top))
        {
            if (top < 0 || Has(_work, top))
            {
                continue;
            }

            _work[top >> 6] |= 1UL << (top & 63);
            Place place = _program[top];
            if (place.Op == PlaceOp.Split)
            {
                _stack.Push(place.Second);
                _stack.Push(place.First);
            }
            else if ((place.Op == PlaceOp.Begin && atBegin) || (place.Op == PlaceOp.End && atEnd))
            {
                _stack.Push(place.First);
            }
        }
    }

    private byte Accepts(int state)
    {
        ulong[] set = _sets[state];
        if (HasMatch(set))
        {
            return Pattern.Matched;
        }

        _work = NewSet();
        foreach (int i in Members(set))
        {
            CloseOver(i, state == 0, atEnd: true);
        }

        return HasMatch(_work) ? Pattern.MatchedAtEnd : (byte)0;
    }

    private bool HasMatch(ulong[] set) => Members(set).Any(i => _program[i].Op == PlaceOp.Match);

    private static IEnumerable<int> Members(ulong[] set)
    {
        for (int word = 0; word < set.Length; word++)
        {
            for (ulong bits = set[word]; bits != 0; bits &= bits - 1)
            {
                yield return (word * 64) + System.Numerics.BitOperations.TrailingZeroCount(bits);
            }
        }
    }

    private sealed class SetComparer : IEqualityComparer<ulong[]>
    {
        public bool Equals(ulong[]? x, ulong[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(ulong[] obj)
        {
            HashCode hash = default;
            hash.AddBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(obj.AsSpan()));
            return hash.ToHashCode();
        }
    }
}
