// What a kernel adds that cuts lines by their frames (Frame.cs). Where no instruction compresses bytes, marks cost more than they save, and
// lines are cut by searching for literals (QuickTemplate.cs).
namespace CoreIO.Managed.Log;

internal interface IFrameCutter
{
    /// <summary>Writes position and byte of each mark of a text.</summary>
    /// <returns>How many there are.</returns>
    /// <param name="frame">What marks are.</param>
    /// <param name="text">The first byte of a line, which positions count from. Nothing past the length is read.</param>
    /// <param name="length">How many bytes, 65,536 at most.</param>
    /// <param name="positions">Room for one position a byte, and <see cref="Limits.PositionSlack"/> more.</param>
    /// <param name="values">The same room, for the bytes of the marks.</param>
    int Mark(Frame frame, ref byte text, int length, ref ushort positions, ref byte values);

    /// <summary>Cuts the next lines of a marked window as long as they fit their frame; see <see cref="Walker.CutQuick"/>, but there is always a width.</summary>
    int Cut(Frame frame, ref byte text, ref Window window, ref Slice fields, int limit, int width, ref Line lines, int capacity);
}
