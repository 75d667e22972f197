namespace CoreIO.Managed.Log;

/// <summary>The numbers of <c>coreio/log.h</c> and those of this backend's buffers.</summary>
internal static class Limits
{
    /// <summary>A longer line, its newline included, is rejected as too long.</summary>
    internal const int MaxLine = 8 << 20;

    /// <summary>Most variables of a template, and most columns, keys and statistics of a question.</summary>
    internal const int MaxFields = 256;

    internal const int MaxTables = 16;
    internal const int MaxWorkers = 1024;
    internal const int MinBlock = 4096;
    internal const int MaxBlock = 16 << 20;
    internal const int DefaultBlock = 256 << 10;
    internal const int Samples = 3;
    internal const int SampleBytes = 256;
    internal const int Reasons = 7;

    /// <summary>Most bytes of whole lines that are indexed at a time; their positions then stay in the L2 cache.</summary>
    internal const int Window = 64 << 10;

    /// <summary>Bytes before the lines in a worker's buffer, where values that stand in no line are written.</summary>
    internal const int Header = TextColumns.HeaderLength;

    /// <summary>Room a kernel may use beyond the last position, as it writes eight at a time.</summary>
    internal const int PositionSlack = 72;
}
