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
        GroupStore kept = table.Groups;
        long otherLines = kept.LinesOf(GroupStore.Other);
        int own = kept.Count - GroupStore.First;
        int stats = plan.Statistics.Count;
        LogGroup[] groups = new LogGroup[own + (otherLines > 0 ? 1 : 0)];
        LogCell[] cells = new LogCell[checked(groups.Length * stats)];
        byte[] keys = new byte[checked((int)kept.Keys.Bytes)];
        int keyAt = 0;
        for (int i = 0; i < groups.Length; i++)
        {
            // The other ones come last.
            bool isOther = i == own;
            int group = isOther ? GroupStore.Other : i + GroupStore.First;
            ReadOnlySpan<byte> key = isOther ? [] : kept.KeyOf(group);
            key.CopyTo(keys.AsSpan(keyAt));
            groups[i] = new LogGroup(kept.LinesOf(group), (uint)keyAt, (uint)key.Length, (uint)(i * stats), isOther);
            FillCells(plan, kept, group, cells.AsSpan(i * stats, stats));
            keyAt += key.Length;
        }

        return new LogTableAnswer
        {
            Keys = plan.Keys,
            Stats = [.. plan.Statistics.Select(statistic => statistic.Column)],
            Groups = groups,
            Cells = cells,
            KeyBytes = keys,
            OtherLines = otherLines,
        };
    }

    private static void FillCells(TablePlan plan, GroupStore groups, int group, Span<LogCell> cells)
    {
        long count = groups.LinesOf(group);
        ReadOnlySpan<long> words = groups.WordsOf(group);
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
                LogStatKind.Quantile => groups.SketchesOf(group)[at] is { } sketch
                    ? Whole(sketch.Quantile(statistic.Ppm), sketch.Count)
                    : default,
                _ => Whole(groups.CountersOf(group)[at].Estimate(), count),
            };
        }
    }

    private static LogCell Whole(long value, long count) => new((ulong)value, value >> 63, count);
}
