// Takes the texts of a batch of lines, column by column.
//
// Values that stand in no line (classes, counts, starts of intervals) are written to the header of the lines' buffer, so that every text
// is a slice of one buffer. A format has one field for each of them, so each has one column there.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CoreIO.Managed.Log;

internal sealed class TextColumns
{
    private const long MinuteUs = 60_000_000;
    private const int EntriesLength = 24;
    private const int MinutesAt = 16;
    private const int IntervalsAt = MinutesAt + (LineBatch.Capacity * sizeof(long));
    private const int EntriesAt = IntervalsAt + (LineBatch.Capacity * sizeof(long));

    /// <summary>Bytes of the header.</summary>
    internal const int HeaderLength = EntriesAt + (LineBatch.Capacity * EntriesLength);

    private readonly TextUse[] _uses;
    private readonly long _intervalUs;
    private readonly int _requestSource;
    private readonly Request[] _requests;
    private bool _hasRequests;

    internal TextColumns(Plan plan)
    {
        _uses = [.. plan.Texts];
        _intervalUs = plan.IntervalUs;
        int request = Array.FindIndex(_uses, IsPartOfRequest);
        _requestSource = request < 0 ? -1 : _uses[request].Source;
        _requests = new Request[request < 0 ? 0 : LineBatch.Capacity];
    }

    internal int Count => _uses.Length;

    private static Slice Null => new(0, -1);

    private static ReadOnlySpan<byte> Classes => "1xx2xx3xx4xx5xx"u8;

    /// <summary>Begins a buffer, whose header is written to.</summary>
    internal static void BeginBuffer(byte[] buffer) => Classes.CopyTo(buffer);

    /// <summary>Begins a batch.</summary>
    internal void Begin() => _hasRequests = false;

    /// <summary>Takes some of the texts, from one up to another, of the lines that count.</summary>
    internal void Take(ref byte text, LineBatch batch, int from, int to)
    {
        for (int i = from; i < to; i++)
        {
            ref readonly TextUse use = ref _uses[i];
            if (!_hasRequests && IsPartOfRequest(use))
            {
                _hasRequests = true;
                TakeRequests(ref text, batch);
            }

            ref Slice column = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(batch.Texts), i * LineBatch.Capacity);
            switch (use.Derivation)
            {
                case Derivation.AsIs:
                    TakeFields(ref text, batch, use.Source, ref column);
                    break;
                case Derivation.Minute:
                    TakeIntervals(ref text, batch, use.Number, MinuteUs, MinutesAt, ref column);
                    break;
                case Derivation.Interval:
                    TakeIntervals(ref text, batch, use.Number, _intervalUs, IntervalsAt, ref column);
                    break;
                default:
                    Derive(ref text, batch, in use, ref column);
                    break;
            }
        }
    }

    private static bool IsPartOfRequest(TextUse use) =>
        use.Derivation is Derivation.Method or Derivation.Uri or Derivation.Path or Derivation.Protocol;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TakeRequests(ref byte text, LineBatch batch)
    {
        ref Slice rows = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(batch.Rows), _requestSource);
        foreach (int line in batch.Counted.AsSpan(0, batch.Count))
        {
            Slice field = LineBatch.Field(ref text, Unsafe.Add(ref rows, line * batch.Width));
            Texts.TakeRequest(ref text, field, out _requests[line]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TakeFields(ref byte text, LineBatch batch, int source, ref Slice column)
    {
        ref Slice rows = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(batch.Rows), source);
        int width = batch.Width;
        foreach (int line in batch.Counted.AsSpan(0, batch.Count))
        {
            Unsafe.Add(ref column, line) = LineBatch.Field(ref text, Unsafe.Add(ref rows, line * width));
        }
    }

    /// <summary>Starts of intervals; lines of one instant follow each other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TakeIntervals(ref byte text, LineBatch batch, int use, long width, int place, ref Slice column)
    {
        ref Number numbers = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(batch.Numbers), use * LineBatch.Capacity);
        Slice last = Null;
        long instant = 0;
        foreach (int line in batch.Counted.AsSpan(0, batch.Count))
        {
            ref Number number = ref Unsafe.Add(ref numbers, line);
            if (number.IsNull)
            {
                Unsafe.Add(ref column, line) = Null;
                continue;
            }

            if (last.IsNull || number.Value != instant)
            {
                instant = number.Value;
                last = new Slice(place + (line * sizeof(long)), sizeof(long));
                Unsafe.WriteUnaligned(ref Unsafe.Add(ref text, last.Start), StartOf(instant, width));
            }

            Unsafe.Add(ref column, line) = last;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Derive(ref byte text, LineBatch batch, in TextUse use, ref Slice column)
    {
        ref Slice rows = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(batch.Rows), use.Source);
        foreach (int line in batch.Counted.AsSpan(0, batch.Count))
        {
            Unsafe.Add(ref column, line) = use.Derivation switch
            {
                Derivation.Address => Texts.Address(ref text, LineBatch.Field(ref text, Unsafe.Add(ref rows, line * batch.Width))),
                Derivation.Method => _requests[line].Method,
                Derivation.Uri => _requests[line].Uri,
                Derivation.Path => Texts.Path(ref text, _requests[line].Uri),
                Derivation.Protocol => _requests[line].Protocol,
                Derivation.PathOfUri => Texts.Path(ref text, LineBatch.Field(ref text, Unsafe.Add(ref rows, line * batch.Width))),
                Derivation.StatusClass => ClassOf(batch.Numbers[(use.Number * LineBatch.Capacity) + line]),
                _ => WriteEntries(ref text, line, batch.Numbers[(use.Number * LineBatch.Capacity) + line]),
            };
        }
    }

    private static Slice ClassOf(Number number) =>
        number.IsNull || number.Value is < 100 or > 599 ? Null : new Slice(((int)(number.Value / 100) - 1) * 3, 3);

    /// <summary>The start of the interval that an instant is in, rounded down, but not below the smallest instant.</summary>
    private static long StartOf(long instant, long width)
    {
        long rest = instant % width;
        long back = rest < 0 ? rest + width : rest;
        return instant < long.MinValue + back ? long.MinValue : instant - back;
    }

    private static Slice WriteEntries(ref byte text, int line, Number number)
    {
        if (number.IsNull)
        {
            return Null;
        }

        int end = EntriesAt + ((line + 1) * EntriesLength);
        int at = end;
        long rest = number.Value;
        do
        {
            Unsafe.Add(ref text, --at) = (byte)('0' + (rest % 10));
            rest /= 10;
        }
        while (rest > 0);
        return new Slice(at, end - at);
    }
}
