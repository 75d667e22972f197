// Copies what a finished scan holds into arrays of the caller's, whole tables at a time. Goes over them by index: spans of structures are
// not compiled ahead of time, and this runs once in a process that should be short.
//
// The library tells the size of a table first, so its arrays are made once and it writes straight into them. The caller holds a reference
// of the scan.
using CoreIO.Interop;
using CoreIO.Log;

namespace CoreIO.Native.Log;

internal static unsafe class NativeLogAnswer
{
    internal static LogWorker[] ReadWorkers(coreio_log_scan* scan, int count)
    {
        coreio_log_worker_info[] workers = new coreio_log_worker_info[count];
        fixed (coreio_log_worker_info* start = workers)
        {
            Status.Check(LibCoreIO.coreio_log_scan_workers(scan, start, count), "workers");
        }

        LogWorker[] answer = new LogWorker[count];
        for (int i = 0; i < count; i++)
        {
            ref readonly coreio_log_worker_info w = ref workers[i];
            answer[i] = new LogWorker(
                w.thread_id, w.cpu, w.lines, w.bytes, new TimeSpan(w.cpu_time_us * TimeSpan.TicksPerMicrosecond));
        }

        return answer;
    }

    internal static LogReject[] ReadRejects(coreio_log_scan* scan)
    {
        const int Reasons = (int)coreio_log_reason.COREIO_LOG_REASONS;
        coreio_log_reject[] rejects = new coreio_log_reject[Reasons];
        byte[] samples = new byte[Reasons * LibCoreIO.COREIO_LOG_SAMPLES * LibCoreIO.COREIO_LOG_SAMPLE_BYTES];
        fixed (coreio_log_reject* start = rejects)
        fixed (byte* samplesStart = samples)
        {
            int count = Status.Check(LibCoreIO.coreio_log_scan_rejects(scan, start, Reasons, samplesStart, samples.Length), "rejects");
            LogReject[] answer = new LogReject[count];
            for (int i = 0; i < count; i++)
            {
                answer[i] = new LogReject((LogReason)start[i].reason, start[i].count, Samples(start + i, samples));
            }

            return answer;
        }
    }

    internal static LogTableAnswer ReadTable(coreio_log_scan* scan, int table, NativeLogColumns columns)
    {
        coreio_log_table_summary summary;
        Status.Check(LibCoreIO.coreio_log_scan_table(scan, table, &summary), "table");
        long rows = summary.groups + (summary.other_lines > 0 ? 1 : 0);
        if (summary.key_bytes > Array.MaxLength || rows * Math.Max(1, summary.stats) > Array.MaxLength)
        {
            throw Status.Failure(StatusCode.Capacity, $"a table of {rows} groups");
        }

        LogGroup[] groups = new LogGroup[rows];
        LogCell[] cells = new LogCell[rows * summary.stats];
        byte[] keys = new byte[summary.key_bytes];
        int groupsRead = 0;
        int cellsRead = 0;
        int keysRead = 0;
        fixed (LogGroup* groupsStart = groups)
        fixed (LogCell* cellsStart = cells)
        fixed (byte* keysStart = keys)
        {
            while (groupsRead < groups.Length)
            {
                int count = Status.Check(
                    LibCoreIO.coreio_log_scan_groups(
                        scan,
                        table,
                        groupsRead,
                        (coreio_log_group*)(groupsStart + groupsRead),
                        groups.Length - groupsRead,
                        (coreio_log_cell*)(cellsStart + cellsRead),
                        cells.Length - cellsRead,
                        keysStart + keysRead,
                        keys.Length - keysRead),
                    "groups");
                if (count == 0)
                {
                    throw Status.Failure(StatusCode.Truncated, $"a table of {rows} groups");
                }

                Rebase(groupsStart + groupsRead, count, (uint)keysRead, (uint)cellsRead);
                cellsRead += count * summary.stats;
                for (int end = groupsRead + count; groupsRead < end; groupsRead++)
                {
                    keysRead += (int)groupsStart[groupsRead].KeyLength;
                }
            }
        }

        return new LogTableAnswer
        {
            Keys = columns.Keys,
            Stats = columns.Stats,
            Groups = groups,
            Cells = cells,
            KeyBytes = keys,
            OtherLines = summary.other_lines,
        };
    }

    // The library counts offsets from the buffers of one call; a table has one buffer for all of them.
    private static void Rebase(LogGroup* groups, int count, uint keyBase, uint cellBase)
    {
        if (keyBase == 0 && cellBase == 0)
        {
            return;
        }

        for (int i = 0; i < count; i++)
        {
            LogGroup group = groups[i];
            groups[i] = new LogGroup(group.Count, group.KeyOffset + keyBase, group.KeyLength, group.FirstCell + cellBase, group.IsOther);
        }
    }

    private static byte[][] Samples(coreio_log_reject* reject, byte[] bytes)
    {
        uint* offsets = (uint*)&reject->sample_offset;
        uint* lengths = (uint*)&reject->sample_length;
        byte[][] samples = new byte[reject->sample_count][];
        for (int i = 0; i < samples.Length; i++)
        {
            samples[i] = bytes.AsSpan((int)offsets[i], (int)lengths[i]).ToArray();
        }

        return samples;
    }
}
