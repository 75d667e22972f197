// Sorts many rows as LogOrder compares two: what it compares, one after the other, is cut into words of 64 bits whose order as numbers is that
// of what they hold. All rows are sorted by their first word, each range of equal ones by the next, and so on (multikey quicksort: Bentley and
// Sedgewick, "Fast algorithms for sorting and searching strings", 1997).
//
// A text gives seven bytes a word; the eighth tells how many of them count and whether more follow, so that what is shorter comes first.
using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace CoreIO.Log;

/// <summary>What the words of one step of an order hold.</summary>
internal enum LogWordKind
{
    /// <summary>Lines of the group.</summary>
    Count,

    /// <summary>Whether the statistic has a value: those that have none last, whatever the direction.</summary>
    StatMissing,

    /// <summary>The upper half of the statistic's value.</summary>
    StatHigh,

    /// <summary>The lower half.</summary>
    StatLow,

    /// <summary>Whether the part of the key is there: null comes first.</summary>
    KeyPresent,

    /// <summary>Whether the part is not a whole number: numbers come first.</summary>
    KeyOdd,

    /// <summary>The part as a number; 0 when it is none.</summary>
    KeyNumber,

    /// <summary>The part as a time; 0 when it is null.</summary>
    KeyTime,

    /// <summary>The bytes of the part, as many words as they take.</summary>
    KeyText,
}

/// <summary>One step of an order.</summary>
/// <param name="Kind">What is compared.</param>
/// <param name="At">Which statistic or part of the key.</param>
/// <param name="Descending">Whether the largest is first.</param>
internal readonly record struct LogWordStep(LogWordKind Kind, int At, bool Descending);

/// <summary>One sort of the rows of one table.</summary>
internal sealed class LogWordSort(LogTableAnswer table, LogWordStep[] steps, IComparer<int> order)
{
    // Fewer rows are compared two at a time.
    private const int Few = 24;

    // So are rows that so many words have told from others and not from each other: it bounds the stack, and keys that each end in
    // another word of one long text cost a pass over the rest of them for each.
    private const int MaxDepth = 32;

    // After so many words that all rows share what they share is looked for at once, and left out.
    private const int LongPrefix = 4;

    private const int TextBytes = 7;
    private const ulong NullText = 0;
    private const byte TextGoesOn = 9;

    private readonly byte[] _keys = table.KeyBytes;
    private ulong[] _words = [];
    private int[] _rows = [];

    /// <summary>Puts rows in order.</summary>
    public void Sort(int[] rows)
    {
        _rows = rows;
        _words = new ulong[rows.Length];
        Sort(0, rows.Length, 0, 0, 0);
    }

    private void Sort(int begin, int end, int step, int chunk, int depth)
    {
        while (step < steps.Length && end - begin > 1)
        {
            if (end - begin <= Few || depth == MaxDepth)
            {
                Array.Sort(_rows, begin, end - begin, order);
                return;
            }

            if (Fill(begin, end, steps[step], chunk))
            {
                (step, chunk) = Next(step, chunk, _words[begin]);
                chunk += chunk >= LongPrefix ? SharedWords(begin, end, steps[step].At, chunk) : 0;
                continue;
            }

            Array.Sort(_words, _rows, begin, end - begin);
            while (begin < end)
            {
                ulong word = _words[begin];
                int equal = begin + 1;
                while (equal < end && _words[equal] == word)
                {
                    equal++;
                }

                (int nextStep, int nextChunk) = Next(step, chunk, word);
                Sort(begin, equal, nextStep, nextChunk, depth + 1);
                begin = equal;
            }
        }
    }

    // Where rows go on that agree in a word.
    private (int Step, int Chunk) Next(int step, int chunk, ulong word)
    {
        byte marker = (byte)(steps[step].Descending ? ~word : word);
        return steps[step].Kind == LogWordKind.KeyText && marker == TextGoesOn ? (step, chunk + 1) : (step + 1, 0);
    }

    // How many words of a text, from one on, are the same in all rows and not the last.
    private int SharedWords(int begin, int end, int part, int chunk)
    {
        ReadOnlySpan<byte> shared = TextFrom(_rows[begin], part, chunk);
        for (int i = begin + 1; i < end && shared.Length > TextBytes; i++)
        {
            shared = shared[..shared.CommonPrefixLength(TextFrom(_rows[i], part, chunk))];
        }

        return Math.Max(0, shared.Length - 1) / TextBytes;
    }

    private ReadOnlySpan<byte> TextFrom(int row, int part, int chunk)
    {
        int at = PartAt(table.Groups[row], part);
        return _keys.AsSpan(at + sizeof(uint), LengthAt(at))[(chunk * TextBytes)..];
    }

    // Looks up the words of a range; whether all are the same, and there is nothing to sort.
    private bool Fill(int begin, int end, LogWordStep step, int chunk)
    {
        Span<ulong> words = _words.AsSpan(begin, end - begin);
        ReadOnlySpan<int> rows = _rows.AsSpan(begin, end - begin);
        ulong differences = 0;
        for (int i = 0; i < words.Length; i++)
        {
            ref readonly LogGroup group = ref table.Groups[rows[i]];
            ulong word = step.Kind switch
            {
                LogWordKind.Count => Ordered(group.Count),
                LogWordKind.KeyText => TextWord(PartAt(group, step.At), chunk),
                LogWordKind.StatMissing or LogWordKind.StatHigh or LogWordKind.StatLow => StatWord(group, step),
                _ => KeyWord(PartAt(group, step.At), step.Kind),
            };
            words[i] = step.Descending ? ~word : word;
            differences |= words[i] ^ words[0];
        }

        return differences == 0;
    }

    // Where a part of a row's key begins.
    private int PartAt(in LogGroup group, int part)
    {
        int at = (int)group.KeyOffset;
        for (; part > 0; part--)
        {
            at += sizeof(uint) + Math.Max(0, LengthAt(at));
        }

        return at;
    }

    // Bytes of the part that begins here, or -1 for null.
    private int LengthAt(int at) => MemoryMarshal.Read<int>(_keys.AsSpan(at));

    private ulong TextWord(int at, int chunk)
    {
        int length = LengthAt(at);
        if (length < 0)
        {
            return NullText;
        }

        int left = length - (chunk * TextBytes);
        int begin = at + sizeof(uint) + (chunk * TextBytes);
        int counted = Math.Min(left, TextBytes);
        ulong mask = counted == 0 ? 0 : ulong.MaxValue << (64 - (8 * counted));
        ulong marker = left > TextBytes ? TextGoesOn : (ulong)left + 1;
        return (BytesAt(begin) & mask) | marker;
    }

    // Eight bytes, the first the highest; those behind the last key are 0.
    private ulong BytesAt(int at)
    {
        if (_keys.Length - at >= sizeof(ulong))
        {
            return BinaryPrimitives.ReadUInt64BigEndian(_keys.AsSpan(at));
        }

        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        bytes.Clear();
        _keys.AsSpan(at).CopyTo(bytes);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    private ulong KeyWord(int at, LogWordKind kind)
    {
        int length = LengthAt(at);
        ReadOnlySpan<byte> part = _keys.AsSpan(at + sizeof(uint), Math.Max(0, length));
        if (kind == LogWordKind.KeyTime)
        {
            return length < 0 ? 0 : Ordered(LogTableAnswer.TimeOf(part));
        }

        if (kind == LogWordKind.KeyPresent)
        {
            return length < 0 ? 0UL : 1UL;
        }

        bool isNumber = LogOrder.TryInteger(part, out long number);
        return kind == LogWordKind.KeyNumber ? Ordered(number) : isNumber ? 0UL : 1UL;
    }

    private ulong StatWord(in LogGroup group, LogWordStep step)
    {
        Int128? value = LogNumber.ValueOf(table.Stats[step.At], table.Cell(group, step.At));
        return step.Kind == LogWordKind.StatMissing ? (value is null ? 1UL : 0UL)
            : value is null ? 0
            : step.Kind == LogWordKind.StatHigh ? Ordered((long)(value.Value >> 64))
            : (ulong)value.Value;
    }

    // The order of signed numbers as that of unsigned ones.
    private static ulong Ordered(long value) => (ulong)value ^ (1UL << 63);
}
