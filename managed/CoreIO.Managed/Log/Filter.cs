// Runs a compiled filter: a test sets the result, a jump leaves an `and` at the first false and an `or` at the first true.
using System.Runtime.CompilerServices;

namespace CoreIO.Managed.Log;

internal enum FilterOp
{
    // The six comparisons, of numbers and of texts, follow each other in one order.
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    TextEqual,
    TextNotEqual,
    TextLess,
    TextLessOrEqual,
    TextGreater,
    TextGreaterOrEqual,
    Prefix,
    Suffix,
    Contains,
    Matches,
    Not,
    JumpIfFalse,
    JumpIfTrue,
}

/// <summary>A step of a filter.</summary>
internal sealed class FilterStep(FilterOp op)
{
    internal FilterOp Op { get; } = op;

    /// <summary>The number or text of the plan that is tested.</summary>
    internal int Column { get; init; }

    /// <summary>The step to go on with, of a jump.</summary>
    internal int Target { get; set; }

    internal long Number { get; init; }

    internal byte[] Text { get; init; } = [];

    internal Pattern? Pattern { get; init; }
}

internal sealed class Filter(FilterStep[] steps)
{
    /// <summary>Whether a line passes.</summary>
    /// <param name="text">The byte that places count from.</param>
    /// <param name="texts">The line's place in the first column of texts.</param>
    /// <param name="numbers">The line's place in the first column of numbers.</param>
    internal bool Passes(ref byte text, ref Slice texts, ref Number numbers)
    {
        bool passes = true;
        for (int at = 0; at < steps.Length; at++)
        {
            FilterStep step = steps[at];
            switch (step.Op)
            {
                case FilterOp.Not:
                    passes = !passes;
                    break;
                case FilterOp.JumpIfFalse or FilterOp.JumpIfTrue:
                    if (passes == (step.Op == FilterOp.JumpIfTrue))
                    {
                        at = step.Target - 1;
                    }

                    break;
                case <= FilterOp.GreaterOrEqual:
                    Number number = Unsafe.Add(ref numbers, step.Column * LineBatch.Capacity);
                    passes = !number.IsNull && Holds(step.Op, number.Value.CompareTo(step.Number));
                    break;
                default:
                    Slice slice = Unsafe.Add(ref texts, step.Column * LineBatch.Capacity);
                    passes = Test(step, slice.IsNull ? "-"u8 : Texts.Of(ref text, slice));
                    break;
            }
        }

        return passes;
    }

    private static bool Test(FilterStep step, ReadOnlySpan<byte> text) => step.Op switch
    {
        FilterOp.Prefix => text.StartsWith(step.Text),
        FilterOp.Suffix => text.EndsWith(step.Text),
        FilterOp.Contains => text.IndexOf(step.Text) >= 0,
        FilterOp.Matches => step.Pattern!.Matches(text),
        FilterOp.TextEqual => text.SequenceEqual(step.Text),
        FilterOp.TextNotEqual => !text.SequenceEqual(step.Text),
        _ => Holds(step.Op - FilterOp.TextEqual + FilterOp.Equal, text.SequenceCompareTo(step.Text)),
    };

    private static bool Holds(FilterOp op, int order) => op switch
    {
        FilterOp.Equal => order == 0,
        FilterOp.NotEqual => order != 0,
        FilterOp.Less => order < 0,
        FilterOp.LessOrEqual => order <= 0,
        FilterOp.Greater => order > 0,
        _ => order >= 0,
    };
}
