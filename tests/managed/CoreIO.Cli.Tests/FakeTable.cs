// Answers made by hand, in the layout that backends hand out, so that sorting and showing are tested without one.
using System.Runtime.InteropServices;
using System.Text;
using CoreIO.Log;

namespace CoreIO.Cli.Tests;

internal sealed class FakeTable(LogKeyColumn[] keys, LogStatColumn[] stats)
{
    private readonly List<LogGroup> _groups = [];
    private readonly List<LogCell> _cells = [];
    private readonly List<byte> _keys = [];

    public static LogKeyColumn Text(string name) => new(name, LogKind.Text);

    public static LogStatColumn Count => new("count", LogStatKind.Count, 0);

    /// <summary>Adds a row; a key is a string, a long for a time, or null; a cell is its value and how many values it has.</summary>
    public FakeTable Row(long count, object?[] key, params (Int128 Value, long Count)[] cells)
    {
        int offset = _keys.Count;
        foreach (object? part in key)
        {
            byte[]? bytes = part switch
            {
                null => null,
                long time => BitConverter.GetBytes(time),
                _ => Encoding.Latin1.GetBytes((string)part),
            };
            uint length = bytes is null ? uint.MaxValue : (uint)bytes.Length;
            _keys.AddRange(MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in length)));
            _keys.AddRange(bytes ?? []);
        }

        _groups.Add(new LogGroup(count, (uint)offset, (uint)(_keys.Count - offset), (uint)_cells.Count, other: false));
        AddCells(cells);
        return this;
    }

    public FakeTable Other(long count, params (Int128 Value, long Count)[] cells)
    {
        _groups.Add(new LogGroup(count, (uint)_keys.Count, 0, (uint)_cells.Count, other: true));
        AddCells(cells);
        return this;
    }

    public LogTableAnswer Answer => new()
    {
        Keys = keys,
        Stats = stats,
        Groups = [.. _groups],
        Cells = [.. _cells],
        KeyBytes = [.. _keys],
        OtherLines = _groups.Count > 0 && _groups[^1].IsOther ? _groups[^1].Count : 0,
    };

    /// <summary>A report of this one table, 2 of whose lines were rejected.</summary>
    public LogReport Report(string? sort = null, int top = 0, int offsetMinutes = 0) => new()
    {
        Answer = new LogAnswer
        {
            Lines = 12,
            Parsed = 9,
            Rejected = 2,
            Filtered = 1,
            Bytes = 345,
            Kernel = "scalar",
            Workers = [new LogWorker(1, 0, 12, 345, TimeSpan.Zero)],
            Rejects = [new LogReject(LogReason.MissingText, 2, [[(byte)'a', 0x1B, 0xFF, (byte)'\\', (byte)'x', (byte)'4', (byte)'1']])],
            Tables = [Answer],
        },
        Tables = [new LogReportTable(Answer, sort, top)],
        Format = new LogFormatChoice(null!, "combined", 0, 0),
        Backend = "fake",
        Elapsed = TimeSpan.FromMilliseconds(250),
        OffsetMinutes = offsetMinutes,
        InputsRead = 1,
        Errors = [],
    };

    private void AddCells((Int128 Value, long Count)[] cells)
    {
        foreach ((Int128 value, long count) in cells)
        {
            _cells.Add(new LogCell((ulong)(value & ulong.MaxValue), (long)(value >> 64), count));
        }
    }
}
