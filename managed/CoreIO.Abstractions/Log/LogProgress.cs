namespace CoreIO.Log;

/// <summary>How far an input is.</summary>
/// <param name="BytesDone">Bytes of it that were read.</param>
/// <param name="BytesTotal">Its size, or -1 for a stream.</param>
public readonly record struct LogProgress(long BytesDone, long BytesTotal);
