// What a question needs of each line: fields as numbers and fields as texts.
//
// Each different use of a field becomes one number or one text, so a line is typed once however often a field is named. The filter is
// compiled first, so its texts come first, and those that only tables need are not made for lines that are filtered out. A plan does not
// change while lines are worked on.
using CoreIO.Log;

namespace CoreIO.Managed.Log;

/// <summary>A field of the line, used as a number.</summary>
/// <param name="Source">Index of the field.</param>
/// <param name="Typing">How its text becomes a number.</param>
/// <param name="Reason">Why a line is rejected whose field is not of the kind.</param>
/// <param name="Scale">0 for ones, 6 for millionths.</param>
internal readonly record struct NumberUse(int Source, Typing Typing, LogReason Reason, int Scale);

/// <summary>A field of the line, used as text: a key, a compared or a counted text.</summary>
/// <param name="Source">Index of the field.</param>
/// <param name="Derivation">How the text is made of it.</param>
/// <param name="Number">The number it is made of, or -1.</param>
internal readonly record struct TextUse(int Source, Derivation Derivation, int Number);

internal sealed class Plan(CompiledFormat format, long intervalUs)
{
    private readonly List<NumberUse> _numbers = [];
    private readonly List<TextUse> _texts = [];

    internal CompiledFormat Format { get; } = format;

    /// <summary>Width of the key <c>time</c>, or 0.</summary>
    internal long IntervalUs { get; } = intervalUs;

    internal IReadOnlyList<NumberUse> Numbers => _numbers;

    internal IReadOnlyList<TextUse> Texts => _texts;

    /// <summary>One more than the highest field that is used.</summary>
    internal int SourceLimit { get; private set; }

    /// <summary>The number for a column; -1 when there are too many.</summary>
    internal int AddNumber(in Column column)
    {
        Typing typing = TypingOf(column);
        int source = column.Source;
        int found = _numbers.FindIndex(use => use.Source == source && use.Typing == typing);
        if (found >= 0)
        {
            return found;
        }

        if (_numbers.Count == Limits.MaxFields)
        {
            return -1;
        }

        _numbers.Add(new NumberUse(
            source,
            typing,
            column.Kind == LogKind.Time ? LogReason.NotATime : LogReason.NotANumber,
            column.Kind == LogKind.Integer ? 0 : 6));
        SourceLimit = Math.Max(SourceLimit, source + 1);
        return _numbers.Count - 1;
    }

    /// <summary>The number that is the line's clock; -1 when the format has none or there are too many.</summary>
    internal int AddClock()
    {
        int source = FieldNames.Clock(Format);
        return source < 0 ? -1 : AddNumber(new Column(source, Derivation.AsIs, LogKind.Time, false, false));
    }

    /// <summary>The text for a column; -1 when there are too many. Minutes, intervals and classes get the number they need, too.</summary>
    internal int AddText(in Column column)
    {
        int number = -1;
        if (column.Derivation is Derivation.Minute or Derivation.Interval or Derivation.Attempts or Derivation.StatusClass)
        {
            number = AddNumber(column.Derivation == Derivation.StatusClass ? column with { Kind = LogKind.Integer } : column);
            if (number < 0)
            {
                return -1;
            }
        }

        TextUse use = new(column.Source, column.Derivation, number);
        int found = _texts.IndexOf(use);
        if (found >= 0)
        {
            return found;
        }

        if (_texts.Count == Limits.MaxFields)
        {
            return -1;
        }

        _texts.Add(use);
        SourceLimit = Math.Max(SourceLimit, column.Source + 1);
        return _texts.Count - 1;
    }

    /// <summary>The indexes of the numbers in the order of the line's fields, in which a line is typed.</summary>
    internal int[] TypingOrder() => [.. Enumerable.Range(0, _numbers.Count).OrderBy(i => _numbers[i].Source)];

    private Typing TypingOf(in Column column)
    {
        if (column.Derivation == Derivation.Attempts)
        {
            return Typing.Entries;
        }

        return column.Kind switch
        {
            LogKind.Time => Format.Variables[column.Source].Name switch
            {
                "msec" => Typing.TimeMsec,
                "time_local" => Typing.TimeLocal,
                _ => Typing.TimeIso8601,
            },
            LogKind.Integer when !column.IsList => Typing.Whole,
            LogKind.Integer => Format.Variables[column.Source].Name == "upstream_status" ? Typing.LastOfList : Typing.WholeList,
            _ => column.IsList ? Typing.MillionthsList : Typing.Millionths,
        };
    }
}
