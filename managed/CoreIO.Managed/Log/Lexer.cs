// Cuts whole lines, window by window: a kernel writes the positions of the structural bytes, the format's walker goes from one to the next.
//
// Where the format has a frame and the kernel cuts by it (IFrameCutter.cs), it writes marks instead, and only lines that do not fit have
// positions, of their own. That takes longer than to index a whole window, so where many lines do not fit, windows are marked only now and then.
//
// A window is whole lines, so no line needs a second look, and its positions stay in the cache. Lines are handed out in batches, so the
// loops of the lexer and of who works on the fields each stay small. Nothing is allocated per line; positions grow with the longest line
// up to a window, and longer lines have positions of their own for as long as they are worked on.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal sealed class Lexer
{
    /// <summary>Lines cut at a time; their fields stay in the L1 cache.</summary>
    internal const int Batch = 128;

    /// <summary>Marks of a window, the newline before them, what a kernel may write and what a cut may look at behind them.</summary>
    private const int MarkRoom = 1 + Limits.Window + Limits.PositionSlack + Frame.Positions;

    /// <summary>Positions there is room for before the first line that has its own.</summary>
    private const int LeastLineRoom = 4096;

    /// <summary>Most bytes in a row that are not marked because lines did not fit.</summary>
    private const int PauseMost = 64 * Limits.Window;

    /// <summary>A line that does not fit takes as much longer, by marks, as some eight lines that fit take less.</summary>
    private const int LinesGained = 8;

    private readonly Walker _walker;
    private readonly Kernel _kernel;
    private readonly IFrameCutter? _frames;
    private readonly ushort[] _marks = [];
    private readonly byte[] _markValues = [];
    private int[] _positions = [];
    private int[] _linePositions = [];
    private Window _window;

    /// <summary>Bytes of marked windows that were cut since marks were last judged, and those of them in lines that did not fit.</summary>
    private int _tried;
    private int _missed;

    /// <summary>Bytes without marks between the last two tries, and how many of these are still to come.</summary>
    private int _pause;
    private int _paused;

    internal Lexer(Walker walker, Kernel kernel)
    {
        _walker = walker;
        _kernel = kernel;
        _frames = walker.Frame is null ? null : kernel as IFrameCutter;
        if (_frames is not null)
        {
            _marks = new ushort[MarkRoom];
            _markValues = new byte[MarkRoom];
        }
    }

    /// <summary>Whether the window has marks.</summary>
    internal bool IsMarked => _window.Marks is { Length: > 0 };

    /// <summary>
    /// The end of the next window: whole lines of up to <paramref name="most"/> bytes, <see cref="Limits.Window"/> at most, or one longer line;
    /// the last may lack its newline only where it is the last of all. The start if there is none.
    /// </summary>
    internal static int WindowEnd(ReadOnlySpan<byte> text, int start, int most, bool last)
    {
        ReadOnlySpan<byte> rest = text[start..];
        ReadOnlySpan<byte> near = rest[..Math.Min(rest.Length, most)];
        int newline = near.LastIndexOf((byte)'\n');
        if (newline < 0)
        {
            int further = rest[near.Length..].IndexOf((byte)'\n');
            if (further < 0)
            {
                return last ? text.Length : start;
            }

            newline = near.Length + further;
        }

        return start + newline + 1;
    }

    /// <summary>Begins a window.</summary>
    /// <param name="text">The byte that places count from.</param>
    /// <param name="begin">Its first byte.</param>
    /// <param name="end">One past its last byte.</param>
    /// <param name="readable">One past the last byte that may be read.</param>
    internal void Begin(ref byte text, int begin, int end, int readable)
    {
        int length = end - begin;
        bool marked = _frames is not null && MayMark() && length <= Limits.Window;
        _window.Positions = [];
        _window.Marks = [];
        _window.Count = 0;
        _window.At = 0;
        _window.Origin = begin;
        _window.Begin = begin;
        _window.End = end;
        _window.Readable = readable;
        if (length > Limits.MaxLine)
        {
            // One line, and no one looks into it.
            return;
        }

        if (marked)
        {
            Mark(ref text);
            return;
        }

        _window.Positions = length <= Limits.Window ? RoomForWindow() : new int[length + Limits.PositionSlack];
        ref int positions = ref MemoryMarshal.GetArrayDataReference(_window.Positions);
        _window.Count = _kernel.Index(ref text, begin, end, _walker.Bytes, ref positions);
        Unsafe.Add(ref positions, _window.Count) = end;
    }

    /// <summary>Cuts the next lines that are quick; see <see cref="Walker.CutQuick"/>.</summary>
    internal int CutQuick(ref byte text, ref Slice fields, int limit, int width, ref Line lines, int capacity)
    {
        if (_window.Begin >= _window.End)
        {
            return 0;
        }

        if (width == 0 && _walker.FieldsOfEach > 0)
        {
            // Fields that follow each other are rows of that many.
            width = _walker.FieldsOfEach;
            capacity = Math.Min(capacity, limit / width);
            limit = width;
        }

        return IsMarked
            ? _frames!.Cut(_walker.Frame!, ref text, ref _window, ref fields, limit, width, ref lines, capacity)
            : _walker.CutQuick(ref text, ref _window, ref fields, limit, width, ref lines, capacity);
    }

    /// <summary>Cuts the next line by the definition; false when none is left.</summary>
    internal bool CutLine(ref byte text, ref Slice fields, int room, ref Line line)
    {
        int begin = _window.Begin;
        int end = _window.End;
        if (begin >= end)
        {
            return false;
        }

        if (end - begin > Limits.MaxLine)
        {
            int newline = Unsafe.Add(ref text, end - 1) == (byte)'\n' ? end - 1 : end;
            line = new Line { Begin = begin, End = TextEnd(ref text, begin, newline), Next = end, Reason = LogReason.TooLong };
            _window.Begin = end;
            return true;
        }

        int at = _window.At;
        int last = FindNewline(ref text, at, out int lineEnd);
        line.Begin = begin;
        line.End = TextEnd(ref text, begin, lineEnd);
        line.Next = lineEnd < end ? lineEnd + 1 : end;
        _window.Begin = line.Next;
        _window.At = last + 1;
        int[] own = _window.Positions;
        if (IsMarked)
        {
            _missed += line.Next - begin;
            own = RoomForLine(lineEnd - begin);
            last = IndexLine(ref text, begin, lineEnd, _walker.Bytes, own);
            at = 0;
        }
        else if (_walker.LineBytes is { } bytes)
        {
            own = RoomForLine(lineEnd - begin);
            last = IndexLine(ref text, begin, lineEnd, bytes, own);
            at = 0;
        }

        ref int positions = ref MemoryMarshal.GetArrayDataReference(own);
        line.Reason = _walker.Walk(ref text, begin, line.End, ref positions, at, last, ref fields, room, out line.Fields);
        if (line.Reason != LogReason.Parsed)
        {
            line.Fields = 0;
        }

        return true;
    }

    /// <summary>The end of a line's text before its newline.</summary>
    private static int TextEnd(ref byte text, int begin, int newline) =>
        newline > begin && Unsafe.Add(ref text, newline - 1) == (byte)'\r' ? newline - 1 : newline;

    /// <summary>The mark, or the position, of the next newline and where it stands; what is behind the last of them if there is none.</summary>
    private int FindNewline(ref byte text, int at, out int lineEnd)
    {
        if (IsMarked)
        {
            int offset = _markValues.AsSpan(at + 1, _window.Count - at).IndexOf((byte)'\n');
            lineEnd = offset < 0 ? _window.End : _window.Origin + _marks[at + 1 + offset];
            return offset < 0 ? _window.Count - 1 : at + offset;
        }

        ref int positions = ref MemoryMarshal.GetArrayDataReference(_window.Positions);
        while (at < _window.Count && Unsafe.Add(ref text, Unsafe.Add(ref positions, at)) != (byte)'\n')
        {
            at++;
        }

        lineEnd = Unsafe.Add(ref positions, at);
        return at;
    }

    /// <summary>
    /// Whether the next window may be marked. Half a window that did not gain by it is followed by text that is not: twice as much each time
    /// that the next try comes to nothing, too.
    /// </summary>
    private bool MayMark()
    {
        // What was cut of the window before, which may be left before its end.
        int cut = _window.Begin - _window.Origin;
        if (IsMarked)
        {
            _tried += cut;
        }
        else
        {
            _paused -= Math.Min(cut, _paused);
        }

        if (_tried > Limits.Window / 2)
        {
            bool gained = _missed <= _tried / LinesGained;
            _pause = gained ? 0 : Math.Clamp(2 * _pause, Limits.Window, PauseMost);
            _paused = _pause;
            _tried = 0;
            _missed = 0;
        }

        return _paused == 0;
    }

    /// <summary>Writes the marks of the window. What a frame looks at behind them fits no frame.</summary>
    private void Mark(ref byte text)
    {
        int length = _window.End - _window.Origin;
        ref byte origin = ref Unsafe.Add(ref text, _window.Origin);
        _window.Count = _frames!.Mark(_walker.Frame!, ref origin, length, ref _marks[1], ref _markValues[1]);
        _window.Marks = _marks;
        _window.MarkValues = _markValues;
        _markValues.AsSpan(1 + _window.Count, Frame.Positions).Clear();

        // The newline before a window is before its first byte.
        _marks[0] = ushort.MaxValue;
    }

    /// <summary>Makes positions of one line alone; returns the index of its end.</summary>
    private int IndexLine(ref byte text, int begin, int end, ByteClass bytes, int[] own)
    {
        ref int positions = ref MemoryMarshal.GetArrayDataReference(own);
        int last = _kernel.Index(ref text, begin, end, bytes, ref positions);
        Unsafe.Add(ref positions, last) = end;
        return last;
    }

    private int[] RoomForWindow()
    {
        if (_positions.Length == 0)
        {
            _positions = new int[Limits.Window + Limits.PositionSlack];
        }

        return _positions;
    }

    private int[] RoomForLine(int length)
    {
        int room = length + Limits.PositionSlack;
        if (_linePositions.Length < room)
        {
            _linePositions = new int[Math.Max(room, Math.Max(2 * _linePositions.Length, LeastLineRoom))];
        }

        return _linePositions;
    }
}
