// Merges what the workers hold and lays it out as the answer: rows, cells and keys in three arrays a table.
using CoreIO.Log;

namespace CoreIO.Managed.Log;

internal static class AnswerBuilder
{
    internal static LogAnswer Build(CompiledQuery query, Kernel kernel, ScanWorker[] workers, Tally readers)
    {
        LogWorker[] summaries = [.. workers.Select(worker => worker.Summary)];
        LogTableAnswer[] tables = new LogTableAnswer[query.Tables.Length];
        for (int i = 0; i < tables.Length; i++)
        {
            GroupTable merged = workers[0].Engine.Tables[i];
            foreach (ScanWorker worker in workers.AsSpan(1))
            {
                merged.Merge(worker.Engine.Tables[i]);
            }

            merged.Limit();
            tables[i] = LayOut(query.Tables[i], merged);
        }

        Tally tally = new();
        tally.Merge(readers);
        foreach (ScanWorker worker in workers)
        {
            tally.Merge(worker.Engine.Tally);
        }

        return new LogAnswer
        {
            Lines = tally.Lines,
            Parsed = tally.Parsed,
            Rejected = tally.Rejected,
            Filtered = tally.Filtered,
            Bytes = tally.Bytes,
            Kernel = kernel.Name,
            Workers = summaries,
            Rejects = tally.Rejects(),
            Tables = tables,
        };
    }

    private static LogTableAnswer LayOut(TablePlan plan, GroupTable table)
    {
        bool hasOther = table.OtherCount > 0;
        int stats = plan.Statistics.Count;
        LogGroup[] groups = new LogGroup[table.Count + (hasOther ? 1 : 0)];
        LogCell[] cells = new LogCell[checked(groups.Length * stats)];
        byte[] keys = new byte[checked((int)table.KeyBytes)];
        int keyAt = 0;
        for (int i = 0; i < table.Count; i++)
        {
            ReadOnlySpan<byte> key = table.KeyOf(i);
            key.CopyTo(keys.AsSpan(keyAt));
            groups[i] = new LogGroup(table.CountOf(i), (uint)keyAt, (uint)key.Length, (uint)(i * stats), other: false);
            FillCells(plan, table.CountOf(i), table.WordsOf(i), table.ObjectsOf(i), cells.AsSpan(i * stats, stats));
            keyAt += key.Length;
        }

        if (hasOther)
        {
            int last = table.Count;
            groups[last] = new LogGroup(table.OtherCount, (uint)keyAt, 0, (uint)(last * stats), other: true);
            FillCells(plan, table.OtherCount, table.OtherWords, table.OtherObjects, cells.AsSpan(last * stats, stats));
        }

        return new LogTableAnswer
        {
            Keys = plan.Keys,
            Stats = [.. plan.Statistics.Select(statistic => statistic.Column)],
            Groups = groups,
            Cells = cells,
            KeyBytes = keys,
            OtherLines = table.OtherCount,
        };
    }

    private static void FillCells(
        TablePlan plan, long count, ReadOnlySpan<long> words, ReadOnlySpan<object?> objects, Span<LogCell> cells)
    {
        for (int i = 0; i < cells.Length; i++)
        {
            Statistic statistic = plan.Statistics[i];
            int at = statistic.Accumulator < 0 ? 0 : plan.Accumulators[statistic.Accumulator].Place;
            cells[i] = statistic.Column.Kind switch
            {
                LogStatKind.Count => Whole(count, count),
                LogStatKind.Sum or LogStatKind.Avg => new LogCell((ulong)words[at], words[at + 1], words[at + 2]),
                LogStatKind.Min => Whole(words[at], words[at + 2]),
                LogStatKind.Max => Whole(words[at + 1], words[at + 2]),
                LogStatKind.Quantile => objects[at] is Sketch sketch ? Whole(sketch.Quantile(statistic.Ppm), sketch.Count) : default,
                _ => objects[at] is DistinctCounter counter ? Whole(counter.Estimate(), count) : Whole(0, count),
            };
        }
    }

    private static LogCell Whole(long value, long count) => new((ulong)value, value >> 63, count);
}
