namespace CoreIO.Log;

/// <summary>A bounded piece of work over one file, from the least to the most; the numbers are those of <c>coreio_log_floor_work</c>.</summary>
public enum LogFloor
{
    /// <summary>Reads the bytes.</summary>
    Read = 1,

    /// <summary>Finds the newlines.</summary>
    Newlines = 2,

    /// <summary>Writes the position of each newline, quote, bracket, space, tab, bar and backslash.</summary>
    Index = 3,

    /// <summary>Cuts lines into fields by a plain state machine, a byte at a time.</summary>
    Scalar = 4,

    /// <summary>Cuts lines into fields by the lexer.</summary>
    Lex = 5,
}

/// <summary>What a floor found and took.</summary>
/// <param name="Bytes">Bytes read.</param>
/// <param name="Lines">Newlines found or lines cut; 0 where lines do not matter.</param>
/// <param name="Hits">Positions written or fields cut; 0 where neither is done.</param>
/// <param name="ElapsedNs">Nanoseconds from opening the file to its end.</param>
/// <param name="CpuNs">CPU time of the calling thread in that time, in nanoseconds.</param>
/// <param name="Kernel">The kernel; <see cref="LogFloor.Read"/> and <see cref="LogFloor.Scalar"/> do not use it.</param>
public readonly record struct LogFloorResult(long Bytes, long Lines, long Hits, long ElapsedNs, long CpuNs, string Kernel);
