namespace CoreIO.Log;

/// <summary>Which text of a question a fault is in.</summary>
public enum LogSyntaxPart
{
    /// <summary>The format.</summary>
    Format,

    /// <summary>The filter.</summary>
    Where,

    /// <summary>The keys, joined by commas.</summary>
    By,

    /// <summary>The statistics, joined by commas.</summary>
    Stats,
}
