namespace CoreIO.Log;

/// <summary>What is said about a fault: the cause, then a way out.</summary>
internal static class LogFaultSentences
{
    internal static string Sentence(this LogFault fault, string piece) => fault switch
    {
        LogFault.UnknownFormat =>
            $"'{piece}' is no built-in format and no template; see `coreio log formats`, or write a template with $variables",
        LogFault.BadVariable => $"'{piece}' is no variable; write $name or ${{name}}",
        LogFault.AdjacentVariables => $"nothing stands between '{piece}' and the variable before it; a line could not be cut there",
        LogFault.TooMany => "too many fields, keys, statistics or tables (at most 256, and 16 tables)",
        LogFault.UnknownField => $"this format has no field '{piece}'; see `coreio log formats`",
        LogFault.ExpectedField when piece.StartsWith("time", StringComparison.Ordinal) =>
            $"expected a field{Near(piece)}; of when lines are, --since and --until are the bounds",
        LogFault.ExpectedField => $"expected a field{Near(piece)}",
        LogFault.ExpectedOperator => $"expected one of == != < <= > >= ^= $= *= =~{Near(piece)}",
        LogFault.ExpectedValue => $"expected a number, or a string in quotes{Near(piece)}",
        LogFault.ExpectedClose => $"expected ){Near(piece)}",
        LogFault.UnterminatedString => $"the string {piece} is not closed",
        LogFault.UnexpectedText => $"did not expect '{piece}' here; join comparisons by 'and' or 'or'",
        LogFault.BadNumber => $"'{piece}' is out of range or has decimals the field does not have",
        LogFault.NotNumeric => $"'{piece}' is text, not a number; compare it with a value in quotes, or ask for distinct({piece})",
        LogFault.TextOperator => $"'{piece}' needs a string; put the value in quotes",
        LogFault.BadPattern => $"the pattern does not compile{Near(piece)}",
        LogFault.PatternTooLarge => "the pattern needs more than 2,000 states; use smaller repetitions",
        LogFault.UnknownStatistic => $"'{piece}' is no statistic; use count, sum(F), avg(F), min(F), max(F), distinct(F) or pN(F)",
        LogFault.BadQuantile => $"'{piece}' is no quantile; use p0 to p100 with up to four decimals",
        LogFault.NoClock => $"{(piece.Length == 0 ? "--since and --until" : $"'{piece}'")} need a time, and this format has none of " +
            "time_local, time_iso8601, msec",
        LogFault.NoInterval => "the key 'time' needs --interval",
        LogFault.TooDeep => "nested more than 64 deep",
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, null),
    };

    private static string Near(string piece) => piece.Length == 0 ? " at the end" : $" at '{piece}'";
}
