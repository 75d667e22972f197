// Cuts a line by an nginx template (docs/formats.md, section 3).
//
// Of each literal one byte is looked for, the rarest in logs; where it stands, the literal is compared with one load when it is at most
// eight bytes long. Only those bytes, quotes and backslashes (if the template quotes at all) are structural.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal sealed class TemplateWalker : Walker
{
    private readonly byte[] _lead;
    private readonly Step[] _steps;

    /// <summary>Makes the walker of a template.</summary>
    /// <param name="literals">The text before each variable in order, and the text after the last.</param>
    /// <param name="words">For each variable, whether its value never holds a space.</param>
    internal TemplateWalker(byte[][] literals, bool[] words)
        : this(literals[0], PlanSteps(literals, words))
    {
    }

    private TemplateWalker(byte[] lead, Step[] steps)
        : base(new ByteClass(Structural(steps)))
    {
        _lead = lead;
        _steps = steps;
    }

    private enum End
    {
        Quote,
        Text,
        Line,
    }

    internal override LogReason Walk(
        ref byte text, int start, int end, ref int positions, int at, int last, ref Slice fields, int room, out int count)
    {
        count = 0;
        if (_lead.Length != 0 && !Stands(ref text, start, end, _lead))
        {
            return LogReason.MissingText;
        }

        int current = start + _lead.Length;
        Step[] steps = _steps;
        for (int i = 0; i < steps.Length; i++)
        {
            ref Step step = ref steps[i];
            int found;
            if (step.End == End.Text)
            {
                if (!FindText(ref text, current, end, ref positions, ref at, last, in step, out found))
                {
                    return LogReason.MissingText;
                }

                if (step.IsWord && HoldsSpace(ref text, current, found))
                {
                    return LogReason.MissingText;
                }
            }
            else if (step.End == End.Quote)
            {
                if (!FindQuote(ref text, current, ref positions, ref at, last, out found))
                {
                    return LogReason.OpenDelimiter;
                }

                if (!Stands(ref text, found, end, in step))
                {
                    return LogReason.MissingText;
                }
            }
            else
            {
                found = end;
                if (step.IsWord && HoldsSpace(ref text, current, found))
                {
                    return LogReason.TrailingText;
                }
            }

            if (i < room)
            {
                Unsafe.Add(ref fields, i) = new Slice(current, found - current);
            }

            current = found + step.Length;
        }

        count = steps.Length;
        return current == end ? LogReason.Parsed : LogReason.TrailingText;
    }

    private static bool FindText(
        ref byte text, int current, int end, ref int positions, ref int at, int last, in Step step, out int found)
    {
        byte key = step.Key;
        for (int i = at; i < last; i++)
        {
            int position = Unsafe.Add(ref positions, i);
            if (Unsafe.Add(ref text, position) == key)
            {
                int begin = position - step.KeyOffset;
                if (begin >= current && Stands(ref text, begin, end, in step))
                {
                    at = i + 1;
                    found = begin;
                    return true;
                }
            }
        }

        found = 0;
        return false;
    }

    private static bool FindQuote(ref byte text, int current, ref int positions, ref int at, int last, out int found)
    {
        for (int i = at; i < last; i++)
        {
            int position = Unsafe.Add(ref positions, i);
            if (position < current)
            {
                continue;
            }

            byte b = Unsafe.Add(ref text, position);
            if (b == (byte)'"')
            {
                at = i + 1;
                found = position;
                return true;
            }

            if (b == (byte)'\\')
            {
                current = position + 2;
            }
        }

        found = 0;
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Stands(ref byte text, int at, int end, in Step step)
    {
        if (step.Length == 1)
        {
            // The byte that was looked for is the whole literal.
            return true;
        }

        if (step.Length <= sizeof(ulong) && end - at >= sizeof(ulong))
        {
            return (Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref text, at)) & step.Mask) == step.Word;
        }

        return Stands(ref text, at, end, step.Literal);
    }

    private static bool Stands(ref byte text, int at, int end, byte[] literal) =>
        end - at >= literal.Length
        && MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref text, at), literal.Length).SequenceEqual(literal);

    private static bool HoldsSpace(ref byte text, int begin, int end) =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref text, begin), end - begin).Contains((byte)' ');

    private static Step[] PlanSteps(byte[][] literals, bool[] words)
    {
        Step[] steps = new Step[literals.Length - 1];
        for (int i = 0; i < steps.Length; i++)
        {
            byte[] before = literals[i];
            byte[] after = literals[i + 1];
            End end = after.Length == 0 ? End.Line
                : before.Length > 0 && before[^1] == (byte)'"' && after[0] == (byte)'"' ? End.Quote
                : End.Text;
            steps[i] = new Step(end, after, words[i]);
        }

        return steps;
    }

    private static byte[] Structural(Step[] steps)
    {
        List<byte> bytes = [];
        foreach (Step step in steps)
        {
            if (step.End != End.Line)
            {
                bytes.Add(step.Key);
            }

            if (step.End == End.Quote)
            {
                bytes.Add((byte)'\\');
            }
        }

        return [.. bytes];
    }

    /// <summary>How a variable ends.</summary>
    private readonly struct Step
    {
        internal readonly End End;
        internal readonly bool IsWord;
        internal readonly byte Key;
        internal readonly int KeyOffset;
        internal readonly int Length;
        internal readonly ulong Word;
        internal readonly ulong Mask;
        internal readonly byte[] Literal;

        internal Step(End end, byte[] literal, bool isWord)
        {
            End = end;
            IsWord = isWord;
            Literal = literal;
            Length = literal.Length;
            if (end == End.Text)
            {
                KeyOffset = Enumerable.Range(0, literal.Length).MinBy(i => Frequency(literal[i]));
            }

            Key = literal.Length == 0 ? (byte)0 : literal[KeyOffset];
            Span<byte> word = stackalloc byte[sizeof(ulong)];
            word.Clear();
            literal.AsSpan(0, Math.Min(word.Length, literal.Length)).CopyTo(word);
            Word = MemoryMarshal.Read<ulong>(word);
            word[..Math.Min(word.Length, literal.Length)].Fill(0xFF);
            Mask = MemoryMarshal.Read<ulong>(word);
        }

        /// <summary>A rough order of how often bytes stand in access logs, the rarest first.</summary>
        private static int Frequency(byte b) => b switch
        {
            (byte)'"' or (byte)'[' or (byte)']' or (byte)'|' or (byte)'\t' => 0,
            (byte)' ' => 2,
            (byte)'/' or (byte)'.' or (byte)'-' or (byte)':' or (byte)'=' => 3,
            _ => char.IsAsciiLetterOrDigit((char)b) ? 4 : 1,
        };
    }
}
