// The whole lines at hand, their structural positions, and how far they are cut.
using CoreIO.Log;

namespace CoreIO.Managed.Log;

/// <summary>One line as it was cut; places count from the byte that positions count from.</summary>
internal struct Line
{
    /// <summary>First byte.</summary>
    internal int Begin;

    /// <summary>One past the last byte, without the line end.</summary>
    internal int End;

    /// <summary>First byte after the line end.</summary>
    internal int Next;

    /// <summary>How many fields it has; those beyond the room are counted only.</summary>
    internal int Fields;

    internal LogReason Reason;
}

/// <summary>What is being cut; belongs to one lexer.</summary>
internal struct Window
{
    /// <summary>Structural positions, ascending; behind them stands <see cref="End"/> as the newline that a last line may lack.</summary>
    internal int[] Positions;

    /// <summary>Its first byte, which marks count from.</summary>
    internal int Origin;

    /// <summary>Positions of marks, ascending, behind that of the newline before the window; empty when it has positions instead.</summary>
    internal ushort[] Marks;

    /// <summary>The bytes of the marks, at the same places, and zeros behind them as far as a frame looks.</summary>
    internal byte[] MarkValues;

    /// <summary>How many there are, of positions without the one at the end, of marks without the first.</summary>
    internal int Count;

    /// <summary>The first of them that belongs to a line not yet cut.</summary>
    internal int At;

    /// <summary>First byte of the next line.</summary>
    internal int Begin;

    /// <summary>One past the last byte of the window.</summary>
    internal int End;

    /// <summary>One past the last byte that may be read; not before <see cref="End"/>.</summary>
    internal int Readable;
}
