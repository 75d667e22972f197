namespace CoreIO.Log;

/// <summary>The names that reports and scripts use for reasons.</summary>
public static class LogReasonNames
{
    /// <summary>The name of a reason, as in docs/formats.md, section 9.</summary>
    public static string Name(this LogReason reason) => reason switch
    {
        LogReason.Parsed => "parsed",
        LogReason.OpenDelimiter => "open_delimiter",
        LogReason.MissingText => "missing_text",
        LogReason.TrailingText => "trailing_text",
        LogReason.NotANumber => "not_a_number",
        LogReason.NotATime => "not_a_time",
        LogReason.TooLong => "too_long",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, null),
    };
}
