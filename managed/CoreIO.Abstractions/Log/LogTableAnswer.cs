using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace CoreIO.Log;

/// <summary>A row of a table: where its key and its cells are. The layout is that of <c>coreio_log_group</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct LogGroup(long count, uint keyOffset, uint keyLength, uint firstCell, bool other)
{
    /// <summary>Lines in the group.</summary>
    public readonly long Count = count;

    /// <summary>First byte of its key in <see cref="LogTableAnswer.KeyBytes"/>.</summary>
    public readonly uint KeyOffset = keyOffset;

    /// <summary>Bytes of its key.</summary>
    public readonly uint KeyLength = keyLength;

    /// <summary>Index of its first cell in <see cref="LogTableAnswer.Cells"/>.</summary>
    public readonly uint FirstCell = firstCell;

    private readonly uint _other = other ? 1u : 0;

    /// <summary>Whether this is the row of all groups beyond the limit; it has no key.</summary>
    public bool IsOther => _other != 0;
}

/// <summary>The value of one statistic. The layout is that of <c>coreio_log_cell</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct LogCell(ulong low, long high, long count)
{
    private readonly ulong _low = low;
    private readonly long _high = high;

    /// <summary>How many values were not null.</summary>
    public readonly long Count = count;

    /// <summary>The value in units of the column's scale; for an average, the sum.</summary>
    public Int128 Value => new((ulong)_high, _low);

    /// <summary>The value where 64 bits suffice, as for almost every answer.</summary>
    public bool TryGetInt64(out long value)
    {
        value = (long)_low;
        return _high == value >> 63;
    }
}

/// <summary>A table of an answer; rows in no order, the (other) row last if there is one.</summary>
public sealed class LogTableAnswer
{
    /// <summary>The parts of a key.</summary>
    public required IReadOnlyList<LogKeyColumn> Keys { get; init; }

    /// <summary>The statistics.</summary>
    public required IReadOnlyList<LogStatColumn> Stats { get; init; }

    /// <summary>The rows.</summary>
    public required LogGroup[] Groups { get; init; }

    /// <summary>The cells of all rows, <c>Stats.Count</c> each.</summary>
    public required LogCell[] Cells { get; init; }

    /// <summary>The keys of all rows: for each part a length in the machine's byte order, uint.MaxValue for null, and its bytes.</summary>
    public required byte[] KeyBytes { get; init; }

    /// <summary>Lines in the (other) row; 0 when every group has its own.</summary>
    public required long OtherLines { get; init; }

    /// <summary>Reads one part of a row's key; false when it is null.</summary>
    public bool TryGetKey(in LogGroup group, int part, out ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> rest = KeyBytes.AsSpan((int)group.KeyOffset, (int)group.KeyLength);
        for (int i = 0; ; i++)
        {
            uint length = MemoryMarshal.Read<uint>(rest);
            int bytesLength = length == uint.MaxValue ? 0 : (int)length;
            if (i == part)
            {
                bytes = rest.Slice(sizeof(uint), bytesLength);
                return length != uint.MaxValue;
            }

            rest = rest[(sizeof(uint) + bytesLength)..];
        }
    }

    /// <summary>The cell of a row's statistic.</summary>
    public LogCell Cell(in LogGroup group, int stat) => Cells[(int)group.FirstCell + stat];

    /// <summary>Microseconds since 1970 of a key part of kind <see cref="LogKind.Time"/>.</summary>
    public static long TimeOf(ReadOnlySpan<byte> keyPart) =>
        BitConverter.IsLittleEndian ? BinaryPrimitives.ReadInt64LittleEndian(keyPart) : BinaryPrimitives.ReadInt64BigEndian(keyPart);
}
