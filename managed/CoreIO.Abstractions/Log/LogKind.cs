namespace CoreIO.Log;

/// <summary>What a field is when it is typed (docs/formats.md, section 5).</summary>
public enum LogKind
{
    /// <summary>Bytes.</summary>
    Text = 0,

    /// <summary>Whole number, scale 0.</summary>
    Integer = 1,

    /// <summary>Duration in millionths of a second, scale 6.</summary>
    Seconds = 2,

    /// <summary>Number in millionths, scale 6.</summary>
    Decimal = 3,

    /// <summary>Microseconds since 1970 UTC.</summary>
    Time = 4,
}
