// Cuts the quick lines of a template.
//
// Most templates have quotes only around variables. A line that has exactly as many structural bytes before its newline as its template
// has quotes has exactly these quotes and no backslash, or the literals do not stand where they must. Then a quoted value ends at the next
// quote, a literal that opens a quoted value can first stand only where the next quote is, and any other literal is searched for from where
// its value begins.
//
// Loads of a word and of sixteen bytes may go past what they are about, but never past what may be read: a line that ends too near to that
// is left to the definition.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal sealed class QuickTemplate
{
    /// <summary>How far past a line's newline loads may reach, apart from literals.</summary>
    private const int Reach = 16;

    private readonly Literal _lead;
    private readonly Step[] _steps;
    private readonly int _quotes;
    private readonly int _reach;

    private QuickTemplate(byte[][] literals, Step[] steps, int quotes)
    {
        _lead = new Literal(literals[0]);
        _steps = steps;
        _quotes = quotes;
        _reach = Reach + literals.Max(literal => literal.Length);
    }

    private enum Kind
    {
        /// <summary>From one quote to the next.</summary>
        Quoted,

        /// <summary>Up to a literal whose last byte, a quote, opens the next value.</summary>
        Opens,
        Text,
        Line,
    }

    /// <summary>Makes the plan of a template; null when it has quotes elsewhere.</summary>
    internal static QuickTemplate? Plan(byte[][] literals, ValueEnd[] ends, bool[] words)
    {
        int quotes = CountQuotes(literals[0]);
        int expected = 0;
        Step[] steps = new Step[ends.Length];
        for (int i = 0; i < steps.Length; i++)
        {
            byte[] after = literals[i + 1];
            int own = CountQuotes(after);
            Kind kind = ends[i] switch
            {
                ValueEnd.Quote => Kind.Quoted,
                ValueEnd.Line => Kind.Line,
                _ => own == 1 && after[^1] == (byte)'"' ? Kind.Opens : Kind.Text,
            };
            steps[i] = new Step(kind, new Literal(after), words[i] && kind != Kind.Quoted);
            expected += kind == Kind.Quoted ? 2 : 0;
            quotes += own;
        }

        return quotes == expected ? new QuickTemplate(literals, steps, quotes) : null;
    }

    /// <summary>Cuts lines; see <see cref="Walker.CutQuick"/>, but that there is always a width.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal int Cut(ref byte text, ref Window window, ref Slice fields, int limit, int width, ref Line lines, int capacity)
    {
        int quotes = _quotes;
        int begin = window.Begin;
        int readable = window.Readable;
        int at = window.At;
        ref int all = ref MemoryMarshal.GetArrayDataReference(window.Positions);
        int leadLength = _lead.Length;
        int count = 0;
        while (count < capacity && at + quotes < window.Count)
        {
            ref int positions = ref Unsafe.Add(ref all, at);
            int newline = Unsafe.Add(ref positions, quotes);
            if (readable - newline < _reach || Unsafe.Add(ref text, newline) != (byte)'\n')
            {
                break;
            }

            int lineEnd = newline > begin && Unsafe.Add(ref text, newline - 1) == (byte)'\r' ? newline - 1 : newline;
            if ((leadLength != 0 && !_lead.StandsAt(ref Unsafe.Add(ref text, begin)))
                || !CutLine(ref text, _steps, begin + leadLength, lineEnd, ref positions, ref fields, limit))
            {
                break;
            }

            ref Line line = ref Unsafe.Add(ref lines, count);
            line.Begin = begin;
            line.End = lineEnd;
            line.Next = newline + 1;
            line.Fields = _steps.Length;
            line.Reason = LogReason.Parsed;
            fields = ref Unsafe.Add(ref fields, width);
            begin = newline + 1;
            at += quotes + 1;
            count++;
        }

        window.Begin = begin;
        window.At = at;
        return count;
    }

    /// <summary>Cuts one line whose quotes, and behind them its newline, are at <paramref name="quotes"/>.</summary>
    /// <returns>False when it is not quick.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool CutLine(ref byte text, Step[] steps, int current, int lineEnd, ref int quotes, ref Slice fields, int limit)
    {
        ref Step step = ref MemoryMarshal.GetArrayDataReference(steps);
        for (int i = 0; i < steps.Length; i++, step = ref Unsafe.Add(ref step, 1))
        {
            int end;
            if (step.Kind == Kind.Text)
            {
                // Most values are short, and most first bytes of literals are the literal.
                uint bits = Match16(ref Unsafe.Add(ref text, current), step.First);
                end = current + BitOperations.TrailingZeroCount(bits | 0x10000u);
                if (end >= quotes || (Load64(ref text, end) & step.Mask) != step.Word)
                {
                    end = FindFar(ref text, current, quotes, in step);
                    if (end < 0)
                    {
                        return false;
                    }
                }
            }
            else if (step.Kind == Kind.Quoted)
            {
                if (quotes + 1 != current)
                {
                    return false;
                }

                end = Unsafe.Add(ref quotes, 1);
                quotes = ref Unsafe.Add(ref quotes, 2);
            }
            else if (step.Kind == Kind.Opens)
            {
                end = quotes + 1 - step.Length;
                if (end < current)
                {
                    return false;
                }
            }
            else
            {
                end = lineEnd;
            }

            if ((Load64(ref text, end) & step.Mask) != step.Word
                || (step.Length > sizeof(ulong) && !step.After.StandsAt(ref Unsafe.Add(ref text, end)))
                || (step.IsWord && HoldsSpace(ref text, current, end)))
            {
                return false;
            }

            Unsafe.Add(ref fields, Math.Min(i, limit)) = new Slice(current, end - current);
            current = end + step.Length;
        }

        return current == lineEnd;
    }

    /// <summary>Where a literal first stands between two places, or -1.</summary>
    private static int FindFar(ref byte text, int begin, int end, in Step step)
    {
        for (; begin < end; begin += 16)
        {
            for (uint bits = Match16(ref Unsafe.Add(ref text, begin), step.First); bits != 0; bits &= bits - 1)
            {
                int at = begin + BitOperations.TrailingZeroCount(bits);
                if (at >= end)
                {
                    return -1;
                }

                if (step.After.StandsAt(ref Unsafe.Add(ref text, at)))
                {
                    return at;
                }
            }
        }

        return -1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool HoldsSpace(ref byte text, int begin, int end)
    {
        int length = end - begin;
        return length <= 16
            ? (Match16(ref Unsafe.Add(ref text, begin), (byte)' ') & ((1u << length) - 1)) != 0
            : MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref text, begin), length).Contains((byte)' ');
    }

    /// <summary>Which of sixteen bytes are <paramref name="wanted"/>, as bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Match16(ref byte place, byte wanted) =>
        Vector128.Equals(Vector128.LoadUnsafe(ref place), Vector128.Create(wanted)).ExtractMostSignificantBits();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Load64(ref byte text, int at) => Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref text, at));

    private static int CountQuotes(ReadOnlySpan<byte> literal) => literal.Count((byte)'"');

    /// <summary>What ends a value, compiled to what the loop needs and no more.</summary>
    private readonly struct Step(Kind kind, Literal after, bool isWord)
    {
        internal readonly ulong Word = after.Word;
        internal readonly ulong Mask = after.Mask;
        internal readonly int Length = after.Length;
        internal readonly Kind Kind = kind;
        internal readonly byte First = after.Length > 0 ? after.Bytes[0] : (byte)0;
        internal readonly bool IsWord = isWord;
        internal readonly Literal After = after;
    }
}
