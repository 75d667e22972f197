using System.Runtime.InteropServices;

namespace CoreIO.Log;

/// <summary>A line: offsets into the text that was fed. The layout is that of <c>coreio_log_record</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct LogRecord(uint offset, uint length, uint firstField, uint fieldCount, LogReason reason)
{
    /// <summary>First byte of the line.</summary>
    public readonly uint Offset = offset;

    /// <summary>Bytes of the line without its end.</summary>
    public readonly uint Length = length;

    /// <summary>Index of its first field in the fields of the same call.</summary>
    public readonly uint FirstField = firstField;

    /// <summary>How many fields it has; none when rejected.</summary>
    public readonly uint FieldCount = fieldCount;

    /// <summary>Why it is rejected, or <see cref="LogReason.Parsed"/>.</summary>
    public readonly LogReason Reason = reason;

    private readonly uint _reserved;
}
