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
    private readonly Lexer _lexer;
    private readonly TypedField[] _typedFields;
    private readonly TextUse[] _textUses;
    private readonly int[] _sources;
    private readonly int _requestSource;
    private readonly bool _filterTakesRequest;

    /// <summary>The fields of a batch of lines: a row each, with one place more for fields that nobody reads.</summary>
    private readonly Slice[] _rows;
    private readonly int _width;
    private readonly Line[] _lines = new Line[Lexer.Batch];
    private readonly Slice[] _texts;
    private readonly Number[] _numbers;
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
        _lexer = new Lexer(plan.Format.Walker, kernel);
        _typedFields = [.. plan.TypingOrder().Select(number => new TypedField(number, plan.Numbers[number]))];
        _textUses = [.. plan.Texts];
        _sources = [.. plan.Numbers.Select(use => use.Source).Concat(_textUses.Select(use => use.Source)).Distinct().Order()];
        int request = Array.FindIndex(_textUses, IsPartOfRequest);
        _requestSource = request < 0 ? -1 : _textUses[request].Source;
        _filterTakesRequest = request >= 0 && request < query.FilterTexts;
        _width = plan.SourceLimit + 1;
        _rows = new Slice[_width * Lexer.Batch];
        _texts = new Slice[_textUses.Length];
        _numbers = new Number[plan.Numbers.Count];
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
            int windowEnd = Lexer.WindowEnd(buffer.AsSpan(0, end), start, last: true);
            _lexer.Begin(ref MemoryMarshal.GetArrayDataReference(buffer), start, windowEnd, buffer.Length);
            RunWindow(buffer, input, offset);
            Tally.Bytes += windowEnd - start;
            start = windowEnd;
        }
    }

    private static bool IsPartOfRequest(TextUse use) =>
        use.Derivation is Derivation.Method or Derivation.Uri or Derivation.Path or Derivation.Protocol;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RunWindow(byte[] buffer, int input, long offset)
    {
        ref byte text = ref MemoryMarshal.GetArrayDataReference(buffer);
        ref Slice rows = ref MemoryMarshal.GetArrayDataReference(_rows);
        ref Line lines = ref MemoryMarshal.GetArrayDataReference(_lines);
        while (true)
        {
            int count = _lexer.CutQuick(ref text, ref rows, _width - 1, _width, ref lines, Lexer.Batch);
            if (count == 0)
            {
                if (!_lexer.CutLine(ref text, ref rows, _width - 1, ref lines))
                {
                    return;
                }

                count = 1;
            }

            for (int i = 0; i < count; i++)
            {
                ref Line line = ref Unsafe.Add(ref lines, i);
                LogReason reason = line.Reason;
                if (reason == LogReason.Parsed)
                {
                    reason = RunLine(ref text, ref Unsafe.Add(ref rows, i * _width), line.Fields);
                }

                if (reason != LogReason.Parsed)
                {
                    Reject(reason, buffer, in line, input, offset);
                }
            }

            Tally.Lines += count;
        }
    }

    private void Reject(LogReason reason, byte[] buffer, in Line line, int input, long offset)
    {
        int begin = line.Begin;
        Tally.Reject(reason, input, offset + begin, buffer.AsSpan(begin, line.End - begin));
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

    /// <summary>Works on a line that fits its format: its row of fields, and how many it has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private LogReason RunLine(ref byte text, ref Slice row, int count)
    {
        foreach (int source in _sources)
        {
            ref Slice used = ref Unsafe.Add(ref row, source);
            if (source >= count || (used.Length == 1 && Unsafe.Add(ref text, used.Start) == (byte)'-'))
            {
                used.Length = -1;
            }
        }

        ref Number numbers = ref MemoryMarshal.GetArrayDataReference(_numbers);
        foreach (ref readonly TypedField typed in _typedFields.AsSpan())
        {
            if (!TryType(ref text, typed.Typing, Unsafe.Add(ref row, typed.Source), ref Unsafe.Add(ref numbers, typed.Number)))
            {
                return typed.Reason;
            }
        }

        if (_query.Clock >= 0 && !IsInTime(_numbers[_query.Clock]))
        {
            Tally.Filtered++;
            return LogReason.Parsed;
        }

        if (_query.Filter is not null)
        {
            MakeTexts(ref text, ref row, 0, _query.FilterTexts, _filterTakesRequest);
            if (!_query.Filter.Passes(ref text, _texts, _numbers))
            {
                Tally.Filtered++;
                return LogReason.Parsed;
            }
        }

        MakeTexts(ref text, ref row, _query.FilterTexts, _texts.Length, _requestSource >= 0 && !_filterTakesRequest);
        foreach (GroupTable table in Tables)
        {
            table.Add(ref text, ref MemoryMarshal.GetArrayDataReference(_texts), ref numbers);
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

        if (BitConverter.IsLittleEndian && field.Length is > 0 and <= sizeof(ulong))
        {
            // Bytes before the field are the line's, or the header's.
            ulong word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref text, field.Start + field.Length - sizeof(ulong)));
            number.IsNull = false;
            if ((typing == Typing.Whole && Numbers.TryReadShort(word, field.Length, out number.Value))
                || (typing == Typing.Millionths && field.Length > 4 && Numbers.TryReadMilliseconds(word, field.Length, out number.Value)))
            {
                return true;
            }
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void MakeTexts(ref byte text, ref Slice row, int from, int to, bool takesRequest)
    {
        if (takesRequest)
        {
            Texts.Request(ref text, Unsafe.Add(ref row, _requestSource), out _method, out _uri, out _protocol);
        }

        for (int i = from; i < to; i++)
        {
            ref readonly TextUse use = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_textUses), i);
            Slice field = Unsafe.Add(ref row, use.Source);
            Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_texts), i) =
                use.Derivation == Derivation.AsIs || field.IsNull ? field : Derive(ref text, in use, field);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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

    /// <summary>A field that is typed, in the order of the line.</summary>
    private readonly struct TypedField(int number, NumberUse use)
    {
        /// <summary>Which of the numbers it becomes.</summary>
        internal readonly int Number = number;
        internal readonly int Source = use.Source;
        internal readonly Typing Typing = use.Typing;
        internal readonly LogReason Reason = use.Reason;
    }
}
