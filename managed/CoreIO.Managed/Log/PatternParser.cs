// Parses a pattern (docs/queries.md, section 2) into a program of byte sets, splits and assertions.
//
// Repetitions are unrolled: a repeated atom is read from the pattern again for each copy. The program is bounded, so {255} of {255} ends
// somewhere. The order of the places does not matter to what a pattern matches, but it decides how many states the automaton has, so it is
// that of native/src/log/regex.c.
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal enum PlaceOp
{
    Set,
    Split,
    Begin,
    End,
    Match,
}

/// <summary>A place of a program.</summary>
internal sealed class Place(PlaceOp op, int first, int second)
{
    internal PlaceOp Op { get; } = op;

    /// <summary>Where it goes on; -1 for nowhere.</summary>
    internal int First { get; set; } = first;

    /// <summary>For a split, or here.</summary>
    internal int Second { get; } = second;

    /// <summary>For a set, the bytes it holds.</summary>
    internal bool[] Set { get; set; } = [];
}

internal sealed class PatternParser(byte[] pattern)
{
    private const int MaxProgram = 4000;
    private const int MaxRepeat = 255;
    private const int MaxDepth = 64;

    private int _at;
    private int _depth;
    private bool _fold;

    internal List<Place> Program { get; } = [];

    /// <summary>Why the pattern does not compile; after it is set no more places are added and the parse unwinds.</summary>
    internal LogFault Fault { get; private set; }

    /// <summary>Parses the whole pattern and returns the place it begins at.</summary>
    internal int Parse()
    {
        if (pattern.AsSpan().StartsWith("(?i)"u8))
        {
            _fold = true;
            _at = 4;
        }

        Piece whole = ReadAlternatives();
        if (Fault == LogFault.None && _at < pattern.Length)
        {
            Bad();
        }

        if (Fault == LogFault.None)
        {
            Join(ref whole, Single(PlaceOp.Match));
        }

        return whole.Begin;
    }

    private static void AddRange(bool[] set, int low, int high)
    {
        for (int b = low; b <= high; b++)
        {
            set[b] = true;
        }
    }

    private static void AddSet(bool[] set, bool[] other, bool invert)
    {
        for (int b = 0; b < set.Length; b++)
        {
            set[b] |= other[b] != invert;
        }
    }

    private static void FoldCase(bool[] set)
    {
        for (int b = 'a'; b <= 'z'; b++)
        {
            set[b] = set[b - 32] = set[b] || set[b - 32];
        }
    }

    private static int HexDigit(int b) => b >= 0 && char.IsAsciiHexDigit((char)b) ? Convert.ToInt32(((char)b).ToString(), 16) : -1;

    private void Bad()
    {
        if (Fault == LogFault.None)
        {
            Fault = LogFault.BadPattern;
        }
    }

    private int Peek() => _at < pattern.Length ? pattern[_at] : -1;

    private int Emit(PlaceOp op, int first, int second)
    {
        if (Program.Count == MaxProgram)
        {
            Fault = LogFault.PatternTooLarge;
            return 0;
        }

        Program.Add(new Place(op, first, second));
        return Program.Count - 1;
    }

    /// <summary>A place that goes on to nothing yet, as a piece.</summary>
    private Piece Single(PlaceOp op)
    {
        int place = Emit(op, -1, -1);
        return new Piece(place, place);
    }

    private void Join(ref Piece before, Piece after)
    {
        Program[before.End].First = after.Begin;
        before = before with { End = after.End };
    }

    private Piece ReadAlternatives()
    {
        Piece whole = ReadSequence();
        while (Fault == LogFault.None && Peek() == '|')
        {
            _at++;
            Piece other = ReadSequence();
            int end = Emit(PlaceOp.Split, -1, -1);
            int fork = Emit(PlaceOp.Split, whole.Begin, other.Begin);
            Program[whole.End].First = end;
            Program[other.End].First = end;
            whole = new Piece(fork, end);
        }

        return whole;
    }

    private Piece ReadSequence()
    {
        Piece sequence = Single(PlaceOp.Split);
        while (Fault == LogFault.None && Peek() is not (-1 or '|' or ')'))
        {
            Join(ref sequence, ReadRepeated());
        }

        return sequence;
    }

    private Piece ReadRepeated()
    {
        int begin = _at;
        Piece atom = ReadAtom();
        int b = Peek();
        if (Fault != LogFault.None || b is not ('*' or '+' or '?' or '{'))
        {
            return atom;
        }

        _at++;
        int least = b == '+' ? 1 : 0;
        int most = b == '?' ? 1 : -1;
        if (b == '{')
        {
            ReadBounds(out least, out most);
        }

        int after = _at;
        if (Peek() is '*' or '+' or '?' or '{')
        {
            Bad();
        }

        Piece whole = Single(PlaceOp.Split);
        int copies = most < 0 ? least + 1 : most;
        for (int copy = 0; copy < copies && Fault == LogFault.None; copy++)
        {
            if (copy > 0)
            {
                _at = begin;
                atom = ReadAtom();
            }

            Join(ref whole, copy < least ? atom : Optional(atom, most < 0));
        }

        if (Fault == LogFault.None)
        {
            _at = after;
        }

        return whole;
    }

    /// <summary>Zero or more of the piece, or at most one.</summary>
    private Piece Optional(Piece piece, bool many)
    {
        int end = Emit(PlaceOp.Split, -1, -1);
        int fork = Emit(PlaceOp.Split, piece.Begin, end);
        Program[piece.End].First = many ? fork : end;
        return new Piece(fork, end);
    }

    /// <summary>Reads {m}, {m,} or {m,n} after the brace; <paramref name="most"/> is -1 without a bound.</summary>
    private void ReadBounds(out int least, out int most)
    {
        Span<int> bounds = [-1, -1];
        int comma = 0;
        for (int b = Peek(); b != '}'; b = Peek())
        {
            if (b == ',' && comma == 0)
            {
                comma = 1;
            }
            else if (b is >= '0' and <= '9')
            {
                bounds[comma] = (Math.Max(bounds[comma], 0) * 10) + (b - '0');
            }
            else
            {
                bounds[comma] = MaxRepeat + 1;
            }

            if (bounds[0] > MaxRepeat || bounds[1] > MaxRepeat)
            {
                Bad();
                break;
            }

            _at++;
        }

        least = bounds[0];
        most = bounds[comma];
        if (Fault == LogFault.None && (least < 0 || (most >= 0 && most < least)))
        {
            Bad();
        }

        if (Fault == LogFault.None)
        {
            _at++;
        }
    }

    private Piece ReadAtom()
    {
        int b = Peek();
        if (b == '(')
        {
            return ReadGroup();
        }

        if (b is -1 or '*' or '+' or '?' or '{')
        {
            Bad();
            return Single(PlaceOp.Split);
        }

        _at++;
        if (b is '^' or '$')
        {
            return Single(b == '^' ? PlaceOp.Begin : PlaceOp.End);
        }

        bool[] set = new bool[256];
        switch (b)
        {
            case '.':
                AddRange(set, 0, 255);
                break;
            case '[':
                ReadClass(set);
                break;
            case '\\':
                ReadEscape(set);
                break;
            default:
                AddRange(set, b, b);
                break;
        }

        if (_fold && b != '[')
        {
            FoldCase(set);
        }

        Piece piece = Single(PlaceOp.Set);
        Program[piece.Begin].Set = set;
        return piece;
    }

    private Piece ReadGroup()
    {
        _at++;
        if (pattern.AsSpan(_at).StartsWith("?:"u8))
        {
            _at += 2;
        }

        if (++_depth > MaxDepth)
        {
            Bad();
        }

        Piece inner = Fault == LogFault.None ? ReadAlternatives() : Single(PlaceOp.Split);
        _depth--;
        if (Peek() != ')')
        {
            Bad();
        }

        _at++;
        return inner;
    }

    /// <summary>Reads a class after its opening bracket.</summary>
    private void ReadClass(bool[] set)
    {
        bool[] own = new bool[256];
        bool invert = Peek() == '^';
        _at += invert ? 1 : 0;
        for (bool first = true; ; first = false)
        {
            int low = Peek();
            if (low < 0)
            {
                Bad();
                return;
            }

            if (low == ']' && !first)
            {
                break;
            }

            _at++;
            if (low == '\\')
            {
                low = ReadEscape(own);
            }

            if (Fault != LogFault.None)
            {
                return;
            }

            if (low >= 0 && Peek() == '-' && _at + 1 < pattern.Length && pattern[_at + 1] != (byte)']')
            {
                _at++;
                int high = Peek();
                _at++;
                if (high == '\\')
                {
                    high = ReadEscape(own);
                }

                if (Fault != LogFault.None || high < low)
                {
                    Bad();
                    return;
                }

                AddRange(own, low, high);
            }
            else if (low >= 0)
            {
                AddRange(own, low, low);
            }
        }

        _at++;
        if (_fold)
        {
            FoldCase(own);
        }

        AddSet(set, own, invert);
    }

    /// <summary>Reads what follows a backslash into a set. Returns the byte when it is a single one, else -1.</summary>
    private int ReadEscape(bool[] set)
    {
        bool[] own = new bool[256];
        int b = Peek();
        int single = -1;
        _at++;
        switch (b)
        {
            case 'd' or 'D':
                AddRange(own, '0', '9');
                break;
            case 'w' or 'W':
                AddRange(own, '0', '9');
                AddRange(own, 'a', 'z');
                AddRange(own, 'A', 'Z');
                AddRange(own, '_', '_');
                break;
            case 's' or 'S':
                AddRange(own, '\t', '\r');
                AddRange(own, ' ', ' ');
                break;
            case 't':
                single = '\t';
                break;
            case 'x':
                int high = HexDigit(Peek());
                int low = _at + 1 < pattern.Length ? HexDigit(pattern[_at + 1]) : -1;
                if (high < 0 || low < 0)
                {
                    Bad();
                    return 0;
                }

                single = (high * 16) + low;
                _at += 2;
                break;
            default:
                if (b < 0 || char.IsAsciiLetterOrDigit((char)b))
                {
                    _at--;
                    Bad();
                    return 0;
                }

                single = b;
                break;
        }

        if (single >= 0)
        {
            AddRange(own, single, single);
        }

        AddSet(set, own, b is 'D' or 'W' or 'S');
        return single;
    }

    /// <summary>A piece of the program: where it begins, and the one place where it goes on.</summary>
    private readonly record struct Piece(int Begin, int End);
}
