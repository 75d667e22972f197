namespace CoreIO.Log;

/// <summary>Why text does not compile; the numbers of <c>coreio_log_fault_reason</c>.</summary>
public enum LogFault
{
    /// <summary>It does.</summary>
    None = 0,

    /// <summary>Neither a built-in format nor a template.</summary>
    UnknownFormat = 1,

    /// <summary>A <c>$</c> without a name, or a <c>${</c> that is not closed.</summary>
    BadVariable = 2,

    /// <summary>Two variables with nothing between.</summary>
    AdjacentVariables = 3,

    /// <summary>Too many fields, keys, statistics or tables.</summary>
    TooMany = 4,

    /// <summary>The format has no such field.</summary>
    UnknownField = 5,

    /// <summary>A field should stand here.</summary>
    ExpectedField = 6,

    /// <summary>A comparison should stand here.</summary>
    ExpectedOperator = 7,

    /// <summary>A number or a string should stand here.</summary>
    ExpectedValue = 8,

    /// <summary>A <c>)</c> should stand here.</summary>
    ExpectedClose = 9,

    /// <summary>A string is not closed.</summary>
    UnterminatedString = 10,

    /// <summary>The text should have ended before.</summary>
    UnexpectedText = 11,

    /// <summary>A number out of range or of the wrong kind.</summary>
    BadNumber = 12,

    /// <summary>A text field where a number is needed.</summary>
    NotNumeric = 13,

    /// <summary>An operator that needs a string.</summary>
    TextOperator = 14,

    /// <summary>A pattern that does not compile.</summary>
    BadPattern = 15,

    /// <summary>A pattern with too many states.</summary>
    PatternTooLarge = 16,

    /// <summary>No such statistic.</summary>
    UnknownStatistic = 17,

    /// <summary>A quantile outside 0 to 100, or with more than four decimals.</summary>
    BadQuantile = 18,

    /// <summary>The format has no time.</summary>
    NoClock = 19,

    /// <summary>The key <c>time</c> without an interval.</summary>
    NoInterval = 20,

    /// <summary>Nested too deep.</summary>
    TooDeep = 21,
}
