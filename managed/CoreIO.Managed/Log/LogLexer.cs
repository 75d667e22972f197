// The lexer as callers see it: whole lines in, records and fields out. Nothing is allocated per line; buffers grow with the longest line.
using System.Runtime.InteropServices;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal sealed class LogLexer(CompiledFormat format, Kernel kernel) : ILogLexer
{
    // The shortest window that is looked at ahead of a caller whose buffers are small.
    private const int LeastAhead = 256;

    private readonly Lexer _lexer = new(format.Walker, kernel);
    private readonly Line[] _lines = new Line[Lexer.Batch];
    private readonly Slice[] _scratch = new Slice[1];

    /// <summary>Bytes of the next window.</summary>
    private int _ahead = Limits.Window;

    public string Kernel => kernel.Name;

    public LogLexResult Feed(ReadOnlySpan<byte> text, bool last, Span<LogRecord> records, Span<LogField> fields)
    {
        Progress progress = default;
        ref byte first = ref MemoryMarshal.GetReference(text);
        while (progress.Records < records.Length)
        {
            int begin = progress.Consumed;
            int end = Lexer.WindowEnd(text, begin, _ahead, last);
            if (end == begin)
            {
                break;
            }

            _lexer.Begin(ref first, begin, end, text.Length);
            bool whole = FeedWindow(ref first, records, fields, ref progress);
            LookAhead(progress.Consumed - begin, whole);
            if (!whole)
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

    /// <summary>
    /// What is left of a window when a buffer is full is looked at again in the next call. So windows are little longer than what was taken of
    /// the last one, and twice as long after one that was taken whole.
    /// </summary>
    private void LookAhead(int taken, bool whole) =>
        _ahead = Math.Clamp(whole ? 2 * _ahead : Math.Min(taken, Limits.Window) * 5 / 4, LeastAhead, Limits.Window);

    /// <summary>Makes records of one window; false when a buffer is full before its end.</summary>
    private bool FeedWindow(ref byte text, Span<LogRecord> records, Span<LogField> fields, ref Progress progress)
    {
        ref Line line = ref MemoryMarshal.GetArrayDataReference(_lines);
        while (progress.Records < records.Length)
        {
            Span<Slice> room = MemoryMarshal.Cast<LogField, Slice>(fields[progress.Fields..]);
            int most = Math.Min(records.Length - progress.Records, Lexer.Batch);

            int count = room.Length > Frame.Slack
                ? _lexer.CutQuick(ref text, ref MemoryMarshal.GetReference(room), room.Length - Frame.Slack, 0, ref line, most)
                : 0;
            if (count == 0)
            {
                // Fields beyond the room are only counted; an empty room still needs a place to refer to.
                ref Slice own = ref MemoryMarshal.GetReference(room.IsEmpty ? _scratch : room);
                if (!_lexer.CutLine(ref text, ref own, room.Length, ref line))
                {
                    return true;
                }

                if (line.Fields > room.Length)
                {
                    progress.NeededFields = progress.Records == 0 ? line.Fields : 0;
                    return false;
                }

                count = 1;
            }

            foreach (ref readonly Line cut in _lines.AsSpan(0, count))
            {
                records[progress.Records++] = new LogRecord(
                    (uint)cut.Begin, (uint)(cut.End - cut.Begin), (uint)progress.Fields, (uint)cut.Fields, cut.Reason);
                progress.Fields += cut.Fields;
                progress.Consumed = cut.Next;
            }
        }

        return false;
    }

    private struct Progress
    {
        internal int Consumed;
        internal int Records;
        internal int Fields;
        internal int NeededFields;
    }
}
