// What one worker does with lines: lex, type, bounds in time, filter, tables (docs/queries.md, section 1).
//
// Lines are cut in batches, and a batch is worked on column by column: each field that the question uses is typed for all its lines, then
// they are filtered, then each table takes them. So what one line waits for, memory above all, overlaps with the work on others, and what
// is decided once a field is not decided again for each line.
//
// Works on whole lines in a buffer whose first Limits.Header bytes are its own. Nothing is allocated per line; a new group, a longer line
// than any before and a sample of a reject are what allocates.
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal sealed class LineEngine
{
    private readonly CompiledQuery _query;
    private readonly Lexer _lexer;
    private readonly LineBatch _batch;
    private readonly NumberColumns _numbers;
    private readonly TextColumns _texts;

    internal LineEngine(CompiledQuery query, Kernel kernel)
    {
        Plan plan = query.Plan;
        _query = query;
        _lexer = new Lexer(plan.Format.Walker, kernel);
        _batch = new LineBatch(plan);
        _numbers = new NumberColumns(plan);
        _texts = new TextColumns(plan);
        Tables = [.. query.Tables.Select(table => new GroupTable(table))];
    }

    internal GroupTable[] Tables { get; }

    internal Tally Tally { get; } = new();

    /// <summary>Where the lines that were rejected are collected, line ends included, when they are to be written; else null.</summary>
    internal List<Slice>? RejectedLines { get; init; }

    /// <summary>Works on the whole lines of a buffer; the last may lack its newline when the input ends there.</summary>
    /// <param name="buffer">The buffer; its header is written to.</param>
    /// <param name="start">First byte of the first line.</param>
    /// <param name="end">One past the last byte.</param>
    /// <param name="input">Which input it is, for samples.</param>
    /// <param name="offset">Where in the input the buffer's byte 0 would be.</param>
    internal void Run(byte[] buffer, int start, int end, int input, long offset)
    {
        Debug.Assert(start >= Limits.Header, "the header is not a part of a line");
        TextColumns.BeginBuffer(buffer);
        while (start < end)
        {
            int windowEnd = Lexer.WindowEnd(buffer.AsSpan(0, end), start, Limits.Window, last: true);
            _lexer.Begin(ref MemoryMarshal.GetArrayDataReference(buffer), start, windowEnd, buffer.Length);
            RunWindow(buffer, input, offset);
            Tally.Bytes += windowEnd - start;
            start = windowEnd;
        }
    }

    private void RunWindow(byte[] buffer, int input, long offset)
    {
        ref byte text = ref MemoryMarshal.GetArrayDataReference(buffer);
        while (true)
        {
            int lines = CutLines(ref text);
            if (lines == 0)
            {
                return;
            }

            RunBatch(ref text, lines);
            Tally.Lines += lines;
            Tally.Parsed += _batch.Count;
            foreach (ref readonly Line line in _batch.Lines.AsSpan(0, lines))
            {
                if (line.Reason != LogReason.Parsed)
                {
                    Reject(buffer, in line, input, offset);
                }
            }
        }
    }

    /// <summary>Cuts the next lines of the window, as many as a batch holds; returns how many.</summary>
    private int CutLines(ref byte text)
    {
        int width = _batch.Width;
        int lines = 0;
        while (lines < LineBatch.Capacity)
        {
            ref Slice rows = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_batch.Rows), lines * width);
            ref Line line = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_batch.Lines), lines);
            int cut = _lexer.CutQuick(ref text, ref rows, width - 1, width, ref line, LineBatch.Capacity - lines);
            if (cut == 0)
            {
                if (!_lexer.CutLine(ref text, ref rows, width - 1, ref line))
                {
                    break;
                }

                cut = 1;
            }

            lines += cut;
        }

        MarkMissing(lines);
        return lines;
    }

    /// <summary>Makes the fields null that a line has not got.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void MarkMissing(int lines)
    {
        int fields = _batch.Width - 1;
        for (int i = 0; i < lines; i++)
        {
            if (_batch.Lines[i].Fields < fields)
            {
                foreach (ref Slice field in _batch.Rows.AsSpan(i * _batch.Width, fields)[_batch.Lines[i].Fields..])
                {
                    field.Length = -1;
                }
            }
        }
    }

    private void RunBatch(ref byte text, int lines)
    {
        _numbers.Type(ref text, _batch, lines);
        _batch.List(lines);
        _texts.Begin();
        int fit = _batch.Count;
        if (_query.Clock >= 0)
        {
            KeepInTime();
        }

        if (_query.Filter is not null)
        {
            _texts.Take(ref text, _batch, 0, _query.FilterTexts);
            KeepPassing(ref text, _query.Filter);
        }

        Tally.Filtered += fit - _batch.Count;
        _texts.Take(ref text, _batch, _query.FilterTexts, _texts.Count);
        foreach (GroupTable table in Tables)
        {
            table.Add(ref text, _batch);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void KeepInTime()
    {
        Span<int> counted = _batch.Counted;
        ReadOnlySpan<Number> clocks = _batch.Numbers.AsSpan(_query.Clock * LineBatch.Capacity, LineBatch.Capacity);
        int count = 0;
        foreach (int line in counted[.._batch.Count])
        {
            counted[count] = line;
            count += IsInTime(clocks[line]) ? 1 : 0;
        }

        _batch.Count = count;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void KeepPassing(ref byte text, Filter filter)
    {
        Span<int> counted = _batch.Counted;
        ref Slice texts = ref MemoryMarshal.GetArrayDataReference(_batch.Texts);
        ref Number numbers = ref MemoryMarshal.GetArrayDataReference(_batch.Numbers);
        int count = 0;
        foreach (int line in counted[.._batch.Count])
        {
            counted[count] = line;
            count += filter.Passes(ref text, ref Unsafe.Add(ref texts, line), ref Unsafe.Add(ref numbers, line)) ? 1 : 0;
        }

        _batch.Count = count;
    }

    private bool IsInTime(Number clock) =>
        !clock.IsNull
        && (_query.SinceUs == 0 || clock.Value >= _query.SinceUs)
        && (_query.UntilUs == 0 || clock.Value < _query.UntilUs);

    private void Reject(byte[] buffer, in Line line, int input, long offset)
    {
        int begin = line.Begin;
        Tally.Reject(line.Reason, input, offset + begin, buffer.AsSpan(begin, line.End - begin));
        if (RejectedLines is null)
        {
            return;
        }

        Span<Slice> collected = CollectionsMarshal.AsSpan(RejectedLines);
        if (!collected.IsEmpty && collected[^1].Start + collected[^1].Length == begin)
        {
            collected[^1].Length += line.Next - begin;
        }
        else
        {
            RejectedLines.Add(new Slice(begin, line.Next - begin));
        }
    }
}
