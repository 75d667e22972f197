// Turns the structural positions of lines into their fields. Stateless, so all threads share one.
//
// Walk is the definition: it cuts any line and says why one does not fit. CutQuick cuts the lines of the usual shape, many at a call, and
// leaves the first one that it is not sure of to the definition, so what it leaves out costs time, never an answer.
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal abstract class Walker(ByteClass bytes, ByteClass? lineBytes = null, Frame? frame = null)
{
    /// <summary>The bytes that a window is indexed for.</summary>
    internal ByteClass Bytes { get; } = bytes;

    /// <summary>The bytes <see cref="Walk"/> must be shown when those of the window are fewer than it needs, else null.</summary>
    internal ByteClass? LineBytes { get; } = lineBytes;

    /// <summary>What the marks of a line must be, where a kernel cuts lines by them, else null.</summary>
    internal Frame? Frame { get; } = frame;

    /// <summary>How many fields each quick line has, where all have as many; 0 where they differ.</summary>
    internal virtual int FieldsOfEach => 0;

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

    /// <summary>Cuts the next lines of a window as long as they are quick.</summary>
    /// <param name="text">The byte that positions count from.</param>
    /// <param name="window">The window, which goes on by the lines that are cut.</param>
    /// <param name="fields">Where fields go; <see cref="Frame.Slack"/> places behind the last may be overwritten.</param>
    /// <param name="limit">How many go there: for each line when there is a width, else in all.</param>
    /// <param name="width">
    /// Distance between the first fields of two lines; 0 when the fields of all lines follow each other, which is asked for only where
    /// <see cref="FieldsOfEach"/> is 0.
    /// </param>
    /// <param name="lines">Where lines go.</param>
    /// <param name="capacity">How many go there.</param>
    /// <returns>How many lines were cut; 0 says nothing of the next line but that the definition must cut it.</returns>
    internal virtual int CutQuick(
        ref byte text, ref Window window, ref Slice fields, int limit, int width, ref Line lines, int capacity) => 0;
}
