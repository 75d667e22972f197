// The lexer as callers see it: whole lines in, records and fields out. Nothing is allocated per line; buffers grow with the longest line.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal sealed class LogLexer(CompiledFormat format, Kernel kernel) : ILogLexer
{
    private readonly Slice[] _scratch = new Slice[Math.Max(1, format.Variables.Length)];
    private readonly int[] _lines = new int[Limits.Window + 1];
    private int[] _positions = new int[Limits.Window + Limits.PositionSlack];

    public string Kernel => kernel.Name;

    public LogLexResult Feed(ReadOnlySpan<byte> text, bool last, Span<LogRecord> records, Span<LogField> fields)
    {
        Progress progress = default;
        while (progress.Records < records.Length)
        {
            int end = WindowEnd(text, progress.Consumed, last);
            if (end == progress.Consumed || !FeedWindow(text, end, records, fields, ref progress))
            {
                break;
            }
        }

        return new LogLexResult(progress.Consumed, progress.Records, progress.Fields, progress.NeededFields);
    }

    public void Dispose()
    {
        // Nothing but memory is held.
    }

    /// <summary>The end of the next window: whole lines, or a last one without its newline; the start if there is none.</summary>
    private static int WindowEnd(ReadOnlySpan<byte> text, int start, bool last)
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

    /// <summary>Makes records of one window; false when a buffer is full before its end.</summary>
    private bool FeedWindow(ReadOnlySpan<byte> text, int end, Span<LogRecord> records, Span<LogField> fields, ref Progress progress)
    {
        int begin = progress.Consumed;
        int room = end - begin + Limits.PositionSlack;
        if (_positions.Length < room)
        {
            _positions = new int[room];
        }

        ref byte first = ref MemoryMarshal.GetReference(text);
        ref int position = ref MemoryMarshal.GetArrayDataReference(_positions);
        ref int line = ref MemoryMarshal.GetArrayDataReference(_lines);
        int count = kernel.Index(ref first, begin, end, format.Walker.Bytes, ref position, ref line, out int lines);
        int newlines = lines;
        if (text[end - 1] != (byte)'\n')
        {
            Unsafe.Add(ref line, lines++) = count;
            Unsafe.Add(ref position, count) = end;
        }

        int at = 0;
        for (int i = 0; i < lines; i++)
        {
            if (progress.Records == records.Length)
            {
                return false;
            }

            int lastPosition = Unsafe.Add(ref line, i);
            int newline = Unsafe.Add(ref position, lastPosition);
            int lineEnd = newline > begin && Unsafe.Add(ref first, newline - 1) == (byte)'\r' ? newline - 1 : newline;
            int next = newline + (i < newlines ? 1 : 0);
            LogReason reason = Walk(
                ref first, begin, lineEnd, ref position, at, lastPosition, fields[progress.Fields..], out int fieldCount, out bool fits);
            if (next - begin > Limits.MaxLine)
            {
                reason = LogReason.TooLong;
            }

            if (reason != LogReason.Parsed)
            {
                fieldCount = 0;
                fits = true;
            }

            if (!fits)
            {
                progress.NeededFields = progress.Records == 0 ? fieldCount : 0;
                return false;
            }

            records[progress.Records++] =
                new LogRecord((uint)begin, (uint)(lineEnd - begin), (uint)progress.Fields, (uint)fieldCount, reason);
            progress.Fields += fieldCount;
            progress.Consumed = next;
            begin = next;
            at = lastPosition + 1;
        }

        return true;
    }

    private LogReason Walk(
        ref byte text, int begin, int end, ref int positions, int at, int last, Span<LogField> room, out int count, out bool fits)
    {
        // Fields beyond the room are only counted; an empty room still needs a place to refer to.
        Span<Slice> into = MemoryMarshal.Cast<LogField, Slice>(room);
        if (into.IsEmpty)
        {
            into = _scratch;
        }

        LogReason reason = format.Walker.Walk(
            ref text, begin, end, ref positions, at, last, ref MemoryMarshal.GetReference(into), room.Length, out count);
        fits = count <= room.Length;
        return reason;
    }

    private struct Progress
    {
        internal int Consumed;
        internal int Records;
        internal int Fields;
        internal int NeededFields;
    }
}
