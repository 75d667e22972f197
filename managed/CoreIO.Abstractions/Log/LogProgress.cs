namespace CoreIO.Log;

/// <summary>How far an input is.</summary>
/// <param name="BytesDone">Bytes of it that were read.</param>
/// <param name="BytesTotal">Its size, or -1 for a stream.</param>
/// <param name="RejectsStatus">The status of a failed write of rejected lines, after which nothing more is read; else 0.</param>
public readonly record struct LogProgress(long BytesDone, long BytesTotal, int RejectsStatus = 0);
