// A buffer of each thread for messages that cannot be received where the caller wants them: behind the type of System V, or longer than a
// value. Used within one call and never handed out, so a thread has one and a message costs no allocation.
namespace CoreIO.Mq;

internal static class Scratch
{
    [ThreadStatic]
    private static byte[]? _buffer;

    /// <summary>Room for <paramref name="length"/> bytes, with what the last call left in it.</summary>
    internal static Span<byte> Of(int length)
    {
        byte[]? buffer = _buffer;
        if (buffer is null || buffer.Length < length)
        {
            _buffer = buffer = GC.AllocateUninitializedArray<byte>(Math.Max(length, 256));
        }

        return buffer.AsSpan(0, length);
    }
}
