namespace CoreIO.Log;

/// <summary>Why a line is rejected (docs/formats.md, section 9).</summary>
public enum LogReason
{
    /// <summary>It is not.</summary>
    Parsed = 0,

    /// <summary>A quote or bracket is still open at the line end.</summary>
    OpenDelimiter = 1,

    /// <summary>A literal of the format is not in the line.</summary>
    MissingText = 2,

    /// <summary>The line goes on after the last field of the format.</summary>
    TrailingText = 3,

    /// <summary>A field the question uses as a number is none.</summary>
    NotANumber = 4,

    /// <summary>A field the question uses as a time is none.</summary>
    NotATime = 5,

    /// <summary>The line is longer than 8 MiB.</summary>
    TooLong = 6,
}
