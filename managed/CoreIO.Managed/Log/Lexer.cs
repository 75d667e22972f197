// Cuts whole lines, window by window: a kernel writes the positions of the structural bytes, the format's walker goes from one to the next.
//
// A window is whole lines, so no line needs a second look, and its positions stay in the cache. Lines are handed out in batches, so the
// loops of the lexer and of who works on the fields each stay small. Nothing is allocated per line; positions grow with the longest line
// up to a window, and longer lines have positions of their own for as long as they are worked on.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal sealed class Lexer(Walker walker, Kernel kernel)
{
    /// <summary>Lines cut at a time; their fields stay in the L1 cache.</summary>
    internal const int Batch = 128;

    private readonly int[] _positions = new int[Limits.Window + Limits.PositionSlack];
    private int[] _linePositions = [];
    private Window _window;

    /// <summary>The end of the next window: whole lines, or a last one without its newline; the start if there is none.</summary>
    internal static int WindowEnd(ReadOnlySpan<byte> text, int start, bool last)
    {
        ReadOnlySpan<byte> rest = text[start..];
        ReadOnlySpan<byte> near = rest[..Math.Min(rest.Length, Limits.Window)];
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
        _window.Positions = length <= Limits.Window ? _positions : [];
        _window.Count = 0;
        _window.At = 0;
        _window.Begin = begin;
        _window.End = end;
        _window.Readable = readable;
        if (length > Limits.MaxLine)
        {
            // One line, and no one looks into it.
            return;
        }

        if (length > Limits.Window)
        {
            _window.Positions = new int[length + Limits.PositionSlack];
        }

        ref int positions = ref MemoryMarshal.GetArrayDataReference(_window.Positions);
        _window.Count = kernel.Index(ref text, begin, end, walker.Bytes, ref positions);
        Unsafe.Add(ref positions, _window.Count) = end;
    }

    /// <summary>Cuts the next lines that are quick; see <see cref="Walker.CutQuick"/>.</summary>
    internal int CutQuick(ref byte text, ref Slice fields, int limit, int width, ref Line lines, int capacity) =>
        _window.Begin < _window.End
            ? walker.CutQuick(ref text, ref _window, ref fields, limit, width, ref lines, capacity)
            : 0;

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

        ref int positions = ref MemoryMarshal.GetArrayDataReference(_window.Positions);
        int at = _window.At;
        int last = at;
        while (last < _window.Count && Unsafe.Add(ref text, Unsafe.Add(ref positions, last)) != (byte)'\n')
        {
            last++;
        }

        int lineEnd = Unsafe.Add(ref positions, last);
        line.Begin = begin;
        line.End = TextEnd(ref text, begin, lineEnd);
        line.Next = lineEnd < end ? lineEnd + 1 : end;
        _window.Begin = line.Next;
        _window.At = last + 1;
        if (walker.LineBytes is { } bytes)
        {
            last = IndexLine(ref text, begin, lineEnd, bytes);
            positions = ref MemoryMarshal.GetArrayDataReference(_linePositions);
            at = 0;
        }

        line.Reason = walker.Walk(ref text, begin, line.End, ref positions, at, last, ref fields, room, out line.Fields);
        if (line.Reason != LogReason.Parsed)
        {
            line.Fields = 0;
        }

        return true;
    }

    /// <summary>The end of a line's text before its newline.</summary>
    private static int TextEnd(ref byte text, int begin, int newline) =>
        newline > begin && Unsafe.Add(ref text, newline - 1) == (byte)'\r' ? newline - 1 : newline;

    /// <summary>Makes positions of one line alone; returns the index of its end.</summary>
    private int IndexLine(ref byte text, int begin, int end, ByteClass bytes)
    {
        int room = end - begin + Limits.PositionSlack;
        if (_linePositions.Length < room)
        {
            _linePositions = new int[Math.Max(room, Limits.Window + Limits.PositionSlack)];
        }

        ref int positions = ref MemoryMarshal.GetArrayDataReference(_linePositions);
        int last = kernel.Index(ref text, begin, end, bytes, ref positions);
        Unsafe.Add(ref positions, last) = end;
        return last;
    }
}
