using CoreIO.Log;
using Microsoft.Win32.SafeHandles;

namespace CoreIO.Interop;

/// <summary>Owns a <c>coreio_log_query</c>.</summary>
internal sealed unsafe class LogQueryHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private LogQueryHandle(coreio_log_query* query)
        : base(ownsHandle: true) => SetHandle((nint)query);

    /// <summary>The object; valid while a reference is held.</summary>
    internal coreio_log_query* Pointer => (coreio_log_query*)handle;

    /// <summary>Compiles what all tables share. An empty filter lets every line through; times are microseconds, 0 for no bound.</summary>
    /// <exception cref="LogSyntaxException">The filter does not compile.</exception>
    internal static LogQueryHandle Create(LogFormatHandle format, string where, long sinceUs, long untilUs, long intervalUs)
    {
        using Borrowed borrowed = new(format);
        byte[] text = ShortText.BytesOf(where);
        coreio_log_query* query;
        coreio_log_fault fault;
        int status;
        fixed (byte* start = text)
        {
            coreio_log_query_options options = new()
            {
                size = (uint)sizeof(coreio_log_query_options),
                where = start,
                where_length = text.Length,
                since_us = sinceUs,
                until_us = untilUs,
                interval_us = intervalUs,
            };
            status = LibCoreIO.coreio_log_query_create(format.Pointer, &options, &query, &fault);
        }

        Status.CheckText(status, fault, LogSyntaxPart.Where, where, "query");
        return new LogQueryHandle(query);
    }

    /// <summary>Adds a table and returns its index; keys and statistics are lists joined by commas.</summary>
    /// <exception cref="LogSyntaxException">A key or a statistic does not compile.</exception>
    internal int AddTable(string by, string stats, int maxGroups)
    {
        using Borrowed borrowed = new(this);
        byte[] byText = ShortText.BytesOf(by);
        byte[] statsText = ShortText.BytesOf(stats);
        coreio_log_fault fault;
        int status;
        fixed (byte* byStart = byText, statsStart = statsText)
        {
            coreio_log_table_options options = new()
            {
                size = (uint)sizeof(coreio_log_table_options),
                by = byStart,
                by_length = byText.Length,
                stats = statsStart,
                stats_length = statsText.Length,
                max_groups = maxGroups,
            };
            status = LibCoreIO.coreio_log_query_add_table(Pointer, &options, &fault);
        }

        bool inStats = fault.reserved == 1;
        return Status.CheckText(status, fault, inStats ? LogSyntaxPart.Stats : LogSyntaxPart.By, inStats ? stats : by, "table");
    }

    /// <summary>The keys of a table, then its statistics, then what is left of the room for them.</summary>
    internal coreio_log_column_info[] Columns(int table)
    {
        using Borrowed borrowed = new(this);
        coreio_log_column_info[] columns = new coreio_log_column_info[2 * LibCoreIO.COREIO_LOG_MAX_FIELDS];
        fixed (coreio_log_column_info* start = columns)
        {
            Status.Check(LibCoreIO.coreio_log_query_columns(Pointer, table, start, columns.Length), "columns");
        }

        return columns;
    }

    protected override bool ReleaseHandle()
    {
        Crossings.Add();
        LibCoreIO.coreio_log_query_destroy(Pointer);
        return true;
    }
}
