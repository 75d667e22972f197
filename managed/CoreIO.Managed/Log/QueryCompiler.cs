// Compiles a question: bounds in time, filter, keys and statistics by name (docs/queries.md).
using System.Text;
using CoreIO.Log;

namespace CoreIO.Managed.Log;

/// <summary>A compiled question. Immutable once made.</summary>
/// <param name="Plan">What each line must give.</param>
/// <param name="Filter">Which lines count, or null for all.</param>
/// <param name="FilterTexts">How many texts of the plan, the first ones, the filter needs.</param>
/// <param name="Clock">The number that the bounds look at, or -1.</param>
/// <param name="SinceUs">First instant that is let through; 0 for no bound.</param>
/// <param name="UntilUs">First instant that is not; 0 for no bound.</param>
/// <param name="Tables">The tables.</param>
internal sealed record CompiledQuery(
    Plan Plan, Filter? Filter, int FilterTexts, int Clock, long SinceUs, long UntilUs, TablePlan[] Tables);

internal static class QueryCompiler
{
    internal static CompiledQuery Compile(LogQuery query)
    {
        CompiledFormat format = query.Format as CompiledFormat
            ?? throw new ArgumentException("the format was compiled by another backend", nameof(query));
        if (query.Interval < TimeSpan.Zero || query.Tables.Any(table => table.MaxGroups < 0))
        {
            throw new CoreIOException(StatusCode.InvalidArgument, "an interval or a limit of groups below zero");
        }

        Plan plan = new(format, (long)query.Interval.TotalMicroseconds);
        Filter? filter = string.IsNullOrEmpty(query.Where) ? null : FilterCompiler.Compile(query.Where, plan);
        int filterTexts = plan.Texts.Count;
        long since = Bound(query.Since);
        long until = Bound(query.Until);
        int clock = -1;
        if (since != 0 || until != 0)
        {
            clock = plan.AddClock();
            if (clock < 0)
            {
                throw new LogSyntaxException(LogSyntaxPart.Where, LogFault.NoClock, query.Where ?? string.Empty, 0, 0);
            }
        }

        List<TablePlan> tables = [];
        foreach (LogTable table in query.Tables)
        {
            string by = string.Join(',', table.By);
            if (tables.Count == Limits.MaxTables)
            {
                throw new LogSyntaxException(LogSyntaxPart.By, LogFault.TooMany, by, 0, Encoding.UTF8.GetByteCount(by));
            }

            tables.Add(CompileTable(plan, by, string.Join(',', table.Stats), table.MaxGroups));
        }

        return new CompiledQuery(plan, filter, filterTexts, clock, since, until, [.. tables]);
    }

    /// <summary>
    /// The first whole microsecond that is not before an instant; 0 for none, and -1 for the instant 0, as docs/queries.md says.
    /// </summary>
    private static long Bound(DateTimeOffset? instant)
    {
        if (instant is not { } value)
        {
            return 0;
        }

        (long whole, long rest) = Math.DivRem((value - DateTimeOffset.UnixEpoch).Ticks, TimeSpan.TicksPerMicrosecond);
        long microseconds = rest > 0 ? whole + 1 : whole;
        return microseconds == 0 ? -1 : microseconds;
    }

    private static TablePlan CompileTable(Plan plan, string by, string stats, int maxGroups)
    {
        TablePlan table = new() { MaxGroups = maxGroups == 0 ? new LogTable().MaxGroups : maxGroups };
        if (by.Length > 0)
        {
            foreach (Item item in Split(LogSyntaxPart.By, by))
            {
                AddKey(plan, table, item);
            }
        }

        foreach (Item item in Split(LogSyntaxPart.Stats, stats.Length == 0 ? "count" : stats))
        {
            AddStatistic(plan, table, item);
        }

        return table;
    }

    private static void AddKey(Plan plan, TablePlan table, Item item)
    {
        Column column = Resolve(plan, item, mayBeClock: true);

        // A typed field that is a key is typed, too, so no key is shown that is not of its kind.
        if (column.Derivation == Derivation.AsIs && column.Kind != LogKind.Text && plan.AddNumber(column) < 0)
        {
            throw item.Fault(LogFault.TooMany);
        }

        int text = plan.AddText(column);
        if (text < 0 || table.Keys.Count == Limits.MaxFields)
        {
            throw item.Fault(LogFault.TooMany);
        }

        LogKind kind = column.Derivation is Derivation.Minute or Derivation.Interval ? LogKind.Time
            : column.Kind == LogKind.Integer ? LogKind.Integer
            : LogKind.Text;
        table.Keys.Add(new LogKeyColumn(item.Text, kind));
        table.KeyTexts.Add(text);
    }

    private static void AddStatistic(Plan plan, TablePlan table, Item item)
    {
        LogStatKind kind = LogStatKind.Count;
        Keep keep = Keep.Sum;
        int ppm = 0;
        int open = item.Text.IndexOf('(', StringComparison.Ordinal);
        if (item.Text != "count")
        {
            string name = open >= 0 && item.Text[^1] == ')' ? item.Text[..open] : string.Empty;
            (kind, keep) = name switch
            {
                "sum" => (LogStatKind.Sum, Keep.Sum),
                "avg" => (LogStatKind.Avg, Keep.Sum),
                "min" => (LogStatKind.Min, Keep.Extremes),
                "max" => (LogStatKind.Max, Keep.Extremes),
                "distinct" => (LogStatKind.Distinct, Keep.Distinct),
                ['p', >= '0' and <= '9', ..] => (LogStatKind.Quantile, Keep.Sketch),
                _ => throw item.Fault(LogFault.UnknownStatistic),
            };
            if (kind == LogStatKind.Quantile && !TryReadQuantile(name.AsSpan(1), out ppm))
            {
                throw item.Fault(LogFault.BadQuantile);
            }
        }

        if (table.Statistics.Count == Limits.MaxFields)
        {
            throw item.Fault(LogFault.TooMany);
        }

        int scale = 0;
        int accumulator = -1;
        if (kind != LogStatKind.Count)
        {
            Item field = item.Part(open + 1, item.Text.Length - open - 2);
            Column column = Resolve(plan, field, mayBeClock: false);
            int input;
            if (kind == LogStatKind.Distinct)
            {
                input = plan.AddText(column);
            }
            else if (column.Kind == LogKind.Text && !column.IsFree)
            {
                throw field.Fault(LogFault.NotNumeric);
            }
            else
            {
                input = plan.AddNumber(column);
                scale = column.Kind == LogKind.Integer ? 0 : 6;
            }

            accumulator = input < 0 ? throw field.Fault(LogFault.TooMany) : table.Add(keep, input);
        }

        table.Statistics.Add(new Statistic(new LogStatColumn(item.Text, kind, scale), accumulator, ppm));
    }

    private static Column Resolve(Plan plan, Item name, bool mayBeClock)
    {
        if (name.Text.Length == 0)
        {
            throw name.Fault(LogFault.ExpectedField);
        }

        if (!FieldNames.Resolve(plan.Format, name.Text, out Column column))
        {
            throw name.Fault(mayBeClock && name.Text is ("time" or "minute") ? LogFault.NoClock : LogFault.UnknownField);
        }

        if (column.Derivation is Derivation.Minute or Derivation.Interval && !mayBeClock)
        {
            throw name.Fault(LogFault.ExpectedField);
        }

        return column.Derivation == Derivation.Interval && plan.IntervalUs == 0 ? throw name.Fault(LogFault.NoInterval) : column;
    }

    /// <summary>Reads the N of pN as millionths: digits, and a point with up to four more.</summary>
    private static bool TryReadQuantile(ReadOnlySpan<char> text, out int ppm)
    {
        ppm = 0;
        long value = 0;
        int decimals = -1;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '.' && decimals < 0 && i > 0)
            {
                decimals = 0;
            }
            else if (char.IsAsciiDigit(text[i]) && decimals < 4 && value < 10_000_000)
            {
                value = (value * 10) + (text[i] - '0');
                decimals += decimals >= 0 ? 1 : 0;
            }
            else
            {
                return false;
            }
        }

        if (text.IsEmpty || decimals == 0)
        {
            return false;
        }

        for (int i = Math.Max(decimals, 0); i < 4; i++)
        {
            value *= 10;
        }

        ppm = value <= Numbers.Micro ? (int)value : 0;
        return value <= Numbers.Micro;
    }

    /// <summary>The items of a comma-separated list, without the spaces around them.</summary>
    private static IEnumerable<Item> Split(LogSyntaxPart part, string list)
    {
        int at = 0;
        foreach (string item in list.Split(','))
        {
            string trimmed = item.TrimStart(' ');
            yield return new Item(part, list, at + item.Length - trimmed.Length, trimmed.TrimEnd(' '));
            at += item.Length + 1;
        }
    }

    /// <summary>A piece of a list.</summary>
    /// <param name="In">Which list.</param>
    /// <param name="List">All of it.</param>
    /// <param name="Begin">First character of the piece.</param>
    /// <param name="Text">The piece.</param>
    private readonly record struct Item(LogSyntaxPart In, string List, int Begin, string Text)
    {
        internal Item Part(int from, int length) => this with { Begin = Begin + from, Text = Text.Substring(from, length) };

        internal LogSyntaxException Fault(LogFault fault) =>
            new(In, fault, List, Encoding.UTF8.GetByteCount(List.AsSpan(0, Begin)), Encoding.UTF8.GetByteCount(Text));
    }
}
