using CoreIO.Interop;
using CoreIO.Log;

namespace CoreIO.Native.Log;

/// <summary>A compiled question: the library's object, and what its columns are called.</summary>
internal sealed class NativeLogQuery : IDisposable
{
    private NativeLogQuery(LogQueryHandle handle, NativeLogColumns[] tables)
    {
        Handle = handle;
        Tables = tables;
    }

    internal LogQueryHandle Handle { get; }

    /// <summary>The columns of each table.</summary>
    internal NativeLogColumns[] Tables { get; }

    /// <summary>Compiles a question.</summary>
    /// <exception cref="LogSyntaxException">A text of it does not compile.</exception>
    internal static NativeLogQuery Compile(LogQuery query, LogFormatHandle format)
    {
        LogQueryHandle handle = LogQueryHandle.Create(
            format, query.Where ?? "", Bound(query.Since), Bound(query.Until), Microseconds(query.Interval));
        try
        {
            return new NativeLogQuery(handle, AddTables(handle, query.Tables));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public void Dispose() => Handle.Dispose();

    /// <summary>The first whole microsecond that is not before an instant; 0 for none.</summary>
    /// <remarks>
    /// Lines have whole microseconds, so rounding up changes no comparison. The instant 0 itself would say "no bound" to the library, so
    /// the microsecond before it stands for it, as docs/queries.md says.
    /// </remarks>
    internal static long Bound(DateTimeOffset? instant)
    {
        if (instant is not { } value)
        {
            return 0;
        }

        long ticks = (value - DateTimeOffset.UnixEpoch).Ticks;
        (long whole, long rest) = Math.DivRem(ticks, TimeSpan.TicksPerMicrosecond);
        long microseconds = rest > 0 ? whole + 1 : whole;
        return microseconds == 0 ? -1 : microseconds;
    }

    /// <summary>A width in whole microseconds.</summary>
    /// <exception cref="ArgumentException">It is negative or has a fraction of a microsecond.</exception>
    internal static long Microseconds(TimeSpan interval) =>
        interval >= TimeSpan.Zero && interval.Ticks % TimeSpan.TicksPerMicrosecond == 0
            ? interval.Ticks / TimeSpan.TicksPerMicrosecond
            : throw new ArgumentException($"The interval {interval} is not a whole number of microseconds.", nameof(interval));

    private static NativeLogColumns[] AddTables(LogQueryHandle handle, IReadOnlyList<LogTable> tables)
    {
        NativeLogColumns[] columns = new NativeLogColumns[tables.Count];
        for (int i = 0; i < columns.Length; i++)
        {
            columns[i] = AddTable(handle, tables[i]);
        }

        return columns;
    }

    private static NativeLogColumns AddTable(LogQueryHandle handle, LogTable table)
    {
        string by = string.Join(',', table.By);
        string stats = string.Join(',', table.Stats);
        int index = handle.AddTable(by, stats, table.MaxGroups);
        string[] keyNames = Names(by);
        string[] statNames = Names(stats);
        if (statNames.Length == 0)
        {
            statNames = ["count"];
        }

        coreio_log_column_info[] columns = handle.Columns(index);
        LogKeyColumn[] keys = new LogKeyColumn[keyNames.Length];
        for (int i = 0; i < keys.Length; i++)
        {
            keys[i] = new LogKeyColumn(keyNames[i], (LogKind)columns[i].kind);
        }

        LogStatColumn[] statColumns = new LogStatColumn[statNames.Length];
        for (int i = 0; i < statColumns.Length; i++)
        {
            ref readonly coreio_log_column_info column = ref columns[keys.Length + i];
            statColumns[i] = new LogStatColumn(statNames[i], (LogStatKind)column.kind, column.scale);
        }

        return new NativeLogColumns(keys, statColumns);
    }

    // Letter by letter, for a list of more than a few looks for commas by vectors (ShortText.cs).
    private static string[] Names(string list)
    {
        List<string> names = [];
        int begin = 0;
        for (int i = 0; i <= list.Length && list.Length > 0; i++)
        {
            if (i == list.Length || list[i] == ',')
            {
                names.Add(list[begin..i].Trim());
                begin = i + 1;
            }
        }

        return names.ToArray();
    }
}

/// <summary>What the columns of a table are called and hold.</summary>
internal sealed record NativeLogColumns(LogKeyColumn[] Keys, LogStatColumn[] Stats);
