// What one worker does with lines: lex, type, bounds in time, filter, tables (docs/queries.md, section 1).
//
// Works on whole lines in a buffer whose first Limits.Header bytes are its own: values that stand in no line (classes, counts, starts of
// intervals) are written there, so that every text is a slice of one buffer. Nothing is allocated per line; a new group, a longer line than
// any before and a sample of a reject are what allocates.
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal sealed class LineEngine
{
    private const long MinuteUs = 60_000_000;
    private const int EntriesAt = 16;
    private const int EntriesLength = 20;
    private const int MinuteAt = 40;
    private const int IntervalAt = 48;

    /// <summary>Bytes of a time_local; two loads of 16 cover them.</summary>
    private const int LocalTimeLength = 26;

    private static ReadOnlySpan<byte> Classes => "1xx2xx3xx4xx5xx"u8;

    private readonly CompiledQuery _query;
    private readonly Walker _walker;
    private readonly Kernel _kernel;
    private readonly NumberUse[] _numberUses;
    private readonly TextUse[] _textUses;
    private readonly int[] _typingOrder;
    private readonly int[] _sources;
    private readonly int _requestSource;
    private readonly bool _filterTakesRequest;
    private readonly Slice[] _fields;
    private readonly Slice[] _texts;
    private readonly Number[] _numbers;
    private int[] _positions = new int[Limits.Window + Limits.PositionSlack];
    private readonly int[] _lines = new int[Limits.Window + 1];
    private Slice _method;
    private Slice _uri;
    private Slice _protocol;

    // The last time_local and what it is: lines of one second follow each other.
    private UInt128 _timeHead;
    private UInt128 _timeTail;
    private long _timeUs;
    private bool _hasTime;

    internal LineEngine(CompiledQuery query, Kernel kernel)
    {
        Plan plan = query.Plan;
        _query = query;
        _kernel = kernel;
        _walker = plan.Format.Walker;
        _numberUses = [.. plan.Numbers];
        _textUses = [.. plan.Texts];
        _typingOrder = plan.TypingOrder();
        _sources = [.. _numberUses.Select(use => use.Source).Concat(_textUses.Select(use => use.Source)).Distinct().Order()];
        int request = Array.FindIndex(_textUses, IsPartOfRequest);
        _requestSource = request < 0 ? -1 : _textUses[request].Source;
        _filterTakesRequest = request >= 0 && request < query.FilterTexts;
        _fields = new Slice[plan.SourceLimit];
        _texts = new Slice[_textUses.Length];
        _numbers = new Number[_numberUses.Length];
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
        Classes.CopyTo(buffer);
        while (start < end)
        {
            int windowEnd = WindowEnd(buffer, start, end);
            if (windowEnd - start > Limits.MaxLine)
            {
                Tally.Lines++;
                Tally.Bytes += windowEnd - start;
                Reject(LogReason.TooLong, buffer, start, windowEnd, windowEnd, input, offset);
            }
            else
            {
                RunWindow(buffer, start, windowEnd, input, offset);
            }

            start = windowEnd;
        }
    }

    /// <summary>The end of the next window: whole lines of at most <see cref="Limits.Window"/> bytes, or one longer line.</summary>
    private static int WindowEnd(byte[] buffer, int start, int end)
    {
        if (end - start <= Limits.Window)
        {
            return end;
        }

        int last = buffer.AsSpan(start, Limits.Window).LastIndexOf((byte)'\n');
        if (last >= 0)
        {
            return start + last + 1;
        }

        int from = start + Limits.Window;
        int next = buffer.AsSpan(from, end - from).IndexOf((byte)'\n');
        return next < 0 ? end : from + next + 1;
    }

    private static bool IsPartOfRequest(TextUse use) =>
        use.Derivation is Derivation.Method or Derivation.Uri or Derivation.Path or Derivation.Protocol;

    private void RunWindow(byte[] buffer, int start, int end, int input, long offset)
    {
        int[] positions = _positions;
        if (end - start > Limits.Window)
        {
            // Kept only for this line: such lines are rare, and positions take four times their bytes.
            positions = new int[end - start + Limits.PositionSlack];
        }

        ref byte text = ref MemoryMarshal.GetArrayDataReference(buffer);
        ref int position = ref MemoryMarshal.GetArrayDataReference(positions);
        ref int line = ref MemoryMarshal.GetArrayDataReference(_lines);
        int count = _kernel.Index(ref text, start, end, _walker.Bytes, ref position, ref line, out int lines);
        int newlines = lines;
        if (Unsafe.Add(ref text, end - 1) != (byte)'\n')
        {
            Unsafe.Add(ref line, lines++) = count;
            Unsafe.Add(ref position, count) = end;
        }

        int at = 0;
        int begin = start;
        for (int i = 0; i < lines; i++)
        {
            int last = Unsafe.Add(ref line, i);
            int newline = Unsafe.Add(ref position, last);
            int lineEnd = newline > begin && Unsafe.Add(ref text, newline - 1) == (byte)'\r' ? newline - 1 : newline;
            LogReason reason = RunLine(ref text, begin, lineEnd, ref position, at, last);
            int next = newline + (i < newlines ? 1 : 0);
            if (reason != LogReason.Parsed)
            {
                Reject(reason, buffer, begin, lineEnd, next, input, offset);
            }

            begin = next;
            at = last + 1;
        }

        Tally.Lines += lines;
        Tally.Bytes += end - start;
    }

    private void Reject(LogReason reason, byte[] buffer, int begin, int lineEnd, int next, int input, long offset)
    {
        Tally.Reject(reason, input, offset + begin, buffer.AsSpan(begin, lineEnd - begin));
        if (RejectedLines is null)
        {
            return;
        }

        Span<Slice> collected = CollectionsMarshal.AsSpan(RejectedLines);
        if (!collected.IsEmpty && collected[^1].Start + collected[^1].Length == begin)
        {
            collected[^1].Length += next - begin;
        }
        else
        {
            RejectedLines.Add(new Slice(begin, next - begin));
        }
    }

    private LogReason RunLine(ref byte text, int begin, int end, ref int positions, int at, int last)
    {
        Slice[] fields = _fields;
        ref Slice field = ref MemoryMarshal.GetArrayDataReference(fields);
        LogReason reason = _walker.Walk(ref text, begin, end, ref positions, at, last, ref field, fields.Length, out int count);
        if (reason != LogReason.Parsed)
        {
            return reason;
        }

        for (; count < fields.Length; count++)
        {
            fields[count].Length = -1;
        }

        foreach (int source in _sources)
        {
            ref Slice used = ref fields[source];
            if (used.Length == 1 && Unsafe.Add(ref text, used.Start) == (byte)'-')
            {
                used.Length = -1;
            }
        }

        foreach (int number in _typingOrder)
        {
            NumberUse use = _numberUses[number];
            if (!TryType(ref text, use.Typing, fields[use.Source], ref _numbers[number]))
            {
                return use.Reason;
            }
        }

        if (_query.Clock >= 0 && !IsInTime(_numbers[_query.Clock]))
        {
            Tally.Filtered++;
            return LogReason.Parsed;
        }

        if (_query.Filter is not null)
        {
            MakeTexts(ref text, 0, _query.FilterTexts, _filterTakesRequest);
            if (!_query.Filter.Passes(ref text, _texts, _numbers))
            {
                Tally.Filtered++;
                return LogReason.Parsed;
            }
        }

        MakeTexts(ref text, _query.FilterTexts, _texts.Length, _requestSource >= 0 && !_filterTakesRequest);
        foreach (GroupTable table in Tables)
        {
            table.Add(ref text, _texts, _numbers);
        }

        Tally.Parsed++;
        return LogReason.Parsed;
    }

    private bool IsInTime(Number clock) =>
        !clock.IsNull
        && (_query.SinceUs == 0 || clock.Value >= _query.SinceUs)
        && (_query.UntilUs == 0 || clock.Value < _query.UntilUs);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryType(ref byte text, Typing typing, Slice field, ref Number number)
    {
        if (field.IsNull)
        {
            number = new Number { IsNull = true };
            return true;
        }

        if (typing == Typing.TimeLocal && field.Length == LocalTimeLength)
        {
            UInt128 head = Unsafe.ReadUnaligned<UInt128>(ref Unsafe.Add(ref text, field.Start));
            UInt128 tail = Unsafe.ReadUnaligned<UInt128>(ref Unsafe.Add(ref text, field.Start + LocalTimeLength - 16));
            if (_hasTime && head == _timeHead && tail == _timeTail)
            {
                number = new Number { Value = _timeUs };
                return true;
            }

            bool isTime = Numbers.TryType(typing, Texts.Of(ref text, field), out number.Value, out number.IsNull);
            if (isTime)
            {
                _timeHead = head;
                _timeTail = tail;
                _timeUs = number.Value;
                _hasTime = true;
            }

            return isTime;
        }

        return Numbers.TryType(typing, Texts.Of(ref text, field), out number.Value, out number.IsNull);
    }

    private void MakeTexts(ref byte text, int from, int to, bool takesRequest)
    {
        if (takesRequest)
        {
            Texts.Request(ref text, _fields[_requestSource], out _method, out _uri, out _protocol);
        }

        for (int i = from; i < to; i++)
        {
            ref readonly TextUse use = ref _textUses[i];
            Slice field = _fields[use.Source];
            _texts[i] = use.Derivation == Derivation.AsIs || field.IsNull ? field : Derive(ref text, in use, field);
        }
    }

    private Slice Derive(ref byte text, in TextUse use, Slice field) => use.Derivation switch
    {
        Derivation.Address => Texts.Address(ref text, field),
        Derivation.Method => _method,
        Derivation.Uri => _uri,
        Derivation.Path => Texts.Path(ref text, _uri),
        Derivation.Protocol => _protocol,
        Derivation.PathOfUri => Texts.Path(ref text, field),
        _ => OfNumber(ref text, use.Derivation, _numbers[use.Number]),
    };

    private Slice OfNumber(ref byte text, Derivation derivation, Number number)
    {
        if (number.IsNull)
        {
            return new Slice(0, -1);
        }

        switch (derivation)
        {
            case Derivation.StatusClass:
                return number.Value is < 100 or > 599 ? new Slice(0, -1) : new Slice(((int)(number.Value / 100) - 1) * 3, 3);
            case Derivation.Attempts:
                return WriteEntries(ref text, number.Value);
            case Derivation.Minute:
                Unsafe.WriteUnaligned(ref Unsafe.Add(ref text, MinuteAt), StartOf(number.Value, MinuteUs));
                return new Slice(MinuteAt, sizeof(long));
            default:
                Unsafe.WriteUnaligned(ref Unsafe.Add(ref text, IntervalAt), StartOf(number.Value, _query.Plan.IntervalUs));
                return new Slice(IntervalAt, sizeof(long));
        }
    }

    /// <summary>The start of the interval that an instant is in, rounded down.</summary>
    private static long StartOf(long instant, long width)
    {
        long rest = instant % width;
        return instant - (rest < 0 ? rest + width : rest);
    }

    private static Slice WriteEntries(ref byte text, long number)
    {
        int at = EntriesAt + EntriesLength;
        do
        {
            Unsafe.Add(ref text, --at) = (byte)('0' + (number % 10));
            number /= 10;
        }
        while (number > 0);
        return new Slice(at, EntriesAt + EntriesLength - at);
    }
}
