// Cuts a line by an nginx template (docs/formats.md, section 3).
//
// Only newlines, and quotes and backslashes if the template quotes at all, are structural. Values are short and their literals begin with
// bytes that are frequent elsewhere, such as spaces, so a search from where the value begins beats positions of all of them.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

/// <summary>How a variable of a template ends.</summary>
internal enum ValueEnd
{
    /// <summary>At the first quote that no backslash escapes; there the literal must stand.</summary>
    Quote,

    /// <summary>Where the literal stands first.</summary>
    Text,
    Line,
}

internal sealed class TemplateWalker : Walker
{
    private readonly Literal _lead;
    private readonly Step[] _steps;
    private readonly QuickTemplate? _quick;

    /// <summary>Makes the walker of a template.</summary>
    /// <param name="literals">The text before each variable in order, and the text after the last.</param>
    /// <param name="names">The names of its variables.</param>
    internal TemplateWalker(byte[][] literals, string[] names)
        : this(literals, PlanSteps(literals, names), [.. names.Select(FieldNames.TimePattern)])
    {
    }

    private TemplateWalker(byte[][] literals, Step[] steps, string[] times)
        : this(literals, steps, [.. steps.Select(step => step.End)], [.. steps.Select(step => step.IsWord)], times)
    {
    }

    private TemplateWalker(byte[][] literals, Step[] steps, ValueEnd[] ends, bool[] words, string[] times)
        : base(new ByteClass(ends.Contains(ValueEnd.Quote) ? "\"\\"u8 : []), frame: Frame.Compile(literals, ends, words, times))
    {
        _lead = new Literal(literals[0]);
        _steps = steps;
        _quick = QuickTemplate.Plan(literals, ends, words);
    }

    internal override int FieldsOfEach => _steps.Length;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal override LogReason Walk(
        ref byte text, int start, int end, ref int positions, int at, int last, ref Slice fields, int room, out int count)
    {
        count = 0;
        if (!_lead.StandsIn(ref text, start, end))
        {
            return LogReason.MissingText;
        }

        int current = start + _lead.Length;
        Step[] steps = _steps;
        for (int i = 0; i < steps.Length; i++)
        {
            ref Step step = ref steps[i];
            int found;
            if (step.End == ValueEnd.Quote)
            {
                if (!FindQuote(ref text, current, ref positions, ref at, last, out found))
                {
                    return LogReason.OpenDelimiter;
                }

                if (!step.After.StandsIn(ref text, found, end))
                {
                    return LogReason.MissingText;
                }
            }
            else
            {
                ReadOnlySpan<byte> rest = MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref text, current), end - current);
                int length = step.End == ValueEnd.Line ? rest.Length : rest.IndexOf(step.After.Bytes);
                if (length < 0)
                {
                    return LogReason.MissingText;
                }

                if (step.IsWord && rest[..length].Contains((byte)' '))
                {
                    return step.End == ValueEnd.Line ? LogReason.TrailingText : LogReason.MissingText;
                }

                found = current + length;
            }

            if (i < room)
            {
                Unsafe.Add(ref fields, i) = new Slice(current, found - current);
            }

            current = found + step.After.Length;
        }

        count = steps.Length;
        return current == end ? LogReason.Parsed : LogReason.TrailingText;
    }

    internal override int CutQuick(
        ref byte text, ref Window window, ref Slice fields, int limit, int width, ref Line lines, int capacity) =>
        _quick is null ? 0 : _quick.Cut(ref text, ref window, ref fields, limit, width, ref lines, capacity);

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

    private static Step[] PlanSteps(byte[][] literals, string[] names)
    {
        Step[] steps = new Step[literals.Length - 1];
        for (int i = 0; i < steps.Length; i++)
        {
            byte[] before = literals[i];
            byte[] after = literals[i + 1];
            ValueEnd end = after.Length == 0 ? ValueEnd.Line
                : before.Length > 0 && before[^1] == (byte)'"' && after[0] == (byte)'"' ? ValueEnd.Quote
                : ValueEnd.Text;
            steps[i] = new Step(end, new Literal(after), FieldNames.IsWord(names[i]));
        }

        return steps;
    }

    /// <summary>What comes behind a variable.</summary>
    private readonly struct Step(ValueEnd end, Literal after, bool isWord)
    {
        internal readonly ValueEnd End = end;
        internal readonly bool IsWord = isWord;
        internal readonly Literal After = after;
    }
}
