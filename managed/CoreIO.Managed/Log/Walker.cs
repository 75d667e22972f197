// Turns the structural positions of a line into its fields. Stateless, so all threads share one.
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal abstract class Walker(ByteClass bytes)
{
    /// <summary>The bytes this walker must be shown.</summary>
    internal ByteClass Bytes { get; } = bytes;

    /// <summary>Cuts one line. No allocation, no state.</summary>
    /// <param name="text">The byte that positions count from.</param>
    /// <param name="start">First byte of the line.</param>
    /// <param name="end">End of the line, without its line end.</param>
    /// <param name="positions">Structural positions, ascending.</param>
    /// <param name="at">The first of them in this line.</param>
    /// <param name="last">The one of its newline, or of the end of the text.</param>
    /// <param name="fields">Where fields go.</param>
    /// <param name="room">How many go there; those beyond are counted only.</param>
    /// <param name="count">How many fields the line has.</param>
    internal abstract LogReason Walk(
        ref byte text, int start, int end, ref int positions, int at, int last, ref Slice fields, int room, out int count);
}
