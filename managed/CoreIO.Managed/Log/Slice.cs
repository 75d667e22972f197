namespace CoreIO.Managed.Log;

/// <summary>Bytes of the buffer at hand; laid out as <see cref="CoreIO.Log.LogField"/>. A negative length is null.</summary>
internal struct Slice(int start, int length)
{
    internal int Start = start;
    internal int Length = length;

    internal readonly bool IsNull => Length < 0;
}
